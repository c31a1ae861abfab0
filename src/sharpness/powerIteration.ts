/**
 * Power iteration with deflation: v ← (A − σ)v, orthogonalized against the eigenvectors found before, until ‖Av − θv‖ is small.
 * PyHessian's method, for comparison: Lanczos needs far fewer products for the same digits.
 */
import { Matrix } from "ml-matrix";
import { checkOptions, Rng, type OptionKinds } from "../engine";
import { choose, EigenResult, isConverged, symmetricEigen, Which, WHICH } from "./lanczos";
import { checkCount, checkOver, CountedOperator, LinearOperator, productKinds, ProductOptions, SEED } from "./operator";
import { addScaled, combination, dot, norm, normalized, orthogonalize, Vector } from "./vector";

export interface PowerIterationOptions extends ProductOptions {
  /** Eigenvalues wanted. */
  k?: number;
  /** At most, per eigenvalue. 100: PyHessian's default. */
  iterations?: number;
  /** Ends an eigenvalue at residual ≤ tolerance · |θ|. Ours: 1e-3; its eigenvalue then has about six digits. */
  tolerance?: number;
  /** If `"LA"` or `"SA"` finds the other end of the spectrum first, it starts again on A − σ, where σ is that end. */
  which?: Which;
  seed?: number | string;
}

export interface PowerIterationResult extends EigenResult {
  /** σ of the last run: 0 where no shift was needed. */
  readonly shift: number;
}

const powerIterationKinds: OptionKinds<PowerIterationOptions> = {
  ...productKinds,
  k: "number",
  iterations: "number",
  tolerance: "number",
  which: WHICH,
  seed: SEED,
};

interface Pair {
  vector: Float32Array;
  product: Float32Array;
  theta: number;
  iterations: number;
}

/**
 * k eigenpairs, one after the other. Costs up to k · iterations products, more where a shift is needed. In the end the k vectors
 * are turned within their span (Rayleigh–Ritz, no products), else the earlier ones' error would stay in the later ones.
 */
export async function powerIteration(
  operator: LinearOperator,
  options: PowerIterationOptions = {},
): Promise<PowerIterationResult> {
  checkOptions(options, powerIterationKinds, "powerIteration");
  const { k = 1, iterations = 100, tolerance = 1e-3, which = "LA", seed = 0 } = options;
  checkOver("tolerance", tolerance, 0);
  if (checkCount("k", k) > operator.size) throw new Error(`k = ${k} exceeds the operator's size ${operator.size}`);
  const runs = which === "LM" ? k : k + 1; // one more for the end that a shift is taken from
  const counted = new CountedOperator(operator, runs * checkCount("iterations", iterations), options);
  const pairs: Pair[] = [];
  let shift = 0;
  while (pairs.length < k) {
    const found = pairs.map((pair) => pair.vector);
    const start = new Rng(seed).split("start").split(pairs.length).array(operator.size);
    const pair = await iterate(counted, found, start, { shift, iterations, tolerance });
    if (shift === 0 && isWrongEnd(pair.theta, which)) shift = pair.theta;
    else pairs.push(pair);
  }
  return { ...rayleighRitz(pairs, which, tolerance), products: counted.products, shift };
}

function isWrongEnd(theta: number, which: Which): boolean {
  return (which === "LA" && theta < 0) || (which === "SA" && theta > 0);
}

interface IterateOptions {
  shift: number;
  iterations: number;
  tolerance: number;
}

async function iterate(
  operator: LinearOperator,
  found: Float32Array[],
  start: Float32Array,
  options: IterateOptions,
): Promise<Pair> {
  let vector = normalized(deflated(start, found));
  for (let iterations = 1; ; iterations++) {
    const av = await operator.matvec(vector);
    const w = deflated(av, found);
    const theta = dot(vector, w);
    const done = residualNorm(w, vector, theta) <= options.tolerance * Math.abs(theta) || iterations === options.iterations;
    if (done) return { vector, product: av, theta, iterations };
    addScaled(w, vector, -options.shift);
    vector = normalized(w);
  }
}

function deflated(w: Vector, found: Float32Array[]): Float64Array {
  const rest = Float64Array.from(w);
  orthogonalize(rest, found);
  return rest;
}

function residualNorm(w: Vector, vector: Vector, theta: number): number {
  const rest = Float64Array.from(w);
  addScaled(rest, vector, -theta);
  return norm(rest);
}

function rayleighRitz(pairs: Pair[], which: Which, tolerance: number) {
  const [basis, products] = [pairs.map((pair) => pair.vector), pairs.map((pair) => pair.product)];
  const projected = basis.map((v, i) => basis.map((u, j) => (dot(v, products[j]!) + dot(u, products[i]!)) / 2));
  const { values, vectors } = symmetricEigen(new Matrix(projected));
  const chosen = choose(values, pairs.length, which);
  const eigenvalues = chosen.map((i) => values[i]!);
  const eigenvectors = chosen.map((i) => combination(basis, vectors[i]!));
  const residuals = chosen.map((i, rank) => residualNorm(combination(products, vectors[i]!), eigenvectors[rank]!, values[i]!));
  return {
    eigenvalues,
    eigenvectors,
    residuals,
    converged: eigenvalues.map((theta, rank) => isConverged(theta, residuals[rank]!, eigenvalues, tolerance)),
    iterations: pairs.reduce((sum, pair) => sum + pair.iterations, 0),
  };
}
