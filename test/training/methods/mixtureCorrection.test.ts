import assert from "node:assert/strict";
import { Rng, tf } from "../../../src/engine";
import type { ApplyMode } from "../../../src/models";
import { train, trainConfig, type TrainOptions, type TrainState } from "../../../src/training";
import { createMethod } from "../../../src/training/methods";
import type { MethodContext } from "../../../src/training/methods/method";
import {
  correctedTargets,
  fitOf,
  posteriorsBy,
  posteriorsOf,
  priorRegularizer,
} from "../../../src/training/methods/mixtureCorrection";
import { closeTo } from "../../support/closeTo";
import { tidyTests } from "../../support/noLeak";
import { pixels } from "../../support/training";
import { found, noisyImages, tinyMlp } from "../../support/trainings";

const correction = (warmupEpochs: number, rest: object = {}) => ({ name: "mixtureCorrection", warmupEpochs, ...rest }) as const;

describe("training/methods/mixtureCorrection", () => {
  tidyTests();

  it("has targets (1 − w)·label + w·prediction", () => {
    const targets = Float32Array.of(1, 0, 0, /**/ 0, 1, 0, /**/ 0, 0, 1);

    // label 0 predicted 2; label 1 predicted 1; label 2 predicted 0
    const corrected = correctedTargets(targets, [2, 1, 0], Float32Array.of(0.25, 0.9, 1));

    closeTo(corrected, [0.75, 0, 0.25, /**/ 0, 1, 0, /**/ 1, 0, 0], 1e-6);
  });

  for (const mixture of ["beta", "gaussian"] as const)
    it(`tells large losses from small ones by a ${mixture} mixture`, () => {
      // 80 losses about 0.1, 40 about 3.
      const losses = Float32Array.from({ length: 120 }, (_, i) => (i % 3 === 2 ? 2.8 + (i % 7) / 15 : 0.05 + (i % 11) / 100));

      const posteriors = posteriorsOf(losses, mixture)!;

      losses.forEach((loss, i) =>
        assert.ok(loss > 1 ? posteriors[i]! > 0.95 : posteriors[i]! < 0.05, `${loss}: ${posteriors[i]}`),
      );
    });

  it("finds no mixture in losses that are all alike, or not finite", () => {
    assert.equal(posteriorsOf(new Float32Array(50).fill(0.5), "beta"), undefined);
    assert.equal(
      posteriorsOf(
        Float32Array.from({ length: 50 }, (_, i) => (i === 3 ? NaN : i)),
        "gaussian",
      ),
      undefined,
    );
  });

  for (const posteriors of ["batch", "epoch"] as const)
    it(`corrects the targets of large losses after the warm-up alone, with w by ${posteriors}`, async () => {
      const { targetsIn } = tenExamples({ posteriors });

      assert.deepEqual(await targetsIn(2), [1, 0, 0, 1, 1, 0]);
      // The first stays; the other two, of far larger losses, become what is predicted.
      closeTo(await targetsIn(3), [1, 0, 1, 0, 0, 1], 0.05);
    });

  it("takes w of a batch from the network as it is then, or as it was at the epoch's start", async () => {
    // In between the network comes to predict the other class everywhere: the first label looks wrong now, the others right.
    const turn = { between: (network: { sign: number }) => (network.sign = -1) };

    // Each target is the label or the prediction now, which is the other class for the first and the label for the others.
    closeTo(await tenExamples({ posteriors: "batch" }, turn).targetsIn(3), [0, 1, 0, 1, 1, 0], 0.05);
    closeTo(await tenExamples({ posteriors: "epoch" }, turn).targetsIn(3), [1, 0, 0, 1, 1, 0], 0.05);
  });

  it("predicts in training mode with masks of its own, or in inference mode, and finds losses in the latter", async () => {
    const modes = async (predictions: "training" | "inference") => {
      const { network, targetsIn } = tenExamples({ predictions });
      await targetsIn(3);
      return network.modes.map(({ training = false, rng }) => [training, rng !== undefined]);
    };

    // All examples at the epoch's start, the batch's losses, its predictions.
    assert.deepEqual(await modes("training"), [[false, false], [false, false], [true, true]]); // prettier-ignore
    assert.deepEqual(await modes("inference"), [[false, false], [false, false], [false, false]]); // prettier-ignore
  });

  it("adds Σ (1/C)·log((1/C)/h) of the mean prediction h to the loss, after the warm-up", () => {
    // p = (0.9, 0.1) and (0.5, 0.5), h = (0.7, 0.3): ½ log(0.5/0.7) + ½ log(0.5/0.3)
    const logits = tf.tensor2d([[Math.log(9), 0], [7, 7]]); // prettier-ignore
    const expected = 0.5 * Math.log(0.5 / 0.7) + 0.5 * Math.log(0.5 / 0.3);
    const { method, context } = tenExamples({ priorWeight: 3 });
    const zero = () => tf.zeros([2]) as tf.Tensor1D;
    const lossIn = (epoch: number) => {
      const losses = method.losses!({} as never, {} as never, { ...context(epoch), loss: zero });
      return losses?.[0]!({ pass: 1, firstRow: 0 })(logits, logits).dataSync();
    };

    closeTo(priorRegularizer(logits).dataSync(), [expected], 1e-6);
    closeTo(lossIn(3)!, [3 * expected, 3 * expected], 1e-6);
    assert.equal(lossIn(2), undefined);
  });

  it("has no regularizer for a uniform mean, and a finite one where a class has no probability at all", () => {
    // Row by row certain of another class: h is uniform.
    closeTo(priorRegularizer(tf.tensor2d([[50, 0, 0], [0, 50, 0], [0, 0, 50]])).dataSync(), [0], 1e-6); // prettier-ignore
    // h = (1, e^−1000): ½ log ½ + ½ (log ½ + 1000)
    closeTo(priorRegularizer(tf.tensor2d([[1000, 0]])).dataSync(), [500 + Math.log(0.5)], 1e-3);
  });

  for (const mixture of ["beta", "gaussian"] as const)
    it(`keeps a ${mixture} mixture in eight numbers that give the same w`, () => {
      const losses = Float32Array.from({ length: 120 }, (_, i) => (i % 3 === 2 ? 2.8 + (i % 7) / 15 : 0.05 + (i % 11) / 100));

      const w = posteriorsBy(fitOf(losses, mixture)!, losses, mixture);

      closeTo(w, posteriorsOf(losses, mixture)!.map((each) => Math.min(Math.max(each, 1e-4), 1 - 1e-4)), 1e-9); // prettier-ignore
    });

  it("leaves all labels as they are while no mixture was found", () => {
    assert.deepEqual([...posteriorsBy(new Float32Array(8), [0.1, 5], "beta")], [0, 0]);
  });

  it("is training without it in the warm-up, bit for bit, with mixup and SAM too", async () => {
    const options: TrainOptions = { epochs: 3, batchSize: 8, rho: 0.1, mixupAlpha: 1, augment: "basic" };
    const historyOf = async (given: Partial<TrainOptions>) => {
      const { history } = found(await train(tinyMlp(), noisyImages(), { ...options, ...given }));
      return history.map(({ trainLoss, perturbedLoss }) => [trainLoss, perturbedLoss]);
    };

    const [plain, corrected] = [await historyOf({}), await historyOf({ method: correction(2) })];

    assert.deepEqual(corrected.slice(0, 2), plain.slice(0, 2));
    assert.notDeepEqual(corrected[2], plain[2]);
  });

  it("suspects flipped labels more than clean ones, and fits fewer of them, with SAM and without", async () => {
    const data = noisyImages({ size: 300 });
    const options: TrainOptions = { epochs: 14, batchSize: 30, trackTraining: true, evaluateEvery: 14, learningRate: 0.02 };

    for (const rho of [0, 0.1]) {
      const plain = found(await train(tinyMlp([32]), data, { ...options, rho }));
      const corrected = found(await train(tinyMlp([32]), data, { ...options, rho, method: correction(3) }));
      const { method, memorization } = corrected.history.at(-1)!;

      assert.ok(method!.posteriorOfFlipped! > 0.8 && method!.posteriorOfClean! < 0.2, `ρ = ${rho}: ${JSON.stringify(method)}`);
      assert.ok(memorization!.flippedFitted! < 0.5 * plain.history.at(-1)!.memorization!.flippedFitted!);
    }
  });

  it("refuses a warm-up as long as the training, a missing one, and an unknown mixture", () => {
    const refused = (method: object, message: RegExp) =>
      assert.throws(() => trainConfig({ epochs: 5, method } as TrainOptions), message);

    refused(correction(5), /method\.warmupEpochs = 5: expected fewer than epochs = 5, or nothing is corrected/);
    refused({ name: "mixtureCorrection" }, /method\.warmupEpochs is missing: expected number/);
    refused(
      correction(1, { mixture: "betta" }),
      /method\.mixture = "betta": expected one of "beta", "gaussian"; did you mean "beta"\?/,
    );
  });
});

