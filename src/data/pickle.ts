/**
 * Reads Python pickles of plain values and NumPy arrays, as in CIFAR and CIFAR-N. No class is looked up and no function is called, so
 * that a hostile file cannot run code.
 */

/** A NumPy array. `values` are in the file's order, 64-bit integers as numbers. */
export class NumpyArray {
  constructor(
    readonly shape: readonly number[],
    readonly dtype: string,
    readonly fortranOrder: boolean,
    readonly values:
      | Uint8Array
      | Int8Array
      | Uint16Array
      | Int16Array
      | Uint32Array
      | Int32Array
      | Float32Array
      | Float64Array
      | readonly PickleValue[],
  ) {}
}

/** Python's bytes and old strings become Buffers, a dict becomes a Map; keys that are not text are refused. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Buffer
  | NumpyArray
  | PickleValue[]
  | Map<string, PickleValue>;

/**
 * Returns the value of a pickle and the position of its end.
 * @throws if the file is cut short, has an unknown opcode, or asks for anything but NumPy's arrays
 */
export function readPickle(
  bytes: Uint8Array,
  { name, start = 0 }: { name: string; start?: number },
): { value: PickleValue; end: number } {
  const machine = new Machine(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), start);
  try {
    return { value: machine.run(), end: machine.at };
  } catch (error) {
    throw new Error(`${name}: not a pickle that this kit reads: ${(error as Error).message} (byte ${machine.at})`);
  }
}

/** Builds a NumPy array from its raw bytes. `dtype` as NumPy writes it: "<i8", "|u1". */
export function numpyArray(dtype: string, shape: readonly number[], fortranOrder: boolean, raw: Buffer): NumpyArray {
  const [, order, kind, width] = /^([<>|=]?)([biuf])(\d)$/.exec(dtype) ?? [];
  const size = Number(width);
  const decoder = decoders[`${kind}${width}`];
  if (!decoder) throw new Error(`NumPy type "${dtype}", expected numbers of 1 to 8 bytes`);
  const count = shape.reduce((product, dim) => product * dim, 1);
  if (!shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0) || raw.length !== count * size)
    throw new Error(`NumPy array of ${raw.length} bytes, expected ${count * size} for ${shape.join("×")} of "${dtype}"`);
  return new NumpyArray(shape, dtype, fortranOrder, decoder(order === ">" ? swapped(raw, size) : aligned(raw)));
}

type Decoder = (bytes: Buffer) => Exclude<NumpyArray["values"], readonly PickleValue[]>;

const decoders: Readonly<Record<string, Decoder>> = {
  b1: (b) => new Uint8Array(b.buffer, b.byteOffset, b.length),
  u1: (b) => new Uint8Array(b.buffer, b.byteOffset, b.length),
  i1: (b) => new Int8Array(b.buffer, b.byteOffset, b.length),
  u2: (b) => new Uint16Array(b.buffer, b.byteOffset, b.length / 2),
  i2: (b) => new Int16Array(b.buffer, b.byteOffset, b.length / 2),
  u4: (b) => new Uint32Array(b.buffer, b.byteOffset, b.length / 4),
  i4: (b) => new Int32Array(b.buffer, b.byteOffset, b.length / 4),
  f4: (b) => new Float32Array(b.buffer, b.byteOffset, b.length / 4),
  f8: (b) => new Float64Array(b.buffer, b.byteOffset, b.length / 8),
  i8: (b) => Float64Array.from(new BigInt64Array(b.buffer, b.byteOffset, b.length / 8), Number),
  u8: (b) => Float64Array.from(new BigUint64Array(b.buffer, b.byteOffset, b.length / 8), Number),
};

function aligned(raw: Buffer): Buffer {
  return raw.byteOffset % 8 === 0 ? raw : Buffer.from(Uint8Array.from(raw).buffer);
}

function swapped(raw: Buffer, size: number): Buffer {
  const copy = Buffer.from(Uint8Array.from(raw).buffer);
  for (let at = 0; at < copy.length; at += size) copy.subarray(at, at + size).reverse();
  return copy;
}

/** Stack items while an array is built: a name, or an array or dtype whose state follows later. */
class Global {
  constructor(readonly name: string) {}
}
class Dtype {
  order = "|";
  constructor(readonly code: string) {}
}
class ArrayShell {
  built: NumpyArray | undefined;
}
const mark = Symbol("mark");
type Item = PickleValue | Global | Dtype | ArrayShell | typeof mark;

