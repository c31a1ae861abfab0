import assert from "node:assert/strict";
import { Rng } from "../../../src/engine";
import { runConfig } from "../../../src/experiments/config";
import { figure3Right, figure3RightRows } from "../../../src/paper/curvature/figure3Right";
import type { PlannedRun } from "../../../src/experiments/plan";
import type { RunRecord } from "../../../src/experiments/records";
import { conclusionsOf } from "../../../src/paper/item";
import { conclude, recordOf } from "../../support/records";
import { titleOf } from "../../support/figures";

const plan = figure3Right.plan("lab", []);
const ms = [1, 4, 16, 64, 256];
const of = (task: number) => plan.filter(({ labels }) => labels.task === task);

/** Demo's smaller grids, for what a bootstrap must be run for. */
const demo = figure3Right.plan("demo", []);

/** Records with gaps in random order, and a sharpness by the gap, m and a random number. */
function made(runs: readonly PlannedRun[], sharpnessOf: (gap: number, m: number, random: number) => number): RunRecord[] {
  const rng = new Rng(0);
  return runs.map(({ config }) => {
    const gap = 0.1 + 0.2 * rng.uniform();
    const mSharpness = Object.fromEntries(ms.map((m) => [m, sharpnessOf(gap, m, rng.uniform())]));
    return recordOf(config, { trainErrorRate: 0.01, testErrorRate: 0.01 + gap, mSharpness });
  });
}

const byOneExample = (gap: number, m: number, random: number) => (m === 1 ? gap : random);
const informative = made(plan, byOneExample);
const informativeRows = figure3RightRows("lab", informative); // one list, so that its bootstrap is run once

describe("paper/curvature/figure3Right", () => {
  it("at paper has PGDL's grids: 96 VGG-like networks on CIFAR-10, 54 Networks in Network on SVHN", () => {
    const paper = figure3Right.plan("paper", []);
    const values = (runs: readonly PlannedRun[], name: string) => [...new Set(runs.map(({ labels }) => labels[name]))];
    const [first, second] = [1, 2].map((task) => paper.filter(({ labels }) => labels.task === task)) as [
      PlannedRun[],
      PlannedRun[],
    ];

    // paper.md, section 12
    assert.deepEqual([first.length, second.length], [96, 54]);
    assert.deepEqual(["width", "dropout", "convBlocks", "denseLayers", "weightDecay", "batchSize"].map((name) => values(first, name)),
      [[256, 512], [0, 0.5], [1, 3], [1, 2], [0, 0.001], [8, 32, 512]]); // prettier-ignore
    assert.deepEqual(["convLayers", "dropout", "weightDecay", "batchSize"].map((name) => values(second, name)),
      [[6, 9, 12], [0, 0.25, 0.5], [0, 0.001], [32, 512, 1024]]); // prettier-ignore
    for (const [runs, dataset, rate] of [[first, "cifar-10", 0.001], [second, "svhn", 0.01]] as const) // prettier-ignore
      for (const { config } of runs) {
        const { dataset: images, training, mSharpness } = runConfig(config);
        assert.deepEqual([images.name, images.trainSize, training.learningRate, training.momentum], [dataset, 0, rate, 0.9]);
        assert.deepEqual(mSharpness?.ms, ms);
      }
  });

  it("trains each network as its labels say", () => {
    for (const { config, labels } of plan) {
      const { model, training } = runConfig(config);
      assert.deepEqual([training.batchSize, training.weightDecay], [labels.batchSize, labels.weightDecay]);
      if (model.name === "vgg")
        assert.deepEqual(
          [model.width, model.dropout, model.stages, model.hidden.length],
          [labels.width, labels.dropout, labels.convBlocks, labels.denseLayers],
        );
      else
        assert.deepEqual(
          [model.name, "blocks" in model && 3 * model.blocks, "dropout" in model && model.dropout],
          ["networkInNetwork", labels.convLayers, labels.dropout],
        );
    }
  });

  it("measures all networks of a budget on the same images, in the same blocks", () => {
    const sections = new Set(plan.map(({ config }) => JSON.stringify(runConfig(config).mSharpness)));

    assert.equal(sections.size, 1);
  });

  it("has a row for each network: gap is training accuracy minus test accuracy; a diverged network has none", () => {
    const [first, second] = informative as [RunRecord, RunRecord];
    const { mSharpness: _, ...metrics } = second.metrics;
    const rows = figure3RightRows("lab", [
      first,
      { ...second, metrics: { ...metrics, outcome: "diverged", divergedInEpoch: 3 } },
    ]);

    assert.equal(rows.length, 1);
    assert.ok(Math.abs(rows[0]!.gap - (first.metrics.testErrorRate! - 0.01)) < 1e-12);
    assert.deepEqual(Object.keys(rows[0]!.hyperParameters), Object.keys(of(1)[0]!.labels).slice(1));
  });

  it("says yes where the smallest m orders the gaps and the largest does not, no the other way round, and nothing of noise", () => {
    const verdicts = (records: RunRecord[]) =>
      figure3Right.claims(figure3RightRows("demo", records), "demo").map(({ verdict }) => verdict);

    assert.deepEqual(verdicts(made(demo, byOneExample)), ["yes", "yes"]);
    assert.deepEqual(verdicts(made(demo, (gap, m, random) => (m === 256 ? -gap : random))), ["no", "no"]);
    assert.deepEqual(verdicts(made(demo, (_, __, random) => random)), ["undecided", "undecided"]);
    assert.deepEqual(verdicts([]), []);
  });

  it("concludes in sentences with both scores, and a title that follows from them", () => {
    const [claim] = conclusionsOf(figure3Right, informativeRows, "lab");
    const undecided = conclude(
      figure3Right,
      "demo",
      made(demo, (_, __, random) => random),
    );

    // A measure that is the gap has the score 1 in every resample.
    assert.match(
      claim!,
      new RegExp(`^Task 1: over ${of(1).length} networks the score falls from 1.000 \\(1.000 to 1.000\\) at m = 1 to 0.0`),
    );
    assert.match(titleOf(figure3Right.figure(informativeRows, "lab")), /predicts the generalization gap better for smaller m/);
    assert.match(undecided[0]!, /These networks do not decide whether m-sharpness predicts the gap better/);
  });

  it("prints the paper's scores beside ours", () => {
    const { rows } = figure3Right.table(informativeRows, "lab");

    // paper.md, Figure 3 right
    assert.deepEqual(rows.map(({ m, paper1, paper2 }) => [m, paper1, paper2]), [
      [1, "0.0499", "0.1796"], [4, "0.0413", "0.1759"], [16, "0.0329", "0.1637"], [64, "0.0267", "0.1421"], [256, "0.0257", "0.1334"],
    ]); // prettier-ignore
  });
});
