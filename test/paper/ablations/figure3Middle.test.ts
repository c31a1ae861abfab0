import assert from "node:assert/strict";
import { runConfig } from "../../../src/experiments/config";
import { figure3Middle, figure3MiddleCurves, figure3MiddleRows } from "../../../src/paper/ablations/figure3Middle";
import type { RunRecord } from "../../../src/experiments/records";
import { closeTo } from "../../support/closeTo";
import { conclude, recordsOf } from "../../support/records";

const plan = figure3Middle
  .plan("lab", [])
  .map(({ config, labels }) => ({ config, labels: labels as { m: number; rho: number } }));
const ms = [...new Set(plan.map(({ labels }) => labels.m))];
const rhosOf = (m: number) =>
  [...new Set(plan.filter(({ labels }) => labels.m === m).map(({ labels }) => labels.rho))].filter((rho) => rho > 0);
const [small, large] = [Math.min(...ms), Math.max(...ms)];

/** Lab records with an error for each m and ρ, and one without SAM; the three seeds differ by ±spread. */
function lab(errorOf: (m: number, rho: number) => number, spread = 0.001): RunRecord[] {
  return recordsOf(plan, ({ labels, config }) => {
    const { m, rho } = labels as { m: number; rho: number };
    return errorOf(m, rho) + spread * (config.training.seed! - 1);
  });
}

const say = (records: RunRecord[]) => conclude(figure3Middle, "lab", records);

describe("paper/ablations/figure3Middle", () => {
  it("plans for each m one run without SAM and one for each ρ, for every seed", () => {
    const names = plan.map(({ labels, config }) => `${labels.m} ${labels.rho} ${config.training.seed}`);
    const grid = ms.flatMap((m) => [0, ...rhosOf(m)].map((rho) => [m, rho]));

    assert.ok(ms.length >= 3);
    assert.deepEqual(names.sort(), [0, 1, 2].flatMap((seed) => grid.map(([m, rho]) => `${m} ${rho} ${seed}`)).sort());
  });

  it("writes m of the batch's size as plain SAM, and labels it as m all the same", () => {
    for (const { config, labels } of figure3Middle.plan("lab", [])) {
      const { m, batchSize, rho } = runConfig(config).training;
      assert.equal(m, labels.m === batchSize ? 0 : labels.m);
      assert.equal(rho, labels.rho);
    }
  });

  it("at paper has the paper's ρ and m: 1, 4, 16, 64, 256", () => {
    const paper = figure3Middle.plan("paper", []);

    // paper.md, Figure 3 middle
    assert.deepEqual([...new Set(paper.map(({ labels }) => labels.m))], [1, 4, 16, 64, 256]);
    assert.deepEqual(
      [...new Set(paper.map(({ labels }) => labels.rho))],
      [0, 0.001, 0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1],
    );
  });

  it("has a row for each record", () => {
    const rows = figure3MiddleRows("lab", lab((m, rho) => 0.2 + m / 1e4 + rho / 10, 0).slice(0, 5));

    assert.equal(rows.length, 5);
    for (const { m, rho, testErrorRate } of rows) closeTo(testErrorRate, 0.2 + (m as number) / 1e4 + (rho as number) / 10, 1e-12);
  });

  it("has curves that start without SAM; each point is a mean over the seeds", () => {
    const records = lab((m, rho) => 0.2 + m / 1e4 + rho / 10);
    const curves = figure3MiddleCurves(figure3MiddleRows("lab", records));

    for (const m of ms) assert.deepEqual(curves.filter((point) => point.m === m).map(({ rho }) => rho), [0, ...rhosOf(m)]); // prettier-ignore
    for (const { m, rho, mean, interval, n } of curves) {
      closeTo(mean, 0.2 + m / 1e4 + rho / 10, 1e-9);
      closeTo(interval!, (4.302653 * 0.001) / Math.sqrt(3), 1e-6); // t(0.975; 2)·s/√n
      assert.equal(n, 3);
    }
    assert.deepEqual(figure3MiddleCurves([]), []);
  });

  describe("conclusions", () => {
    // Between the smallest and the largest m, at 0.1 points for each example; Welch's interval of two samples with s = 0.1 points.
    const gain = `${((large - small) / 10).toFixed(2)}±0.23`;

    it("list the best error of each m, and say that the claim holds if it falls with m", () => {
      const best = (m: number) => (m === small ? rhosOf(m)[0]! : rhosOf(m).at(-1)!);

      const [text] = say(lab((m, rho) => 0.2 + m / 1e3 + Math.abs(rho - best(m))));

      const expected = ms.map((m) => `m = ${m}: ${(20 + m / 10).toFixed(2)}±0.25 % at ρ = ${best(m)}`); // t(0.975; 2)·0.1/√3
      assert.equal(
        text,
        `Best error by m: ${expected.join("; ")}. From m = ${large} to m = ${small} the best error falls by ${gain} points. ` +
          "The claim that a smaller m lowers the error holds.",
      );
    });

    it("say that it does not where small m is worse", () => {
      const [text] = say(lab((m, rho) => 0.4 - m / 1e3 + Math.abs(rho - 0.1)));

      assert.ok(text!.includes(`rises by ${gain} points. The claim that a smaller m lowers the error does not hold.`), text);
    });

    it("claim no more than the seeds support", () => {
      const [better] = say(lab((m, rho) => 0.2 + m / 1e4 + Math.abs(rho - 0.1), 0.05));
      const [worse] = say(lab((m, rho) => 0.2 - m / 1e4 + Math.abs(rho - 0.1), 0.05));

      assert.match(better!, /falls by .* points\. These seeds do not decide whether a smaller m lowers the error\.$/);
      assert.match(worse!, /rises by .* points\. These seeds do not decide whether a smaller m lowers the error\.$/);
    });

    it("tell what m does without SAM, through batch norm", () => {
      const [, plain] = say(lab((m, rho) => (rho === 0 ? 0.2 + m / 1e4 : 0.1)));

      const [a, b] = [small, large].map((m) => `${(20 + m / 100).toFixed(2)}±0.25 % at m = ${m}`);
      assert.ok(plain!.includes(`${a} and ${b}: it falls by ${((large - small) / 100).toFixed(2)}±0.23 points`), plain);
    });

    it("are none without records", () => {
      assert.deepEqual(say([]), []);
    });
  });
});
