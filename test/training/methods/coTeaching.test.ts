import assert from "node:assert/strict";
import { batches } from "../../../src/data";
import { Rng, tf } from "../../../src/engine";
import { lossByName } from "../../../src/losses";
import { initialState, train, trainConfig, trainStep, type TrainOptions } from "../../../src/training";
import { createMethod } from "../../../src/training/methods";
import { keptExamples, weightsOfSmallest } from "../../../src/training/methods/coTeaching";
import { labeled, toStepBatch, type MethodContext } from "../../../src/training/methods/method";
import { closeTo } from "../../support/closeTo";
import { tidyTests } from "../../support/noLeak";
import { valuesOf } from "../../support/training";
import { found, noisyImages, tinyMlp } from "../../support/trainings";

const coTeaching = (forgetRate: number, rest: object = {}) => ({ name: "coTeaching", forgetRate, ...rest }) as const;

describe("training/methods/coTeaching", () => {
  tidyTests();

  it("keeps 1 − τ·min(e/rampEpochs, 1) of a batch, rounded down, and at least one example", () => {
    const kept = (epoch: number) => keptExamples(10, epoch, { forgetRate: 0.4, rampEpochs: 4 });

    // 0.9, 0.8, 0.7, 0.6, 0.6 of 10
    assert.deepEqual([1, 2, 3, 4, 5].map(kept), [9, 8, 7, 6, 6]);
    assert.equal(keptExamples(128, 10, { forgetRate: 0.2, rampEpochs: 10 }), 102); // 102.4
    assert.equal(keptExamples(10, 1, { forgetRate: 0.9, rampEpochs: 1 }), 1); // 1 − 0.9 is below 0.1 in floating point
    assert.equal(keptExamples(8, 1, { forgetRate: 0.99, rampEpochs: 1 }), 1); // 0.08
  });

  it("keeps by default what the authors' code keeps: 1 − linspace(0, τ, 10)[e], then 1 − τ", () => {
    const { rampEpochs } = trainConfig({ epochs: 1, method: coTeaching(0.2) }).method as { rampEpochs: number };
    const linspace = (e: number) => (0.2 * Math.min(e, 9)) / 9;

    for (let epoch = 1; epoch <= 12; epoch++)
      assert.equal(keptExamples(900, epoch, { forgetRate: 0.2, rampEpochs }), Math.floor(900 * (1 - linspace(epoch)) + 1e-9));
  });

  it("gives the smallest losses equal weights that sum to n, of equal losses the first", () => {
    assert.deepEqual([...weightsOfSmallest(Float32Array.of(3, 1, 2, 9), 2)], [0, 2, 2, 0]);
    assert.deepEqual([...weightsOfSmallest(Float32Array.of(1, 1, 1, 1), 1)], [4, 0, 0, 0]);
    assert.deepEqual([...weightsOfSmallest(Float32Array.of(1, 2), 2)], [1, 1]);
  });

  it("trains each network on the examples that its peer finds easiest, as if the batch had no others", () => {
    const [data, model] = [noisyImages(), tinyMlp()];
    const config = trainConfig({ epochs: 1, batchSize: 8, rho: 0.1, method: coTeaching(0.5, { rampEpochs: 1 }) });
    const states = ["a", "b"].map((seed) => initialState(model, config, new Rng(seed)));
    const [batch] = [...batches(data.train, { batchSize: 8, rng: new Rng("order") })];
    const stepBatch = toStepBatch(labeled(batch!, data.train), data.train);
    const step = { model, config, loss: lossByName({ name: "crossEntropy" }), totalSteps: 1, rng: new Rng("step") };
    const context: MethodContext = { ...step, states, epoch: 1, dataset: data.train };

    const losses = createMethod(config.method, { config, dataset: data.train }).losses!(batch!, stepBatch, context)!;

    states.forEach((state, k) => {
      // −log p of the label by the peer, with its four smallest.
      const logits = model.apply(states[1 - k]!.weights, stepBatch.images).logits;
      const ofPeer = tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), stepBatch.targets), 1)).dataSync();
      const easiest = [...ofPeer.keys()].sort((i, j) => ofPeer[i]! - ofPeer[j]!).slice(0, 4);
      const alone = {
        images: tf.gather(stepBatch.images, easiest) as tf.Tensor4D,
        targets: tf.gather(stepBatch.targets, easiest) as tf.Tensor2D,
      };
      const expected = trainStep(state, alone, step);
      const actual = trainStep(state, stepBatch, { ...step, lossAt: losses[k] });

      closeTo(actual.loss, expected.loss, 1e-5);
      closeTo(actual.perturbedLoss, expected.perturbedLoss, 1e-5);
      for (const [name, values] of Object.entries(valuesOf(expected.state.weights)))
        closeTo(valuesOf(actual.state.weights)[name]!, values, 1e-5);
    });
  });

  it("that forgets nothing trains the first network as without it, bit for bit, and another one beside it", async () => {
    const options: TrainOptions = { epochs: 2, batchSize: 8, rho: 0.1, m: 3, augment: "basic" };
    const plain = found(await train(tinyMlp(), noisyImages(), options));

    const taught = found(await train(tinyMlp(), noisyImages(), { ...options, method: coTeaching(0) }));

    assert.deepEqual(taught.values, plain.values);
    assert.deepEqual(
      taught.history.map(({ trainLoss, testErrorRate }) => ({ trainLoss, testErrorRate })),
      plain.history.map(({ trainLoss, testErrorRate }) => ({ trainLoss, testErrorRate })),
    );
    assert.equal(taught.metrics.peerTestErrorRate, taught.history.at(-1)!.peerTestErrorRate);
    assert.ok(!("peerTestErrorRate" in plain.metrics));
  });

  it("selects examples of a lower noise rate than the data's, and fits fewer wrong labels, with SAM and without", async () => {
    const data = noisyImages({ size: 300 });
    const options: TrainOptions = { epochs: 12, batchSize: 30, trackTraining: true, evaluateEvery: 12, learningRate: 0.02 };

    for (const rho of [0, 0.1]) {
      const plain = found(await train(tinyMlp([32]), data, { ...options, rho }));
      const taught = found(await train(tinyMlp([32]), data, { ...options, rho, method: coTeaching(0.3, { rampEpochs: 3 }) }));
      const last = taught.history.at(-1)!;

      assert.ok(
        last.method!.selectedNoiseRate! < 0.1,
        `ρ = ${rho}: ${last.method!.selectedNoiseRate} of the selected labels are wrong`,
      );
      assert.ok(last.memorization!.flippedFitted! < 0.5 * plain.history.at(-1)!.memorization!.flippedFitted!);
    }
  });

  it("starts by selecting nearly all: the noise rate of the first epoch's selection is near the data's", async () => {
    const options: TrainOptions = { epochs: 1, batchSize: 40, learningRate: 0, method: coTeaching(0.3, { rampEpochs: 10 }) };

    const { history } = found(await train(tinyMlp(), noisyImages(), options));

    // 38 of 40 examples, 12 of which are wrong: at least 10/38, at most 12/38
    const wrong = history[0]!.method!.selectedNoiseRate! * 38;
    assert.ok(wrong > 9.99 && wrong < 12.01);
  });

  it("says nothing of noise where the true labels are not known", async () => {
    const { train: dataset, test } = noisyImages();

    const { history } = found(await train(tinyMlp(), { train: dataset, test }, { epochs: 1, batchSize: 8, method: coTeaching(0.3) })); // prettier-ignore

    assert.ok(!("method" in history[0]!));
  });

  it("refuses to forget everything, a missing rate, and mixup", () => {
    const refused = (method: object, message: RegExp, rest: object = {}) =>
      assert.throws(() => trainConfig({ epochs: 1, method, ...rest } as TrainOptions), message);

    refused(coTeaching(1), /method\.forgetRate = 1: expected number to be <1/);
    refused(coTeaching(-0.1), /method\.forgetRate = -0\.1: expected number to be >=0/);
    refused({ name: "coTeaching" }, /method\.forgetRate is missing: expected number/);
    refused(coTeaching(0.2, { rampEpochs: 0 }), /method\.rampEpochs = 0: expected number to be >=1/);
    refused(coTeaching(0.2), /mixupAlpha = 1: coTeaching selects by the loss of single examples/, { mixupAlpha: 1 });
  });
});
