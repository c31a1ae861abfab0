/** A labeled set of images held as bytes, with functions to cut, split, relabel and normalize it. */
// Not the engine itself: worker threads need no TensorFlow.
import { checkOptions } from "../engine/options";
import { Rng } from "../engine/rng";
import { imageLength, type ImageShape } from "./shape";

export { imageLength, type ImageShape } from "./shape";

/** Labeled images of one size, with what normalizes them. */
export interface Dataset {
  readonly name: string;
  readonly size: number;
  readonly shape: ImageShape;
  readonly numClasses: number;
  /** (size·height·width·channels), NHWC, 0 … 255 */
  readonly images: Uint8Array;
  /** (size), each in [0, numClasses) */
  readonly labels: Int32Array;
  /** per channel, of images / 255 */
  readonly mean: readonly number[];
  /** per channel, of images / 255 */
  readonly std: readonly number[];
  readonly classNames?: readonly string[];
  /**
   * (size) the image files of an on-disk dataset, which is too large for memory; see `openImageFolder`. Training and evaluation decode
   * them batch by batch. Reading its `images` is an error.
   */
  readonly files?: readonly string[];
}

/** A dataset whose images stay in their files. */
export type OnDiskDataset = Dataset & Required<Pick<Dataset, "files" | "classNames">>;

/** Whether the images stay in their files: `images` is then empty, and `files` and `classNames` are there. */
export function isOnDisk(dataset: Dataset): dataset is OnDiskDataset {
  return dataset.files !== undefined;
}

/** Identity of a dataset's images, for hashing: their bytes, or the names of their files on disk. */
export function imagesIdentity(dataset: Dataset): Uint8Array | string {
  return isOnDisk(dataset) ? dataset.files.join("\n") : dataset.images;
}

/** Options of `splitHeldOut`. */
export interface HeldOutOptions {
  /** share of the examples that is held out, in (0, 1); 0.1: paper App. C (ρ and the rest were tuned on a held-out tenth) */
  fraction?: number;
  /** seed of the choice; 0: ours, so that two calls agree */
  seed?: number | string;
}

/**
 * Checks that the parts fit together and returns them as a Dataset.
 * @throws if a length, a label or a statistic does not fit the shape
 */
export function makeDataset(parts: Omit<Dataset, "size">): Dataset {
  const { name, shape, images, labels, numClasses, mean, std } = parts;
  if (shape.length !== 3 || !shape.every((side) => Number.isInteger(side) && side >= 1))
    throw new Error(`${name}: shape = [${shape.join(", ")}]: expected height, width and channels, integers from 1`);
  if (!Number.isInteger(numClasses) || numClasses < 1)
    throw new Error(`${name}: numClasses = ${numClasses}: expected an integer from 1`);
  const size = labels.length;
  const expected = size * imageLength(shape);
  if (images.length !== expected)
    throw new Error(`${name}: ${images.length} image bytes, expected ${expected} (${size} labels of ${shape.join("×")})`);
  if (mean.length !== shape[2] || std.length !== shape[2])
    throw new Error(
      `${name}: mean has ${mean.length} and std ${std.length} values, expected one for each of ${shape[2]} channels`,
    );
  if (!mean.every(Number.isFinite)) throw new Error(`${name}: mean = [${mean.join(", ")}], expected finite numbers`);
  if (!std.every((value) => value > 0)) throw new Error(`${name}: std = [${std.join(", ")}], expected values above 0`);
  checkLabels(labels, { name, numClasses });
  // A plain view: the slice of a Buffer would share its memory.
  return { ...parts, size, images: new Uint8Array(images.buffer, images.byteOffset, images.length) };
}

/**
 * An on-disk dataset: everything but `images`.
 * @throws if a label is out of range, or there are not as many as files
 */
export function makeOnDiskDataset(parts: Omit<OnDiskDataset, "size" | "images">): OnDiskDataset {
  const { name, files, labels, shape } = parts;
  if (files.length !== labels.length) throw new Error(`${name}: ${labels.length} labels for ${files.length} files`);
  checkLabels(labels, parts);
  return {
    ...parts,
    size: files.length,
    get images(): Uint8Array {
      const gigabytes = ((files.length * imageLength(shape)) / 1e9).toFixed(1);
      throw new Error(
        `${name}: an on-disk dataset; this needs its ${files.length} images (${gigabytes} GB) in memory: take fewer, by trainSize and testSize`,
      );
    },
  };
}

