/** Loops over long vectors. Sums are float64 for any storage, in blocks that stay in the processor's cache. */

export type Vector = Float32Array | Float64Array;

const BLOCK = 4096; // 32 kB of float64: the working vector's block stays in the first-level cache

/** ⟨a, b⟩ in float64. */
export function dot(a: Vector, b: Vector): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** ‖a‖₂ in float64. */
export function norm(a: Vector): number {
  return Math.sqrt(dot(a, a));
}

/** y += factor · x, in place. */
export function addScaled(y: Vector, x: Vector, factor: number): void {
  for (let i = 0; i < x.length; i++) y[i]! += factor * x[i]!;
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
function coefficients(basis: readonly Float32Array[], w: Float64Array): Float64Array {
  const result = new Float64Array(basis.length);
  for (let start = 0; start < w.length; start += BLOCK) {
    const end = Math.min(start + BLOCK, w.length);
    for (let j = 0; j < basis.length; j += 4) addFourDots(result, j, basis, w, start, end);
  }
  return result;
}

/** w += sign · V c, in place. */
function addCombination(w: Float64Array, basis: readonly Float32Array[], c: ArrayLike<number>, sign = 1): void {
  const factors = Float64Array.from(c, (x) => sign * x);
  for (let start = 0; start < w.length; start += BLOCK) {
    const end = Math.min(start + BLOCK, w.length);
    for (let j = 0; j < basis.length; j += 4) addFourScaled(w, basis, factors, j, start, end);
  }
}

/** V c, rounded once to float32. */
export function combination(basis: readonly Float32Array[], c: ArrayLike<number>): Float32Array {
  const y = new Float64Array(basis[0]!.length);
  addCombination(y, basis, c);
  return Float32Array.from(y);
}

/**
 * Takes the span of an orthonormal basis out of w, in place, by classical Gram–Schmidt done twice ("twice is enough",
 * Giraud et al. 2005), and returns what was taken: (basis.length) coefficients.
 */
export function orthogonalize(w: Float64Array, basis: readonly Float32Array[]): Float64Array {
  const total = coefficients(basis, w);
  addCombination(w, basis, total, -1);
  const again = coefficients(basis, w);
  addCombination(w, basis, again, -1);
  for (let j = 0; j < total.length; j++) total[j]! += again[j]!;
  return total;
}

// Four vectors at once: each w[i] is read once for four products, and four sums do not wait for one another. The types are exact
// since a loop that sees one kind of array only is compiled to much faster code.
function addFourDots(
  sums: Float64Array,
  j: number,
  basis: readonly Float32Array[],
  w: Float64Array,
  start: number,
  end: number,
): void {
  const [v0, v1, v2, v3] = fourFrom(basis, j);
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  for (let i = start; i < end; i++) {
    const x = w[i]!;
    s0 += v0[i]! * x;
    s1 += v1[i]! * x;
    s2 += v2[i]! * x;
    s3 += v3[i]! * x;
  }
  const four = [s0, s1, s2, s3];
  for (let n = 0; n < 4 && j + n < sums.length; n++) sums[j + n]! += four[n]!;
}

function addFourScaled(
  w: Float64Array,
  basis: readonly Float32Array[],
  c: Float64Array,
  j: number,
  start: number,
  end: number,
): void {
  const [v0, v1, v2, v3] = fourFrom(basis, j);
  const [c0, c1, c2, c3] = [c[j]!, c[j + 1] ?? 0, c[j + 2] ?? 0, c[j + 3] ?? 0];
  for (let i = start; i < end; i++) w[i]! += c0 * v0[i]! + c1 * v1[i]! + (c2 * v2[i]! + c3 * v3[i]!);
}

// Past the end the last one again, with a factor of 0 or a sum that nobody reads.
function fourFrom(basis: readonly Float32Array[], j: number): [Float32Array, Float32Array, Float32Array, Float32Array] {
  const last = basis.length - 1;
  return [basis[j]!, basis[Math.min(j + 1, last)]!, basis[Math.min(j + 2, last)]!, basis[Math.min(j + 3, last)]!];
}
