import assert from "node:assert/strict";
import { figure3Middle } from "../../src/paper/ablations/figure3Middle";
import type { PlannedRun } from "../../src/experiments/plan";
import { budgets, type Budget } from "../../src/paper/item";
import type { RunRecord } from "../../src/experiments/records";
import { comparisonMethods } from "../../src/paper/comparison/comparison";
import { table5 } from "../../src/paper/comparison/table5";
import { itemReport, reproduceItem } from "../../src/paper/reproduce";
import { recordsOf } from "../support/records";
import { titleOf } from "../support/figures";

/** Demo records of Table 5 with an error for each method, ±0.1 points over the seeds, of opposite sign for SAM. */
function table5Records(errors: readonly number[], budget: Budget = "demo"): RunRecord[] {
  const errorOf = ({ labels, config }: PlannedRun) =>
    errors[comparisonMethods.indexOf(labels.method as (typeof comparisonMethods)[number])]! +
    (labels.method === "SAM" ? -0.001 : 0.001) * (config.training.seed! - 1);
  return recordsOf(table5.plan(budget, []), errorOf);
}

const figure3Records = (errorOf: (m: number, rho: number) => number) =>
  recordsOf(figure3Middle.plan("demo", []), ({ labels }) => errorOf(labels.m as number, labels.rho as number));

const table5Report = (errors: readonly number[]) => itemReport("table-5", { records: table5Records(errors), budget: "demo" });

