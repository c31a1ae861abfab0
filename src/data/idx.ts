/** The IDX format of MNIST and its kin: bytes 0, 0, type, number of dimensions; each dimension in four bytes; the values. */
import path from "node:path";
import { gunzip, hex, isGzip, maxFileBytes, readBounded } from "./files";

export interface IdxArray {
  /** such as [60000, 28, 28] */
  readonly dims: readonly number[];
  /** (product of dims) */
  readonly data: Uint8Array;
}

export interface IdxOptions {
  /** number of dimensions: 3 for images, 1 for labels */
  rank: number;
  /** bound on the unpacked size; ours: 2 GiB */
  maxBytes?: number;
}

/**
 * Reads an IDX file of unsigned bytes, gzipped or plain.
 * @throws one sentence with the file's name, what came and what was expected
 */
export async function readIdx(file: string, options: IdxOptions): Promise<IdxArray> {
  return parseIdx(await readUnpacked(file, options), { ...options, name: path.basename(file) });
}

/** The content of a file that may be gzipped; a name that ends in .gz must be. */
export async function readUnpacked(file: string, { maxBytes = maxFileBytes }: { maxBytes?: number } = {}): Promise<Buffer> {
  const bytes = await readBounded(file, { maxBytes });
  return file.endsWith(".gz") || isGzip(bytes) ? gunzip(bytes, { name: path.basename(file), maxBytes }) : bytes;
}

/** @throws where magic, rank or length are not those of `rank`-dimensional unsigned bytes */
export function parseIdx(bytes: Uint8Array, { name, rank }: { name: string; rank: number }): IdxArray {
  const magic = [0, 0, 8, rank];
  if (bytes.length < 4 || magic.some((value, i) => bytes[i] !== value))
    throw new Error(
      `${name}: wrong IDX magic number ${hex(bytes, 4)}, expected ${hex(Uint8Array.from(magic), 4)} (unsigned bytes, ${rank} dimensions)`,
    );
  const start = 4 + 4 * rank;
  if (bytes.length < start) throw new Error(`${name}: cut short: ${bytes.length} bytes, expected a header of ${start}`);
  const header = new DataView(bytes.buffer, bytes.byteOffset, start);
  const dims = Array.from({ length: rank }, (_, i) => header.getUint32(4 + 4 * i));
  const expected = start + dims.reduce((product, dim) => product * dim, 1);
  if (bytes.length < expected)
    throw new Error(`${name}: cut short: ${bytes.length} bytes, expected ${expected} for ${dims.join("×")}`);
  if (bytes.length > expected)
    throw new Error(
      `${name}: ${bytes.length - expected} bytes too many: ${bytes.length}, expected ${expected} for ${dims.join("×")}`,
    );
  return { dims, data: new Uint8Array(bytes.buffer, bytes.byteOffset + start, expected - start) };
}
