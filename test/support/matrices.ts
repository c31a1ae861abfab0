/** Symmetric matrices with given eigenvalues, and comparisons of vectors. */
import assert from "node:assert/strict";
import { Rng } from "../../src/engine";

/** Q diag(eigenvalues) Qᵀ with a random orthogonal Q (a product of Householder reflections), in float64. */
export function matrixWithSpectrum(eigenvalues: readonly number[], seed = 0): Float64Array[] {
  const n = eigenvalues.length;
  const rng = new Rng(seed).split("matrixWithSpectrum");
  const a = eigenvalues.map((value, i) => Float64Array.from({ length: n }, (_, j) => (i === j ? value : 0)));
  for (let reflection = 0; reflection < 3; reflection++) reflect(a, unit(Float64Array.from(rng.split(reflection).array(n))));
  return a;
}

// A ← H A H with H = I − 2uuᵀ.
function reflect(a: Float64Array[], u: Float64Array): void {
  const au = a.map((row) => inner(row, u));
  const uau = inner(au, u);
  for (let i = 0; i < u.length; i++)
    for (let j = 0; j < u.length; j++) a[i]![j]! += 4 * uau * u[i]! * u[j]! - 2 * (au[i]! * u[j]! + u[i]! * au[j]!);
}

export function inner(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, x, i) => sum + x * b[i]!, 0);
}

export function unit(v: Float64Array): Float64Array {
  const length = Math.sqrt(inner(v, v));
  return v.map((x) => x / length);
}

/** A v in float64. */
export function multiply(a: ArrayLike<ArrayLike<number>>, v: ArrayLike<number>): Float64Array {
  return Float64Array.from(Array.from(a), (row) => inner(row, v));
}

/** max |actual − expected| ≤ tolerance. */
export function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what = "values"): void {
  assert.equal(actual.length, expected.length, `${what}: length`);
  for (let i = 0; i < expected.length; i++)
    assert.ok(
      Math.abs(actual[i]! - expected[i]!) <= tolerance,
      `${what}: [${i}] is ${actual[i]}, expected ${expected[i]} ± ${tolerance}`,
    );
}

/** |actual − expected| ≤ tolerance. */
export function assertNear(actual: number, expected: number, tolerance: number, what = "value"): void {
  assertClose([actual], [expected], tolerance, what);
}
