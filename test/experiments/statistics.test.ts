/** Intervals over seeds against printed tables of Student's t and worked examples. */
import assert from "node:assert/strict";
import { estimate, estimateBy, estimateDifference, formatEstimate } from "../../src/experiments/statistics";

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
    assert.deepEqual(estimateDifference([3], [1, 2]), { mean: 1.5, n: 1 });
  });

  it("refuse what has no mean, and say which value is to blame", () => {
    assert.throws(() => estimate([]), /at least one value, got none/);
    assert.throws(() => estimate([1, NaN, 2]), /value 2 of 3 is NaN/);
    assert.throws(() => estimate([1, 2], { level: 95 }), /level = 95, expected a confidence in \(0, 1\)/);
  });

  it("give Welch's interval for a difference", () => {
    // a: mean 2, s²/n = 1/3; b: mean 5, s²/n = 10/4 · … : 2, 4, 6, 8 → s² = 20/3, s²/n = 5/3.
    // ν = 2² / ((1/3)²/2 + (5/3)²/3) = 4 / (1/18 + 25/27) = 216/53 = 4.0755; t(0.975, 4.0755) lies between 2.776 and 2.571 (ν = 5).
    const { mean, interval } = estimateDifference([1, 2, 3], [2, 4, 6, 8]);

    assert.equal(mean, -3);
    assert.ok(interval! > 2.571 * Math.SQRT2 && interval! < 2.777 * Math.SQRT2, String(interval));
  });

  it("give Welch's interval equal to the pooled one where sizes and variances are equal", () => {
    // n = 3 each, s² = 1: ν = 4, half-width 2.776 · √(2/3) = 2.267
    close(estimateDifference([1, 2, 3], [2, 3, 4]).interval, 2.267, 1e-3);
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
