/** SVHN, cropped digits (Netzer et al. 2011), from its MATLAB files. */
import { existsSync } from "node:fs";
import path from "node:path";
import { checkOptions } from "../engine/options";
import { concatDatasets, makeDataset, takeFirst, wholeLabels, type Dataset } from "./dataset";
import { cacheFolder, readBounded } from "./files";
import { parseMat } from "./mat";
import { missingMessage } from "./sources";

/** The parts of SVHN. */
export type SvhnPart = "train" | "extra" | "test";

/** Options of `loadSvhn`. */
export interface SvhnOptions {
  /** "train+extra": the paper's training set, 604 388 images */
  split?: SvhnPart | "train+extra";
  /** take only the first `limit` images; absent: all */
  limit?: number;
  /** folder of train_32x32.mat and the others; default: data/cache/svhn */
  folder?: string;
}

/**
 * SVHN: 73 257 training, 531 131 extra and 26 032 test images, 32×32×3; the digit 0, which the files call 10, is class 0.
 * @throws if a file is missing (the message tells what to get and where to put it) or malformed
 */
export async function loadSvhn(options: SvhnOptions = {}): Promise<Dataset> {
  const splits = ["train", "extra", "test", "train+extra"];
  checkOptions(options, { split: { values: splits }, limit: "number", folder: "string" }, "loadSvhn");
  const { split = "train", limit, folder = cacheFolder("svhn") } = options;
  const names: readonly SvhnPart[] = split === "train+extra" ? ["train", "extra"] : [split];
  if (!names.every((name) => existsSync(fileOf(folder, name)))) throw new Error(missingMessage("svhn", folder));
  const parts: Dataset[] = [];
  for (const name of names) parts.push(await readSvhn(folder, name)); // one after the other: extra alone needs gigabytes
  const dataset = parts.length === 1 ? parts[0]! : concatDatasets(parts[0]!, ...parts.slice(1));
  return limit === undefined ? dataset : takeFirst(dataset, limit);
}

const fileOf = (folder: string, part: SvhnPart) => path.join(folder, `${part}_32x32.mat`);

/** Unpacked; ours: the images have 225 MB, 1.6 GB and 80 MB. */
const MAX_BYTES: Readonly<Record<SvhnPart, number>> = { train: 2 ** 28, extra: 2 ** 31, test: 2 ** 27 };

async function readSvhn(folder: string, part: SvhnPart): Promise<Dataset> {
  const file = fileOf(folder, part);
  const name = path.basename(file);
  const arrays = parseMat(await readBounded(file), { name, maxBytes: MAX_BYTES[part] });
  const [x, y] = [arrays.get("X"), arrays.get("y")];
  if (!x || !y) throw new Error(`${name}: has ${[...arrays.keys()].join(", ") || "no arrays"}, expected X and y`);
  const [height, width, channels, count = 1] = x.dims;
  if (height !== 32 || width !== 32 || channels !== 3 || !(x.values instanceof Uint8Array))
    throw new Error(`${name}: X is ${x.dims.join("×")}, expected bytes of 32×32×3×n`);
  if (y.values.length !== count) throw new Error(`${name}: ${count} images, but ${y.values.length} labels`);
  return makeDataset({
    name: "svhn",
    shape: [32, 32, 3],
    numClasses: 10,
    images: toRowMajor(x.values, count),
    labels: wholeLabels(
      Array.from(y.values, (digit) => (digit === 10 ? 0 : digit)),
      { name, numClasses: 10 },
    ),
    mean: [0.43090966, 0.4302428, 0.44634357], // official code, dataset_source.py
    std: [0.19759192, 0.20029082, 0.19811132],
  });
}

// (row, column, channel, image) with the row fastest, to (image, row, column, channel) with the channel fastest.
function toRowMajor(values: Uint8Array, count: number): Uint8Array {
  const images = new Uint8Array(values.length);
  for (let n = 0, to = 0; n < count; n++)
    for (let row = 0; row < 32; row++)
      for (let column = 0; column < 32; column++)
        for (let c = 0; c < 3; c++) images[to++] = values[row + 32 * (column + 32 * (c + 3 * n))]!;
  return images;
}
