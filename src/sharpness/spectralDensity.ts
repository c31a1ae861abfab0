/**
 * Stochastic Lanczos quadrature (Ghorbani, Krishnan and Xiao 2019): p(λ) ≈ mean over probes of Σᵢ ωᵢ N(λ; θᵢ, σ²), with θᵢ the
 * eigenvalues of T and ωᵢ the squared first components of its eigenvectors.
 */
import { checkOptions, Rng, type OptionKinds } from "../engine";
import { krylovTridiagonal, tridiagonalEigen } from "./lanczos";
import { checkCount, CountedOperator, LinearOperator, productKinds, ProductOptions, SEED } from "./operator";
import { meanAndError } from "./statistics";

export interface QuadratureOptions extends ProductOptions {
  /** Random start vectors. Ours: 1, as PyHessian's; ten give a useful error. */
  numProbes?: number;
  /** Per probe. 90: the documented example of google/spectral-density; at most the operator's size. */
  lanczosSteps?: number;
  seed?: number | string;
  /** Gaussian vectors, normalized, in google/spectral-density; ±1 in PyHessian. */
  distribution?: Distribution;
}

/** Distribution of the random probes. */
export type Distribution = "gaussian" | "rademacher";

export const DISTRIBUTION = { values: ["gaussian", "rademacher"] } as const;

const quadratureKinds: OptionKinds<QuadratureOptions> = {
  ...productKinds,
  numProbes: "number",
  lanczosSteps: "number",
  seed: SEED,
  distribution: DISTRIBUTION,
};

/** The result of the products. Smoothing it is free. */
export interface Quadrature {
  /** (numProbes, lanczosSteps) Ritz values, ascending in each row. */
  readonly nodes: number[][];
  /** (numProbes, lanczosSteps) squared first components; each row sums to 1. */
  readonly weights: number[][];
  /** Rows of the operator. */
  readonly size: number;
  readonly products: number;
}

/**
 * Nodes and weights of the spectral measure, one row a probe. For each probe v: Σω = 1, Σωθ = vᵀAv, Σωθ² = ‖Av‖², exact up to
 * degree 2·lanczosSteps − 1. Costs numProbes · lanczosSteps products; a probe whose Krylov space ends early costs fewer, and its
 * row is filled up with nodes of weight 0.
 */
export async function lanczosQuadrature(operator: LinearOperator, options: QuadratureOptions = {}): Promise<Quadrature> {
  checkOptions(options, quadratureKinds, "lanczosQuadrature");
  return quadratureOf(operator, options);
}

async function quadratureOf(operator: LinearOperator, options: QuadratureOptions): Promise<Quadrature> {
  const { numProbes = 1, lanczosSteps = Math.min(90, operator.size), seed = 0, distribution = "gaussian" } = options;
  checkSteps(operator.size, checkCount("lanczosSteps", lanczosSteps));
  const counted = new CountedOperator(operator, checkCount("numProbes", numProbes) * lanczosSteps, options);
  const rows = [];
  for (let probe = 0; probe < numProbes; probe++)
    rows.push(await quadratureRow(counted, drawProbe(operator.size, seed, probe, distribution), lanczosSteps));
  return {
    nodes: rows.map((row) => row.nodes),
    weights: rows.map((row) => row.weights),
    size: operator.size,
    products: counted.products,
  };
}

function checkSteps(size: number, steps: number): void {
  if (steps > size) throw new Error(`lanczosSteps = ${steps} exceeds the operator's size ${size}`);
}

/** (size) independent of how many other probes there are. */
export function drawProbe(size: number, seed: number | string, probe: number, distribution: Distribution): Float32Array {
  return new Rng(seed)
    .split("probe")
    .split(probe)
    .array(size, distribution === "gaussian" ? "normal" : "rademacher");
}

async function quadratureRow(operator: LinearOperator, startVector: Float32Array, steps: number) {
  const { alphas, betas } = await krylovTridiagonal(operator, startVector, steps);
  const { values, vectors } = tridiagonalEigen(alphas, betas);
  const padding = new Array<number>(steps - values.length);
  return {
    nodes: [...values, ...padding.fill(values.at(-1)!)],
    weights: [...vectors.map((vector) => vector[0]! ** 2), ...padding.map(() => 0)],
  };
}

