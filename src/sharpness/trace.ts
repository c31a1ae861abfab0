/** Random estimates of a trace, a diagonal and a Frobenius norm from products alone, each with its standard error. */
import { checkOptions, Rng, type OptionKinds } from "../engine";
import { checkCount, CountedOperator, LinearOperator, productKinds, ProductOptions, SEED } from "./operator";
import { Distribution, DISTRIBUTION, drawProbe } from "./spectralDensity";
import { RandomEstimate, meanAndError, toEstimate } from "./statistics";
import { dot, norm, normalized, orthogonalize } from "./vector";

export interface TraceOptions extends ProductOptions {
  /** Products. 100: PyHessian's most. */
  numProbes?: number;
  seed?: number | string;
  /** ±1 has the smaller variance for Hutchinson. */
  distribution?: Distribution;
}

const diagonalKinds: OptionKinds<Omit<TraceOptions, "distribution">> = { ...productKinds, numProbes: "number", seed: SEED };
const traceKinds: OptionKinds<TraceOptions> = { ...diagonalKinds, distribution: DISTRIBUTION };

/** Hutchinson (1990): tr A = E vᵀAv. `samples` are the vᵀAv, one a product. */
export async function hutchinsonTrace(operator: LinearOperator, options: TraceOptions = {}): Promise<RandomEstimate> {
  checkOptions(options, traceKinds, "hutchinsonTrace");
  return toEstimate(await mapProbes(operator, options, (v, av) => dot(v, av)));
}

/**
 * Hutch++ (Meyer, Musco, Musco and Woodruff 2021): the trace on the range of A times a random matrix exactly, the rest by
 * Hutchinson. `numProbes` counts all products, a third for each of range, exact part and rest, so that it compares with
 * `hutchinsonTrace` at equal cost; far smaller error where few eigenvalues stand out. The error is that of the rest.
 */
export async function hutchPlusPlus(operator: LinearOperator, options: TraceOptions = {}): Promise<RandomEstimate> {
  checkOptions(options, traceKinds, "hutchPlusPlus");
  const { numProbes = 99, seed = 0, distribution = "rademacher" } = options;
  const third = Math.floor(checkCount("numProbes", numProbes, 6) / 3); // fewer than 6 leave no two samples to tell an error from
  const counted = new CountedOperator(operator, numProbes, options);
  const range = await sketchRange(counted, Math.min(third, operator.size), seed);
  const exact = await sumOf(range, async (q) => dot(q, await counted.matvec(q)));
  if (range.length === operator.size) return { estimate: exact, standardError: 0, samples: [exact] };
  const samples: number[] = [];
  for (let probe = 0; probe < numProbes - 2 * third; probe++) {
    const v = Float64Array.from(drawProbe(operator.size, seed, probe, distribution));
    orthogonalize(v, range);
    const rounded = Float32Array.from(v);
    samples.push(exact + dot(rounded, await counted.matvec(rounded)));
  }
  return toEstimate(samples);
}

/** An orthonormal basis of the span of A times `columns` random vectors; shorter where A's rank is. */
async function sketchRange(operator: LinearOperator, columns: number, seed: number | string): Promise<Float32Array[]> {
  const basis: Float32Array[] = [];
  for (let column = 0; column < columns; column++) {
    const w = Float64Array.from(await operator.matvec(new Rng(seed).split("sketch").split(column).array(operator.size)));
    const before = norm(w);
    orthogonalize(w, basis);
    // 1e-5: what is left of a dependent column is the rounding of float32 products.
    if (norm(w) > 1e-5 * before) basis.push(normalized(w));
  }
  return basis;
}

async function sumOf<T>(items: readonly T[], term: (item: T) => Promise<number>): Promise<number> {
  let sum = 0;
  for (const item of items) sum += await term(item);
  return sum;
}

/** A diagonal, entry by entry. */
export interface DiagonalEstimate {
  /** (size) */
  readonly estimate: Float64Array;
  /** (size) of each entry; NaN for a single probe. */
  readonly standardError: Float64Array;
}

/** Bekas, Kokiopoulou and Saad (2007): diag A = E v ⊙ Av for v = ±1. */
export async function hessianDiagonal(
  operator: LinearOperator,
  options: Omit<TraceOptions, "distribution"> = {},
): Promise<DiagonalEstimate> {
  checkOptions(options, diagonalKinds, "hessianDiagonal");
  const [estimate, squares] = [new Float64Array(operator.size), new Float64Array(operator.size)];
  let n = 0;
  await mapProbes(operator, { ...options, distribution: "rademacher" }, (v, av) => {
    n++;
    for (let i = 0; i < v.length; i++) {
      const difference = v[i]! * av[i]! - estimate[i]!;
      estimate[i]! += difference / n;
      squares[i]! += difference * (v[i]! * av[i]! - estimate[i]!); // Welford (1962)
    }
  });
  return { estimate, standardError: squares.map((sum) => Math.sqrt(sum / (n - 1) / n)) };
}

/** ‖A‖_F = √(E ‖Av‖²). `samples` are the ‖Av‖²; the error is that of their mean, carried through the root. */
export async function frobeniusNorm(operator: LinearOperator, options: TraceOptions = {}): Promise<RandomEstimate> {
  checkOptions(options, traceKinds, "frobeniusNorm");
  const samples = await mapProbes(operator, options, (_, av) => dot(av, av));
  const { mean, standardError } = meanAndError(samples);
  const estimate = Math.sqrt(mean);
  return { estimate, standardError: mean === 0 ? standardError : standardError / (2 * estimate), samples };
}

async function mapProbes<T>(
  operator: LinearOperator,
  options: TraceOptions,
  fn: (v: Float32Array, av: Float32Array) => T,
): Promise<T[]> {
  const { numProbes = 100, seed = 0, distribution = "rademacher" } = options;
  const counted = new CountedOperator(operator, checkCount("numProbes", numProbes), options);
  const results: T[] = [];
  for (let probe = 0; probe < numProbes; probe++) {
    const v = drawProbe(operator.size, seed, probe, distribution);
    results.push(fn(v, await counted.matvec(v)));
  }
  return results;
}