describe("paper/reproduce", () => {
  describe("Table 5", () => {
    const report = table5Report([0.3, 0.25, 0.2]);

    it("sets the paper's numbers beside ours, each with its interval", () => {
      const on = (augmentation: string) =>
        report.rows.find(({ model, dataset, augmentation: own }) => model === "WRN-28-10" && dataset === "Fashion-MNIST" && own === augmentation)!; // prettier-ignore
      const [basic, cutout] = [on("basic"), on("autoaugment")];

      // paper.md, Table 5: Fashion-MNIST, WRN-28-10
      assert.deepEqual([basic.paperSgd, basic.paperSam], ["4.57±0.07", "3.98±0.05"]);
      assert.deepEqual([cutout.paperSgd, cutout.paperSam], ["3.86±0.14", "3.61±0.06"]);
      assert.deepEqual([basic.condition, cutout.condition], ["ConvNet 16-32-64, basic", "ConvNet 16-32-64, cutout"]);
      // s = 0.1 points, t(0.975; 2) = 4.303: 4.303·0.1/√3
      assert.deepEqual([basic.sgd, basic.twice, basic.sam, basic.rho], ["30.00±0.25", "25.00±0.25", "20.00±0.25", 0.1]);
      // Differences seed by seed: 4.8, 5.0, 5.2 points, 4.303·0.2/√3
      assert.equal(basic.gain, "5.00±0.50");
    });

    it("shows every row of the paper, ours where a run stands for it, and SAM bold where it is better beyond the noise", () => {
      const bare = report.rows.filter(({ condition }) => condition === undefined);
      const lines = report.markdown.split("\n");

      assert.equal(report.rows.length, 8);
      assert.equal(bare.length, 6);
      // paper.md, Table 5: the one cell where SAM is worse
      const worse = bare.find(({ model, dataset, augmentation }) => /Shake/.test(String(model)) && dataset === "SVHN" && augmentation === "autoaugment")!; // prettier-ignore
      assert.deepEqual([worse.paperSgd, worse.paperSam], ["1.03±0.02", "1.07±0.02"]);
      assert.equal(lines.filter((line) => line.includes("**20.00±0.25**")).length, 2);
    });

    it("says what ours is: budget, seeds, data, network", () => {
      assert.match(report.markdown, /budget (&quot;|")demo/);
      assert.match(report.markdown, /over 3 seeds/);
      assert.match(report.markdown, /ConvNet 16-32-64, 1000 training and 2000 test images/);
      assert.match(report.html, /budget (&quot;|")demo/);
      assert.equal(report.description, table5.describe("demo"));
    });

    it("names no data set and no network as ours but those that were trained on", () => {
      const [paper, ours] = (report.figure as unknown as { hconcat: object[] }).hconcat.map((panel) => JSON.stringify(panel));

      assert.match(paper!, /"label":"WRN-28-10, Fashion-MNIST, basic"/);
      assert.doesNotMatch(ours!, /WRN|Fashion-MNIST/);
    });

    it("draws paper and ours, in per cent", () => {
      const spec = JSON.stringify(report.figure);

      for (const value of [4.57, 3.98, 3.86, 3.61, 30, 25, 20])
        assert.ok(spec.includes(`:${value}`), `${value} is not in the figure`);
    });

    it("takes its title from the result: SAM wins, loses, or wins with one augmentation only", () => {
      const mixed = recordsOf(table5.plan("demo", []), ({ labels }) =>
        labels.method !== "SAM" ? 0.2 : labels.augment === "basic" ? 0.1 : 0.3,
      );

      assert.match(titleOf(report.figure), /SAM lowers the test error, in the paper and here/);
      assert.match(titleOf(table5Report([0.2, 0.25, 0.3]).figure), /Here SAM does not lower the test error/);
      assert.match(
        titleOf(itemReport("table-5", { records: mixed, budget: "demo" }).figure),
        /Here SAM's mean error is lower in 1 of 2 conditions, beyond the seeds' noise in 1/,
      );
    });

    it("carries the conclusions of its records", () => {
      const worse = table5Report([0.2, 0.25, 0.3]).conclusions;

      for (const sentence of report.conclusions.slice(0, 2))
        assert.match(sentence, /The claim that SAM lowers the test error holds\.$/);
      for (const sentence of worse.slice(0, 2))
        assert.match(sentence, /above that of SGD.*The claim that SAM lowers the test error does not hold\.$/);
      assert.match(
        report.conclusions[2]!,
        /lower in 2 of 2 conditions: beyond the seeds' noise in 2, and higher beyond it in 0\./,
      );
      assert.match(worse[2]!, /lower in 0 of 2 conditions: beyond the seeds' noise in 0, and higher beyond it in 2\./);
    });
  });

  describe("Figure 3 middle", () => {
    const report = itemReport("figure-3-middle", {
      records: figure3Records((m, rho) => 0.2 + m / 1e3 + Math.abs(rho - 0.1)),
      budget: "demo",
    });

    it("has a row for each ρ and a column for each m", () => {
      assert.deepEqual(report.rows.map(({ rho }) => rho), [0, 0.05, 0.1, 0.2, 0.5]); // prettier-ignore
      assert.deepEqual([report.rows[0]!.m8, report.rows[0]!.m64], ["30.80", "36.40"]);
      assert.deepEqual([report.rows[2]!.m8, report.rows[2]!.m64], ["20.80", "26.40"]);
    });

    it("says that one seed has no interval", () => {
      assert.match(report.markdown, /one seed, so no interval/);
    });

    it("takes no message for its title from one seed", () => {
      assert.match(titleOf(report.figure), /One seed: test error against ρ for several m/);
    });
  });

  describe("takes", () => {
    it("the largest budget whose records are complete", () => {
      const records = [
        ...table5Records([0.3, 0.3, 0.2], "smoke"),
        ...table5Records([0.3, 0.25, 0.2]),
        ...table5Records([0.1, 0.1, 0.1], "lab"),
      ];

      assert.equal(itemReport("table-5", { records }).budget, "demo"); // of lab, the runs at the tuned ρ are missing
      assert.equal(itemReport("table-5", { records, budget: "smoke" }).budget, budgets[0]);
    });

    it("no incomplete set: one error says what to run", () => {
      const records = table5Records([0.3, 0.25, 0.2]);

      assert.throws(
        () => itemReport("table-5", { records: [] }),
        /table-5 has no complete records yet; .*npm run reproduce -- table-5 --budget demo/,
      );
      assert.throws(
        () => itemReport("table-5", { records: records.slice(1), budget: "demo" }),
        /table-5 lacks records of budget demo; make them with: npm run reproduce -- table-5 --budget demo/,
      );
      assert.throws(() => itemReport("table-5", { records, budget: "paper" }), /lacks records of budget paper/);
    });

    it("no budget that there is not, and runs nothing where none is asked for", async () => {
      await assert.rejects(
        reproduceItem("table-5", { budget: "labs" }),
        /budget = "labs": expected one of smoke, demo, lab, paper/,
      );

      assert.deepEqual(await reproduceItem("figure-3-spectra"), itemReport("figure-3-spectra"));
    });

    it("no unknown option", async () => {
      assert.throws(
        () => itemReport("table-5", { budgt: "lab" } as object),
        /itemReport: unknown option "budgt", did you mean "budget"\?/,
      );
      await assert.rejects(
        reproduceItem("table-5", { job: 2 } as object),
        /reproduceItem: unknown option "job", did you mean "jobs"\?/,
      );
    });

    it("no unknown item", () => {
      assert.throws(() => itemReport("table-99"), /no item "table-99"; there are table-1, /);
    });
  });
});
