import assert from "node:assert/strict";
import { figure3Middle } from "../../src/paper/figure3Middle";
import { budgets, type Budget, type PlannedRun } from "../../src/paper/item";
import type { RunRecord } from "../../src/paper/records";
import { table5, table5Methods } from "../../src/paper/table5";
import { itemReport, reproduceItem } from "../../src/report/paperReports";
import { recordsOf } from "../support/records";

/** Demo records of Table 5 with an error for each method, ±0.1 points over the seeds. */
function table5Records(errors: readonly number[], budget: Budget = "demo"): RunRecord[] {
  const errorOf = ({ labels, config }: PlannedRun) =>
    errors[table5Methods.indexOf(labels.method as (typeof table5Methods)[number])]! + 0.001 * (config.training.seed! - 1);
  return recordsOf(table5.plan(budget, []), errorOf);
}

const figure3Records = (errorOf: (m: number, rho: number) => number) =>
  recordsOf(figure3Middle.plan("demo", []), ({ labels }) => errorOf(labels.m as number, labels.rho as number));

const table5Report = (errors: readonly number[]) => itemReport("table-5", { records: table5Records(errors), budget: "demo" });

describe("report/paperReports", () => {
  describe("Table 5", () => {
    const report = table5Report([0.3, 0.25, 0.2]);

    it("sets the paper's numbers beside ours, each with its interval", () => {
      const [basic, cutout] = report.rows;

      // paper.md, Table 5: Fashion-MNIST, WRN-28-10
      assert.deepEqual([basic!.paperSgd, basic!.paperSam], ["4.57±0.07", "3.98±0.05"]);
      assert.deepEqual([cutout!.paperSgd, cutout!.paperSam], ["3.86±0.14", "3.61±0.06"]);
      // s = 0.1 points, t(0.975; 2) = 4.303: 4.303·0.1/√3
      assert.deepEqual([basic!.sgd, basic!.twice, basic!.sam, basic!.rho], ["30.00±0.25", "25.00±0.25", "20.00±0.25", 0.1]);
    });

    it("says what ours is: budget, seeds, data, network", () => {
      assert.match(report.markdown, /budget (&quot;|")demo/);
      assert.match(report.markdown, /over 3 seeds/);
      assert.match(report.markdown, /ConvNet 16-32-64, 1000 training and 2000 test images/);
      assert.match(report.html, /budget (&quot;|")demo/);
      assert.equal(report.description, table5.describe("demo"));
    });

    it("names no data set and no network as ours but those that were trained on", () => {
      const generated = JSON.stringify(report.figure).replace(table5.describe("demo"), "");

      assert.match(report.markdown.split("\n")[0]!, /Paper: WRN-28-10 on Fashion-MNIST; ours: as below/);
      assert.ok(!/Ours: [^"]*Fashion-MNIST/.test(generated));
    });

    it("draws paper and ours, in per cent", () => {
      const spec = JSON.stringify(report.figure);

      for (const value of [4.57, 3.98, 3.86, 3.61, 30, 25, 20])
        assert.ok(spec.includes(`:${value}`), `${value} is not in the figure`);
    });

    it("takes its title from the result: SAM wins, loses, or wins with one augmentation only", () => {
      const title = (spec: unknown) => JSON.stringify(spec);
      const mixed = recordsOf(table5.plan("demo", []), ({ labels }) =>
        labels.method !== "SAM" ? 0.2 : labels.augment === "basic" ? 0.1 : 0.3,
      );

      assert.match(title(report.figure), /SAM lowers the test error, in the paper and here/);
      assert.match(title(table5Report([0.2, 0.25, 0.3]).figure), /Here SAM does not lower the test error/);
      assert.match(title(itemReport("table-5", { records: mixed, budget: "demo" }).figure), /with basic augmentation only/);
    });

    it("carries the conclusions of its records", () => {
      assert.equal(report.conclusions.length, 2);
      for (const sentence of report.conclusions) assert.match(sentence, /The claim replicates\.$/);
      for (const sentence of table5Report([0.2, 0.25, 0.3]).conclusions)
        assert.match(sentence, /does not replicate: SAM is worse\.$/);
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

    it("takes its title from the result", () => {
      const worse = itemReport("figure-3-middle", {
        records: figure3Records((m, rho) => 0.3 - m / 1e3 + rho / 100),
        budget: "demo",
      });

      assert.match(JSON.stringify(report.figure), /A smaller m reaches a lower error/);
      assert.match(JSON.stringify(worse.figure), /Here a smaller m does not reach a lower error/);
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

    it("no unknown item", () => {
      assert.throws(() => itemReport("table-99"), /no item "table-99"; there are table-4, /);
    });
  });
});
