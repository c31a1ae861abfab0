/** The README's table: what it says of each item, and that the README shows it. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { updatedReadme } from "../../src/cli/readme";
import { budgets } from "../../src/paper/item";
import { runConfig, runKey } from "../../src/experiments/config";
import { figure3Middle } from "../../src/paper/ablations/figure3Middle";
import type { PlannedRun } from "../../src/experiments/plan";
import type { RunRecord } from "../../src/experiments/records";
import { table5 } from "../../src/paper/comparison/table5";
import { table8 } from "../../src/paper/noise/table8";
import { findItem } from "../../src/paper/catalog";
import { verdictNote } from "../../src/paper/claims";
import { insertTable, readmeTable, summaryCells } from "../../src/paper/readmeTable";
import { labRecords, memorizingRecords } from "../support/noiseRecords";

const root = path.join(__dirname, "../..");
const summary = (id: string, records: readonly RunRecord[]) => summaryCells(findItem(id), records);

/** The record of a planned run that ended with this error. */
function recordOf({ config }: PlannedRun, testErrorRate: number): RunRecord {
  const metrics = { testErrorRate, bestTestErrorRate: testErrorRate, outcome: "finished", parameters: 1 };
  return { key: runKey(config), config: runConfig(config), metrics, history: [], versions: {} } as unknown as RunRecord;
}