// Names in a pickled NumPy array, from Python 2 and 3 and NumPy 1 and 2.
const reconstruct = ["numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"];
const fromBuffer = ["numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer"];
const allowed = new Set([
  ...reconstruct,
  ...fromBuffer,
  "numpy.ndarray",
  "numpy.dtype",
  "_codecs.encode",
  "collections.OrderedDict",
]);

/** Ours: CIFAR-100's training set takes some 300 000 steps. */
const MAX_STEPS = 2 ** 21;

class Machine {
  private readonly stack: Item[] = [];
  private readonly memo = new Map<number, Item>();
  /** bytes that may still be copied; real data copies each byte twice at most, to a buffer and to numbers */
  private room: number;

  constructor(
    private readonly bytes: Buffer,
    public at: number,
  ) {
    this.room = 4 * bytes.length;
  }

  run(): PickleValue {
    for (let step = 0; step < MAX_STEPS; step++) {
      const opcode = this.bytes[this.at];
      if (opcode === undefined) throw new Error("cut short, expected a STOP");
      this.at++;
      if (opcode === 0x2e) return plain(this.pop());
      const execute = steps[opcode];
      if (!execute) throw new Error(`opcode 0x${opcode.toString(16)} is not one of those that plain values need`);
      execute(this);
    }
    throw new Error(`more than the ${MAX_STEPS} steps expected at most`);
  }

  /** A file can name one string a million times, and ask for a copy each time. */
  chargeCopy(data: Item | undefined): void {
    this.room -= typeof data === "string" || Buffer.isBuffer(data) ? data.length : 0;
    if (this.room < 0) throw new Error("it copies the same data again and again");
  }

  push(item: Item): void {
    this.stack.push(item);
  }

  pop(): Item {
    const item = this.stack.pop();
    if (item === undefined) throw new Error("the stack is empty");
    return item;
  }

  top(): Item {
    const item = this.stack[this.stack.length - 1];
    if (item === undefined) throw new Error("the stack is empty");
    return item;
  }

  popToMark(): Item[] {
    const from = this.stack.lastIndexOf(mark);
    if (from < 0) throw new Error("no MARK on the stack");
    const items = this.stack.splice(from);
    return items.slice(1);
  }

