import assert from "node:assert/strict";
import { runConfig } from "../../../src/experiments/config";
import { figure3Middle, figure3MiddleCurves, figure3MiddleRows } from "../../../src/paper/ablations/figure3Middle";
import type { RunRecord } from "../../../src/experiments/records";
import { Rng } from "../../../src/engine";
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

/** Records whose errors are replaced. */
const noise = lab(() => 0.2);

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
    // The lab's grids share ρ = 0.1 alone, and its seeds shift all errors alike, so paired differences have no spread.
    const points = (share: number) => ((large - small) * share).toFixed(2);

    it("compare the smallest m with the largest at the ρ that all were trained with, seed by seed", () => {
      const [better] = say(lab((m) => 0.2 + m / 1e3));
      const [worse] = say(lab((m) => 0.4 - m / 1e3));

      const from = `points from m = ${large} to m = ${small}. The claim that a smaller m lowers SAM's error at the same ρ`;
      assert.match(better!, new RegExp(`^At ρ = 0.1 SAM's error falls by ${points(0.1)}\\S* ${from} holds\\.`));
      assert.match(worse!, new RegExp(`^At ρ = 0.1 SAM's error rises by ${points(0.1)}\\S* ${from} does not hold\\.`));
    });

    it("have a verdict as often as noise alone allows, whatever the grids", () => {
      const rng = new Rng(3);
      const trials = 1000;

      const decided = Array.from({ length: trials }, () => {
        const rows = figure3MiddleRows("lab", noise).map((row) => ({ ...row, testErrorRate: 0.2 + 0.01 * rng.normal() }));
        return figure3Middle.claims(rows, "lab").some(({ verdict }) => verdict !== "undecided");
      }).filter(Boolean).length;

      // Binomial(1000, 0.05): mean 50, standard deviation 6.9; four of them to either side.
      assert.ok(decided > 22 && decided < 78, `${decided} of ${trials}`);
    });

    it("list the best error of each m without a verdict", () => {
      const best = (m: number) => (m === small ? rhosOf(m)[0]! : rhosOf(m).at(-1)!);

      const [, listed] = say(lab((m, rho) => 0.2 + m / 1e3 + Math.abs(rho - best(m))));

      const expected = ms.map((m) => `m = ${m}: ${(20 + m / 10).toFixed(2)}±0.25 % at ρ = ${best(m)}`); // t(0.975; 2)·0.1/√3
      assert.equal(
        listed,
        `Best test error by m: ${expected.join("; ")}. These are no test of the claim: ρ is chosen on the test images, and the grids differ.`,
      );
    });

    it("tell what m does without SAM, through batch norm", () => {
      const [, , plain] = say(lab((m, rho) => (rho === 0 ? 0.2 + m / 1e4 : 0.1)));

      const [a, b] = [small, large].map((m) => `${(20 + m / 100).toFixed(2)}±0.25 % at m = ${m}`);
      assert.ok(plain!.includes(`${a} and ${b}: from the larger to the smaller it falls by ${points(0.01)}`), plain);
    });

    it("are none without records", () => {
      assert.deepEqual(say([]), []);
    });
  });
});
