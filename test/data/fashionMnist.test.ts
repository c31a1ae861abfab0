import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { channelStatistics, classCounts, loadFashionMnist, syntheticImages } from "../../src/data";
import { cacheFolder } from "../../src/data/files";
import { temporaryFolder } from "./support";

const present = [cacheFolder("fashion-mnist"), "/usr/share/datasets/fashion-mnist"].some((folder) => existsSync(folder));

describe("data/fashionMnist", () => {
  const folder = temporaryFolder();

  it("The training set is the published one", async function () {
    if (!present) this.skip();
    const dataset = await loadFashionMnist();

    assert.equal(dataset.size, 60000);
    assert.deepEqual(dataset.shape, [28, 28, 1]);
    assert.deepEqual([...classCounts(dataset)], new Array(10).fill(6000));
    // The first label is 9, an ankle boot (Fashion-MNIST's README); mean 0.2860 and std 0.3530 are its usual statistics.
    assert.equal(dataset.classNames![dataset.labels[0]!], "Ankle boot");
    const { mean, std } = channelStatistics(dataset.images, 1);
    assert.ok(Math.abs(mean[0]! - 0.286) < 1e-4 && Math.abs(std[0]! - 0.353) < 1e-4);
    // paper.md 7.4: the official code normalizes with MNIST's values
    assert.deepEqual([dataset.mean, dataset.std], [[0.1307], [0.3081]]);
  });

  it("The test set is cut to the limit", async function () {
    if (!present) this.skip();
    const dataset = await loadFashionMnist({ split: "test", limit: 100 });

    assert.equal(dataset.size, 100);
    assert.equal(dataset.images.length, 78400);
    assert.equal(dataset.images.buffer.byteLength, 78400);
  });

  it("If the files are missing, the error tells how to get them", async () => {
    await assert.rejects(loadFashionMnist({ folder: folder.path() }), /train files are not in .*Get them with: npm run setup/);
    await assert.rejects(loadFashionMnist({ split: "valid" as "test" }), /split = "valid": expected "train" or "test"/);
  });
});

describe("data/synthetic", () => {
  it("The same seed gives the same images, another seed others of the same classes", () => {
    const train = syntheticImages({ size: 200 });
    const again = syntheticImages({ size: 200 });
    const test = syntheticImages({ size: 200, seed: 1 });

    assert.deepEqual(train, again);
    assert.notDeepEqual(train.images, test.images);
    assert.equal(train.name, "generated");
    assert.deepEqual([...classCounts(train)], new Array(10).fill(20));
  });

  it("A nearest-mean rule learned on one seed recognizes the classes of another", () => {
    const [train, test] = [syntheticImages({ size: 1000, noise: 0.1 }), syntheticImages({ size: 300, seed: 1, noise: 0.1 })];
    const means = Array.from({ length: 10 }, () => new Float64Array(784));
    train.images.forEach((value, i) => (means[train.labels[Math.floor(i / 784)]!]![i % 784]! += value / 100));
    const distance = (i: number, mean: Float64Array) => mean.reduce((sum, m, j) => sum + (m - test.images[784 * i + j]!) ** 2, 0);

    const right = [...test.labels].filter((label, i) => {
      const distances = means.map((mean) => distance(i, mean));
      return distances.indexOf(Math.min(...distances)) === label;
    }).length;

    assert.ok(right / 300 > 0.5, `${right} of 300`); // chance is 30
  });

  it("Images can have any shape and number of classes", () => {
    const dataset = syntheticImages({ size: 7, shape: [8, 6, 3], numClasses: 4 });

    assert.equal(dataset.images.length, 7 * 144);
    assert.equal(dataset.numClasses, 4);
    assert.throws(() => syntheticImages({ size: 0 }), /size = 0/);
  });
});