  take(count: number): Buffer {
    if (count < 0 || this.at + count > this.bytes.length) throw new Error(`cut short, expected ${count} more bytes`);
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  /** A little-endian unsigned length. */
  uint(width: number): number {
    const value = width === 8 ? Number(this.take(8).readBigUInt64LE()) : this.take(width).readUIntLE(0, width);
    if (!Number.isSafeInteger(value)) throw new Error(`length ${value} is too large`);
    return value;
  }

  line(): string {
    const end = this.bytes.indexOf(10, this.at);
    if (end < 0) throw new Error("cut short within a line");
    const text = this.bytes.toString("latin1", this.at, end);
    this.at = end + 1;
    return text;
  }

  remember(slot: number = this.memo.size): void {
    this.memo.set(slot, this.top());
  }

  recall(slot: number): void {
    const item = this.memo.get(slot);
    if (item === undefined) throw new Error(`nothing was stored in memo ${slot}`);
    this.push(item);
  }
}

type Step = (machine: Machine) => void;

const steps: Readonly<Record<number, Step>> = {
  0x80: (m) => void m.take(1), // PROTO
  0x95: (m) => void m.take(8), // FRAME
  0x28: (m) => m.push(mark), // (
  0x30: (m) => void m.pop(), // 0 POP
  0x31: (m) => void m.popToMark(), // 1 POP_MARK
  0x32: (m) => m.push(m.top()), // 2 DUP
  0x4e: (m) => m.push(null), // N
  0x88: (m) => m.push(true), // NEWTRUE
  0x89: (m) => m.push(false), // NEWFALSE
  0x49: (m) => m.push(integerLine(m.line())), // I INT
  0x4c: (m) => m.push(integerLine(m.line().replace(/L$/, ""))), // L LONG
  0x4a: (m) => m.push(m.take(4).readInt32LE()), // J BININT
  0x4b: (m) => m.push(m.uint(1)), // K BININT1
  0x4d: (m) => m.push(m.uint(2)), // M BININT2
  0x8a: (m) => m.push(littleEndian(m.take(m.uint(1)))), // LONG1
  0x46: (m) => m.push(Number(m.line())), // F FLOAT
  0x47: (m) => m.push(m.take(8).readDoubleBE()), // G BINFLOAT
  0x53: (m) => m.push(quotedLine(m.line())), // S STRING
  0x55: (m) => m.push(m.take(m.uint(1))), // U SHORT_BINSTRING
  0x54: (m) => m.push(m.take(m.uint(4))), // T BINSTRING
  0x43: (m) => m.push(m.take(m.uint(1))), // C SHORT_BINBYTES
  0x42: (m) => m.push(m.take(m.uint(4))), // B BINBYTES
  0x8e: (m) => m.push(m.take(m.uint(8))), // BINBYTES8
  0x96: (m) => m.push(m.take(m.uint(8))), // BYTEARRAY8
  0x8c: (m) => m.push(m.take(m.uint(1)).toString("utf8")), // SHORT_BINUNICODE
  0x58: (m) => m.push(m.take(m.uint(4)).toString("utf8")), // X BINUNICODE
  0x8d: (m) => m.push(m.take(m.uint(8)).toString("utf8")), // BINUNICODE8
  0x56: (m) => m.push(unescapeUnicode(m.line())), // V UNICODE
  0x5d: (m) => m.push([]), // ]
  0x6c: (m) => m.push(m.popToMark() as PickleValue[]), // l LIST: made plain later, as TUPLE is
  0x61: (m) => append(m, [m.pop()]), // a APPEND
  0x65: (m) => append(m, m.popToMark()), // e APPENDS
  0x29: (m) => m.push([]), // ) EMPTY_TUPLE
  0x74: (m) => m.push(m.popToMark() as PickleValue[]), // t TUPLE: may hold names
  0x85: (m) => tuple(m, 1),
  0x86: (m) => tuple(m, 2),
  0x87: (m) => tuple(m, 3),
  0x7d: (m) => m.push(new Map()), // }
  0x64: (m) => m.push(setItems(new Map(), m.popToMark())), // d DICT
  0x73: (m) => setPopped(m, [m.pop(), m.pop()].reverse() as Item[]), // s SETITEM
  0x75: (m) => setPopped(m, m.popToMark()), // u SETITEMS
  0x63: (m) => m.push(lookUp(`${m.line()}.${m.line()}`)), // c GLOBAL
  0x93: (m) => m.push(stackGlobal(m.pop(), m.pop())), // STACK_GLOBAL
  0x52: (m) => m.push(reduce(m, m.pop(), m.pop())), // R REDUCE
  0x62: (m) => build(m, m.pop(), m.top()), // b BUILD
  0x70: (m) => m.remember(Number(m.line())), // p PUT
  0x71: (m) => m.remember(m.uint(1)), // q BINPUT
  0x72: (m) => m.remember(m.uint(4)), // r LONG_BINPUT
  0x94: (m) => m.remember(), // MEMOIZE
  0x67: (m) => m.recall(Number(m.line())), // g GET
  0x68: (m) => m.recall(m.uint(1)), // h BINGET
  0x6a: (m) => m.recall(m.uint(4)), // j LONG_BINGET
};

function integerLine(text: string): number | boolean | bigint {
  if (text === "00" || text === "01") return text === "01"; // protocol 0 writes booleans this way
  if (!/^[+-]?\d{1,40}$/.test(text)) throw new Error(`"${text.slice(0, 40)}" is not an integer`);
  return asNumber(BigInt(text));
}

function littleEndian(bytes: Buffer): number | bigint {
  if (bytes.length === 0) return 0;
  const value = BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
  return asNumber(BigInt.asIntN(8 * bytes.length, value));
}

function asNumber(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function quotedLine(text: string): Buffer {
  const inner = /^(['"])([^\\]*)\1$/.exec(text)?.[2];
  if (inner === undefined) throw new Error("a string with escapes");
  return Buffer.from(inner, "latin1");
}

function unescapeUnicode(line: string): string {
  return line.replace(/\\u([0-9a-f]{4})|\\U([0-9a-f]{8})/gi, (_, short, long) =>
    String.fromCodePoint(parseInt(short ?? long, 16)),
  );
}

function tuple(machine: Machine, size: number): void {
  machine.push(Array.from({ length: size }, () => machine.pop()).reverse() as PickleValue[]);
}

function append(machine: Machine, items: Item[]): void {
  const list = machine.top();
  if (!Array.isArray(list)) throw new Error("APPEND to something that is not a list");
  for (const item of items) list.push(item as PickleValue);
}

function setPopped(machine: Machine, pairs: Item[]): void {
  const map = machine.top();
  if (!(map instanceof Map)) throw new Error("SETITEM on something that is not a dict");
  setItems(map, pairs);
}

function setItems(map: Map<string, PickleValue>, pairs: Item[]): Map<string, PickleValue> {
  for (let i = 0; i + 1 < pairs.length; i += 2) map.set(text(pairs[i]!), pairs[i + 1] as PickleValue);
  return map;
}

function text(item: Item): string {
  if (typeof item === "string") return item;
  if (Buffer.isBuffer(item)) return item.toString("latin1");
  throw new Error("a name or key that is not text");
}

function lookUp(name: string): Global {
  if (!allowed.has(name)) throw new Error(`it asks for ${name.slice(0, 80)}, expected plain values and NumPy arrays`);
  return new Global(name);
}

function stackGlobal(name: Item, module: Item): Global {
  return lookUp(`${text(module)}.${text(name)}`);
}

function reduce(machine: Machine, args: Item, callee: Item): Item {
  if (!(callee instanceof Global) || !Array.isArray(args)) throw new Error("REDUCE of something that is not a NumPy array");
  const [first, second] = args as Item[];
  machine.chargeCopy(first);
  if (reconstruct.includes(callee.name)) return new ArrayShell();
  if (fromBuffer.includes(callee.name)) return arrayFromBuffer(args as Item[]);
  if (callee.name === "numpy.dtype") return new Dtype(text(first!));
  if (callee.name === "collections.OrderedDict" && args.length === 0) return new Map();
  if (callee.name === "_codecs.encode" && second === "latin1") return Buffer.from(text(first!), "latin1");
  throw new Error(`a call of ${callee.name}`);
}

// dtype: (version, order, …); array: (version, shape, dtype, Fortran order, bytes or list).
function build(machine: Machine, state: Item, target: Item): void {
  if (!Array.isArray(state)) throw new Error("BUILD with something that is not a tuple");
  const items = state as Item[];
  machine.chargeCopy(items[4]);
  if (target instanceof Dtype) target.order = text(items[1]!);
  else if (target instanceof ArrayShell) target.built = buildArray(items);
  else throw new Error("BUILD of something that is not a NumPy array");
}

function buildArray([, shape, dtype, fortranOrder, data]: Item[]): NumpyArray {
  if (!(dtype instanceof Dtype) || !Array.isArray(shape)) throw new Error("a NumPy array without shape or type");
  const dims = shape.map(Number);
  if (Array.isArray(data)) return new NumpyArray(dims, "|O", false, data);
  if (typeof data === "string") data = Buffer.from(data, "latin1");
  if (!Buffer.isBuffer(data)) throw new Error("a NumPy array without data");
  return numpyArray(`${dtype.order}${dtype.code}`, dims, fortranOrder === true || fortranOrder === 1, data);
}

// Protocol 5: (bytes, dtype, shape, "C" or "F").
function arrayFromBuffer([data, dtype, shape, order]: Item[]): NumpyArray {
  if (!(dtype instanceof Dtype) || !Array.isArray(shape) || !Buffer.isBuffer(data))
    throw new Error("a NumPy array without shape or type");
  return numpyArray(`${dtype.order}${dtype.code}`, shape.map(Number), order === "F", data);
}

// Iterates and visits each container once, since a pickle may be deep or contain itself.
function plain(root: Item): PickleValue {
  const seen = new Set<Item>();
  const unwrap = (item: Item): PickleValue => {
    if (item instanceof ArrayShell && item.built) return item.built;
    if (item instanceof Global || item instanceof Dtype || item instanceof ArrayShell || item === mark)
      throw new Error("it ends with an unfinished object");
    return item;
  };
  const result = unwrap(root);
  const waiting: PickleValue[] = [result];
  for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) {
    if (item === null || typeof item !== "object" || Buffer.isBuffer(item) || seen.has(item)) continue;
    seen.add(item);
    const inner = item instanceof NumpyArray ? item.values : item;
    if (Array.isArray(inner)) inner.forEach((each, i) => waiting.push((inner[i] = unwrap(each))));
    else if (inner instanceof Map)
      for (const [key, each] of inner) {
        inner.set(key, unwrap(each));
        waiting.push(inner.get(key)!);
      }
  }
  return result;
}
