/**
 * Safetensors (https://github.com/huggingface/safetensors): the length of a JSON header as 8 bytes, the header with each tensor's
 * type, shape and offsets, then the values, little-endian. It exchanges weights with PyTorch, JAX and NumPy.
 */
import fs from "node:fs";
import { tf, writeFileWhole, type Weights } from "../engine";
import type { Model, Variables } from "./model";

/** Bytes of the largest header that is read, as the reference implementation has it. */
const MAX_HEADER_BYTES = 100_000_000;
const LENGTH_BYTES = 8;
const METADATA = "__metadata__";

/** Numbers from the bytes of a tensor, and the type it has here. */
interface Decoder {
  readonly bytes: number;
  readonly dtype: "float32" | "int32";
  readonly read: (view: DataView, offset: number) => number;
}

const DECODERS: Readonly<Record<string, Decoder>> = {
  F64: { bytes: 8, dtype: "float32", read: (view, at) => view.getFloat64(at, true) },
  F32: { bytes: 4, dtype: "float32", read: (view, at) => view.getFloat32(at, true) },
  F16: { bytes: 2, dtype: "float32", read: (view, at) => halfToNumber(view.getUint16(at, true)) },
  BF16: { bytes: 2, dtype: "float32", read: (view, at) => bfloatToNumber(view.getUint16(at, true)) },
  I64: { bytes: 8, dtype: "int32", read: (view, at) => Number(view.getBigInt64(at, true)) },
  I32: { bytes: 4, dtype: "int32", read: (view, at) => view.getInt32(at, true) },
};

interface Entry {
  readonly name: string;
  readonly decoder: Decoder;
  readonly shape: readonly number[];
  /** From the end of the header. */
  readonly begin: number;
  readonly end: number;
}

interface Header {
  readonly entries: readonly Entry[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Offset of the values in the file. */
  readonly start: number;
}

/**
 * All tensors of a safetensors file, or of its bytes, under the names they have there; the caller owns them. F32 is read as it
 * is; F64, F16 and BF16 become float32, I64 and I32 become int32.
 * @throws an Error that names the problem if the file is damaged, truncated, or has an unsupported type
 */
export function readSafetensors(file: string | Uint8Array): Weights {
  return withSource(file, (source) => {
    const { entries, start } = readHeader(source);
    const tensors: [string, tf.Tensor][] = [];
    try {
      for (const entry of entries) tensors.push([entry.name, readTensor(source, entry, start)]);
    } catch (error) {
      tensors.forEach(([, tensor]) => tensor.dispose());
      throw error;
    }
    return Object.fromEntries(tensors);
  });
}

/** The metadata strings of a safetensors file. @throws as `readSafetensors` does */
export function readSafetensorsMetadata(file: string | Uint8Array): Readonly<Record<string, string>> {
  return withSource(file, (source) => readHeader(source).metadata);
}

/**
 * Writes tensors under their names: float32 as F32, int32 as I32. Whatever was there stays until the new file is complete.
 * @throws if a tensor has another type, or the file cannot be written
 */
export function writeSafetensors(file: string, tensors: Weights, metadata: Readonly<Record<string, string>> = {}): void {
  const header = Buffer.from(JSON.stringify(headerOf(tensors, metadata)));
  const padded = Buffer.alloc(Math.ceil(header.length / 8) * 8, " "); // so that the values are aligned
  header.copy(padded);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeBigUInt64LE(BigInt(padded.length));
  write(file, function* () {
    yield length;
    yield padded;
    for (const tensor of Object.values(tensors)) yield bytesOf(tensor);
  });
}

/**
 * Writes a network's variables, each weight as `weights/<name>` and each moving average of batch norm as `stats/<name>`, such as
 * `weights/stem/kernel`. Convolutions are (height, width, inputs, outputs), dense layers (inputs, outputs), batch norm has
 * `scale`, `offset`, `mean` and `variance`.
 */
export function saveVariables(
  file: string,
  { weights, stats }: Variables,
  metadata: Readonly<Record<string, string>> = {},
): void {
  writeSafetensors(file, { ...prefixed("weights", weights), ...prefixed("stats", stats) }, metadata);
}

/**
 * Reads what `saveVariables` or another program wrote for this network; the caller owns the tensors.
 * @throws an Error that lists the names that are missing or unknown, or the shapes that differ
 */
export function loadVariables(file: string | Uint8Array, model: Pick<Model, "name" | "parameters" | "statistics">): Variables {
  return readVariables(file, model, () => false);
}

/** Like `loadVariables`, but ignores unwanted parameters: they may be absent or have any shape. */
export function readVariables(
  file: string | Uint8Array,
  { name, parameters, statistics }: Pick<Model, "name" | "parameters" | "statistics">,
  unwanted: (parameter: string) => boolean,
): Variables {
  const all = readSafetensors(file);
  const isUnwanted = (key: string) => key.startsWith("weights/") && unwanted(key.slice("weights/".length));
  const [left, tensors] = [true, false].map((is) =>
    Object.fromEntries(Object.entries(all).filter(([key]) => isUnwanted(key) === is)),
  ) as [Weights, Weights];
  tf.dispose(Object.values(left));
  const wanted = parameters.filter((each) => !unwanted(each.name));
  const problem = differences(tensors, { ...shapesOf("weights", wanted), ...shapesOf("stats", statistics) });
  if (problem) {
    tf.dispose(Object.values(tensors));
    throw new Error(`${nameOf(file)}: not the variables of ${name}: ${problem}`);
  }
  const pick = (part: string, specs: Model["parameters"]): Weights =>
    Object.fromEntries(specs.map((each) => [each.name, tensors[`${part}/${each.name}`]!]));
  return { weights: pick("weights", wanted), stats: pick("stats", statistics) };
}

// Reading

/** A file or bytes, read piece by piece: a file may be larger than a Buffer can be. */
interface Source {
  readonly name: string;
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
}

function withSource<T>(file: string | Uint8Array, use: (source: Source) => T): T {
  if (typeof file !== "string") {
    const read = (offset: number, length: number) => file.subarray(offset, offset + length);
    return use({ name: nameOf(file), size: file.length, read });
  }
  const descriptor = openFile(file);
  try {
    const read = (offset: number, length: number) => readFully(file, descriptor, { offset, length });
    return use({ name: file, size: fs.fstatSync(descriptor).size, read });
  } finally {
    fs.closeSync(descriptor);
  }
}

function openFile(file: string): number {
  try {
    return fs.openSync(file, "r");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`${file}: ${code === "ENOENT" ? "no such file" : message}`);
  }
}