describe("the README's table", () => {
  it("has a row for each item, with a link, and says so where there are no runs", () => {
    const claim = { statement: "it works", verdict: "yes", evidence: "" } as const;
    const shown = { ...figure3Middle, id: "table-1", title: "Table 1", recordsIn: "table-1" };
    const items = [
      { ...shown, summary: () => ({ paper: "p", ours: "o|o", seeds: 3, claims: [claim] }) },
      { ...shown, id: "table-2", title: "Table 2", recordsIn: "table-2" },
    ];
    const records = figure3Middle.plan("lab", []).map((run) => recordOf(run, 0.1));

    assert.deepEqual(readmeTable(items, (name) => (name === "table-1" ? records : [])).split("\n"), [
      "| item | notebook | paper | ours | budget | seeds | does the claim hold here? |",
      "| --- | --- | --- | --- | --- | --: | --- |",
      "| Table 1 | [table-1](notebooks/table-1.ipynb) | p | o\\|o | lab | 3 | yes |",
      "| Table 2 | [table-2](notebooks/table-2.ipynb) | – | no runs yet | – | – | – |",
      "",
      `<sub>${verdictNote}</sub>`,
    ]);
  });

  it("compares SAM with SGD at twice the epochs in table 5", () => {
    const errors: Record<string, number[]> = { SAM: [0.1, 0.1], SGD: [0.2, 0.2], "SGD, twice the epochs": [0.15, 0.15] };
    const records = table5.plan("smoke", []).map((run) => recordOf(run, errors[run.labels.method!]![0]!));

    assert.deepEqual(summary("table-5", records), {
      // paper.md, Table 5: SAM is worse in SVHN, Shake-Shake, auto augment alone
      paper: "WRN-28-10, Fashion-MNIST, basic: SAM 3.98±0.05, SGD 4.57±0.07 % error; SAM lower in 7 of 8",
      ours: "ConvNet 4-8, basic: SAM 10.00±<0.01, SGD 15.00±<0.01 % error; SAM lower in 2 of 2",
      budget: "smoke",
      seeds: 2,
      verdict: "yes",
    });
    assert.equal(summary("table-5", records.slice(1)), undefined);
    const worse = records.map((record) =>
      record.config.training.augment === "cutout" ? recordOf({ config: record.config, labels: {} }, 0.1) : record,
    );
    assert.equal(summary("table-5", worse)!.verdict, "yes in 1, undecided in 1");
  });

  it("gives the best error of the smallest and the largest m in figure 3, middle", () => {
    const records = figure3Middle
      .plan("smoke", [])
      .map((run) => recordOf(run, run.labels.rho === 0 ? 0.3 : run.labels.m === 16 ? 0.1 : 0.2));

    assert.deepEqual(summary("figure-3-middle", records), {
      paper: "m = 1: 4.30 % at ρ = 0.03; m = 256: 4.72 % at ρ = 0.075",
      ours: "m = 16: 10.00 % at ρ = 0.05 (30.00 without SAM); m = 64: 20.00 % at ρ = 0.05 (30.00 without SAM)",
      budget: budgets[0],
      seeds: 1,
      verdict: "one seed",
    });
  });

  it("sets SAM beside SGD at twice the epochs and the best method made for noise in table 4, at 40 % noise", () => {
    const records = labRecords((method) => ({ SAM: 0.7, Mixup: 0.8, "SGD, twice the epochs": 0.6 })[method] ?? 0.5);

    // paper.md, Table 4; s = √2.5 points, n = 5: t(0.975; 4)·√2.5/√5 = 2.776 · 0.7071 = 1.96
    assert.deepEqual(summary("table-4", records), {
      paper: "at 40 % noise: SAM 93.4, SGD 68.8, M-correction 92.8 % accuracy",
      ours: "SAM 70.00±1.96, SGD 60.00±1.96, Mixup 80.00±1.96 % accuracy",
      budget: "lab",
      seeds: 5,
      verdict: "SAM beats SGD: yes; plain SAM beats the other methods: no",
    });
    assert.equal(summary("table-4", records.slice(1)), undefined);
  });

  it("gives the least error of bootstrapped SAM and that at ρ = 0 in table 8, at 40 % noise", () => {
    const records = table8.plan("lab", []).map((run) => recordOf(run, run.labels.rho === 0.1 ? 0.2 : 0.4));

    assert.deepEqual(summary("table-8", records), {
      paper: "at 40 % noise: 6.0 % error at ρ = 0.1, 31.2 % at ρ = 0",
      ours: "20.0±<0.1 % error at ρ = 0.1, 40.0±<0.1 % at ρ = 0",
      budget: "lab",
      seeds: 3,
      verdict:
        "the error falls from ρ = 0.05 to 0.1: yes; the error falls to less than half there: undecided; the error rises again beyond ρ = 0.2: undecided",
    });
  });

  it("gives the flipped labels that SGD and SAM end with in the memorization curves, at 40 % noise", () => {
    const { paper, ours, verdict } = summary(
      "figure-memorization",
      memorizingRecords((method) => (method === "SGD" ? 1 : 0.25)),
    )!;

    assert.deepEqual([paper, verdict], ["no such figure", "yes"]);
    assert.equal(ours, "flipped labels fitted at 40 % noise: SAM 25.00±<0.01, SGD 100.00±<0.01 %");
  });

  it("replaces what stands between the markers and nothing else", () => {
    const readme = "# A\n<!-- results:start -->\nold\n<!-- results:end -->\nB $& $1\n";

    const updated = insertTable(readme, "| $& |");

    assert.equal(updated, "# A\n<!-- results:start -->\n\n| $& |\n\n<!-- results:end -->\nB $& $1\n");
    assert.equal(insertTable(updated, "| $& |"), updated);
  });

  it("refuses a README without its markers, or with one twice", () => {
    assert.throws(() => insertTable("# A", "t"), /needs <!-- results:start --> .* it has 0 and 0/);
    assert.throws(() => insertTable("<!-- results:end --><!-- results:start -->", "t"), /once each; it has 1 and 1/);
    assert.throws(() => insertTable("<!-- results:start --><!-- results:start --><!-- results:end -->", "t"), /it has 2 and 1/);
  });

  it("in README.md shows the committed records", function () {
    const file = path.join(root, "README.md");
    if (!existsSync(file)) this.skip();
    const readme = readFileSync(file, "utf8");

    assert.equal(updatedReadme(readme), readme, "npm run readme");
  });
});
