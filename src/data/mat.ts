/** Reads numeric arrays from MATLAB v5 files, compressed or not: the format of SVHN. */
import { inflateSync } from "node:zlib";
import { maxFileBytes } from "./files";

export interface MatArray {
  readonly dims: readonly number[];
  /** column by column: the first index varies fastest */
  readonly values: Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array;
}

const numberTypes = {
  1: Int8Array,
  2: Uint8Array,
  3: Int16Array,
  4: Uint16Array,
  5: Int32Array,
  6: Uint32Array,
  7: Float32Array,
  9: Float64Array,
} as const;
const matrixType = 14;
const compressedType = 15;

/**
 * Returns the numeric arrays of a file by name; skips other variables.
 * @throws if the file is not little-endian v5, is cut short or damaged, or unpacks to more than `maxBytes`
 */
export function parseMat(
  bytes: Uint8Array,
  { name, maxBytes = maxFileBytes }: { name: string; maxBytes?: number },
): Map<string, MatArray> {
  const reader = new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), name);
  const header = reader.take(128);
  const mark = header.toString("latin1", 126, 128);
  if (!header.toString("latin1", 0, 6).startsWith("MATLAB") || mark !== "IM")
    throw new Error(
      `${name}: starts with "${header.toString("latin1", 0, 12)}", mark "${mark}", expected a little-endian MATLAB 5.0 file`,
    );
  const arrays = new Map<string, MatArray>();
  let room = maxBytes;
  while (!reader.done) {
    let element = reader.element();
    if (element.type === compressedType) {
      const unpacked = inflate(element.data, room, name);
      room -= unpacked.length;
      element = new Reader(unpacked, name).element();
    }
    if (element.type === matrixType) addMatrix(new Reader(element.data, name), arrays);
  }
  return arrays;
}

function addMatrix(reader: Reader, arrays: Map<string, MatArray>): void {
  const flags = reader.element().data;
  const matrixClass = flags[0]!;
  if (matrixClass < 6 || matrixClass > 15 || flags[1]! & 8) return; // cells, structs, text, sparse or complex
  const dimensions = reader.element().data;
  const dims = Array.from({ length: dimensions.length / 4 }, (_, i) => dimensions.readInt32LE(4 * i));
  const variable = reader.element().data.toString("latin1");
  const { type, data } = reader.element();
  const NumberArray = numberTypes[type as keyof typeof numberTypes];
  if (!NumberArray) throw new Error(`${reader.name}: ${variable} has values of type ${type}, expected numbers`);
  const count = dims.reduce((product, dim) => product * dim, 1);
  if (data.length !== count * NumberArray.BYTES_PER_ELEMENT)
    throw new Error(
      `${reader.name}: ${variable} has ${data.length} bytes, expected ${count * NumberArray.BYTES_PER_ELEMENT} for ${dims.join("×")}`,
    );
  const start = data.byteOffset % NumberArray.BYTES_PER_ELEMENT === 0 ? data : Buffer.from(Uint8Array.from(data).buffer);
  arrays.set(variable, { dims, values: new NumberArray(start.buffer as ArrayBuffer, start.byteOffset, count) });
}

function inflate(data: Buffer, maxOutputLength: number, name: string): Buffer {
  try {
    return inflateSync(data, { maxOutputLength });
  } catch (error) {
    throw new Error(
      `${name}: damaged compressed data, or more than the ${maxOutputLength} bytes expected at most (${(error as Error).message})`,
    );
  }
}

class Reader {
  private at = 0;

  constructor(
    private readonly bytes: Buffer,
    readonly name: string,
  ) {}

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  take(count: number): Buffer {
    if (this.at + count > this.bytes.length)
      throw new Error(`${this.name}: cut short: ${this.bytes.length} bytes, expected ${this.at + count} at least`);
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  /** Reads type, length and data; up to 4 bytes of data are part of the tag itself. */
  element(): { type: number; data: Buffer } {
    const tag = this.take(8);
    const small = tag.readUInt16LE(2);
    if (small > 4) throw new Error(`${this.name}: a small element of ${small} bytes, expected at most 4`);
    if (small > 0) return { type: tag.readUInt16LE(0), data: tag.subarray(4, 4 + small) };
    const type = tag.readUInt32LE(0);
    const data = this.take(tag.readUInt32LE(4));
    if (type !== compressedType) this.at = Math.min(this.bytes.length, this.at + ((8 - (data.length % 8)) % 8));
    return { type, data };
  }
}