/** The examples at `indices`, in that order (an index may come twice). Copies. */
export function subset(dataset: Dataset, indices: ArrayLike<number>): Dataset {
  if (isOnDisk(dataset)) return subsetOnDisk(dataset, indices);
  const pixels = imageLength(dataset.shape);
  const images = new Uint8Array(indices.length * pixels);
  const labels = new Int32Array(indices.length);
  for (let i = 0; i < indices.length; i++) {
    const from = checkIndex(indices[i]!, dataset);
    images.set(dataset.images.subarray(from * pixels, (from + 1) * pixels), i * pixels);
    labels[i] = dataset.labels[from]!;
  }
  return { ...dataset, size: indices.length, images, labels };
}

// Field by field, since spreading it would read its images.
function subsetOnDisk(dataset: OnDiskDataset, indices: ArrayLike<number>): OnDiskDataset {
  const kept = Array.from(indices, (index) => checkIndex(index, dataset));
  const { name, shape, numClasses, classNames, mean, std, files, labels } = dataset;
  const parts = { files: kept.map((i) => files[i]!), labels: Int32Array.from(kept, (i) => labels[i]!) };
  return makeOnDiskDataset({ name, shape, numClasses, classNames, mean, std, ...parts });
}

/** The first `count` examples. Copies, so that the whole set can be freed. */
export function takeFirst(dataset: Dataset, count: number): Dataset {
  if (!Number.isInteger(count) || count < 1 || count > dataset.size)
    throw new Error(`limit = ${count}: expected an integer from 1 to ${dataset.size}, the size of ${dataset.name}`);
  return subset(
    dataset,
    Int32Array.from({ length: count }, (_, i) => i),
  );
}

/** Keeps the examples of the given classes only and renumbers the classes in the order given. Copies. */
export function takeClasses(dataset: Dataset, classes: readonly number[]): Dataset {
  checkLabels(classes, { name: "classes", numClasses: dataset.numClasses });
  const renumbered = new Map(classes.map((label, i) => [label, i]));
  const chosen = subset(
    dataset,
    Array.from(dataset.labels.keys()).filter((i) => renumbered.has(dataset.labels[i]!)),
  );
  const { classNames } = dataset;
  return {
    ...chosen,
    numClasses: classes.length,
    labels: chosen.labels.map((label) => renumbered.get(label)!),
    ...(classNames ? { classNames: classes.map((label) => classNames[label]!) } : {}),
  };
}

/** The same images with other labels, such as noisy ones. */
export function withLabels(dataset: Dataset, labels: ArrayLike<number>): Dataset {
  if (labels.length !== dataset.size)
    throw new Error(`${labels.length} labels for ${dataset.name}, expected ${dataset.size}: one for each image`);
  return { ...dataset, labels: wholeLabels(labels, dataset) };
}

/** Concatenates sets; shape, classes and statistics are those of the first (SVHN: train, then extra). */
export function concatDatasets(first: Dataset, ...others: Dataset[]): Dataset {
  const all = [first, ...others];
  const size = all.reduce((sum, each) => sum + each.size, 0);
  const images = new Uint8Array(size * imageLength(first.shape));
  const labels = new Int32Array(size);
  let at = 0;
  for (const each of all) {
    if (String(each.shape) !== String(first.shape) || each.numClasses !== first.numClasses)
      throw new Error(
        `${each.name} (${describe(each)}) cannot follow ${first.name} (${describe(first)}): shapes and classes must agree`,
      );
    images.set(each.images, at * imageLength(first.shape));
    labels.set(each.labels, at);
    at += each.size;
  }
  return { ...first, size, images, labels };
}

/**
 * Splits a set into the part to train on and the part to choose hyper-parameters on: disjoint, stratified by class, chosen by `seed`.
 * Each part keeps the order of the whole. The held-out part has round(fraction·size) examples, and each class has within one example
 * of its share. As long as there is room, every class keeps an example to train on.
 * @throws if either part would be empty
 */
export function splitHeldOut(dataset: Dataset, options: HeldOutOptions = {}): { train: Dataset; heldOut: Dataset } {
  const { train, heldOut } = heldOutIndices(dataset, options);
  return { train: subset(dataset, train), heldOut: subset(dataset, heldOut) };
}

