/** Loops over long vectors: sums in float64, whatever the storage, in blocks that stay in the processor's cache. */

export type Vector = Float32Array | Float64Array;

const BLOCK = 4096; // 32 kB of float64: the working vector's block stays in the first-level cache

/** ⟨a, b⟩ in float64. */
export function dot(a: Vector, b: Vector): number {
  return dotRange(a, b, 0, a.length);
}

/** ‖a‖₂ in float64. */
export function norm(a: Vector): number {
  return Math.sqrt(dot(a, a));
}

/** y += factor · x, in place. */
export function addScaled(y: Vector, x: Vector, factor: number): void {
  addScaledRange(y, x, factor, 0, x.length);
}

/** x / divisor, rounded once to float32. */
export function divided(x: Vector, divisor: number): Float32Array {
  const result = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) result[i] = x[i]! / divisor;
  return result;
}

/** x / ‖x‖₂ in float32. */
export function normalized(x: Vector): Float32Array {
  return divided(x, norm(x));
}

/** Vᵀw: one coefficient per basis vector. */
export function coefficients(basis: readonly Vector[], w: Vector): Float64Array {
  const result = new Float64Array(basis.length);
  for (let start = 0; start < w.length; start += BLOCK) {
    const end = Math.min(start + BLOCK, w.length);
    for (let j = 0; j < basis.length; j++) result[j]! += dotRange(basis[j]!, w, start, end);
  }
  return result;
}

/** w += sign · V c, in place. */
export function addCombination(w: Vector, basis: readonly Vector[], c: ArrayLike<number>, sign = 1): void {
  for (let start = 0; start < w.length; start += BLOCK) {
    const end = Math.min(start + BLOCK, w.length);
    for (let j = 0; j < basis.length; j++) addScaledRange(w, basis[j]!, sign * c[j]!, start, end);
  }
}

/** V c, rounded once to float32. */
export function combination(basis: readonly Vector[], c: ArrayLike<number>): Float32Array {
  const y = new Float64Array(basis[0]!.length);
  addCombination(y, basis, c);
  return Float32Array.from(y);
}

/**
 * Takes the span of an orthonormal basis out of w, in place, by classical Gram–Schmidt done twice ("twice is enough",
 * Giraud et al. 2005), and returns what was taken: (basis.length) coefficients.
 */
export function orthogonalize(w: Vector, basis: readonly Vector[]): Float64Array {
  const total = coefficients(basis, w);
  addCombination(w, basis, total, -1);
  const again = coefficients(basis, w);
  addCombination(w, basis, again, -1);
  for (let j = 0; j < total.length; j++) total[j]! += again[j]!;
  return total;
}

// Four sums side by side, since one sum waits for its own last addition.
function dotRange(a: Vector, b: Vector, start: number, end: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = start;
  for (; i + 3 < end; i += 4) {
    s0 += a[i]! * b[i]!;
    s1 += a[i + 1]! * b[i + 1]!;
    s2 += a[i + 2]! * b[i + 2]!;
    s3 += a[i + 3]! * b[i + 3]!;
  }
  for (; i < end; i++) s0 += a[i]! * b[i]!;
  return s0 + s1 + (s2 + s3);
}

function addScaledRange(y: Vector, x: Vector, factor: number, start: number, end: number): void {
  for (let i = start; i < end; i++) y[i]! += factor * x[i]!;
}