function readFully(file: string, descriptor: number, { offset, length }: { offset: number; length: number }): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const count = fs.readSync(descriptor, bytes, done, Math.min(length - done, 2 ** 30), offset + done);
    if (count === 0) throw new Error(`${file}: cut short while it was read`);
    done += count;
  }
  return bytes;
}

function nameOf(file: string | Uint8Array): string {
  return typeof file === "string" ? file : `safetensors of ${file.length} bytes`;
}

function readHeader(source: Source): Header {
  const { name, size } = source;
  if (size < LENGTH_BYTES) throw new Error(`${name}: ${size} bytes, expected at least the ${LENGTH_BYTES} of a header's length`);
  const length = Number(viewOf(source.read(0, LENGTH_BYTES)).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES)
    throw new Error(`${name}: a header of ${length} bytes, expected at most ${MAX_HEADER_BYTES}: not safetensors?`);
  const start = LENGTH_BYTES + length;
  if (start > size) throw new Error(`${name}: the header ends at byte ${start}, but the file has ${size}: it is cut short`);
  const { [METADATA]: metadata = {}, ...tensors } = parseHeader(name, source.read(LENGTH_BYTES, length));
  const entries = Object.entries(tensors).map(([key, value]) => entryOf(name, key, value));
  checkLayout(name, entries, size - start);
  return { entries, metadata: checkMetadata(name, metadata), start };
}

function parseHeader(name: string, bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Error(`${name}: the header is not JSON`);
  }
  if (!isRecord(header)) throw new Error(`${name}: the header is not a JSON object`);
  return header;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function checkMetadata(name: string, metadata: unknown): Record<string, string> {
  if (!isRecord(metadata) || Object.values(metadata).some((value) => typeof value !== "string"))
    throw new Error(`${name}: ${METADATA} is not an object of strings`);
  return metadata as Record<string, string>;
}