/** The positions of the examples on either side of `splitHeldOut`, in ascending order. @throws as it does */
export function heldOutIndices(
  dataset: Pick<Dataset, "size" | "labels" | "numClasses">,
  options: HeldOutOptions = {},
): { train: Int32Array; heldOut: Int32Array } {
  checkOptions(options, { fraction: "number", seed: { types: ["number", "string"] } }, "splitHeldOut");
  const { fraction = 0.1, seed = 0 } = options;
  const held = Math.round(dataset.size * fraction);
  if (!(held >= 1 && held < dataset.size))
    throw new Error(`fraction = ${fraction} of ${dataset.size} examples: expected at least one example on either side`);
  const order = stratifiedOrder(dataset, new Rng(seed).split("held-out").permutation(dataset.size));
  const cut = dataset.size - held;
  return { train: order.slice(0, cut).sort(), heldOut: order.slice(cut).sort() };
}

/**
 * Reorders examples so that any first part of them holds each class's share: the j-th of a class's n comes at (j + ½)/n of the way,
 * and its first at once, so that no class is missing if there is room for it.
 * @param order (size) the examples; ties keep this order
 */
export function stratifiedOrder(classes: Pick<Dataset, "labels" | "numClasses">, order: Int32Array): Int32Array {
  const counts = classCounts(classes);
  const seen = new Int32Array(counts.length);
  const place = new Float64Array(order.length);
  for (const i of order) {
    const label = classes.labels[i]!;
    const rank = seen[label]!++;
    place[i] = rank === 0 ? 0 : (rank + 0.5) / counts[label]!;
  }
  return order.slice().sort((i, j) => place[i]! - place[j]!);
}

/** Turns bytes into (x/255 − mean)/std, channel by channel. */
export function normalizeImages(bytes: Uint8Array, { mean, std }: Pick<Dataset, "mean" | "std">): Float32Array {
  const channels = mean.length;
  const tables = mean.map((_, c) => Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - mean[c]!) / std[c]!));
  const values = new Float32Array(bytes.length);
  for (let c = 0; c < channels; c++) {
    const table = tables[c]!;
    for (let i = c; i < bytes.length; i += channels) values[i] = table[bytes[i]!]!;
  }
  return values;
}

/** (n·numClasses) one-hot labels, row by row. */
export function oneHot(labels: ArrayLike<number>, numClasses: number): Float32Array {
  const rows = new Float32Array(labels.length * numClasses);
  for (let i = 0; i < labels.length; i++) rows[i * numClasses + labels[i]!] = 1;
  return rows;
}

/** Mean and standard deviation of images / 255, per channel. */
export function channelStatistics(images: Uint8Array, channels: number): { mean: number[]; std: number[] } {
  const counts = Array.from({ length: channels }, () => new Float64Array(256));
  for (let c = 0; c < channels; c++) for (let i = c; i < images.length; i += channels) counts[c]![images[i]!]!++;
  const n = images.length / channels;
  const moment = (count: Float64Array, f: (x: number) => number) =>
    count.reduce((sum, k, byte) => sum + k * f(byte / 255), 0) / n;
  const mean = counts.map((count) => moment(count, (x) => x));
  const std = counts.map((count, c) => Math.sqrt(moment(count, (x) => (x - mean[c]!) ** 2)));
  return { mean, std };
}

/** (numClasses) number of examples per class. */
export function classCounts({ labels, numClasses }: Pick<Dataset, "labels" | "numClasses">): Int32Array {
  const counts = new Int32Array(numClasses);
  for (const label of labels) counts[label]!++;
  return counts;
}

/** Checked before they are made integers, which would cut 1.5 to 1. */
export function wholeLabels(labels: ArrayLike<number>, about: { name: string; numClasses: number }): Int32Array {
  checkLabels(labels, about);
  return Int32Array.from(labels);
}

/** @throws if a label is not an integer in [0, numClasses) */
export function checkLabels(labels: ArrayLike<number>, { name, numClasses }: { name: string; numClasses: number }): void {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (!Number.isInteger(label) || label < 0 || label >= numClasses)
      throw new Error(`${name}: label ${i} is ${label}, expected an integer from 0 to ${numClasses - 1}`);
  }
}

function checkIndex(index: number, dataset: Dataset): number {
  if (!Number.isInteger(index) || index < 0 || index >= dataset.size)
    throw new Error(
      `index ${index}: expected an integer from 0 to ${dataset.size - 1}, ${dataset.name} having ${dataset.size} examples`,
    );
  return index;
}

const describe = ({ shape, numClasses }: Dataset) => `${shape.join("×")}, ${numClasses} classes`;
