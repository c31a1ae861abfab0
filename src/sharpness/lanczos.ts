/**
 * Lanczos (1950) with full re-orthogonalization: A V = V T + β v eᵀ with V orthonormal and T tridiagonal; T's eigenpairs (θ, s)
 * give Ritz pairs (θ, V s), of which the extreme ones converge first.
 *
 * The basis is kept in float32: products take float32 vectors, and V is defined as the rounded vectors that were multiplied, so
 * float64 would double the memory to keep digits that the operator never saw. Every sum and the eigenproblem of T are float64.
 */
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { checkOptions, Rng, type OptionKinds } from "../engine";
import { checkCount, checkOver, CountedOperator, LinearOperator, productKinds, ProductOptions, SEED } from "./operator";
import { combination, divided, norm, normalized, orthogonalize } from "./vector";

/** `"LA"`: algebraically largest (λmax), `"SA"`: algebraically smallest, `"LM"`: largest in magnitude, either sign. */
export type Which = "LA" | "SA" | "LM";

export interface LanczosOptions extends ProductOptions {
  /** Eigenvalues wanted. */
  k?: number;
  /** Steps in all, those in `state` included. Ours: max(20, 2k + 20), at most the operator's size. */
  lanczosSteps?: number;
  which?: Which;
  /** Seed of the start vector, and of new starts after an invariant subspace. */
  seed?: number | string;
  /** (size) start vector instead of a random one. */
  startVector?: Float32Array;
  /** `converged` means residual ≤ tolerance · |eigenvalue|. Ours: 1e-3, three digits, as PyHessian's. */
  tolerance?: number;
  /** Ends before `lanczosSteps` once all k have converged. */
  stopEarly?: boolean;
  /** State of an earlier result; only the steps beyond it cost products. */
  state?: LanczosState;
}

export const WHICH = { values: ["LA", "SA", "LM"] } as const;

const lanczosKinds: OptionKinds<LanczosOptions> = {
  ...productKinds,
  k: "number",
  lanczosSteps: "number",
  which: WHICH,
  seed: SEED,
  startVector: "array",
  tolerance: "number",
  stopEarly: "boolean",
  state: "object",
};

/** k eigenpairs of an operator. */
export interface EigenResult {
  /** (k) in the order of `which`: largest first for `"LA"`, smallest first for `"SA"`, largest magnitude first for `"LM"`. */
  readonly eigenvalues: number[];
  /** (k) unit vectors of the operator's size, in the same order. */
  readonly eigenvectors: Float32Array[];
  /** (k) ‖A y − θ y‖. An eigenvalue lies within the residual of θ. */
  readonly residuals: number[];
  /** (k) residual ≤ tolerance · |θ|, where |θ| counts as at least 1e-6 of the operator's norm, which float32 cannot resolve. */
  readonly converged: boolean[];
  /** Lanczos steps, or power iterations over all k. */
  readonly iterations: number;
  /** Products that this call took. */
  readonly products: number;
}

export interface LanczosResult extends EigenResult {
  /** (iterations) all eigenvalues of T, ascending. */
  readonly ritzValues: number[];
  /** (iterations) diagonal of T. */
  readonly alphas: number[];
  /** (iterations − 1) off-diagonal of T; 0 where an invariant subspace was complete. */
  readonly betas: number[];
  /** To go on from. */
  readonly state: LanczosState;
}

/** A Lanczos run so far. Plain and never changed: the same state can be continued in several ways. */
export interface LanczosState {
  readonly seed: number | string;
  /** (steps) orthonormal vectors of the operator's size. */
  readonly basis: readonly Float32Array[];
  /** (steps) diagonal of T. */
  readonly alphas: readonly number[];
  /** (steps) off-diagonal of T, with the next one. */
  readonly betas: readonly number[];
  /** (steps) the j-th holds what VᵀA v_j and the β dropped at a complete subspace differ from T by: the products' own error. */
  readonly errors: readonly Float64Array[];
  /** The next basis vector; null when the basis is complete. */
  readonly next: Float32Array | null;
}

/**
 * k eigenpairs of a symmetric operator.
 *
 *     const { eigenvalues, residuals } = await lanczos(operator, { k: 5, lanczosSteps: 60, which: "LA", seed: 0 });
 *
 * Residuals hold the error of the products too (their measured asymmetry), so they are honest for float32 and finite
 * differences. An eigenvalue that occurs more than once is found once per complete invariant subspace: a random new start,
 * orthogonal to everything before, finds the next copy. Costs one product per new step, and lanczosSteps · size · 4 bytes.
 *
 * @throws if `k` or `lanczosSteps` exceed what the operator has, or a product is not finite
 */
