/**
 * A mixture of two components on per-example losses, fitted by EM in double precision. Low losses indicate clean labels, high losses wrong
 * ones. The components are beta (Arazo et al. 2019, fitted by moments as there) or Gaussian (DivideMix, Li et al. 2020).
 */
import gammaln from "@stdlib/math-base-special-gammaln";
import { checkOptions, type OptionKinds } from "../engine";

/** One component of a beta mixture. */
export interface BetaComponent {
  /** Share of the examples, in [0, 1]. */
  readonly weight: number;
  readonly alpha: number;
  readonly beta: number;
}

/** One component of a Gaussian mixture. */
export interface GaussianComponent {
  /** Share of the examples, in [0, 1]. */
  readonly weight: number;
  readonly mean: number;
  readonly variance: number;
}

interface Fitted<Component> {
  /** The component with the lower mean (clean labels) comes first. */
  readonly components: readonly [Component, Component];
  /** Mean log-likelihood of a value before the last update. */
  readonly logLikelihood: number;
  readonly iterations: number;
  /** False if `maxIterations` came first. */
  readonly converged: boolean;
}

/** A fitted mixture of two beta distributions. */
export interface BetaMixture extends Fitted<BetaComponent> {
  readonly kind: "beta";
}

/** A fitted mixture of two Gaussians. */
export interface GaussianMixture extends Fitted<GaussianComponent> {
  readonly kind: "gaussian";
}

interface EmOptions<Component> {
  /** Default 1000: ours, so that EM converges; the authors' codes stop at 10, where it may be far from it. */
  readonly maxIterations?: number;
  /** EM stops when the mean log-likelihood changes by no more. Default 1e-7: ours; the authors' codes have 0 and 1e-2. */
  readonly tolerance?: number;
  /**
   * Two components, or "k-means": those of the two clusters that it finds, as in DivideMix' code. Default "k-means". Arazo et al.'s code
   * starts from Beta(1, 2) and Beta(2, 1), from where EM may end with one component at both ends of the losses.
   */
  readonly start?: readonly [Component, Component] | "k-means";
}

/** Options of `betaMixture`. */
export interface BetaMixtureOptions extends EmOptions<BetaComponent> {}

/** Options of `gaussianMixture`. */
export interface GaussianMixtureOptions extends EmOptions<GaussianComponent> {
  /** Added to each variance, in squared units of the values. Default 5e-4: DivideMix' code, for losses scaled to [0, 1]. */
  readonly addedVariance?: number;
}

const emKinds: OptionKinds<EmOptions<unknown>> = {
  maxIterations: "number",
  tolerance: "number",
  start: { types: ["array", "string"] },
};

/** Options of `normalizeLosses`. */
export interface NormalizeLossesOptions {
  /** Percentile that becomes 0; lower losses are clipped. Default 5: Arazo et al.'s code. 0 for DivideMix. */
  readonly lowest?: number;
  /** Percentile that becomes 1. Default 95: Arazo et al.'s code. 100 for DivideMix. */
  readonly highest?: number;
  /** Distance kept from 0 and 1, where a beta density may be infinite. Default 1e-3: Arazo et al.'s code. */
  readonly margin?: number;
}

/** Losses mapped into (0, 1), and the map. */
export interface NormalizedLosses {
  /** (n) on [margin, 1 − margin], clipped; posteriors are computed from these. */
  readonly scaled: Float64Array;
  /** Losses between the percentiles, in order. A mixture is fitted to these, since piles at the ends would bend beta densities. */
  readonly inner: Float64Array;
}

/**
 * Losses on [0, 1] for a mixture.
 * @throws if a loss is not finite, the percentiles are not in order, or all losses between them are equal
 */
export function normalizeLosses(losses: ArrayLike<number>, options: NormalizeLossesOptions = {}): NormalizedLosses {
  checkOptions(options, { lowest: "number", highest: "number", margin: "number" }, "normalizeLosses");
  const { lowest = 5, highest = 95, margin = 1e-3 } = options;
  if (!(lowest >= 0 && lowest < highest && highest <= 100))
    throw new Error(`lowest = ${lowest}, highest = ${highest}: expected percentiles with 0 ≤ lowest < highest ≤ 100`);
  if (!(margin >= 0 && margin < 0.5)) throw new Error(`margin = ${margin}: expected a number in [0, 0.5)`);
  const values = checkValues(losses, { name: "loss", from: -Infinity, to: Infinity });
  const sorted = values.slice().sort();
  const [low, high] = [percentileOfSorted(sorted, lowest), percentileOfSorted(sorted, highest)];
  if (low === high) throw new Error(`all losses are ${low} between percentiles ${lowest} and ${highest}: nothing to tell apart`);
  const scaled = values.map((loss) => Math.min(Math.max((loss - low) / (high - low), margin), 1 - margin));
  return { scaled, inner: scaled.filter((_, i) => values[i]! >= low && values[i]! <= high) };
}

