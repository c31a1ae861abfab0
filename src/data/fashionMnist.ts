/** Fashion-MNIST (Xiao et al. 2017) and MNIST (LeCun et al.) from their IDX files, checked by SHA-256. */
import { existsSync } from "node:fs";
import path from "node:path";
import { checkOptions, type OptionKinds } from "../engine";
import { makeDataset, takeFirst, type Dataset } from "./dataset";
import { cacheFolder, sha256 } from "./files";
import { parseIdx, readUnpackedIdx, type IdxArray } from "./idx";
import { missingMessage } from "./sources";

/** Options of a data set's loader. */
export interface LoadOptions {
  split?: "train" | "test";
  /** take only the first `limit` images; absent: all */
  limit?: number;
  /** folder of the files, packed or not; default: data/cache/<name>, then the folder of Debian's package */
  folder?: string;
}

/** @internal */
export const loadKinds: OptionKinds<LoadOptions> = {
  split: { values: ["train", "test"] },
  limit: "number",
  folder: "string",
};

const fashionClasses = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

// SHA-256 of the unpacked files.
const fashionSums: Readonly<Record<string, string>> = {
  "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
  "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
  "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
  "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
};

/**
 * Fashion-MNIST: 60 000 training and 10 000 test images, 28×28×1, 10 classes.
 * @throws if the files are missing (the message tells how to get them), malformed, or not the published ones
 */
export async function loadFashionMnist(options: LoadOptions = {}): Promise<Dataset> {
  checkOptions(options, loadKinds, "loadFashionMnist");
  const { split = "train", limit, folder } = options;
  const folders = folder === undefined ? fashionFolders() : [folder];
  const found = folderOf(split, folders);
  if (!found)
    throw new Error(`Fashion-MNIST's ${split} files are not in ${folders.join(" nor in ")}. Get them with: npm run setup`);
  const dataset = await loadIdxDataset(idxFiles(found, split), {
    name: "fashion-mnist",
    numClasses: 10,
    classNames: fashionClasses,
    mean: [0.1307], // official code (dataset_source.py), which takes MNIST's values for Fashion-MNIST
    std: [0.3081],
    sums: fashionSums,
  });
  return limit === undefined ? dataset : takeFirst(dataset, limit);
}

function fashionFolders(): string[] {
  return [cacheFolder("fashion-mnist"), "/usr/share/datasets/fashion-mnist"];
}

function folderOf(split: "train" | "test", folders = fashionFolders()): string | undefined {
  return folders.find((each) => idxFiles(each, split).every(existingIdx));
}

/** Whether the training and test files of Fashion-MNIST are on this machine; `npm run setup` gets them. */
export function hasFashionMnist(): boolean {
  return ["train", "test"].every((split) => folderOf(split as "train" | "test") !== undefined);
}

/**
 * MNIST: 60 000 training and 10 000 test images, 28×28×1, 10 classes.
 * @throws if the files are missing (the message tells what to get and where to put it) or malformed
 */
export async function loadMnist(options: LoadOptions = {}): Promise<Dataset> {
  checkOptions(options, loadKinds, "loadMnist");
  const { split = "train", limit, folder = cacheFolder("mnist") } = options;
  if (!idxFiles(folder, split).every(existingIdx)) throw new Error(missingMessage("mnist", folder));
  const about = { name: "mnist", numClasses: 10, mean: [0.1307], std: [0.3081] }; // the usual statistics of its training set
  const dataset = await loadIdxDataset(idxFiles(folder, split), about);
  return limit === undefined ? dataset : takeFirst(dataset, limit);
}

/** Options of `loadIdxDataset`. */
export interface IdxDatasetOptions {
  name: string;
  numClasses: number;
  mean: readonly number[];
  std: readonly number[];
  classNames?: readonly string[];
  /** SHA-256 of each unpacked file by its name without .gz; absent: unchecked */
  sums?: Readonly<Record<string, string>>;
}

const idxDatasetKinds: OptionKinds<IdxDatasetOptions> = {
  name: "string",
  numClasses: "number",
  mean: "array",
  std: "array",
  classNames: "array",
  sums: "object",
};

/**
 * Reads grayscale images and their labels from a pair of IDX files.
 * @throws if a file is malformed, the two do not fit, or a checksum differs
 */
export async function loadIdxDataset(
  [imagesFile, labelsFile]: readonly [string, string],
  options: IdxDatasetOptions,
): Promise<Dataset> {
  checkOptions(options, idxDatasetKinds, "loadIdxDataset");
  const { sums, ...about } = options;
  const [images, labels] = await Promise.all([readChecked(imagesFile, 3, sums), readChecked(labelsFile, 1, sums)]);
  const [count, height, width] = images.dims as [number, number, number];
  if (count !== labels.dims[0])
    throw new Error(
      `${path.basename(imagesFile)} has ${count} images, but ${path.basename(labelsFile)} has ${labels.dims[0]} labels`,
    );
  return makeDataset({ ...about, shape: [height, width, 1], images: images.data, labels: Int32Array.from(labels.data) });
}

async function readChecked(file: string, rank: number, sums?: Readonly<Record<string, string>>): Promise<IdxArray> {
  const bytes = await readUnpackedIdx(existingIdx(file) ?? file, { rank });
  const array = parseIdx(bytes, { name: path.basename(file), rank });
  const expected = sums?.[path.basename(file)];
  if (expected !== undefined && sha256(bytes) !== expected)
    throw new Error(
      `${file}: SHA-256 ${sha256(bytes)}, expected ${expected}: not the published file. Delete it and run: npm run setup`,
    );
  return array;
}

function idxFiles(folder: string, split: "train" | "test"): [string, string] {
  const prefix = { train: "train", test: "t10k" }[split];
  if (!prefix) throw new Error(`split = "${split}": expected "train" or "test"`);
  return [path.join(folder, `${prefix}-images-idx3-ubyte`), path.join(folder, `${prefix}-labels-idx1-ubyte`)];
}

function existingIdx(file: string): string | undefined {
  return [file, `${file}.gz`].find((each) => existsSync(each));
}
