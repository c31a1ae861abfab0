import assert from "node:assert/strict";
import { train, trainConfig, type TrainOptions } from "../../../src/training";
import { heldOutExamples, keptBy, prunesBefore, weightsOf } from "../../../src/training/methods/pruning";
import { tidyTests } from "../../support/noLeak";
import { found, noisyImages, tinyMlp } from "../../support/trainings";

const pruning = (rest: object = {}) => ({ name: "pruning", ...rest }) as const;

describe("training/methods/pruning", () => {
  tidyTests();

  it("keeps examples whose label has a probability above k, which is a loss below L_q(k), and none that is held out", () => {
    const probabilities = [0.6, 0.51, 0.49, 0.01, 0.9];
    const [q, k] = [0.7, 0.5];
    const lq = (p: number) => (1 - p ** q) / q;

    const kept = keptBy(probabilities.map((p) => -Math.log(p)), [false, false, false, false, true], { threshold: k }); // prettier-ignore

    assert.deepEqual([...kept], [1, 1, 0, 0, 0]);
    probabilities.slice(0, 4).forEach((p, i) => assert.equal(kept[i] === 1, lq(p) < lq(k)));
  });

  it("prunes after the warm-up and every few epochs from then on", () => {
    const pruned = Array.from({ length: 16 }, (_, i) => i + 1).filter((e) => prunesBefore(e, { warmupEpochs: 4, pruneEvery: 5 }));

    assert.deepEqual(pruned, [5, 10, 15]);
  });

  it("holds out the share that it is told, by the seed", () => {
    const { train: dataset } = noisyImages();
    const heldOut = (seed: number) => heldOutExamples({ config: trainConfig({ epochs: 1, seed }), dataset }, { heldOut: 0.25 });

    assert.equal(heldOut(0).filter(Boolean).length, 10); // of 40
    assert.deepEqual(heldOut(0), heldOut(0));
    assert.notDeepEqual(heldOut(0), heldOut(1));
  });

  it("makes a batch's mean loss that of its examples that are not held out, pruned ones counting as 0", () => {
    const [kept, isHeldOut] = [Float32Array.of(1, 0, 0, 1), [false, false, true, false]];

    // Of examples 3, 2, 1 and 0 three are trained: (ℓ₃ + 0 + ℓ₀)/3 is the mean of (4/3)ℓ₃, 0, 0 and (4/3)ℓ₀.
    assert.deepEqual([...weightsOf({ indices: Int32Array.of(3, 2, 1, 0) }, kept, isHeldOut)], [4 / 3, 0, 0, 4 / 3].map(Math.fround)); // prettier-ignore
    assert.deepEqual([...weightsOf({ indices: Int32Array.of(2) }, kept, isHeldOut)], [0]);
  });

  it("trains on fewer wrong labels after its warm-up, and fits fewer of them, with SAM and without", async () => {
    const data = noisyImages({ size: 300 });
    const options: TrainOptions = {
      ...{ epochs: 12, batchSize: 30, trackTraining: true, evaluateEvery: 12, learningRate: 0.02 },
      method: pruning({ warmupEpochs: 4, pruneEvery: 2 }),
    };

    for (const rho of [0, 0.1]) {
      const plain = found(await train(tinyMlp([32]), data, { ...options, rho, method: { name: "standard" } }));
      const { history } = found(await train(tinyMlp([32]), data, { ...options, rho }));
      const rates = history.map(({ method }) => method!.selectedNoiseRate!);

      assert.ok(Math.abs(rates[0]! - 0.3) < 0.03, `${rates[0]} of the labels are wrong at first`);
      assert.ok(rates.at(-1)! < 0.1, `ρ = ${rho}: ${rates.join(" ")}`);
      const fitted = history.at(-1)!.memorization!.flippedFitted!;
      assert.ok(
        fitted < plain.history.at(-1)!.memorization!.flippedFitted!,
        `ρ = ${rho}: ${fitted} of the flipped labels fitted`,
      );
    }
  });

  it("refuses a warm-up as long as the training, mixup, and a loss that is truncated already", () => {
    const refused = (rest: Partial<TrainOptions>, message: RegExp) =>
      assert.throws(() => trainConfig({ epochs: 9, method: pruning({ warmupEpochs: 3 }), ...rest }), message);

    refused({ method: pruning() }, /method\.warmupEpochs = 40: expected fewer than epochs = 9, or nothing is pruned/);
    refused({ mixupAlpha: 1 }, /mixupAlpha = 1: pruning leaves out single examples/);
    const loss = { name: "truncatedGeneralizedCrossEntropy", warmupEpochs: 3 } as const;
    refused({ loss }, /loss\.name = "truncatedGeneralizedCrossEntropy": pruning truncates the loss already/);
  });
});