/**
 * Two beta densities. The moments of each, weighted by the posteriors, give its α and β: at the true mixture nothing moves.
 * @param values (n) in (0, 1), such as the inner ones of `normalizeLosses`
 * @throws if there are fewer than two values, or one is outside (0, 1)
 */
export function betaMixture(values: ArrayLike<number>, options: BetaMixtureOptions = {}): BetaMixture {
  checkOptions(options, emKinds, "betaMixture");
  const { maxIterations = 1000, tolerance = 1e-7, start = "k-means" } = options;
  const x = checkValues(values, { name: "value", from: 0, to: 1 });
  const em = { logDensity: logBeta, fit: betaOf, maxIterations, tolerance };
  const fitted = expectationMaximization(x, { ...em, start: startOf(x, start, betaOf) });
  return { kind: "beta", ...ordered(fitted, ({ alpha, beta }) => alpha / (alpha + beta)) };
}

/**
 * Two normal densities.
 * @param values (n), such as those of `normalizeLosses`
 * @throws if there are fewer than two values, or one is not finite
 */
export function gaussianMixture(values: ArrayLike<number>, options: GaussianMixtureOptions = {}): GaussianMixture {
  checkOptions(options, { ...emKinds, addedVariance: "number" }, "gaussianMixture");
  const { maxIterations = 1000, tolerance = 1e-7, addedVariance = 5e-4, start = "k-means" } = options;
  if (!(addedVariance > 0)) throw new Error(`addedVariance = ${addedVariance}: expected a number above 0`);
  const x = checkValues(values, { name: "value", from: -Infinity, to: Infinity });
  const fit = ({ weight, mean, variance }: Moments) => ({ weight, mean, variance: variance + addedVariance });
  const em = { logDensity: logNormal, fit, maxIterations, tolerance };
  const fitted = expectationMaximization(x, { ...em, start: startOf(x, start, fit) });
  return { kind: "gaussian", ...ordered(fitted, ({ mean }) => mean) };
}

/** (n) posterior probability of the component with the higher mean, that is, of a wrong label. */
export function noisyPosterior(mixture: BetaMixture | GaussianMixture, values: ArrayLike<number>): Float64Array {
  const logDensity = mixture.kind === "beta" ? logBeta : logNormal;
  const range = mixture.kind === "beta" ? { from: 0, to: 1 } : { from: -Infinity, to: Infinity };
  const x = checkValues(values, { name: "value", ...range, least: 0 });
  return posteriors(x, mixture.components as Pair<never>, logDensity as LogDensity<never>).high;
}

type Pair<T> = readonly [T, T];
/** log(weight · density). */
type LogDensity<Component> = (component: Component) => (x: number) => number;

interface Moments {
  /** share of the examples */
  readonly weight: number;
  readonly mean: number;
  readonly variance: number;
}

interface Em<Component> extends Required<EmOptions<Component>> {
  readonly start: Pair<Component>;
  readonly logDensity: LogDensity<Component>;
  readonly fit: (moments: Moments) => Component;
}

function expectationMaximization<Component>(x: Float64Array, em: Em<Component>): Fitted<Component> {
  const { start, logDensity, fit, maxIterations, tolerance } = em;
  if (!Number.isInteger(maxIterations) || maxIterations < 1)
    throw new Error(`maxIterations = ${maxIterations}: expected a whole number of at least 1`);
  let components = start;
  let last = -Infinity;
  for (let iterations = 1; ; iterations++) {
    const { high, logLikelihood } = posteriors(x, components, logDensity);
    // A component that nothing belongs to any more stays as it was.
    const shares = [high.map((p) => 1 - p), high] as const;
    components = both((k) => {
      const moments = momentsOf(x, shares[k]);
      return moments ? fit(moments) : { ...components[k], weight: 0 };
    });
    const converged = Math.abs(logLikelihood - last) <= tolerance;
    if (converged || iterations === maxIterations) return { components, logLikelihood, iterations, converged };
    last = logLikelihood;
  }
}

