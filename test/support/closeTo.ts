/** Comparison of numbers within a tolerance that is part of the test. */
import assert from "node:assert/strict";

/** |actual − expected| ≤ tolerance · max(1, |expected|), entry by entry; lengths must agree. */
export function closeTo(actual: number | ArrayLike<number>, expected: number | ArrayLike<number>, tolerance = 1e-6): void {
  compare(actual, expected, (e) => tolerance * Math.max(1, Math.abs(e)));
}

/** |actual − expected| ≤ tolerance · |expected|: for numbers far from 1. */
export function relativelyCloseTo(
  actual: number | ArrayLike<number>,
  expected: number | ArrayLike<number>,
  tolerance = 1e-6,
): void {
  compare(actual, expected, (e) => tolerance * Math.abs(e));
}

function compare(
  actual: number | ArrayLike<number>,
  expected: number | ArrayLike<number>,
  allowed: (expected: number) => number,
): void {
  const [a, e] = [toArray(actual), toArray(expected)];
  assert.equal(a.length, e.length, `${a.length} numbers, expected ${e.length}`);
  const wrong = a.findIndex((value, i) => !(Math.abs(value - e[i]!) <= allowed(e[i]!)));
  if (wrong >= 0) assert.fail(`entry ${wrong} is ${a[wrong]}, expected ${e[wrong]} ± ${allowed(e[wrong]!)}`);
}

function toArray(values: number | ArrayLike<number>): number[] {
  return typeof values === "number" ? [values] : Array.from(values);
}
