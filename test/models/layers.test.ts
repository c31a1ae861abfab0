import assert from "node:assert/strict";
import { Rng, tf, valueAndGradient, type Weights } from "../../src/engine";
import { ModelBuilder, type Context } from "../../src/models";
import {
  batchNorm,
  conv,
  dense,
  depthwiseConv,
  dropout,
  flatten,
  globalAveragePool,
  heNormalFanIn,
  heNormalFanOut,
  layerNorm,
  lecunNormal,
  truncated002,
  truncatedFanOut,
  uniformByOutputs,
  withoutActivations,
} from "../../src/models/layers";
import { closeTo } from "../support/closeTo";
import { waveImages, waveVariables } from "../support/networks";
import { tidyTests } from "../support/noLeak";
import { valuesOf } from "../support/training";

const context = (weights: Weights, mode: Partial<Context> = {}): Context => ({ weights, newStats: {}, ...mode });
const moments = (values: Float32Array) => {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  return { mean, variance: values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length };
};

describe("models/layers", () => {
  tidyTests();

  it("A convolution by hand: a kernel of ones sums each pixel's surroundings, and the bias is added", () => {
    const layer = conv(new ModelBuilder(), "c", { inputs: 1, outputs: 1, bias: true });
    const weights = { "c/kernel": tf.ones([3, 3, 1, 1]), "c/bias": tf.tensor1d([10]) };

    const y = layer(tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]), context(weights));

    closeTo(y.dataSync(), [12, 21, 16, 27, 45, 33, 24, 39, 28].map((sum) => sum + 10)); // prettier-ignore
  });

  it("A convolution has a bias only when asked for one", () => {
    const builder = new ModelBuilder();

    conv(builder, "c", { inputs: 2, outputs: 5, kernel: 1 });

    assert.deepEqual(builder.parameters.map(({ name, shape }) => [name, shape]), [["c/kernel", [1, 1, 2, 5]]]); // prettier-ignore
  });

  it("A convolution of stride 2 pads on both sides where it is told how much, and as TensorFlow does where not", () => {
    const weights = { "c/kernel": tf.ones([3, 3, 1, 1]) };
    const x = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]);
    const strided = (padding: "same" | number) =>
      conv(new ModelBuilder(), "c", { inputs: 1, outputs: 1, stride: 2, padding })(x, context(weights)).dataSync();

    closeTo(strided("same"), [10]); // starts at the first pixel
    closeTo(strided(1), [10]);
    closeTo(strided(2), [1, 3, 4, 10]); // of the 6×6 image with 1 … 4 in its middle: windows from rows and columns 0 and 2
  });

  // y[i, j] = Σₖ x[2i, 2j, k]·w[k].
  it("A 1×1 convolution of stride 2 mixes the channels of every second pixel", () => {
    const layer = conv(new ModelBuilder(), "c", { inputs: 2, outputs: 1, kernel: 1, stride: 2 });
    const x = tf.tensor4d(Array.from({ length: 24 }, (_, i) => i), [1, 3, 4, 2]); // prettier-ignore

    const y = layer(x, context({ "c/kernel": tf.tensor4d([10, 1], [1, 1, 2, 1]) }));

    assert.deepEqual(y.shape, [1, 2, 2, 1]);
    closeTo(y.dataSync(), [1, 45, 177, 221]); // of (0, 1), (4, 5), (16, 17), (20, 21)
  });

  // TensorFlow 2.21's own kernel ends the process there on some machines.
  it("A 1×1 convolution from 512 to 1024 channels works, forward and backward", () => {
    const layer = conv(new ModelBuilder(), "c", { inputs: 512, outputs: 1024, kernel: 1 });
    const loss = (filter: tf.Tensor) => tf.mean(layer(tf.ones([1, 4, 4, 512]), context({ "c/kernel": filter }))) as tf.Scalar;

    const { value, grad } = tf.valueAndGrad(loss)(tf.ones([1, 1, 512, 1024]));

    closeTo(value.dataSync(), [512]);
    closeTo(tf.max(tf.abs(tf.sub(grad, 1 / 1024))).dataSync(), [0]);
  });

  it("A depthwise convolution has one filter a channel, and never mixes channels", () => {
    const layer = depthwiseConv(new ModelBuilder(), "d", { channels: 2, kernel: 1, stride: 2 });
    const weights = { "d/kernel": tf.tensor4d([3, -1], [1, 1, 2, 1]) };

    closeTo(layer(tf.tensor4d([1, 10, 2, 20, 3, 30], [1, 1, 3, 2]), context(weights)).dataSync(), [3, -10, 9, -30]);
  });

  it("Layer norm gives each row mean 0 and biased variance 1, then gain and offset", () => {
    const layer = layerNorm(new ModelBuilder(), "n", 4);
    const weights = { "n/scale": tf.tensor1d([1, 2, 1, 1]), "n/offset": tf.tensor1d([0, 0, 0, 5]) };
    const deviation = Math.sqrt(3.5 + 1e-6); // of 1, 2, 3, 6 around 3

    const y = layer(tf.tensor2d([[1, 2, 3, 6], [7, 7, 7, 7]]), context(weights)); // prettier-ignore

    closeTo(y.dataSync(), [-2 / deviation, -2 / deviation, 0, 3 / deviation + 5, 0, 0, 0, 5], 1e-6);
  });

  it("A dense layer by hand", () => {
    const layer = dense(new ModelBuilder(), "d", { inputs: 2, outputs: 3 });
    const weights = { "d/kernel": tf.tensor2d([[1, 2, 3], [4, 5, 6]]), "d/bias": tf.tensor1d([0.5, 0, -1]) }; // prettier-ignore

    closeTo(layer(tf.tensor2d([[1, 10]]), context(weights)).dataSync(), [41.5, 52, 62]);
  });

  describe("batch norm", () => {
    // One channel with 1, 2, 3, 6: mean 3, biased variance (4 + 1 + 0 + 9)/4 = 3.5.
    const x = () => tf.tensor4d([1, 2, 3, 6], [2, 1, 2, 1]);
    const layer = batchNorm(new ModelBuilder(), "n", 1);
    const weights = () => ({ "n/scale": tf.tensor1d([2]), "n/offset": tf.tensor1d([1]) });
    const stats = () => ({ "n/mean": tf.tensor1d([0.5]), "n/variance": tf.tensor1d([4]) });
    const normalized = (mean: number, variance: number) =>
      [1, 2, 3, 6].map((v) => (2 * (v - mean)) / Math.sqrt(variance + 1e-5) + 1);

    it("in training mode uses the batch's mean and biased variance, and moves the averages by a tenth", () => {
      const now = context(weights(), { training: true, stats: stats() });

      const y = layer(x(), now);

      closeTo(y.dataSync(), normalized(3, 3.5), 1e-5);
      closeTo(now.newStats["n/mean"]!.dataSync(), [0.9 * 0.5 + 0.1 * 3]);
      closeTo(now.newStats["n/variance"]!.dataSync(), [0.9 * 4 + 0.1 * 3.5]);
      closeTo(now.stats!["n/mean"]!.dataSync(), [0.5], 0);
    });

    it("in inference mode uses the moving averages and leaves them", () => {
      const now = context(weights(), { stats: stats() });

      closeTo(layer(x(), now).dataSync(), normalized(0.5, 4), 1e-5);
      assert.deepEqual(now.newStats, {});
    });

    it("has another momentum and epsilon where they are given", () => {
      const now = context(weights(), { training: true, stats: stats() });
      const custom = batchNorm(new ModelBuilder(), "n", 1, { momentum: 0.99, epsilon: 0.5 });

      closeTo(
        custom(x(), now).dataSync(),
        [1, 2, 3, 6].map((v) => v - 3 + 1),
        1e-6,
      ); // 2/√(3.5 + 0.5) = 1
      closeTo(now.newStats["n/mean"]!.dataSync(), [0.99 * 0.5 + 0.01 * 3]);
      closeTo(custom(x(), context(weights(), { stats: stats() })).dataSync(), [1, 2, 3, 6].map((v) => (2 * (v - 0.5)) / Math.sqrt(4.5) + 1), 1e-6); // prettier-ignore
    });

    it("is frozen in training mode with batchStatistics: false", () => {
      const now = context(weights(), { training: true, batchStatistics: false, stats: stats() });

      closeTo(layer(x(), now).dataSync(), normalized(0.5, 4), 1e-5);
      assert.deepEqual(now.newStats, {});
    });

    it("without its moving averages says what it needs", () => {
      assert.throws(() => layer(x(), context(weights())), /n: batch norm needs its moving averages in mode.stats/);
    });
  });

  describe("dropout", () => {
    const ones = tf.keep(tf.ones([10_000]));
    const masked = (rate: number, mode: Partial<Context>, name = "drop") =>
      dropout(name, rate)(ones, context({}, mode)).dataSync();

    it("keeps each unit with probability 1 − rate and divides it by that: the mean stays", () => {
      const y = masked(0.3, { training: true, rng: new Rng(0) });

      assert.deepEqual([...new Set(y)].sort(), [0, Math.fround(1 / 0.7)]);
      const kept = y.filter((v) => v > 0).length; // binomial(10 000, 0.7): σ = 46
      assert.ok(Math.abs(kept - 7000) < 5 * 46, `${kept} kept`);
    });

    it("draws from the stream's part of its own name", () => {
      const mode = { training: true, rng: new Rng(0) };

      assert.deepEqual(masked(0.3, mode), masked(0.3, mode));
      assert.notDeepEqual(masked(0.3, mode, "another"), masked(0.3, mode));
    });

    it("does nothing in inference mode or at rate 0", () => {
      assert.ok(masked(0.3, {}).every((v) => v === 1));
      assert.ok(masked(0, { training: true }).every((v) => v === 1));
    });
  });

  it("Global average pooling is the mean over height and width", () => {
    closeTo(globalAveragePool(tf.tensor4d([1, 10, 2, 20, 3, 30, 6, 60], [1, 2, 2, 2])).dataSync(), [3, 30]);
  });

  it("Flattening keeps the batch", () => {
    assert.deepEqual(flatten(tf.zeros([3, 2, 5, 4])).shape, [3, 40]);
  });

  it("A layer without activations has the same output, gradients and moving averages, with the same dropout mask", () => {
    const outcome = (wrap: typeof withoutActivations) => {
      const builder = new ModelBuilder();
      const layer = wrap(builder, () => {
        const steps = [conv(builder, "conv", { inputs: 2, outputs: 3 }), batchNorm(builder, "norm", 3), dropout("drop", 0.5)];
        return (x, ctx) => steps.reduce((h, step) => step(h, ctx), x);
      });
      const { weights, stats } = waveVariables(builder);
      const { gradient, aux } = valueAndGradient((w) => {
        const ctx = context(w, { training: true, stats, rng: new Rng(1) });
        const y = layer(waveImages({ inputShape: [5, 4, 2] }, 3), ctx);
        return { loss: tf.sum(tf.square(y)) as tf.Scalar, aux: { ...ctx.newStats, y } };
      }, weights);
      return { ...valuesOf(gradient), ...valuesOf(aux) };
    };

    const found = outcome(withoutActivations);

    assert.deepEqual(Object.keys(found), ["conv/kernel", "norm/scale", "norm/offset", "norm/mean", "norm/variance", "y"]);
    assert.deepEqual(found, outcome((_, make) => make())); // prettier-ignore
  });

  it("Initializers have the variances they are named for, within 5σ", () => {
    const expected = [
      [heNormalFanOut(new Rng("heNormalFanOut"), [3, 3, 50, 40]), 2 / (9 * 40), 2],
      [heNormalFanIn(new Rng("heNormalFanIn"), [300, 60]), 2 / 300, 2],
      [uniformByOutputs(new Rng("uniformByOutputs"), [300, 60]), 1 / (3 * 60), 0.8], // U(−b, b) has variance b²/3 and kurtosis 9/5
      [lecunNormal(new Rng("lecunNormal"), [3, 3, 30, 40]), 1 / (9 * 30), 2],
      [truncatedFanOut(new Rng("truncatedFanOut"), [3, 3, 50, 40]), 2 / (9 * 40), 2],
      [truncated002(new Rng("truncated002"), [100, 100]), 0.02 ** 2, 2],
    ] as const;
    for (const [values, variance, spread] of expected) {
      const actual = moments(values);
      assert.ok(Math.abs(actual.mean) < 5 * Math.sqrt(variance / values.length));
      assert.ok(Math.abs(actual.variance / variance - 1) < 5 * Math.sqrt(spread / values.length));
    }
  });

  // A standard normal truncated to [−2, 2] has variance 1 − 4φ(2)/(2Φ(2) − 1) = 0.774: its bound is 2/√0.774 = 2.27 of its σ.
  it("Truncated initializers have no value beyond 2.27σ", () => {
    const largest = truncated002(new Rng(0), [100, 100]).reduce((max, v) => Math.max(max, Math.abs(v)), 0);

    assert.ok(largest < 2.274 * 0.02 && largest > 2.2 * 0.02, String(largest / 0.02));
  });
});
