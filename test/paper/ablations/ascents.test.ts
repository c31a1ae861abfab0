/** Figure 7 and Table 11, from records made by hand. */
import assert from "node:assert/strict";
import { Rng } from "../../../src/engine";
import { runConfig, runKey } from "../../../src/experiments/config";
import type { RunRecord } from "../../../src/experiments/records";
import { ascentRows, stepCounts } from "../../../src/paper/ablations/ascentRuns";
import { figure7 } from "../../../src/paper/ablations/figure7";
import { table11 } from "../../../src/paper/ablations/table11";
import { assertRenders } from "../../support/figures";
import { conclude, recordOf } from "../../support/records";

const plan = table11.plan("lab", []);

interface Measured {
  readonly steps: number;
  readonly progress: number;
  readonly seed: number;
}

/** Lab records with a test error for each run, and what its ascent finds. */
function lab(sharpness: (at: Measured) => number, test: (at: Measured) => number = () => 0.2): RunRecord[] {
  return plan.map(({ config, labels }) => {
    const { epochs, seed } = runConfig(config).training;
    const steps = Number(labels.ascentSteps);
    const history = runConfig(config).ascent!.epochs.map((epoch) => {
      const errorRate = 0.01 + sharpness({ steps, progress: epoch / epochs, seed });
      const ascent = { epoch, step: epoch * 9, errorRate: 0.01, found: [{ ascentSteps: steps, errorRate }] };
      return { epoch, trainLoss: 0, perturbedLoss: 0, measures: { ascent } };
    });
    return { ...recordOf(config, { testErrorRate: test({ steps, progress: 1, seed }) }), history };
  });
}

describe("paper/ablations: Figure 7 and Table 11", () => {
  it("train with 1, 2, 3 and 5 ascent steps on every seed, each measured by its own number", () => {
    const names = plan.map(({ labels, config }) => `${labels.ascentSteps} ${config.training.seed}`);

    // paper.md, Table 11
    assert.deepEqual([...stepCounts], [1, 2, 3, 5]);
    assert.deepEqual(names.sort(), [0, 1, 2, 3, 4].flatMap((seed) => [1, 2, 3, 5].map((count) => `${count} ${seed}`)).sort());
    for (const { config, labels } of plan) {
      const { training, ascent } = runConfig(config);
      assert.equal(training.ascentSteps, labels.ascentSteps);
      assert.deepEqual(ascent!.ascentSteps, []);
    }
  });

  it("at paper have 20 runs of each on CIFAR-10 and CIFAR-100", () => {
    const paper = table11.plan("paper", []);

    assert.equal(paper.length, 2 * 4 * 20);
    assert.deepEqual([...new Set(paper.map(({ labels }) => labels.dataset))], ["cifar-10", "cifar-100"]);
  });

  it("share their runs and their records", () => {
    assert.equal(figure7.recordsIn, table11.id);
    assert.deepEqual(figure7.plan("lab", []).map(({ config }) => runKey(config)), plan.map(({ config }) => runKey(config))); // prettier-ignore
  });

  it("Table 11 compares what neighbors find at the end, seed by seed", () => {
    const [rising] = conclude(table11, "lab", lab(({ steps, seed, progress }) => (progress === 1 ? (steps + (seed - 2) / 100) / 100 : 0.5))); // prettier-ignore
    const [mixed] = conclude(
      table11,
      "lab",
      lab(({ steps }) => [0, 0.01, 0.03, 0.02, 0, 0.05][steps]!),
    );

    assert.match(rising!, /grows by 1\.00±\S+ points from 1 to 2 steps, 1\.00±\S+ points from 2 to 3 steps, 2\.00±\S+ points from 3 to 5 steps/); // prettier-ignore
    assert.match(rising!, /The claim that more ascent steps find a sharper point holds from 1 to 2, from 2 to 3, from 3 to 5\.$/);
    assert.match(mixed!, /holds from 1 to 2, from 3 to 5\. It does not hold from 2 to 3\.$/);
  });

  it("Table 11 bounds the change of the test error without a verdict", () => {
    const [, test] = conclude(table11, "lab", lab(({ steps }) => steps / 100, ({ steps, seed }) => 0.2 + (steps * (seed - 1)) / 1e4)); // prettier-ignore

    // With k steps seed s differs by (k − 1)(s − 1)/100 points: mean (k − 1)/100, t(0.975; 4)·s/√5 = 2.776·0.0158·(k − 1)/2.236 = 0.02·(k − 1)
    assert.match(test!, /by 0\.01±0\.02 points with 2 steps, 0\.02±0\.04 points with 3 steps, 0\.04±0\.08 points with 5 steps\./);
    assert.equal(
      table11.claims(
        table11.rows(
          "lab",
          lab(({ steps }) => steps / 100),
        ),
        "lab",
      ).length,
      3,
    );
  });

  it("Figure 7 compares what five steps find beyond one in the first half of training and in the last quarter", () => {
    const found = (late: number) =>
      lab(({ steps, progress, seed }) => 0.02 + (steps === 5 ? (progress > 0.75 ? late : 0.01) + seed * 1e-4 * progress : 0));

    assert.match(conclude(figure7, "lab", found(0.03))[0]!, /find 1\.01±\S+ points more batch error than one in the first half of training, and 3\.02±\S+ in the last quarter\. .* holds\.$/); // prettier-ignore
    assert.match(conclude(figure7, "lab", found(0))[0]!, /does not hold\.$/);
  });

  it("has a verdict on the found sharpness in at most 5 % of draws if there is no effect", () => {
    const rng = new Rng("ascent steps");
    const draws = 400;
    const rows = table11.rows(
      "lab",
      lab(() => 0.1),
    );

    const decided = Array.from({ length: draws }, () => {
      const noise = rows.map((row) => ({ ...row, sharpness: 0.02 + 0.01 * rng.normal() }));
      return table11.claims(noise, "lab").some(({ verdict }) => verdict !== "undecided");
    }).filter(Boolean).length;

    // Neighbors share a run, so Holm's 5 % is a bound: 20, with four standard deviations √(400·0.05·0.95) = 4.4 above it.
    assert.ok(decided < 20 + 4 * 4.4, `${decided} of ${draws}`);
  });

  it("leave out runs that diverged, and are drawn without a warning", async () => {
    const records = lab(({ steps, progress, seed }) => steps / 100 + progress / 50 + seed / 1e3);
    const diverged = records.map((record, i) => (i === 0 ? { ...record, metrics: { ...record.metrics, outcome: "diverged" } } : record)); // prettier-ignore
    const rows = ascentRows("lab", diverged);

    assert.equal(new Set(rows.map(({ seed, ascentSteps }) => `${seed} ${ascentSteps}`)).size, plan.length - 1);
    await assertRenders(figure7.figure(rows, "lab"));
    await assertRenders(table11.figure(table11.rows("lab", diverged), "lab"));
    for (const item of [figure7, table11]) assert.ok(item.table(item.rows("lab", diverged), "lab").rows.length >= 4);
    assert.match(figure7.summary(rows, "lab").ours, /at the end: 1 step finds/);
  });
});
