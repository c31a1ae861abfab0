import assert from "node:assert/strict";
import { symmetricNoise, symmetricTransition, withLabels } from "../../src/data";
import { disposeWeights } from "../../src/engine";
import type { LossOptions } from "../../src/losses";
import { mlp } from "../../src/models";
import { train, trainConfig, type TrainOptions } from "../../src/training";
import { expectNoLeakAsync } from "../support/noLeak";
import { tinyImages } from "../support/training";

const clean = tinyImages(60, "train");
const noise = { noiseRate: 0.3, numClasses: 3 };
const { noisyLabels } = symmetricNoise(clean.labels, noise);
const data = { train: withLabels(clean, noisyLabels), test: tinyImages(30, "test"), cleanLabels: clean.labels };
const model = mlp({ inputShape: [8, 8, 1], numClasses: 3, hidden: [8] });
const transitionMatrix = symmetricTransition(noise);

async function historyOf(options: Partial<TrainOptions>) {
  const { history, variables, outcome } = await train(model, data, { epochs: 2, batchSize: 20, learningRate: 0.05, ...options });
  disposeWeights(variables.weights);
  disposeWeights(variables.stats);
  assert.equal(outcome, "finished");
  return history;
}

const LOSSES: LossOptions[] = [
  { name: "generalizedCrossEntropy" },
  { name: "truncatedGeneralizedCrossEntropy", warmupEpochs: 1, threshold: 0.3 },
  { name: "symmetricCrossEntropy" },
  { name: "softBootstrapping" },
  { name: "hardBootstrapping" },
  { name: "forwardCorrection", transitionMatrix },
  { name: "backwardCorrection", transitionMatrix },
];

describe("training/train, named losses", () => {
  it("is cross-entropy where none is named, and for the losses' limits", async () => {
    const expected = await historyOf({});

    assert.deepEqual(await historyOf({ loss: { name: "crossEntropy" } }), expected);
    assert.deepEqual(await historyOf({ loss: { name: "generalizedCrossEntropy", q: 0 } }), expected);
  });

  for (const loss of LOSSES)
    it(`trains with ${loss.name} under SAM, mixup and label smoothing, leaking nothing`, async () => {
      const plain = await historyOf({});

      await expectNoLeakAsync(async () => {
        const [epoch] = await historyOf({ loss });
        assert.notEqual(epoch!.trainLoss, plain[0]!.trainLoss);
        await historyOf({ loss, rho: 0.05, mixupAlpha: 1, labelSmoothing: 0.1 });
      });
    });

  it("smooths labels for every loss: the smoothed one has other values", async () => {
    const loss = { name: "generalizedCrossEntropy" } as const;
    const [a, b] = [await historyOf({ loss }), await historyOf({ loss, labelSmoothing: 0.2 })];

    assert.notEqual(a[0]!.trainLoss, b[0]!.trainLoss);
  });

  it("truncates after the warm-up: the first epoch is that of the loss without truncation, the second is not", async () => {
    const warm = await historyOf({ loss: { name: "truncatedGeneralizedCrossEntropy", warmupEpochs: 1 } });
    const plain = await historyOf({ loss: { name: "generalizedCrossEntropy" } });

    assert.deepEqual(warm[0], plain[0]);
    assert.notEqual(warm[1]!.trainLoss, plain[1]!.trainLoss);
  });

  it("fills in a loss's defaults", () => {
    const { loss } = trainConfig({ epochs: 50, loss: { name: "truncatedGeneralizedCrossEntropy" } });

    assert.deepEqual(loss, { name: "truncatedGeneralizedCrossEntropy", q: 0.7, threshold: 0.5, warmupEpochs: 40 });
    assert.deepEqual(trainConfig({ epochs: 1 }).loss, { name: "crossEntropy" });
  });

  for (const [
    loss,
    message,
  ] of [
    [{ name: "generalisedCrossEntropy" }, /loss\.name = "generalisedCrossEntropy": expected one of .*; did you mean "generalizedCrossEntropy"\?/],
    [{ name: "generalizedCrossEntropy", q: 1.5 }, /loss\.q = 1\.5: expected number to be <=1/],
    [{ name: "forwardCorrection" }, /loss\.transitionMatrix is missing/],
    [{ name: "forwardCorrection", transitionMatrix: [[1, 1], [0, 1]] }, /loss\.transitionMatrix: transition matrix: row 0 sums to 2/],
    [{ name: "truncatedGeneralizedCrossEntropy" }, /loss\.warmupEpochs = 40: expected fewer than epochs = 2/],
  ] as const) // prettier-ignore
    it(`refuses ${JSON.stringify(loss)}`, () => {
      assert.throws(() => trainConfig({ epochs: 2, loss: loss as unknown as LossOptions }), message);
    });

  it("refuses a matrix for another number of classes in the first step", async () => {
    const loss = { name: "forwardCorrection", transitionMatrix: symmetricTransition({ noiseRate: 0.1, numClasses: 4 }) } as const;

    await assert.rejects(historyOf({ loss }), /transition matrix of 4 classes for logits of 3 classes/);
  });
});