export async function lanczos(operator: LinearOperator, options: LanczosOptions = {}): Promise<LanczosResult> {
  checkOptions(options, lanczosKinds, "lanczos");
  const { k = 1, which = "LA", tolerance = 1e-3, stopEarly = false } = options;
  checkOver("tolerance", tolerance, 0);
  const lanczosSteps = checkSteps(operator.size, k, options.lanczosSteps);
  let state = truncate(startState(operator, options), lanczosSteps);
  const counted = new CountedOperator(operator, lanczosSteps - state.basis.length, options);
  while (state.basis.length < lanczosSteps) {
    if (stopEarly && hasConverged(state, k, which, tolerance)) break;
    state = await step(counted, state);
  }
  return { ...ritzPairs(state, k, which, tolerance), products: counted.products, state };
}

/**
 * T of one start vector, for quadrature: ends with the vector's Krylov space, since a new start would cost products for nodes
 * of weight 0. `alphas` may then be shorter than `steps`.
 */
export async function krylovTridiagonal(operator: LinearOperator, startVector: Float32Array, steps: number) {
  let state = startState(operator, { startVector });
  do state = await step(operator, state);
  while (state.basis.length < steps && state.betas.at(-1)! > 0);
  return { alphas: state.alphas, betas: state.betas.slice(0, -1) };
}

/** Nothing done yet: the start vector is given, or Gaussian from the seed. */
function startState(operator: LinearOperator, { seed, startVector, state }: LanczosOptions): LanczosState {
  if (state) return checkState(operator, state, seed, startVector);
  if (startVector && startVector.length !== operator.size)
    throw new Error(`startVector has ${startVector.length} values, expected the operator's size ${operator.size}`);
  const start = startVector ?? new Rng(seed ?? 0).split("start").array(operator.size);
  if (!(norm(start) > 0 && norm(start) < Infinity))
    throw new Error(`startVector has norm ${norm(start)}: expected a finite number > 0`);
  return { seed: seed ?? 0, basis: [], alphas: [], betas: [], errors: [], next: normalized(start) };
}

/** One product, orthogonalized against all before. */
async function step(operator: LinearOperator, state: LanczosState): Promise<LanczosState> {
  const basis = [...state.basis, state.next!];
  const w = Float64Array.from(await operator.matvec(state.next!));
  const error = orthogonalize(w, basis); // column j of A in the basis; minus T's column, it is the error of the products
  const alpha = error[basis.length - 1]!;
  error[basis.length - 1] = 0;
  if (basis.length > 1) error[basis.length - 2]! -= state.betas.at(-1)!;
  const alphas = [...state.alphas, alpha];
  const { beta, next } = nextVector(w, basis, state, spectralScale(alphas, state.betas));
  const errors = [...state.errors, beta === 0 ? Float64Array.of(...error, norm(w)) : error];
  return { seed: state.seed, basis, alphas, betas: [...state.betas, beta], errors, next };
}

// Below 2⁻²² of the operator's norm, four units of float32's rounding, a new direction is rounding alone: the subspace is complete.
function nextVector(w: Float64Array, basis: Float32Array[], state: LanczosState, scale: number) {
  const beta = norm(w);
  if (basis.length === w.length) return { beta: 0, next: null };
  if (beta > 2 ** -22 * scale) return { beta, next: divided(w, beta) };
  return { beta: 0, next: newStart(basis, new Rng(state.seed).split("restart").split(basis.length)) };
}

/** A random unit vector, orthogonal to the basis. */
function newStart(basis: readonly Float32Array[], rng: Rng): Float32Array {
  for (;;) {
    const w = Float64Array.from(rng.array(basis[0]!.length));
    const before = norm(w);
    orthogonalize(w, basis);
    if (norm(w) > 1e-3 * before) return normalized(orthogonalAgain(w, basis));
  }
}

// Rounded to float32 first: close to a full basis the rest is small, and its rounding would matter.
function orthogonalAgain(w: Float64Array, basis: readonly Float32Array[]): Float64Array {
  const rounded = Float64Array.from(normalized(w));
  orthogonalize(rounded, basis);
  return rounded;
}

/** An estimate of ‖A‖ that needs no eigenvalues: the largest column of T. */
function spectralScale(alphas: readonly number[], betas: readonly number[]): number {
  return alphas.reduce((max, alpha, j) => Math.max(max, Math.hypot(alpha, betas[j] ?? 0, betas[j - 1] ?? 0)), 0);
}