interface Network {
  sign: number;
  readonly modes: ApplyMode[];
}

/** Ten images of one pixel; class 1 is predicted above ½, with certainty of 0.9 and 0.1, rightly for all but the last two. */
function tenExamples(rest: object, { between = (_: Network): unknown => undefined } = {}) {
  const xs = [0.1, 0.12, 0.14, 0.16, 0.9, 0.88, 0.86, 0.84, 0.1, 0.9];
  const dataset = pixels(xs.map((x) => Math.round(255 * x)), [0, 0, 0, 0, 1, 1, 1, 1, 1, 0]); // prettier-ignore
  const network: Network = { sign: 1, modes: [] };
  const apply = (_: unknown, x: tf.Tensor4D, mode: ApplyMode) => {
    network.modes.push(mode);
    return { logits: logitsOf(x, network.sign) };
  };
  const config = trainConfig({ epochs: 9, method: correction(2, rest) });
  const method = createMethod(config.method, { config, dataset });
  const states = [{ weights: {}, stats: {} } as TrainState];
  const context = (epoch: number) =>
    ({ model: { apply }, config, dataset, epoch, states, rng: new Rng(0) }) as unknown as MethodContext;
  const batch = {
    images: Float32Array.of(0.1, 0.1, 0.9),
    labels: Int32Array.of(0, 1, 0),
    indices: Int32Array.of(0, 8, 9),
  };
  const targetsIn = async (epoch: number) => {
    await method.startEpoch!(context(epoch));
    between(network);
    return [...method.prepare!(batch, context(epoch)).targets];
  };
  return { method, context, network, targetsIn };
}

// (0, ±(10x − 5))
function logitsOf(x: tf.Tensor4D, sign: number): tf.Tensor2D {
  const column = tf.mul(tf.sub(tf.mul(tf.reshape(x, [-1, 1]), 10), 5), sign);
  return tf.concat([tf.zerosLike(column), column], 1) as tf.Tensor2D;
}
