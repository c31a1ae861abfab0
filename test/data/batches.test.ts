import assert from "node:assert/strict";
import { batches, numBatches, perImage, type BatchOptions } from "../../src/data";
import { Rng } from "../../src/engine";
import { numberedDataset } from "./support";

const indices = (size: number, options: BatchOptions) =>
  Array.from(batches(numberedDataset(size), options), (b) => [...b.indices]);

describe("data/batches", () => {
  it("An epoch has each example once, in an order that the stream decides", () => {
    const seen = indices(12, { batchSize: 4, rng: new Rng(1) });

    assert.deepEqual(
      seen.flat().sort((a, b) => a - b),
      Array.from({ length: 12 }, (_, i) => i),
    );
    assert.notDeepEqual(
      seen.flat(),
      Array.from({ length: 12 }, (_, i) => i),
    );
    assert.deepEqual(seen, indices(12, { batchSize: 4, rng: new Rng(1) }));
    assert.notDeepEqual(seen, indices(12, { batchSize: 4, rng: new Rng(2) }));
  });

  it("The last partial batch is dropped in training and kept on request", () => {
    assert.deepEqual(indices(5, { batchSize: 2, shuffle: false }), [
      [0, 1],
      [2, 3],
    ]);
    assert.deepEqual(indices(5, { batchSize: 2, shuffle: false, dropLast: false }), [[0, 1], [2, 3], [4]]);
    // paper.md 7.4: 195 steps per CIFAR epoch at 256
    assert.equal(numBatches(50000, { batchSize: 256 }), 195);
    assert.equal(numBatches(50000, { batchSize: 256, dropLast: false }), 196);
  });

  it("Images and labels are those of the indices", () => {
    const [batch] = batches(numberedDataset(6), { batchSize: 6, rng: new Rng(3) });

    batch!.indices.forEach((index, i) => {
      assert.equal(batch!.labels[i], index % 3);
      assert.ok(Math.abs(batch!.images[4 * i]! - index / 255) < 1e-7);
    });
  });

  it("An epoch resumed at a batch goes on as if it had not stopped, augmentation included", () => {
    const dataset = numberedDataset(40, { shape: [9, 9, 1] });
    const options: BatchOptions = { batchSize: 8, augment: "cutout" };

    const whole = [...batches(dataset, { ...options, rng: new Rng(5) })];
    const rest = [...batches(dataset, { ...options, rng: new Rng(5), firstBatch: 3 })];

    assert.deepEqual(rest, whole.slice(3));
  });

  it("An example's augmentation depends on its place in the epoch, not on the batch size", () => {
    const dataset = numberedDataset(12, { shape: [9, 9, 3] });
    const images = (batchSize: number) =>
      Array.from(batches(dataset, { batchSize, augment: "cutout", rng: new Rng(5) }), (b) => [...b.images]).flat();

    assert.deepEqual(images(12), images(3));
  });

  it("A custom augmentation acts on bytes before normalization and on pixels after it", () => {
    const augment = { name: "own", bytes: perImage((x) => x.fill(255)), pixels: perImage((x) => (x[0] = -7)) };

    const [batch] = batches(numberedDataset(2), { batchSize: 2, augment, rng: new Rng(0) });

    assert.deepEqual([...batch!.images], [-7, 1, 1, 1, -7, 1, 1, 1]);
  });

  it("The data set itself is never changed", () => {
    const dataset = numberedDataset(8, { shape: [9, 9, 1] });
    const before = dataset.images.slice();

    [...batches(dataset, { batchSize: 4, augment: "cutout", rng: new Rng(5) })];

    assert.deepEqual(dataset.images, before);
  });

  it("Invalid settings are refused at once", () => {
    const dataset = numberedDataset(4);

    assert.throws(() => batches(dataset, { batchSize: 5, rng: new Rng(0) }), /batchSize = 5 exceeds the 4 examples/);
    assert.throws(() => batches(dataset, { batchSize: 0, rng: new Rng(0) }), /batchSize = 0/);
    assert.throws(() => batches(dataset, { batchSize: 2 }), /rng is missing/);
    assert.throws(() => batches(dataset, { batchSize: 2, shuffle: false, augment: "basic" }), /rng is missing/);
    assert.throws(
      () => batches(dataset, { batchSize: 2, augment: "flip" as "basic", rng: new Rng(0) }),
      /augment = "flip": expected one of none/,
    );
  });
});
