/** Worker thread that makes training batches, a few ahead of those taken; started by batchStream. */
import { parentPort, workerData } from "node:worker_threads";
import { Rng, type RngKey } from "../engine/rng"; // not the engine itself: a worker needs no TensorFlow
import type { AugmentName } from "./augmentations";
import { epochsOfBatches } from "./batches";
import type { Dataset } from "./dataset";

export interface BatchWork {
  /** its images in shared memory */
  readonly dataset: Dataset;
  /** keys of the epochs' random streams */
  readonly keys: readonly RngKey[];
  readonly batchSize: number;
  readonly augment: AugmentName;
  readonly firstBatch: number;
  /** (1) shared memory: number of batches taken so far */
  readonly taken: Int32Array;
  /** largest number of batches that wait to be taken */
  readonly ahead: number;
}

function work({ dataset, keys, taken, ahead, ...options }: BatchWork): void {
  let made = 0;
  for (const batch of epochsOfBatches(dataset, { ...options, epochs: keys.map((key) => new Rng(key)) })) {
    const { images, labels, indices } = batch;
    parentPort!.postMessage(batch, [images.buffer, labels.buffer, indices.buffer] as ArrayBuffer[]);
    made++;
    for (let seen = Atomics.load(taken, 0); made - seen >= ahead; seen = Atomics.load(taken, 0)) Atomics.wait(taken, 0, seen);
  }
}

work(workerData as BatchWork);
