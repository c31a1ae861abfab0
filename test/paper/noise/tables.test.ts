import assert from "node:assert/strict";
import { table4 } from "../../../src/paper/noise/table4";
import { table8 } from "../../../src/paper/noise/table8";
import { memorizationPoints } from "../../../src/paper/noise/figureMemorization";
import { itemReport } from "../../../src/paper/reproduce";
import { labRecords, memorizingRecords } from "../../support/noiseRecords";
import { recordsOf } from "../../support/records";
import { titleOf } from "../../support/figures";

describe("paper/noise/tables", () => {
  describe("Table 4", () => {
    const report = itemReport("table-4", {
      records: labRecords((method, noiseRate) => (method === "SAM" ? 0.9 : 0.8) - noiseRate / 2),
      budget: "lab",
    });
    const row = (method: string) => report.rows.find((each) => each.method === method)!;

    it("sets the paper's accuracy beside ours, at each noise rate, after the last and at the best epoch", () => {
      // paper.md, Table 4
      assert.deepEqual([0.2, 0.4, 0.6, 0.8].map((rate) => row("SAM")[`paper${rate}`]), ["95.1", "93.4", "90.5", "77.9"]); // prettier-ignore
      assert.deepEqual([0.2, 0.4, 0.6, 0.8].map((rate) => row("SGD")[`paper${rate}`]), ["84.8", "68.8", "48.2", "26.2"]); // prettier-ignore
      // s = √2.5 points, n = 5: t(0.975; 4)·√2.5/√5 = 2.776 · 0.7071 = 1.96
      assert.deepEqual([row("SAM")["last0.2"], row("SAM")["best0.8"]], ["80.0±2.0", "50.0±2.0"]);
      assert.match(report.markdown, /20 % · paper \| 20 % · ours, last epoch \| 20 % · ours, best epoch/);
    });

    it("has every row of the paper, with its number alone where the method was not trained here", () => {
      const names = report.rows.map(({ method }) => method);

      for (const name of ["M-correction", "Lee et al. (2019)", "Chen et al. (2019)", "O2U-Net", "MentorNet", "MentorMix"])
        assert.ok(names.includes(name), name);
      assert.equal(row("O2U-Net")["paper0.6"], "43.4");
      assert.equal(row("O2U-Net")["last0.6"], undefined);
      assert.equal(row("Chen et al. (2019)")["paper0.4"], undefined);
    });

    it("marks the rows that the paper does not have", () => {
      const extra = report.rows.filter(({ method }) => String(method).endsWith(", extra"));

      assert.ok(extra.some(({ method }) => method === "GCE, extra"));
      for (const each of extra) assert.equal(each["paper0.2"], undefined);
    });

    it("prints the highest after the last epoch in bold, and says how compute was shared and what was chosen", () => {
      assert.match(report.markdown, /\| SAM \| 95\.1 \| \*\*80\.0±2\.0\*\* \| 80\.0±2\.0 \|/);
      assert.match(report.markdown, /SAM has two gradients per step for 40 epochs, methods with one gradient 40 or 80 epochs/);
      assert.match(report.markdown, /; SAM: ρ 0\.05; /);
    });

    it("names how our runs differ from the methods' papers", () => {
      assert.match(
        report.markdown,
        /Departures from the methods' papers: MentorMix: .*; Co-teaching \(two networks\): Adam with a cosine schedule/,
      );
    });

    it("takes the figure's title from the result", () => {
      const worse = itemReport("table-4", { records: labRecords((method) => (method === "SAM" ? 0.5 : 0.6)), budget: "lab" });
      const some = itemReport("table-4", {
        records: labRecords((method, noiseRate) => (method === "SAM" && noiseRate > 0.5 ? 0.9 : 0.6)),
        budget: "lab",
      });

      const beaten = itemReport("table-4", {
        records: labRecords((method) => ({ SAM: 0.7, GCE: 0.85, ELR: 0.9 })[method] ?? 0.6),
        budget: "lab",
      });

      assert.match(titleOf(beaten.figure), /SAM keeps accuracy that SGD loses; GCE and ELR keep more/);
      assert.match(titleOf(report.figure), /SAM keeps accuracy that SGD loses$/);
      assert.match(titleOf(some.figure), /SAM keeps accuracy that SGD loses at 60 %, 80 % noise/);
      assert.match(titleOf(worse.figure), /Here SAM does not beat SGD/);

      const one = recordsOf(table4.plan("demo", []), ({ labels }) => (labels.method === "SAM" ? 0.1 : 0.4));
      const single = itemReport("table-4", { records: one, budget: "demo" });
      assert.match(titleOf(single.figure), /accuracy that SGD loses \(one seed\)$/);
    });
  });

  describe("Table 8", () => {
    const records = recordsOf(
      table8.plan("lab", []),
      ({ labels }) => 0.4 - Number(labels.rho) / 2 + Number(labels.noiseRate) / 10,
    );
    const report = itemReport("table-8", { records, budget: "lab" });

    it("sets the paper's error beside ours for each ρ and noise rate", () => {
      const at = (rho: number) => report.rows.find((row) => row.rho === rho)!;

      // paper.md, Table 8; ours: 0.4 − ρ/2 + noise/10
      assert.deepEqual([at(0)["paper0.2"], at(0.1)["paper0.6"], at(0.5)["paper0.8"]], ["15.0", "8.7", "89.9"]);
      assert.deepEqual([at(0)["ours0.2"], at(0.1)["ours0.6"], at(0.5)["ours0.8"]], ["42.0±<0.1", "41.0±<0.1", "23.0±<0.1"]);
      assert.equal(report.rows.length, 7);
    });

    it("prints the lowest error of each column in bold, the paper's and ours", () => {
      assert.match(report.markdown, /\| 0\.1 \| \*\*4\.6\*\* \|/);
      assert.match(report.markdown, /\| 0\.5 \| 17\.6 \| \*\*17\.0±<0\.1\*\* \|/);
    });

    it("draws the paper's curves and ours, one for each noise rate, and says where ours are lowest", () => {
      const spec = report.figure as { hconcat: { data: { values: { rho: number; series: string; mean: number }[] } }[] };
      const [paper, ours] = spec.hconcat.map(
        ({ data }) => data.values.find(({ rho, series }) => rho === 0.2 && series === "60")!.mean,
      );

      assert.deepEqual([paper, ours!.toFixed(6)], [23.3, "36.000000"]);
      assert.match(titleOf(report.figure), /errs least at ρ = 0\.5 at 20, 40, 60, 80 % noise$/);
    });
  });

  describe("memorization curves", () => {
    const report = itemReport("figure-memorization", {
      records: memorizingRecords((method) => (method === "SGD" ? 1 : 0.25)),
      budget: "lab",
    });

    it("have a row for each noise rate and method: accuracy, and what became of flipped and of clean labels", () => {
      const [sgd, sam] = report.rows;

      assert.equal(report.rows.length, 8);
      assert.deepEqual([sgd!.noise, sgd!.method, sam!.method], ["20 %", "SGD", "SAM, ρ 0.05"]);
      assert.deepEqual([sgd!.testAccuracy, sgd!.flippedFitted, sgd!.flippedCorrected, sgd!.cleanFitted], ["60.0±<0.1", "100.0±<0.1", "20.0±<0.1", "90.0±<0.1"]); // prettier-ignore
      assert.equal(sam!.flippedFitted, "25.0±<0.1");
    });

    it("are drawn for each noise rate in a row, in per cent", () => {
      const spec = report.figure as {
        vconcat: { hconcat: { data: { values: { x: number; mean: number; series: string }[] } }[] }[];
      };
      const fitted = spec.vconcat[0]!.hconcat[1]!.data.values;

      assert.deepEqual([spec.vconcat.length, spec.vconcat[0]!.hconcat.length], [4, 4]);
      assert.deepEqual(fitted.map(({ series, x, mean }) => [series, x, Math.round(mean)]), [["SGD", 2, 10], ["SGD", 4, 100], ["SAM", 2, 10], ["SAM", 4, 25]]); // prettier-ignore
    });

    it("can be drawn of a single run, of the epochs that were evaluated", () => {
      const losses = { trainLoss: 1, perturbedLoss: 1 };
      const history = [
        { epoch: 1, ...losses },
        { epoch: 2, ...losses, testErrorRate: 0.25, memorization: { flippedFitted: 0.5, cleanFitted: 1 } },
      ];

      assert.deepEqual(memorizationPoints("SAM", history), [
        { epoch: 2, method: "SAM", measure: "clean test accuracy", mean: 75 },
        { epoch: 2, method: "SAM", measure: "flipped labels reproduced", mean: 50 },
        { epoch: 2, method: "SAM", measure: "clean labels reproduced", mean: 100 },
      ]);
    });

    it("take their title from the result", () => {
      const worse = itemReport("figure-memorization", { records: memorizingRecords(() => 1), budget: "lab" });

      assert.match(titleOf(report.figure), /SGD memorizes wrong labels, SAM far fewer of them/);
      assert.match(titleOf(worse.figure), /Here SAM memorizes as many wrong labels as SGD/);
    });
  });
});
