/** Small data sets and files for the tests of data/. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { makeDataset, type Dataset, type ImageShape } from "../../src/data";

/** Image i is filled with the value i, its label is i % numClasses. */
export function numberedDataset(size: number, { numClasses = 3, shape = [2, 2, 1] as ImageShape } = {}): Dataset {
  const pixels = shape[0] * shape[1] * shape[2];
  return makeDataset({
    name: "numbered",
    shape,
    numClasses,
    images: Uint8Array.from({ length: size * pixels }, (_, i) => Math.floor(i / pixels)),
    labels: Int32Array.from({ length: size }, (_, i) => i % numClasses),
    mean: new Array<number>(shape[2]).fill(0),
    std: new Array<number>(shape[2]).fill(1),
  });
}

/** A folder that is gone after the tests. */
export function temporaryFolder(): {
  path(name?: string): string;
  write(name: string, content: Uint8Array | string): Promise<string>;
} {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), "sharpness-lab-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  const at = (name = "") => path.join(folder, name);
  return {
    path: at,
    write: async (name, content) => {
      await writeFile(at(name), content);
      return at(name);
    },
  };
}

/** An IDX file: magic, dimensions (big-endian), values. */
export function idxBytes(dims: number[], values: ArrayLike<number>): Buffer {
  const header = Buffer.alloc(4 + 4 * dims.length);
  header[2] = 8;
  header[3] = dims.length;
  dims.forEach((dim, i) => header.writeUInt32BE(dim, 4 + 4 * i));
  return Buffer.concat([header, Uint8Array.from(values)]);
}
