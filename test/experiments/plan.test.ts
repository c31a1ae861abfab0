import assert from "node:assert/strict";
import {
  describeDataset,
  describeModel,
  distinctRuns,
  labeledRows,
  missingRuns,
  tuningRuns,
  type PlannedRun,
} from "../../src/experiments/plan";
import { recordOf, tinyRun } from "../support/records";

const planned = (seed: number): PlannedRun => ({ config: tinyRun({ seed }), labels: { method: "SGD", rho: 0 } });

describe("experiments/plan", () => {
  it("makes rows of the planned runs that have records, with their labels and seeds", () => {
    const records = [
      recordOf(tinyRun({ seed: 2 }), { testErrorRate: 0.4, bestTestErrorRate: 0.3 }),
      recordOf(tinyRun({ seed: 77 })),
    ];

    assert.deepEqual(labeledRows([planned(1), planned(2)], records), [
      { method: "SGD", rho: 0, seed: 2, testErrorRate: 0.4, bestTestErrorRate: 0.3 },
    ]);
  });

  it("counts a run that diverged as guessing among ten classes; its best epoch stays", () => {
    const diverged = { testErrorRate: 0.2, bestTestErrorRate: 0.15, divergedInEpoch: 4, outcome: "diverged" };
    const atOnce = { testErrorRate: undefined, bestTestErrorRate: undefined, divergedInEpoch: 1, outcome: "diverged" };
    const records = [recordOf(tinyRun({ seed: 1 }), diverged), recordOf(tinyRun({ seed: 2 }), atOnce as object)];
    records[1] = { ...records[1]!, metrics: { outcome: "diverged", divergedInEpoch: 1, parameters: 1 } };

    const rows = labeledRows([planned(1), planned(2)], records);

    assert.deepEqual(rows.map(({ testErrorRate, bestTestErrorRate }) => [testErrorRate, bestTestErrorRate]), [[0.9, 0.15], [0.9, 0.9]]); // prettier-ignore
  });

  it("makes a tuning run for each tuning seed, with noise and held-out images of that seed", () => {
    const config = tinyRun({ rho: 0.1, epochs: 4 }, { noise: { noiseRate: 0.2 } });

    const runs = tuningRuns({ config, labels: { rho: 0.1 } }, { heldOutSize: 32 });

    assert.deepEqual(
      runs.map(({ config: { dataset, noise, training } }) => [training.seed, noise!.noiseSeed, dataset.heldOutSeed]),
      [1000, 1001, 1002].map((seed) => [seed, seed, seed]),
    );
    for (const { labels, config: each } of runs) {
      assert.deepEqual(labels, { rho: 0.1 });
      assert.deepEqual([each.dataset.heldOutSize, each.training.evaluateEvery, each.training.rho], [32, 4, 0.1]);
    }
    assert.throws(() => tuningRuns({ config, labels: {} }, { heldOutSize: 65 }), /heldOutSize = 65: expected 1 to 64/);
  });

  it("tells which planned runs are missing, and names a shared config once", () => {
    const [first, second] = [planned(1), planned(2)];

    assert.deepEqual(missingRuns([first, second], [recordOf(first.config)]), [second]);
    assert.deepEqual(distinctRuns([first, second, { ...first, labels: { method: "other" } }]), [first, second]);
  });

  it("describes data and networks in words, and generated data as such", () => {
    assert.equal(describeDataset({ name: "fashion-mnist" }), "60000 training and 10000 test images of Fashion-MNIST");
    assert.match(
      describeDataset({ name: "generated", trainSize: 5, testSize: 6 }),
      /^5 training and 6 test images that were generated, not real$/,
    );
    assert.equal(describeModel({ name: "wideResNet", depth: 28, widen: 10 }), "WRN-28-10");
    assert.equal(describeModel({ name: "wideResNet", depth: 40, widen: 10, batchNorm: false }), "WRN-40-10 without batch norm");
    assert.equal(describeModel({ name: "convNet" }), "ConvNet 16-32-64");
    assert.equal(describeModel({ name: "mlp", hidden: [5, 6] }), "MLP 5-6");
  });
});
