/** SGD steps on augmented batches: prepared beforehand, from the worker thread, or made in the main thread before each step. */
import { setImmediate } from "node:timers/promises";
import { batchStream, type BatchStream } from "../../data";
import { Rng, tf } from "../../engine";
import { labeled, toStepBatch } from "../../training/methods/method";
import { Training, type Contender } from "./contenders";
import type { Workload } from "./workload";

export const AUGMENT = "autoaugment-scaled"; // the dearest one in the tables of small images
const UNTIMED = 2; // steps of a turn whose batches the thread made during the turns of others
const TIMED_FOR_EACH = 3; // ours: what is looked for is a few per cent
const EPOCHS = 1000; // more than a benchmark takes

export function inputContenders(workload: Workload): Contender[] {
  return [
    inputContender("prepared", preparedBatches(workload), workload),
    inputContender("pipeline", augmentedBatches(workload, true), workload),
    inputContender("mainThread", augmentedBatches(workload, false), workload),
  ];
}

function augmentedBatches({ data, sgd: { batchSize } }: Workload, thread: boolean): BatchStream {
  const epochs = Array.from({ length: EPOCHS }, (_, epoch) => new Rng("bench").split(epoch));
  return batchStream(data, { batchSize, augment: AUGMENT, epochs, thread });
}

async function* preparedBatches(workload: Workload): BatchStream {
  const { value: batch } = await augmentedBatches(workload, false).next();
  for (;;) yield batch!;
}

function inputContender(name: Contender["name"], batches: BatchStream, workload: Workload): Contender {
  const training = new Training(workload.model, workload.sgd, workload);
  const step = async () => {
    const batch = toStepBatch(labeled((await batches.next()).value!, workload.data), workload.data);
    training.step(batch);
    tf.dispose([batch.images, batch.targets]);
    await setImmediate(); // as the training loop does: messages come in
  };
  return {
    name,
    tasks: { sgdStep: async (count) => (await timesOf(UNTIMED + TIMED_FOR_EACH * count, step)).slice(UNTIMED) },
    dispose: async () => {
      training.dispose();
      await batches.return();
    },
  };
}

async function timesOf(count: number, fn: () => Promise<void>): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await fn();
    times.push(performance.now() - start);
  }
  return times;
}
