import assert from "node:assert/strict";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { augmentNames, batches, batchStream, perImage, type Batch, type BatchStream } from "../../src/data";
import { Rng } from "../../src/engine";
import { watchThreads } from "../support/startedThreads";
import { numberedDataset } from "./support";

const dataset = numberedDataset(40, { shape: [9, 9, 3] });
const epochs = [new Rng(5).split("first"), new Rng(6)];

async function all(stream: BatchStream): Promise<Batch[]> {
  const list: Batch[] = [];
  for await (const batch of stream) list.push(batch);
  return list;
}

describe("data/batchStream", () => {
  const threads = watchThreads();

  for (const augment of augmentNames)
    it(`A worker thread makes the same bits as batches() does with augment = "${augment}", from a stopped epoch into the next`, async () => {
      const expected = epochs.flatMap((rng, e) => [
        ...batches(dataset, { batchSize: 8, augment, rng, firstBatch: e === 0 ? 3 : 0 }),
      ]);

      const made = await all(batchStream(dataset, { batchSize: 8, augment, epochs, firstBatch: 3, thread: true }));

      assert.deepEqual(made, expected);
      assert.equal(threads.started.length, 1);
    });

  it("The caller's own thread makes the same batches", async () => {
    const options = { batchSize: 8, augment: "cutout", epochs, firstBatch: 4 } as const;

    const made = await all(batchStream(dataset, { ...options, thread: false }));

    assert.deepEqual(made, await all(batchStream(dataset, { ...options, thread: true })));
  });

  it("An augmentation given as a value is applied, without a thread", async () => {
    const augment = { name: "own", pixels: perImage((x) => x.fill(-7)) };

    const made = await all(batchStream(dataset, { batchSize: 40, augment, epochs, thread: true }));

    assert.ok(made.every(({ images }) => images.every((value) => value === -7)));
    assert.equal(threads.started.length, 0);
  });

  it("A thread is started for long work only: 2²⁶ augmented values", async () => {
    const values = 40 * 9 * 9 * 3;
    const starts = async (augment: "none" | "basic", count: number) => {
      const before = threads.started.length;
      const stream = batchStream(dataset, { batchSize: 8, augment, epochs: new Array<Rng>(count).fill(epochs[0]!) });
      await stream.next();
      await stream.return();
      return threads.started.length - before;
    };

    assert.equal(await starts("basic", Math.floor(2 ** 26 / values)), 0);
    assert.equal(await starts("basic", Math.ceil(2 ** 26 / values)), 1);
    assert.equal(await starts("none", Math.ceil(2 ** 26 / values)), 0);
  });

  it("At most two batches wait to be used", async () => {
    const stream = batchStream(dataset, { batchSize: 1, augment: "basic", epochs, thread: true });
    await stream.next();
    let waiting = 0;
    threads.started[0]!.on("message", () => waiting++);

    await stream.next();
    await pause(300);
    await stream.return();

    // The second one was under way or had come.
    assert.ok(waiting <= 3, `${waiting} of 80 batches came`);
  });

  it("Leaving the loop, or return(), ends the thread", async () => {
    const open = () => batchStream(dataset, { batchSize: 8, augment: "basic", epochs, thread: true });

    for await (const batch of open()) if (batch) break;
    const stream = open();
    await stream.next();
    await stream.return();

    assert.deepEqual(
      threads.started.map(({ threadId }) => threadId),
      [-1, -1],
    );
  });

  it("An error in the thread is reported with the data set's name and ends the thread", async () => {
    // 8 such images need more bytes than an array can have.
    const huge = { ...dataset, shape: [2 ** 20, 2 ** 20, 3] as const };

    await assert.rejects(
      batchStream(huge, { batchSize: 8, epochs, thread: true }).next(),
      /a worker thread could not make the batches of numbered: .*length/,
    );
  });

  it("A thread that ends early is reported", async () => {
    const stream = batchStream(dataset, { batchSize: 8, epochs, thread: true });
    await stream.next();

    const [worker] = threads.started;
    await Promise.all([once(worker!, "exit"), worker!.terminate()]);

    await assert.rejects(all(stream), /a worker thread could not make the batches of numbered: it ended after [1-3] of 10/);
  });

  it("Invalid settings are refused when the first batch is requested", async () => {
    const refused = (options: object, message: RegExp) =>
      assert.rejects(batchStream(dataset, { batchSize: 8, epochs, ...options }).next(), message);

    await refused({ batchSize: 41 }, /batchSize = 41 exceeds the 40 examples/);
    await refused({ augment: "flip", thread: true }, /augment = "flip": expected one of none/);
  });
});
