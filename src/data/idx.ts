/** The IDX format of MNIST and its kin: bytes 0, 0, type, number of dimensions; each dimension in four bytes; the values. */
import path from "node:path";
import { checkOptions } from "../engine/options";
import { gunzip, gunzipStart, hex, isGzip, readBounded } from "./files";

/** An array as IDX files hold it. */
export interface IdxArray {
  /** such as [60000, 28, 28] */
  readonly dims: readonly number[];
  /** (product of dims) */
  readonly data: Uint8Array;
}

/** Options of `readIdx`. */
export interface IdxOptions {
  /** number of dimensions: 3 for images, 1 for labels */
  rank: number;
  /** bound on the unpacked size; ours: 1 GiB */
  maxBytes?: number;
}

const MAX_BYTES = 2 ** 30;

/**
 * Reads an IDX file of unsigned bytes, gzipped or plain.
 * @throws one sentence with the file's name, what came and what was expected
 */
export async function readIdx(file: string, options: IdxOptions): Promise<IdxArray> {
  checkOptions(options, { rank: "number", maxBytes: "number" }, "readIdx");
  return parseIdx(await readUnpackedIdx(file, options), { rank: options.rank, name: path.basename(file) });
}

/**
 * The bytes of an IDX file that may be gzipped; a name that ends in .gz must be. The header tells how many there are, and no more are
 * unpacked.
 */
export async function readUnpackedIdx(file: string, { rank, maxBytes = MAX_BYTES }: IdxOptions): Promise<Buffer> {
  const name = path.basename(file);
  const bytes = await readBounded(file, { maxBytes });
  if (!file.endsWith(".gz") && !isGzip(bytes)) return bytes;
  const first = gunzipStart(bytes, { name });
  if (first.length < headerBytes(rank)) return gunzip(bytes, { name, maxBytes: headerBytes(rank) });
  const { start, dims } = parseHeader(first, { name, rank });
  const expected = start + product(dims);
  if (expected > maxBytes) throw new Error(`${name}: ${dims.join("×")} values, expected at most ${maxBytes} bytes in all`);
  return gunzip(bytes, { name, maxBytes: expected });
}

/** Options of `parseIdx`. */
export interface ParseIdxOptions {
  /** name of the data in error messages */
  name: string;
  /** number of dimensions: 3 for images, 1 for labels */
  rank: number;
}

/** @throws if magic number, rank or length are not those of `rank`-dimensional unsigned bytes */
export function parseIdx(bytes: Uint8Array, options: ParseIdxOptions): IdxArray {
  checkOptions(options, { name: "string", rank: "number" }, "parseIdx");
  const { name } = options;
  const { start, dims } = parseHeader(bytes, options);
  const expected = start + product(dims);
  if (bytes.length < expected)
    throw new Error(`${name}: cut short: ${bytes.length} bytes, expected ${expected} for ${dims.join("×")}`);
  if (bytes.length > expected)
    throw new Error(
      `${name}: ${bytes.length - expected} bytes too many: ${bytes.length}, expected ${expected} for ${dims.join("×")}`,
    );
  return { dims, data: new Uint8Array(bytes.buffer, bytes.byteOffset + start, expected - start) };
}

function parseHeader(bytes: Uint8Array, { name, rank }: ParseIdxOptions): { start: number; dims: number[] } {
  const magic = [0, 0, 8, rank];
  if (bytes.length < 4 || magic.some((value, i) => bytes[i] !== value))
    throw new Error(
      `${name}: wrong IDX magic number ${hex(bytes, 4)}, expected ${hex(Uint8Array.from(magic), 4)} (unsigned bytes, ${rank} dimensions)`,
    );
  const start = headerBytes(rank);
  if (bytes.length < start) throw new Error(`${name}: cut short: ${bytes.length} bytes, expected a header of ${start}`);
  const header = new DataView(bytes.buffer, bytes.byteOffset, start);
  return { start, dims: Array.from({ length: rank }, (_, i) => header.getUint32(4 + 4 * i)) };
}

const headerBytes = (rank: number) => 4 + 4 * rank;
const product = (dims: readonly number[]) => dims.reduce((all, dim) => all * dim, 1);