function posteriors<Component>(x: Float64Array, components: Pair<Component>, logDensity: LogDensity<Component>) {
  let logLikelihood = 0;
  const [first, second] = [logDensity(components[0]), logDensity(components[1])];
  const high = x.map((value) => {
    const [a, b] = [first(value), second(value)];
    const top = Math.max(a, b);
    logLikelihood += (top + Math.log(Math.exp(a - top) + Math.exp(b - top))) / x.length;
    return 1 / (1 + Math.exp(a - b));
  });
  return { high, logLikelihood };
}

function momentsOf(x: Float64Array, shares: Float64Array): Moments | undefined {
  const mass = shares.reduce((sum, share) => sum + share, 0);
  if (!(mass > 0)) return undefined;
  const mean = x.reduce((sum, value, i) => sum + shares[i]! * value, 0) / mass;
  const variance = x.reduce((sum, value, i) => sum + shares[i]! * (value - mean) ** 2, 0) / mass;
  return { weight: mass / x.length, mean, variance };
}

// mean = α/(α + β), variance = mean·(1 − mean)/(α + β + 1)
function betaOf({ weight, mean, variance }: Moments): BetaComponent {
  const total = (mean * (1 - mean)) / Math.max(variance, 1e-8) - 1; // a component on a single value has a finite peak
  const concentration = Math.max(total, 1e-3);
  return { weight, alpha: mean * concentration, beta: (1 - mean) * concentration };
}

function logBeta({ weight, alpha, beta }: BetaComponent): (x: number) => number {
  const factor = Math.log(weight) + gammaln(alpha + beta) - gammaln(alpha) - gammaln(beta);
  return (x) => factor + (alpha - 1) * Math.log(x) + (beta - 1) * Math.log1p(-x);
}

function logNormal({ weight, mean, variance }: GaussianComponent): (x: number) => number {
  const factor = Math.log(weight) - 0.5 * Math.log(2 * Math.PI * variance);
  return (x) => factor - (x - mean) ** 2 / (2 * variance);
}

function startOf<Component>(
  x: Float64Array,
  start: Pair<Component> | "k-means",
  fit: (moments: Moments) => Component,
): Pair<Component> {
  if (typeof start === "string" && start !== "k-means")
    throw new Error(`start = ${JSON.stringify(start)}: expected two components or "k-means"`);
  if (start !== "k-means") return start;
  const upper = splitInTwo(x);
  return both((k) => fit(momentsOf(x, k === 1 ? upper : upper.map((share) => 1 - share))!));
}

/** 1 for the values of the upper of two clusters, 0 for the others: k-means from the extremes. */
function splitInTwo(x: Float64Array): Float64Array {
  const sorted = x.slice().sort();
  let [low, high] = [sorted[0]!, sorted[sorted.length - 1]!];
  if (low === high) throw new Error(`all values are ${low}: nothing to tell apart`);
  for (;;) {
    const above = x.map((value) => (value > (low + high) / 2 ? 1 : 0));
    const [a, b] = [momentsOf(x, above.map((k) => 1 - k))!.mean, momentsOf(x, above)!.mean]; // prettier-ignore
    if (a === low && b === high) return above;
    [low, high] = [a, b];
  }
}

function both<T>(make: (k: 0 | 1) => T): Pair<T> {
  return [make(0), make(1)];
}

function ordered<Component>(fitted: Fitted<Component>, meanOf: (component: Component) => number): Fitted<Component> {
  const [a, b] = fitted.components;
  return meanOf(a) <= meanOf(b) ? fitted : { ...fitted, components: [b, a] };
}

/** Linear interpolation between order statistics, as numpy does. @param percent in [0, 100] */
export function percentileOf(values: ArrayLike<number>, percent: number): number {
  return percentileOfSorted(Float64Array.from(values).sort(), percent);
}

function percentileOfSorted(sorted: Float64Array, percent: number): number {
  const at = (percent / 100) * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!];
  return below + (at - Math.floor(at)) * (above - below);
}

interface ValueRange {
  readonly name: string;
  /** exclusive */
  readonly from: number;
  readonly to: number;
  /** Least number of values. */
  readonly least?: number;
}

function checkValues(values: ArrayLike<number>, { name, from, to, least = 2 }: ValueRange): Float64Array {
  if (values.length < least) throw new Error(`${values.length} values, expected at least ${least}`);
  const wrong = Array.from(values).findIndex((value) => !(value > from && value < to));
  const range = from === -Infinity ? "a finite number" : `a number in (${from}, ${to})`;
  if (wrong >= 0) throw new Error(`${name} ${wrong} is ${values[wrong]}: expected ${range}`);
  return Float64Array.from(values);
}
