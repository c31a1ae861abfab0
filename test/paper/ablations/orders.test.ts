/** Figures 4 and 5, from records made by hand. */
import assert from "node:assert/strict";
import { runConfig } from "../../../src/experiments/config";
import { describeModel } from "../../../src/experiments/plan";
import type { RunRecord } from "../../../src/experiments/records";
import { figure4 } from "../../../src/paper/ablations/figure4";
import { figure5 } from "../../../src/paper/ablations/figure5";
import { orderRows } from "../../../src/paper/ablations/orderRuns";
import { assertRenders } from "../../support/figures";
import { conclude, recordOf } from "../../support/records";

const plan = figure4.plan("lab", []);
const seedOf = (record: RunRecord) => record.config.training.seed;

interface Measured {
  readonly order: number;
  /** Share of the training that is done, in (0, 1]. */
  readonly progress: number;
  readonly seed: number;
}

/** Lab records, measured where the plan says so. */
function lab(at: (where: Measured) => { test: number; perturbed: number; cosine: number }): RunRecord[] {
  return plan.map(({ config, labels }) => {
    const record = recordOf(config);
    const { epochs } = record.config.training;
    const history = record.config.ascent!.epochs.map((epoch) => {
      const { test, perturbed, cosine } = at({ order: Number(labels.order), progress: epoch / epochs, seed: seedOf(record) });
      const ascent = { epoch, step: epoch * 9, errorRate: 0, found: [{ ascentSteps: 1, errorRate: perturbed }], cosine };
      return { epoch, trainLoss: 0, perturbedLoss: 0, testErrorRate: test, measures: { ascent } };
    });
    return { ...record, history };
  });
}

const flat = { perturbed: 0.02, cosine: 1 };

describe("paper/ablations: Figures 4 and 5", () => {
  it("train with both orders on every seed, and differ in nothing else", () => {
    const names = plan.map(({ labels, config }) => `${labels.order} ${config.training.seed}`);

    assert.deepEqual(names.sort(), [0, 1, 2, 3, 4].flatMap((seed) => [1, 2].map((order) => `${order} ${seed}`)).sort());
    for (const { config, labels } of plan) {
      const { training, ascent } = runConfig(config);
      assert.equal(training.secondOrder, labels.order === 2);
      assert.ok(ascent!.cosine && ascent!.epochs.at(-1) === training.epochs);
      // The test error is there wherever the ascent is measured
      for (const epoch of ascent!.epochs) assert.ok(epoch % training.evaluateEvery === 0 || epoch === training.epochs);
    }
  });

  it("at paper have WRN-40-2, CIFAR-10 and 39 000 steps", () => {
    const { dataset, model, training } = runConfig(figure4.plan("paper", [])[0]!.config);

    // paper.md, Figure 4: 200 epochs of 195 steps at batch 256
    assert.deepEqual([dataset.name, describeModel(model)], ["cifar-10", "WRN-40-2"]);
    assert.equal(training.epochs * Math.floor(50_000 / training.batchSize), 39_000);
  });

  it("share their runs and their records", () => {
    assert.equal(figure5.recordsIn, figure4.id);
    assert.deepEqual(figure5.plan("lab", []), plan);
  });

  it("have a row for each measured epoch of each run", () => {
    const rows = orderRows(
      "lab",
      lab(({ progress }) => ({ ...flat, test: 0.3 - progress / 10 })),
    );

    assert.equal(rows.length, plan.length * runConfig(plan[0]!.config).ascent!.epochs.length);
    assert.deepEqual(orderRows("lab", []), []);
  });

  it("Figure 4 compares the test errors at the end, seed by seed", () => {
    const end = (lead: number) =>
      lab(({ order, progress, seed }) => ({ ...flat, test: 0.2 + seed / 100 + (progress === 1 && order === 2 ? lead : 0) + seed * order * 1e-4 })); // prettier-ignore

    // Seeds 0 to 4 add 0, 0.01 … 0.04 points to the difference: 1 + 0.02, and t(0.975; 4)·s/√5 = 2.776·0.0158/2.236 = 0.02
    assert.match(conclude(figure4, "lab", end(0.01))[0]!, /1\.02±0\.02 points below second-order SAM .* The claim that first-order SAM ends with the lower test error holds\.$/); // prettier-ignore
    assert.match(conclude(figure4, "lab", end(-0.01))[0]!, /0\.98±0\.02 points above second-order SAM .* does not hold\.$/);
    assert.deepEqual(conclude(figure4, "lab", []), []);
  });

  it("Figure 5 compares the first half of training with the last quarter, and the runs with each other there", () => {
    const records = lab(({ order, progress, seed }) => ({
      ...{ test: 0.2, perturbed: 0.1 },
      cosine: progress <= 0.5 ? 1 - seed / 1000 : progress > 0.75 ? 1 - 0.3 / order - seed / 500 : 0,
    }));
    const [fall, ends] = conclude(figure5, "lab", records);

    // First half: 1 − 0.002; last quarter: 0.7 − 0.004 and 0.85 − 0.004, whatever is between
    assert.match(fall!, /1\.00±<0\.01 to 0\.70±<0\.01 \(first-order run\), 1\.00±<0\.01 to 0\.85±<0\.01 \(second-order run\)/);
    assert.match(fall!, /less parallel near convergence holds in the first-order run, in the second-order run\.$/);
    assert.match(ends!, /0\.15±<0\.01 below the second-order run's\. The claim that they end less parallel in the first-order run holds\.$/); // prettier-ignore
  });

  it("are drawn without a warning, beside the paper's curves", async () => {
    const records = lab(({ order, progress, seed }) => ({ test: 0.3 - progress / 10 + seed / 1e3, perturbed: 0.1 / order, cosine: 1 - progress / 2 })); // prettier-ignore
    const rows = orderRows("lab", records);

    for (const item of [figure4, figure5]) {
      await assertRenders(item.figure(rows, "lab"));
      assert.ok(item.table(rows, "lab").rows.length > 1);
      assert.equal(item.summary(rows, "lab").seeds, 5);
    }
  });
});
