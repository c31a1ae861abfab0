/** Splits epochs into shuffled, augmented, normalized batches. One stream gives the same batches wherever an epoch is resumed. */
import type { OptionKinds, Rng } from "../engine";
import { checkOptions } from "../engine/options"; // not the engine itself: worker threads need no TensorFlow
import type { Augmentation } from "./augment";
import { augmentation, type AugmentName } from "./augmentations";
import { imageLength, normalizeImages, type Dataset } from "./dataset";

/** A batch, ready for the network. */
export interface Batch {
  /** (n·height·width·channels), normalized */
  readonly images: Float32Array;
  /** (n) */
  readonly labels: Int32Array;
  /** (n) positions in the data set */
  readonly indices: Int32Array;
}

/** Options of `batches`. */
export interface BatchOptions {
  batchSize: number;
  /** random stream of this epoch; required if `shuffle` or `augment` draws from it */
  rng?: Rng;
  augment?: AugmentName | Augmentation;
  /** drop a last batch that is not full; true: official code. Off for evaluation */
  dropLast?: boolean;
  /** true: a new order each epoch */
  shuffle?: boolean;
  /** index of the first batch to return; a stopped epoch resumes here as if it had not stopped */
  firstBatch?: number;
}

/** How many batches an epoch has; a whole run's config is fine in place of the options. */
export function numBatches(size: number, { batchSize, dropLast = true }: Pick<BatchOptions, "batchSize" | "dropLast">): number {
  return dropLast ? Math.floor(size / batchSize) : Math.ceil(size / batchSize);
}

/** @internal */
export const batchKinds: OptionKinds<BatchOptions> = {
  batchSize: "number",
  rng: "object",
  augment: { types: ["string", "object"] },
  dropLast: "boolean",
  shuffle: "boolean",
  firstBatch: "number",
};

/**
 * The batches of one epoch.
 * @throws if `batchSize` is not a positive integer, or larger than the set while `dropLast` is on, or a stream is missing
 */
export function batches(dataset: Dataset, options: BatchOptions): IterableIterator<Batch> {
  checkOptions(options, batchKinds, "batches");
  const { batchSize, rng, augment = "none", dropLast = true, shuffle = true, firstBatch = 0 } = options;
  const chosen = augmentation(augment);
  checkBatchSize(dataset, batchSize, dropLast);
  if (!rng && (shuffle || chosen.bytes || chosen.pixels))
    throw new Error(`batches: shuffle = ${shuffle} and augment = "${chosen.name}" need a random stream, but rng is missing`);
  const order = shuffle ? rng!.split("order").permutation(dataset.size) : Int32Array.from(dataset.labels.keys());
  return generate(dataset, {
    order,
    batchSize,
    count: numBatches(dataset.size, { batchSize, dropLast }),
    firstBatch,
    chosen,
    rng,
  });
}

/** Options of the batches of several epochs. */
export interface EpochsOptions extends Pick<BatchOptions, "batchSize" | "augment"> {
  /** the random stream of each epoch */
  epochs: readonly Rng[];
  /** index of the first batch to return of the first epoch; 0: the whole epoch */
  firstBatch?: number;
}

/**
 * Batches of consecutive epochs, each as `batches` returns them.
 * @throws the errors of `batches`
 */
export function* epochsOfBatches(
  dataset: Dataset,
  { epochs, firstBatch = 0, ...options }: EpochsOptions,
): IterableIterator<Batch> {
  for (const [e, rng] of epochs.entries()) yield* batches(dataset, { ...options, rng, firstBatch: e === 0 ? firstBatch : 0 });
}

interface Plan {
  order: Int32Array;
  batchSize: number;
  count: number;
  firstBatch: number;
  chosen: Augmentation;
  rng: Rng | undefined;
}

function* generate(dataset: Dataset, { order, batchSize, count, firstBatch, chosen, rng }: Plan): IterableIterator<Batch> {
  const stream = rng?.split("augment");
  for (let b = firstBatch; b < count; b++)
    yield makeBatch(dataset, order.slice(b * batchSize, (b + 1) * batchSize), { chosen, rng: stream, firstIndex: b * batchSize });
}

/** One batch of the examples at `indices`; `firstIndex` is its first example's position in the epoch. */
export function makeBatch(
  dataset: Dataset,
  indices: Int32Array,
  { chosen, rng, firstIndex }: { chosen: Augmentation; rng: Rng | undefined; firstIndex: number },
): Batch {
  const bytes = gather(dataset, indices);
  if (chosen.bytes) chosen.bytes(bytes, { shape: dataset.shape, rng: rng!, firstIndex });
  const images = normalizeImages(bytes, dataset);
  if (chosen.pixels) chosen.pixels(images, { shape: dataset.shape, rng: rng!, firstIndex });
  return { images, labels: Int32Array.from(indices, (i) => dataset.labels[i]!), indices };
}

function gather({ images, shape }: Dataset, indices: Int32Array): Uint8Array {
  const length = imageLength(shape);
  const bytes = new Uint8Array(indices.length * length);
  for (let i = 0; i < indices.length; i++)
    bytes.set(images.subarray(indices[i]! * length, (indices[i]! + 1) * length), i * length);
  return bytes;
}

function checkBatchSize({ name, size }: Dataset, batchSize: number, dropLast: boolean): void {
  if (!Number.isInteger(batchSize) || batchSize < 1) throw new Error(`batchSize = ${batchSize}: expected an integer from 1`);
  if (dropLast && batchSize > size)
    throw new Error(`batchSize = ${batchSize} exceeds the ${size} examples of ${name}: an epoch would have no full batch`);
}
