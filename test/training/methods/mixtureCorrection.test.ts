import assert from "node:assert/strict";
import { tf } from "../../../src/engine";
import type { Model } from "../../../src/models";
import { train, trainConfig, type TrainOptions, type TrainState } from "../../../src/training";
import { createMethod } from "../../../src/training/methods";
import type { MethodContext } from "../../../src/training/methods/method";
import { correctedTargets, posteriorsOf } from "../../../src/training/methods/mixtureCorrection";
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

  it("takes w from all losses at an epoch's start, and the prediction from the batch, after the warm-up alone", async () => {
    // Class 1 is predicted above ½: certain of 0.9 and 0.1, right for all but the last two examples.
    const xs = [0.1, 0.12, 0.14, 0.16, 0.9, 0.88, 0.86, 0.84, 0.1, 0.9];
    const dataset = pixels(xs.map((x) => Math.round(255 * x)), [0, 0, 0, 0, 1, 1, 1, 1, 1, 0]); // prettier-ignore
    const model = { apply: (_: unknown, x: tf.Tensor4D) => ({ logits: logitsOf(x) }) } as unknown as Model;
    const config = trainConfig({ epochs: 9, method: correction(2) });
    const method = createMethod(config.method, { config, dataset });
    const context = (epoch: number) =>
      ({ model, config, dataset, epoch, states: [{ weights: {}, stats: {} } as TrainState] }) as unknown as MethodContext;
    const images = Float32Array.of(0.1, 0.1, 0.9);
    const batch = { images, labels: Int32Array.of(0, 1, 0), indices: Int32Array.of(0, 8, 9) };
    const targetsIn = async (epoch: number) => {
      await method.startEpoch!(context(epoch));
      return [...method.prepare!(batch, context(epoch)).targets];
    };

    assert.deepEqual(await targetsIn(2), [1, 0, 0, 1, 1, 0]);
    // The first stays; the other two, of far larger losses, become what is predicted.
    closeTo(await targetsIn(3), [1, 0, 1, 0, 0, 1], 0.05);
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

// (0, 10x − 5)
function logitsOf(x: tf.Tensor4D): tf.Tensor2D {
  const column = tf.sub(tf.mul(tf.reshape(x, [-1, 1]), 10), 5);
  return tf.concat([tf.zerosLike(column), column], 1) as tf.Tensor2D;
}