function entryOf(file: string, name: string, value: unknown): Entry {
  const complain = (what: string): never => {
    throw new Error(`${file}: tensor "${name}": ${what}`);
  };
  const { dtype, shape, data_offsets: offsets } = isRecord(value) ? value : complain("its entry is not an object");
  const decoder = typeof dtype === "string" && Object.hasOwn(DECODERS, dtype) ? DECODERS[dtype]! : undefined;
  if (!decoder) return complain(`dtype ${JSON.stringify(dtype)}, expected one of ${Object.keys(DECODERS).join(", ")}`);
  if (!isCounts(shape)) return complain(`shape ${JSON.stringify(shape)}, expected whole numbers`);
  if (!isCounts(offsets) || offsets.length !== 2)
    return complain(`data_offsets ${JSON.stringify(offsets)}, expected two whole numbers`);
  const [begin, end] = offsets as [number, number];
  const bytes = decoder.bytes * shape.reduce((a, b) => a * b, 1);
  if (end - begin !== bytes)
    return complain(`${end - begin} bytes, expected ${bytes} for ${String(dtype)} of shape [${shape.join(", ")}]`);
  return { name, decoder, shape, begin, end };
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);
}

/** The tensors fill the values from the first byte to the last, with neither gaps nor overlaps. */
function checkLayout(file: string, entries: readonly Entry[], available: number): void {
  let place = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== place) throw new Error(`${file}: tensor "${name}" begins at byte ${begin} of the values, expected ${place}`);
    place = end;
  }
  if (place !== available) throw new Error(`${file}: ${available} bytes of values, expected ${place}`);
}

function readTensor(source: Source, { name, decoder, shape, begin, end }: Entry, start: number): tf.Tensor {
  const view = viewOf(source.read(start + begin, end - begin));
  const values = new (decoder.dtype === "int32" ? Int32Array : Float32Array)((end - begin) / decoder.bytes);
  for (let i = 0; i < values.length; i++) {
    const value = decoder.read(view, i * decoder.bytes);
    values[i] = value;
    if (decoder.dtype === "int32" && values[i] !== value)
      throw new Error(`${source.name}: tensor "${name}": ${value} does not fit an int32`);
  }
  return tf.tensor(values, [...shape], decoder.dtype);
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits. */
function halfToNumber(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const scratch = new DataView(new ArrayBuffer(4));

/** The upper half of a float32. */
function bfloatToNumber(bits: number): number {
  scratch.setUint32(0, bits * 65536);
  return scratch.getFloat32(0);
}

// Writing

function headerOf(tensors: Weights, metadata: Readonly<Record<string, string>>): Record<string, unknown> {
  let place = 0;
  const entries = Object.entries(tensors).map(([name, { dtype, shape, size }]) => {
    if (name === METADATA) throw new Error(`a tensor cannot be named ${METADATA}`);
    if (dtype !== "float32" && dtype !== "int32") throw new Error(`tensor "${name}" is ${dtype}, expected float32 or int32`);
    const entry = { dtype: dtype === "float32" ? "F32" : "I32", shape, data_offsets: [place, place + 4 * size] };
    place += 4 * size;
    return [name, entry] as const;
  });
  return { ...(Object.keys(metadata).length > 0 ? { [METADATA]: metadata } : {}), ...Object.fromEntries(entries) };
}

// Every machine that Node.js runs on today is little-endian, as the format is.
function bytesOf(tensor: tf.Tensor): Uint8Array {
  const { buffer, byteOffset, byteLength } = tensor.dataSync() as Float32Array | Int32Array;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function write(file: string, parts: () => Iterable<Uint8Array>): void {
  try {
    writeFileWhole(file, parts());
  } catch (error) {
    throw new Error(`${file}: cannot be written: ${(error as Error).message}`);
  }
}

// Variables

function prefixed(part: string, tensors: Weights): Weights {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [`${part}/${name}`, tensor]));
}

function shapesOf(part: string, specs: Model["parameters"]): Record<string, readonly number[]> {
  return Object.fromEntries(specs.map(({ name, shape }) => [`${part}/${name}`, shape]));
}

function differences(tensors: Weights, expected: Readonly<Record<string, readonly number[]>>): string {
  const missing = Object.keys(expected).filter((name) => !(name in tensors));
  const unknown = Object.keys(tensors).filter((name) => !(name in expected));
  const misshapen = Object.keys(expected)
    .filter((name) => name in tensors && String(tensors[name]!.shape) !== String(expected[name]))
    .map((name) => `${name} is [${tensors[name]!.shape.join(", ")}], expected [${expected[name]!.join(", ")}]`);
  return [listed("missing", missing), listed("unknown", unknown), listed("other shapes:", misshapen)].filter(Boolean).join("; ");
}

function listed(what: string, names: readonly string[]): string {
  if (names.length === 0) return "";
  const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
  return `${what} ${names.slice(0, 3).join(", ")}${more}`;
}
