import assert from "node:assert/strict";
import { tf } from "../../src/engine";
import {
  channelStatistics,
  classCounts,
  concatDatasets,
  makeDataset,
  normalizeImages,
  oneHot,
  splitHeldOut,
  subset,
  takeFirst,
  toTensors,
  withLabels,
  type Dataset,
} from "../../src/data";
import { numberedDataset } from "./support";

/** Examples listed class by class, as folders of images are. */
function classByClass(counts: number[]): Dataset {
  const labels = counts.flatMap((count, label) => new Array<number>(count).fill(label));
  return { ...numberedDataset(labels.length, { numClasses: counts.length }), labels: Int32Array.from(labels) };
}

describe("data/dataset", () => {
  it("A subset has the chosen images and labels, in the order asked for", () => {
    const part = subset(numberedDataset(6), [5, 0, 5]);

    assert.deepEqual([...part.labels], [2, 0, 2]);
    assert.deepEqual([...part.images], [5, 5, 5, 5, 0, 0, 0, 0, 5, 5, 5, 5]);
    assert.equal(part.size, 3);
  });

  it("An index outside the set is refused", () => {
    assert.throws(() => subset(numberedDataset(6), [6]), /index 6: expected an integer from 0 to 5/);
  });

  it("The first examples are the first ones, and asking for more than there are is refused", () => {
    assert.deepEqual([...takeFirst(numberedDataset(6), 2).images], [0, 0, 0, 0, 1, 1, 1, 1]);
    assert.throws(() => takeFirst(numberedDataset(6), 7), /limit = 7: expected an integer from 1 to 6/);
    assert.throws(() => takeFirst(numberedDataset(6), 1.5), /limit = 1.5/);
  });

  it("The held-out part is a random tenth, disjoint from the rest, and the same for the same seed", () => {
    const whole = numberedDataset(100);
    const names = (part: { images: Uint8Array }) => [...part.images].filter((_, i) => i % 4 === 0);

    const first = splitHeldOut(whole, { fraction: 0.3, seed: 1 });
    const again = splitHeldOut(whole, { fraction: 0.3, seed: 1 });
    const other = splitHeldOut(whole, { fraction: 0.3, seed: 2 });

    assert.deepEqual(
      [...names(first.train), ...names(first.heldOut)].sort((a, b) => a - b),
      Array.from({ length: 100 }, (_, i) => i),
    );
    assert.equal(first.heldOut.size, 30);
    assert.equal(splitHeldOut(whole).heldOut.size, 10);
    assert.deepEqual(names(first.heldOut), names(again.heldOut));
    assert.deepEqual(names(splitHeldOut(whole).heldOut), names(splitHeldOut(whole, { seed: 0 }).heldOut));
    assert.notDeepEqual(names(first.heldOut), names(other.heldOut));
    assert.throws(() => splitHeldOut(whole, { fraction: 1 }), /fraction = 1/);
  });

  it("Every class gives its share to the held-out part, though the examples come class by class", () => {
    const whole = classByClass([10, 10, 10, 10]);
    for (const seed of [undefined, 0, 1, "a"]) {
      const { train, heldOut } = splitHeldOut(whole, { fraction: 0.25, seed });

      assert.equal(heldOut.size, 10);
      // a quarter of 10 is 2½ of each class
      for (const count of classCounts(heldOut)) assert.ok(count === 2 || count === 3, `${count} of 10`);
      assert.deepEqual(
        [...classCounts(train)].map((count, k) => count + classCounts(heldOut)[k]!),
        [10, 10, 10, 10],
      );
    }
  });

  it("Shares follow the sizes of the classes, and a class of one example is trained on", () => {
    const { train, heldOut } = splitHeldOut(classByClass([80, 19, 1]), { fraction: 0.5 });

    assert.deepEqual([...classCounts(heldOut)], [40, 10, 0]);
    assert.deepEqual([...classCounts(train)], [40, 9, 1]);
    assert.deepEqual([...classCounts(splitHeldOut(classByClass([4, 4, 4]), { fraction: 0.75 }).train)], [1, 1, 1]);
  });

  it("Normalization is (x/255 − mean)/std, channel by channel", () => {
    // (255/255 − 0.5)/0.25 = 2; (0 − 0.2)/0.1 = −2; (51/255 − 0.5)/0.25 = −1.2; (51/255 − 0.2)/0.1 = 0
    const values = normalizeImages(Uint8Array.from([255, 0, 51, 51]), { mean: [0.5, 0.2], std: [0.25, 0.1] });

    [2, -2, -1.2, 0].forEach((expected, i) => assert.ok(Math.abs(values[i]! - expected) < 1e-6));
  });

  it("Tensors hold normalized images and one-hot labels, and nothing else is left behind", () => {
    const before = tf.memory().numTensors;

    const { images, labels } = toTensors(numberedDataset(4), [1, 3]);

    assert.deepEqual(images.shape, [2, 2, 2, 1]);
    assert.deepEqual([...labels.dataSync()], [0, 1, 0, 1, 0, 0]);
    assert.ok(Math.abs(images.dataSync()[4]! - 3 / 255) < 1e-7);
    assert.equal(tf.memory().numTensors, before + 2);
    tf.dispose([images, labels]);
  });

  it("Channel statistics are the mean and the population standard deviation of x/255", () => {
    // channel 0: 0, 255 → mean ½, std ½; channel 1: 51, 51 → mean 0.2, std 0
    const { mean, std } = channelStatistics(Uint8Array.from([0, 51, 255, 51]), 2);

    [mean[0]! - 0.5, mean[1]! - 0.2, std[0]! - 0.5, std[1]!].forEach((error) => assert.ok(Math.abs(error) < 1e-12));
  });

  it("Other labels replace the old ones, and wrong ones are refused", () => {
    const dataset = numberedDataset(3);

    assert.deepEqual([...withLabels(dataset, [2, 2, 0]).labels], [2, 2, 0]);
    assert.throws(() => withLabels(dataset, [0, 1]), /2 labels for numbered, expected 3/);
    assert.throws(() => withLabels(dataset, [0, 1, 3]), /label 2 is 3, expected an integer from 0 to 2/);
    assert.throws(() => withLabels(dataset, [0, 1.5, 0]), /label 1 is 1.5/);
  });

  it("Sets follow each other where their shapes agree", () => {
    const both = concatDatasets(numberedDataset(2), numberedDataset(3));

    assert.deepEqual([...both.labels], [0, 1, 0, 1, 2]);
    assert.equal(both.images.length, 20);
    assert.throws(() => concatDatasets(numberedDataset(2), numberedDataset(2, { shape: [2, 2, 3] })), /2×2×3.*cannot follow/);
  });

  it("Parts that do not fit together are refused", () => {
    const parts = numberedDataset(2);

    assert.throws(() => makeDataset({ ...parts, images: new Uint8Array(7) }), /7 image bytes, expected 8/);
    assert.throws(() => makeDataset({ ...parts, mean: [0, 0] }), /mean has 2/);
    assert.throws(() => makeDataset({ ...parts, std: [0] }), /expected values above 0/);
  });

  it("Class counts and one-hot rows follow the labels", () => {
    assert.deepEqual([...classCounts(numberedDataset(7))], [3, 2, 2]);
    assert.deepEqual([...oneHot([1, 0], 2)], [0, 1, 1, 0]);
  });
});
