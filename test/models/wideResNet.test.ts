import assert from "node:assert/strict";
import { Rng, tf } from "../../src/engine";
import { countParameters, wideResNet } from "../../src/models";
import { poolAndPad } from "../../src/models/wideResNet";
import { closeTo } from "../support/closeTo";
import { waveImages } from "../support/networks";
import { tidyTests } from "../support/noLeak";

describe("models/wideResNet", () => {
  tidyTests();

  it("WRN-28-10 with 100 classes has 36 278 324 parameters, as the official code's", () => {
    assert.equal(countParameters(wideResNet({ depth: 28, widenFactor: 10, numClasses: 100 })), 36_278_324);
  });

  // n = (d − 4)/6 blocks of 3×3 convolutions without bias in each group; gain and offset for each batch norm's input channels.
  it("WRN-16-4 with 10 classes has as many parameters as counted by hand", () => {
    const stem = 9 * 3 * 16;
    const group1 = 9 * (16 * 64 + 3 * 64 * 64) + 2 * (16 + 3 * 64);
    const group2 = 9 * (64 * 128 + 3 * 128 * 128) + 2 * (64 + 3 * 128);
    const group3 = 9 * (128 * 256 + 3 * 256 * 256) + 2 * (128 + 3 * 256);
    const end = 2 * 256 + 256 * 10 + 10;

    assert.equal(stem + group1 + group2 + group3 + end, 2_706_906);
    assert.equal(countParameters(wideResNet({ depth: 16, widenFactor: 4, numClasses: 10 })), 2_706_906);
  });

  it("WRN-40-2 with 10 classes has as many parameters as counted by hand", () => {
    const group = (inputs: number, outputs: number) => 9 * (inputs * outputs + 11 * outputs ** 2) + 2 * (inputs + 11 * outputs);
    const count = 9 * 3 * 16 + group(16, 32) + group(32, 64) + group(64, 128) + 2 * 128 + 128 * 10 + 10;

    assert.equal(count, 2_232_794);
    assert.equal(countParameters(wideResNet({ depth: 40, widenFactor: 2, numClasses: 10 })), count);
  });

  it("WRN-40-10 without batch norm has a bias for each convolution's outputs instead of gains and offsets", () => {
    const group = (inputs: number, outputs: number) => 9 * (inputs * outputs + 11 * outputs ** 2) + 12 * outputs;
    const count = 9 * 3 * 16 + 16 + group(16, 160) + group(160, 320) + group(320, 640) + 640 * 10 + 10;
    const model = wideResNet({ depth: 40, widenFactor: 10, numClasses: 10, batchNorm: false });

    assert.equal(count, 55_569_738);
    assert.equal(countParameters(model), count);
    assert.deepEqual(model.statistics, []);
    assert.equal(model.name, "WRN-40-10 without batch norm");
  });

  it("is made for 32×32×3 unless told otherwise", () => {
    assert.deepEqual(wideResNet({ depth: 10, widenFactor: 1, numClasses: 10 }).inputShape, [32, 32, 3]);
  });

  it("The shortcut averages 2×2 pixels and fills new channels with zeros", () => {
    const x = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]);

    closeTo(poolAndPad(x, 3, 2).dataSync(), [2.5, 0, 0]);
    assert.equal(poolAndPad(x, 1, 1), x);
  });

  it("The shortcut of an odd size averages the pixels that are there", () => {
    const x = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]);

    closeTo(poolAndPad(x, 1, 2).dataSync(), [(1 + 2 + 4 + 5) / 4, (3 + 6) / 2, (7 + 8) / 2, 9]);
  });

  it("Convolutions start with variance 2/(9·outputs), the head in ±1/√classes, gains at 1, offsets at 0", () => {
    const { weights, stats } = wideResNet({ depth: 10, widenFactor: 4, numClasses: 25 }).init(new Rng(3));
    const kernel = weights["group2/block0/conv2/kernel"]!.dataSync<"float32">(); // 9·256·256 values
    const mean = kernel.reduce((sum, w) => sum + w, 0) / kernel.length;
    const variance = kernel.reduce((sum, w) => sum + w * w, 0) / kernel.length;
    const head = weights["head/kernel"]!.dataSync();

    // 5σ: the mean of n normals has σ/√n, their variance σ²·√(2/n).
    const expected = 2 / (9 * 256);
    assert.ok(Math.abs(mean) < 5 * Math.sqrt(expected / kernel.length));
    assert.ok(Math.abs(variance / expected - 1) < 5 * Math.sqrt(2 / kernel.length));
    assert.ok(head.every((w) => Math.abs(w) <= 0.2) && head.some((w) => Math.abs(w) > 0.19));
    assert.ok(
      weights["norm/scale"]!.dataSync().every((w) => w === 1) && weights["norm/offset"]!.dataSync().every((w) => w === 0),
    );
    assert.ok(stats["norm/mean"]!.dataSync().every((s) => s === 0) && stats["norm/variance"]!.dataSync().every((s) => s === 1));
  });

  it("Dropout masks are those of the stream: the same for the same, others for another, none in inference", () => {
    const model = wideResNet({ depth: 10, widenFactor: 1, numClasses: 3, inputShape: [8, 8, 1], dropout: 0.5 });
    const { weights, stats } = model.init(new Rng(0));
    const x = waveImages(model, 4);
    const logits = (mode: object) => [...model.apply(weights, x, { stats, ...mode }).logits.dataSync()];

    assert.deepEqual(logits({ training: true, rng: new Rng(1) }), logits({ training: true, rng: new Rng(1) }));
    assert.notDeepEqual(logits({ training: true, rng: new Rng(2) }), logits({ training: true, rng: new Rng(1) }));
    assert.deepEqual(logits({ rng: new Rng(1) }), logits({ rng: new Rng(2) }));
    assert.throws(() => logits({ training: true }), /dropout in training mode needs mode.rng/);
  });

  it("Depths and widths that no WideResNet has are refused", () => {
    for (const depth of [9, 4, 12, 28.5, NaN])
      assert.throws(() => wideResNet({ depth, widenFactor: 1, numClasses: 10 }), new RegExp(`depth = ${depth}: .*6n \\+ 4`));
    for (const widenFactor of [0, 1.5, NaN])
      assert.throws(
        () => wideResNet({ depth: 10, widenFactor, numClasses: 10 }),
        new RegExp(`widenFactor = ${widenFactor}: expected a whole`),
      );
    for (const dropout of [-0.1, 1, NaN])
      assert.throws(
        () => wideResNet({ depth: 10, widenFactor: 1, numClasses: 10, dropout }),
        new RegExp(`dropout = ${dropout}: expected a rate`),
      );
  });
});