/** The first `steps` steps of a state. */
function truncate(state: LanczosState, steps: number): LanczosState {
  if (state.basis.length <= steps) return state;
  const cut = <T>(list: readonly T[]) => list.slice(0, steps);
  return {
    seed: state.seed,
    basis: cut(state.basis),
    alphas: cut(state.alphas),
    betas: cut(state.betas),
    errors: cut(state.errors),
    next: state.basis[steps]!,
  };
}

// The cost of T's eigenproblem grows with the cube of the steps, so only every fifth step looks.
function hasConverged(state: LanczosState, k: number, which: Which, tolerance: number): boolean {
  if (state.basis.length < k || state.basis.length % 5 !== 0) return false;
  const { values, vectors } = tridiagonalEigen(state.alphas, state.betas);
  const chosen = choose(values, k, which);
  return chosen.every((i) => isConverged(values[i]!, residual(state, vectors[i]!), values, tolerance));
}

function ritzPairs(state: LanczosState, k: number, which: Which, tolerance: number) {
  const { values, vectors } = tridiagonalEigen(state.alphas, state.betas);
  const chosen = choose(values, k, which);
  const residuals = chosen.map((i) => residual(state, vectors[i]!));
  return {
    eigenvalues: chosen.map((i) => values[i]!),
    eigenvectors: chosen.map((i) => normalized(combination(state.basis, vectors[i]!))),
    residuals,
    converged: chosen.map((i, rank) => isConverged(values[i]!, residuals[rank]!, values, tolerance)),
    iterations: state.basis.length,
    ritzValues: values,
    alphas: [...state.alphas],
    betas: state.betas.slice(0, -1),
  };
}

/**
 * (steps, 1 … steps) all Ritz values, ascending, after each step of a finished run: T of fewer steps is its upper left corner, so
 * that no product is repeated.
 */
export function ritzHistory({ alphas, betas }: Pick<LanczosResult, "alphas" | "betas">): number[][] {
  return alphas.map((_, last) => tridiagonalEigen(alphas.slice(0, last + 1), betas.slice(0, last)).values);
}

/** Indices of the k wanted among ascending values. */
export function choose(values: readonly number[], k: number, which: Which): number[] {
  const indices = values.map((_, i) => i);
  if (which === "LA") indices.reverse();
  if (which === "LM") indices.sort((i, j) => Math.abs(values[j]!) - Math.abs(values[i]!));
  return indices.slice(0, k);
}

/**
 * ‖A y − θ y‖ of y = V s: β|s_m| leaves the subspace, (VᵀAV − T)s is the products' error as far as the subspace shows it, the
 * noise stands for what it does not show, and float32's half unit of rounding is there always.
 */
function residual(state: LanczosState, s: ArrayLike<number>): number {
  const steps = state.basis.length;
  const inside = new Float64Array(steps + 1);
  for (let j = 0; j < steps; j++) state.errors[j]!.forEach((error, i) => (inside[i]! += error * s[j]!));
  const rounding = 2 ** -24 * spectralScale(state.alphas, state.betas);
  return Math.hypot(state.betas[steps - 1]! * s[steps - 1]!, norm(inside), productNoise(state), rounding);
}

// Only the error along earlier basis vectors is observed, as asymmetry. Its mean square stands for all directions.
function productNoise({ errors, basis }: LanczosState): number {
  const seen = errors.flatMap((error, j) => Array.from(error.subarray(0, j)));
  return seen.length === 0 ? 0 : (norm(Float64Array.from(seen)) / Math.sqrt(seen.length)) * Math.sqrt(basis[0]!.length);
}

/** If |θ| is below float32's resolution of the norm, 1e-6 of the norm replaces it. */
export function isConverged(theta: number, residual: number, values: readonly number[], tolerance: number): boolean {
  const scale = values.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  return residual <= Math.max(tolerance * Math.abs(theta), 1e-6 * scale);
}

/** Eigenvalues of a symmetric tridiagonal matrix, ascending, and their unit vectors. */
export function tridiagonalEigen(
  alphas: readonly number[],
  betas: readonly number[],
): { values: number[]; vectors: Float64Array[] } {
  const t = Matrix.zeros(alphas.length, alphas.length);
  alphas.forEach((alpha, i) => t.set(i, i, alpha));
  betas.slice(0, alphas.length - 1).forEach((beta, i) => t.set(i, i + 1, beta).set(i + 1, i, beta));
  return symmetricEigen(t);
}

/** Eigenvalues of a symmetric matrix, ascending, and their unit vectors. */
export function symmetricEigen(matrix: Matrix): { values: number[]; vectors: Float64Array[] } {
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(matrix, { assumeSymmetric: true });
  const order = realEigenvalues.map((_, i) => i).sort((i, j) => realEigenvalues[i]! - realEigenvalues[j]!);
  return {
    values: order.map((i) => realEigenvalues[i]!),
    vectors: order.map((i) => Float64Array.from(eigenvectorMatrix.getColumn(i))),
  };
}

