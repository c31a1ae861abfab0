/** Training batches, made ahead of use in a worker thread or on demand in the caller's thread. */
import { on } from "node:events";
import { checkOptions } from "../engine";
import { batchKinds, batches, epochsOfBatches, numBatches, type Batch, type EpochsOptions } from "./batches";
import type { BatchWork } from "./batchWorker";
import type { AugmentName } from "./augmentations";
import { imageLength, isOnDisk, type Dataset, type OnDiskDataset } from "./dataset";
import { DecodePool } from "./decodePool";
import { imageBatches, type ImageBatchOptions } from "./imageFolder";
import { startWorker } from "./workerThread";

/** The batches of a training in order, epoch after epoch. */
export type BatchStream = AsyncGenerator<Batch, void, undefined>;

/** Options of `batchStream`. */
export interface BatchStreamOptions extends EpochsOptions {
  /** true: a worker thread makes the batches; false: the caller's thread does. Default: a worker thread for long work only */
  thread?: boolean;
}

type NamedOptions = EpochsOptions & Pick<BatchWork, "augment">;

const AHEAD = 2; // ours: batches that wait to be taken

/**
 * Batches of consecutive epochs, bit for bit the same in every thread. An augmentation given as a value cannot move to
 * another thread, so the caller's thread applies it. On-disk datasets are always decoded and augmented by other threads. Leaving a
 * `for await` loop, or `return()`, ends the worker thread.
 * @throws the errors of `batches`, once the first batch is requested
 */
export function batchStream(dataset: Dataset, options: BatchStreamOptions): BatchStream {
  const { batchSize, augment: kind, firstBatch } = batchKinds;
  checkOptions(options, { batchSize, augment: kind, firstBatch, epochs: "array", thread: "boolean" }, "batchStream");
  const { augment = "none", thread, ...epochs } = options;
  if (isOnDisk(dataset)) return fromFiles(dataset, { ...epochs, augment });
  if (typeof augment !== "string") return fromHere(dataset, { ...epochs, augment });
  const named = { ...epochs, augment };
  return (thread ?? threadPays(dataset, named)) ? fromThread(dataset, named) : fromHere(dataset, named);
}

/**
 * All examples once, in order and not augmented, the last ragged batch included; worker threads decode an on-disk dataset.
 * @throws if `batchSize` is not a positive integer, or a file cannot be decoded
 */
export async function* batchesInOrder(dataset: Dataset, { batchSize }: Pick<BatchStreamOptions, "batchSize">): BatchStream {
  const { mean, std, shape } = dataset;
  const plain = { batchSize, dropLast: false };
  if (isOnDisk(dataset)) yield* imageBatches(dataset, { ...plain, training: false, size: [shape[0], shape[1]], mean, std });
  else yield* batches(dataset, { ...plain, shuffle: false });
}

// Measured on two cores: starting a thread takes 0.07 s, or 0.2 s with 60 000 images. An augmented value takes 20 to 80 ns, so from 2²⁶
// values on the start hardly counts. Without augmentation a value takes 10 ns, and passing it between threads costs as much.
function threadPays(dataset: Dataset, options: NamedOptions): boolean {
  return options.augment !== "none" && countBatches(dataset, options) * options.batchSize * imageLength(dataset.shape) >= 2 ** 26;
}

function countBatches({ size }: Dataset, { epochs, firstBatch = 0, batchSize }: EpochsOptions): number {
  return epochs.length * numBatches(size, { batchSize }) - firstBatch;
}

async function* fromHere(dataset: Dataset, options: EpochsOptions): BatchStream {
  yield* epochsOfBatches(dataset, options);
}

const onDiskAugments: Partial<Record<AugmentName, Pick<ImageBatchOptions, "fit" | "randAugment">>> = {
  none: { fit: "center" },
  "random-resized-crop": { fit: "random" },
  randaugment: { fit: "random", randAugment: {} },
};

async function* fromFiles(dataset: OnDiskDataset, { augment, epochs, firstBatch = 0, batchSize }: EpochsOptions): BatchStream {
  const how = typeof augment === "string" ? onDiskAugments[augment] : undefined;
  if (!how) {
    const names = Object.keys(onDiskAugments).join(", ");
    throw new Error(
      `augment = "${typeof augment === "string" ? augment : augment?.name}" of ${dataset.name}, an on-disk dataset: expected one of ${names}`,
    );
  }
  const [height, width] = dataset.shape;
  const pool = new DecodePool();
  try {
    for (const [e, rng] of epochs.entries()) {
      const place = { rng, firstBatch: e === 0 ? firstBatch : 0, pool };
      yield* imageBatches(dataset, { ...how, ...place, batchSize, size: [height, width], mean: dataset.mean, std: dataset.std });
    }
  } finally {
    await pool.close();
  }
}

async function* fromThread(dataset: Dataset, { epochs, firstBatch = 0, ...options }: NamedOptions): BatchStream {
  const taken = new Int32Array(new SharedArrayBuffer(4));
  const keys = epochs.map(({ key }) => key);
  const work: BatchWork = { ...options, dataset: withSharedImages(dataset), keys, firstBatch, taken, ahead: AHEAD };
  const worker = startWorker("batchWorker", { workerData: work });
  worker.on("error", () => undefined); // `messages` reports it, unless no more batches are wanted
  const messages = on(worker, "message", { close: ["exit"] });
  const count = countBatches(dataset, { epochs, firstBatch, ...options });
  try {
    for (let given = 0; ; given++) {
      worker.ref(); // keeps the process alive while training waits
      const { value, done } = await messages.next();
      worker.unref(); // lets the process end while the worker waits
      if (done && given < count) throw new Error(`it ended after ${given} of ${count}`);
      if (done) return;
      Atomics.add(taken, 0, 1);
      Atomics.notify(taken, 0);
      yield (value as [Batch])[0];
    }
  } catch (error) {
    throw new Error(`a worker thread could not make the batches of ${dataset.name}: ${(error as Error).message}`);
  } finally {
    await worker.terminate();
  }
}

function withSharedImages(dataset: Dataset): Dataset {
  const images = new Uint8Array(new SharedArrayBuffer(dataset.images.length));
  images.set(dataset.images);
  return { ...dataset, images };
}
