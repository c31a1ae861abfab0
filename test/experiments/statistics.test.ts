/** Intervals over seeds against printed tables of Student's t and worked examples. */
import assert from "node:assert/strict";
import {
  estimate,
  estimateBy,
  formatEstimate,
  formatFactor,
  holm,
  pairedDifference,
  pairedFactor,
  scaleMean,
} from "../../src/experiments/statistics";

const close = (actual: number | undefined, expected: number, tolerance: number) =>
  assert.ok(actual !== undefined && Math.abs(actual - expected) < tolerance, `${actual} is not ${expected}`);

describe("estimates over seeds", () => {
  it("use the quantiles of Student's t that textbooks print", () => {
    // 0.975 quantiles by degrees of freedom, any statistics table
    const table = { 1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 9: 2.262, 19: 2.093 };
    for (const [freedom, quantile] of Object.entries(table)) {
      const n = Number(freedom) + 1;
      const values = Array.from({ length: n }, (_, i) => i);
      const { interval, std } = estimate(values);

      close((interval! * Math.sqrt(n)) / std!, quantile, 5e-4);
    }
    close(estimate([0, 1, 2, 3, 4], { level: 0.99 }).interval! / Math.sqrt(2.5 / 5), 4.604, 5e-4);
  });

  it("give mean and half-width of a worked example", () => {
    // 1…5: mean 3, s² = 2.5, half-width 2.776 · √(2.5 / 5) = 1.963
    const { mean, interval, std, n } = estimate([1, 2, 3, 4, 5]);

    assert.equal(mean, 3);
    close(interval, 1.963, 5e-4);
    close(std, Math.sqrt(2.5), 1e-12);
    assert.equal(n, 5);
  });

  it("have no interval with one seed, instead of NaN", () => {
    assert.deepEqual(estimate([0.1]), { mean: 0.1, n: 1 });
    assert.equal(formatEstimate(estimate([0.1]), { scale: 100 }), "10.00");
  });

  it("refuse what has no mean, and say which value is to blame", () => {
    assert.throws(() => estimate([]), /at least one value, got none/);
    assert.throws(() => estimate([1, NaN, 2]), /value 2 of 3 is NaN/);
    assert.throws(() => estimate([1, 2], { levle: 0.9 } as object), /estimate: unknown option "levle", did you mean "level"\?/);
    assert.throws(() => estimate([1, 2], { level: 95 }), /level = 95, expected a confidence in \(0, 1\)/);
  });

  it("pair values by seed: what the seeds share drops out", () => {
    const values = (list: readonly number[]) => list.map((value, seed) => ({ seed, value }));

    // Student's sleep data (1908), as in R's t.test(extra ~ group, paired = TRUE): mean −1.58, interval −2.4598858 to −0.7001142
    const first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
    const second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
    const { mean, interval, n } = pairedDifference(values(first), values(second).reverse());

    close(mean, -1.58, 1e-12);
    close(interval, (2.4598858 - 0.7001142) / 2, 1e-6);
    assert.equal(n, 10);
  });

  it("pair only the seeds that both have, and refuse what cannot be paired", () => {
    const at = (...seeds: number[]) => seeds.map((seed) => ({ seed, value: seed }));

    assert.deepEqual(pairedDifference(at(0, 1), at(1, 2)), { mean: 0, n: 1 });
    assert.throws(() => pairedDifference(at(0, 1), at(2)), /a seed in common, got the seeds 0, 1 and 2/);
    assert.throws(() => pairedDifference(at(0, 0), at(0)), /each seed once, got 0, 0/);
  });

  it("give a factor as a geometric mean with the interval of its logarithm", () => {
    const a = [{ seed: 0, value: 4 }, { seed: 1, value: 16 }]; // prettier-ignore
    const b = [{ seed: 0, value: 2 }, { seed: 1, value: 2 }]; // prettier-ignore

    // 2 and 8: √16; ln 2 and ln 8 lie ln 2 from their mean: t(0.975; 1)·ln 2 = 8.807
    const factor = pairedFactor(a, b);
    close(factor.factor, 4, 1e-12);
    close(factor.log.interval, 8.8071, 1e-3);
    assert.equal(formatFactor({ ...factor, low: 2.04, high: 7.96 }), "4.0 (2.0 to 8.0)");
    assert.equal(formatFactor(pairedFactor(a.slice(1), b)), "8.0");
    assert.throws(() => pairedFactor(a, [{ seed: 0, value: 0 }]), /values above 0, got 0 for seed 0/);
  });

  it("scale with their interval", () => {
    assert.deepEqual(scaleMean({ mean: 2, interval: 1, std: 0.5, n: 3 }, -2), { mean: -4, interval: 2, std: 1, n: 3 });
    assert.deepEqual(scaleMean({ mean: 2, n: 1 }, 3), { mean: 6, n: 1 });
  });

  it("are corrected for their number by Holm's procedure", () => {
    // Two-sided p of t with 4 degrees of freedom: 8.610 → 0.001, 4.604 → 0.010, 3.747 → 0.020, 2.776 → 0.050.
    // Holm of four: 0.001 ≤ 0.05/4, 0.010 ≤ 0.05/3, 0.020 ≤ 0.05/2, and 0.0501 > 0.05.
    const effect = (t: number) => ({ mean: t, interval: 2.7764451, n: 5 });

    assert.deepEqual(holm([2.775, 8.61, -4.604, 3.747].map(effect)), [false, true, true, true]);
    // 0.020 > 0.05/3 stops before the last, though 0.049 is below 0.05.
    assert.deepEqual(holm([2.79, 8.61, 3.747, 2.79].map(effect)), [false, true, false, false]);
    assert.deepEqual(holm([{ mean: 1, n: 1 }]), [false]);
    assert.deepEqual(holm([]), []);
  });

  it("group rows by fields in order of appearance", () => {
    const rows = [
      { method: "sam", seed: 0, error: 1 },
      { method: "sgd", seed: 0, error: 5 },
      { method: "sam", seed: 1, error: 3 },
    ];

    const groups = estimateBy(rows, ["method"], "error");

    assert.deepEqual(
      groups.map(({ method, mean, n }) => ({ method, mean, n })),
      [
        { method: "sam", mean: 2, n: 2 },
        { method: "sgd", mean: 5, n: 1 },
      ],
    );
  });

  it("print as the paper prints", () => {
    assert.equal(formatEstimate({ mean: 3.98, interval: 0.05 }), "3.98±0.05");
    assert.equal(formatEstimate({ mean: 0.0398, interval: 0.0005 }, { scale: 100 }), "3.98±0.05");
    assert.equal(formatEstimate({ mean: 2.1, interval: 0.1, bound: "<" }, { decimals: 1 }), "2.1±<0.1");
    assert.equal(formatEstimate({ mean: 19, interval: 0.01, bound: "<" }, { decimals: 1 }), "19.0±<0.01");
    assert.equal(formatEstimate({ mean: 1.4, interval: 0.001 }), "1.40±<0.01");
    assert.equal(formatEstimate({ mean: -3.9 }, { decimals: 1 }), "−3.9");
    assert.equal(formatEstimate({ mean: -0.001 }, { decimals: 1 }), "0.0");
  });
});