function checkSteps(size: number, k: number, steps = Math.min(size, Math.max(20, 2 * k + 20))): number {
  checkCount("k", k);
  checkCount("lanczosSteps", steps);
  if (k > size) throw new Error(`k = ${k} exceeds the operator's size ${size}`);
  if (steps > size) throw new Error(`lanczosSteps = ${steps} exceeds the operator's size ${size}`);
  if (k > steps) throw new Error(`k = ${k} exceeds lanczosSteps = ${steps}: each step gives one Ritz value`);
  return steps;
}

function checkState(
  operator: LinearOperator,
  state: LanczosState,
  seed?: number | string,
  startVector?: Float32Array,
): LanczosState {
  const size = (state.next ?? state.basis[0]!).length;
  if (size !== operator.size) throw new Error(`the state is of an operator of size ${size}, expected ${operator.size}`);
  if (seed !== undefined && seed !== state.seed)
    throw new Error(`seed = ${seed}, but the state was started with seed = ${state.seed}`);
  if (startVector) throw new Error("startVector and state are both given: a state has its start vector");
  return state;
}

/** The largest eigenvalue with its eigenvector and its error. */
export interface LambdaMax {
  /** The algebraically largest eigenvalue. */
  readonly lambdaMax: number;
  /** ‖A y − λ y‖: some eigenvalue is within it. */
  readonly residual: number;
  readonly converged: boolean;
  /** (size) its unit vector. */
  readonly eigenvector: Float32Array;
  readonly products: number;
}

export interface LambdaMaxOptions extends ProductOptions {
  /** At most. Ours: 100, as PyHessian's power iterations; Lanczos needs far fewer. */
  lanczosSteps?: number;
  seed?: number | string;
  /** Stops at residual ≤ tolerance · λmax. Ours: 1e-3. */
  tolerance?: number;
}

const lambdaMaxKinds: OptionKinds<LambdaMaxOptions> = {
  ...productKinds,
  lanczosSteps: "number",
  seed: SEED,
  tolerance: "number",
};

/** λmax, with as few products as its tolerance needs. */
export async function lambdaMax(operator: LinearOperator, options: LambdaMaxOptions = {}): Promise<LambdaMax> {
  checkOptions(options, lambdaMaxKinds, "lambdaMax");
  const result = await topEigenvalues(operator, 1, options);
  const [eigenvalues, residuals, converged, eigenvectors] = [
    result.eigenvalues,
    result.residuals,
    result.converged,
    result.eigenvectors,
  ];
  return {
    lambdaMax: eigenvalues[0]!,
    residual: residuals[0]!,
    converged: converged[0]!,
    eigenvector: eigenvectors[0]!,
    products: result.products,
  };
}

/** λmax/λ₅ with both eigenvalues. */
export interface LambdaRatio {
  /** λmax / λ5, λ5 the fifth largest. */
  readonly ratio: number;
  /** Bound on the ratio's error from the two residuals, to first order. */
  readonly error: number;
  readonly lambdaMax: number;
  readonly lambda5: number;
  /** (5) largest first. */
  readonly eigenvalues: number[];
  /** (5) */
  readonly residuals: number[];
  /** All five. */
  readonly converged: boolean;
  readonly products: number;
}

/** λmax/λ5 of the paper's Figure 3: how far the largest eigenvalue stands out. */
export async function lambdaMaxOverLambda5(operator: LinearOperator, options: LambdaMaxOptions = {}): Promise<LambdaRatio> {
  checkOptions(options, lambdaMaxKinds, "lambdaMaxOverLambda5");
  const { eigenvalues, residuals, converged, products } = await topEigenvalues(operator, 5, options);
  const [lambdaMax, lambda5] = [eigenvalues[0]!, eigenvalues[4]!];
  const ratio = lambdaMax / lambda5;
  const error = Math.abs(ratio) * (residuals[0]! / Math.abs(lambdaMax) + residuals[4]! / Math.abs(lambda5));
  return { ratio, error, lambdaMax, lambda5, eigenvalues, residuals, converged: converged.every(Boolean), products };
}

function topEigenvalues(operator: LinearOperator, k: number, options: LambdaMaxOptions): Promise<LanczosResult> {
  const { lanczosSteps = Math.min(100, operator.size), ...rest } = options;
  return lanczos(operator, { ...rest, lanczosSteps, k, which: "LA", stopEarly: true });
}