/** Options of `smoothSpectrum`. */
export interface SmoothOptions {
  /** Width of the Gaussians. √(1e-5 · max(1, λmax − λmin)): google/spectral-density and PyHessian. */
  sigma?: number;
  /** Ours: four per sigma, at least 1000 (google/spectral-density: 10 000). */
  gridPoints?: number;
  /** Ascending abscissas, in place of the default grid. */
  grid?: ArrayLike<number>;
}

/** A density over a grid of eigenvalues. */
export interface SpectralDensity {
  /** λ, ascending. Ends max(0.01, 5 σ) beyond the extreme nodes. */
  readonly grid: number[];
  /** p(λ), of integral 1. */
  readonly density: number[];
  /** Standard error of p(λ) over the probes; NaN for a single probe. */
  readonly standardError: number[];
  readonly sigma: number;
}

const smoothKinds: OptionKinds<SmoothOptions> = { sigma: "number", gridPoints: "number", grid: "array" };

/** Density on a grid. Takes no products. */
export function smoothSpectrum(quadrature: Quadrature, options: SmoothOptions = {}): SpectralDensity {
  checkOptions(options, smoothKinds, "smoothSpectrum");
  return smoothed(quadrature, options);
}

function smoothed(quadrature: Quadrature, options: SmoothOptions): SpectralDensity {
  const [min, max] = extremes(quadrature.nodes);
  const { sigma = Math.sqrt(1e-5 * Math.max(1, max - min)) } = options;
  if (!(sigma > 0)) throw new Error(`sigma = ${sigma}: expected a number > 0`);
  if (options.gridPoints !== undefined) checkCount("gridPoints", options.gridPoints, 2);
  const grid = options.grid ? Array.from(options.grid) : makeGrid(min, max, sigma, options.gridPoints);
  const perProbe = quadrature.nodes.map((nodes, probe) => sumOfGaussians(grid, nodes, quadrature.weights[probe]!, sigma));
  const points = grid.map((_, i) => meanAndError(perProbe.map((density) => density[i]!)));
  return { grid, density: points.map((p) => p.mean), standardError: points.map((p) => p.standardError), sigma };
}

function makeGrid(min: number, max: number, sigma: number, gridPoints?: number): number[] {
  const margin = Math.max(0.01, 5 * sigma); // 0.01: google/spectral-density; 5 σ leaves less than 1e-6 of a peak outside
  const range = max - min + 2 * margin;
  const needed = Math.ceil(range / sigma) + 1;
  const points = gridPoints ?? Math.max(1000, 4 * needed);
  if (points < needed)
    throw new Error(`gridPoints = ${points} are too few: peaks of width sigma = ${sigma} need ${needed} on this range`);
  return Array.from({ length: points }, (_, i) => min - margin + (range * i) / (points - 1));
}

function extremes(rows: readonly number[][]): [number, number] {
  return [Math.min(...rows.map((row) => Math.min(...row))), Math.max(...rows.map((row) => Math.max(...row)))];
}

function sumOfGaussians(
  grid: readonly number[],
  nodes: readonly number[],
  weights: readonly number[],
  sigma: number,
): Float64Array {
  const density = new Float64Array(grid.length);
  const scale = 1 / (sigma * Math.sqrt(2 * Math.PI));
  for (let j = 0; j < nodes.length; j++)
    for (let i = 0; i < grid.length; i++)
      density[i]! += weights[j]! * scale * Math.exp(-0.5 * ((grid[i]! - nodes[j]!) / sigma) ** 2);
  return density;
}

/**
 * p(λ) of the operator's eigenvalues, as Figure 3 of the paper draws it: `lanczosQuadrature`, then `smoothSpectrum`. The quadrature is
 * in the result, to smooth it again.
 */
export async function spectralDensity(
  operator: LinearOperator,
  options: QuadratureOptions & SmoothOptions = {},
): Promise<SpectralDensity & { readonly quadrature: Quadrature }> {
  checkOptions(options, { ...quadratureKinds, ...smoothKinds }, "spectralDensity");
  const quadrature = await quadratureOf(operator, options);
  return { ...smoothed(quadrature, options), quadrature };
}

/** Σ f(λᵢ) over all eigenvalues ≈ size · mean over probes of Σ ω f(θ): `fn: Math.abs` gives the nuclear norm, `(x) => x` the trace. */
export function spectralSum({ nodes, weights, size }: Quadrature, fn: (eigenvalue: number) => number) {
  const samples = nodes.map((row, probe) => size * row.reduce((sum, node, i) => sum + weights[probe]![i]! * fn(node), 0));
  const { mean: estimate, standardError } = meanAndError(samples);
  return { estimate, standardError, samples };
}
