/**
 * How well a measure μ of trained networks, such as m-sharpness, predicts their generalization gaps. Both scores look at the order of
 * pairs of models alone: the conditional mutual information of Jiang et al. (2019), as the PGDL competition of 2020 scored it, and
 * Kendall's τ. Their intervals come from a bootstrap over models.
 */
import { Rng } from "../engine";

/** A trained network with its measure. */
export interface MeasuredModel {
  /** Name → value; all models have the same names. */
  readonly hyperParameters: Readonly<Record<string, string | number>>;
  /** Training accuracy − test accuracy. */
  readonly gap: number;
  readonly measure: number;
}

/** A score of models, each of which counts as often as its weight says; a pair counts as the product. Default: all once. */
export type Score = (weights?: ArrayLike<number>) => number;

/**
 * min over pairs S of hyper-parameters of I(V_gap; V_μ | S) / H(V_gap | S), in [0, 1], where V is the sign of the difference between
 * two models, and S their values in both. Each combination of values counts the same. 1: μ orders all pairs as the gap does, or all
 * the other way round.
 *
 * The competition's program pairs each model with itself, too, which tells something about any μ; we leave these pairs out.
 *
 * @throws if there are fewer than three hyper-parameters, since each model would be alone with its values
 */
export function informationScore(models: readonly MeasuredModel[]): Score {
  const names = Object.keys(models[0]?.hyperParameters ?? {});
  if (names.length < 3) throw new Error(`${names.length} hyper-parameters: expected at least three, two of which are given`);
  const orders = ordersOf(models);
  const givens = names.flatMap((a, i) => names.slice(i + 1).map((b) => tablesOf(models, orders, [a, b])));
  return (weights) => {
    const pairs = pairWeights(models.length, weights);
    return Math.min(...givens.map((tables) => conditionalScore(tables, pairs)));
  };
}

/** (n·n) 2·[gap_i > gap_j] + [μ_i > μ_j]. */
function ordersOf(models: readonly MeasuredModel[]): number[] {
  return models.flatMap((a) => models.map((b) => (a.gap > b.gap ? 2 : 0) + (a.measure > b.measure ? 1 : 0)));
}

/** Pairs of different models that count, each at its place in a list of n·n. */
interface Pairs {
  readonly at: readonly number[];
  readonly weights: readonly number[];
}

function pairWeights(n: number, weights?: ArrayLike<number>): Pairs {
  const at: number[] = [];
  const pairs: number[] = [];
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const weight = weights ? weights[i]! * weights[j]! : 1;
      if (i === j || weight === 0) continue;
      at.push(i * n + j);
      pairs.push(weight);
    }
  return { at, weights: pairs };
}

/** One 2×2 table of the orders of gap and μ for each combination of given values in both models. */
interface Tables {
  readonly count: number;
  /** (n·n) the place of each pair: 4 · its table + its order. */
  readonly places: Int32Array;
}

function tablesOf(models: readonly MeasuredModel[], orders: readonly number[], given: readonly string[]): Tables {
  const values = models.map(({ hyperParameters }) => JSON.stringify(given.map((name) => hyperParameters[name])));
  const cells = new Map([...new Set(values)].map((value, i) => [value, i]));
  const cell = values.map((value) => cells.get(value)!);
  const table = cell.flatMap((a) => cell.map((b) => a * cells.size + b));
  return { count: cells.size ** 2, places: Int32Array.from(orders, (order, pair) => 4 * table[pair]! + order) };
}

/** Mean information over mean entropy, over the tables; 0 where the values tell the gap's order beforehand. */
function conditionalScore({ count, places }: Tables, { at: pairs, weights }: Pairs): number {
  const sums = new Float64Array(4 * count);
  for (let k = 0; k < pairs.length; k++) sums[places[pairs[k]!]!]! += weights[k]!;
  let [information, entropy] = [0, 0];
  for (let at = 0; at < sums.length; at += 4) {
    const [a, b, c, d] = [sums[at]!, sums[at + 1]!, sums[at + 2]!, sums[at + 3]!];
    const total = a + b + c + d;
    if (total === 0) continue;
    // H = log₂ N − Σ n·log₂ n / N of counts n that add up to N, and I = H(gap) + H(μ) − H(gap, μ).
    const gap = Math.log2(total) - (nLogN(a + b) + nLogN(c + d)) / total;
    entropy += gap;
    information += gap + (nLogN(a) + nLogN(b) + nLogN(c) + nLogN(d) - nLogN(a + c) - nLogN(b + d)) / total;
  }
  return entropy === 0 ? 0 : information / entropy;
}

function nLogN(n: number): number {
  return n > 0 ? n * Math.log2(n) : 0;
}

/** Kendall's τ_b of measure and gap, in [−1, 1]; 0 where one of them is the same for all models. */
export function kendallTau(models: readonly MeasuredModel[]): Score {
  const signs = (valueOf: (model: MeasuredModel) => number) =>
    models.map((a) => Int8Array.from(models, (b) => Math.sign(valueOf(a) - valueOf(b))));
  const [gaps, measures] = [signs(({ gap }) => gap), signs(({ measure }) => measure)];
  return (weights) => {
    let [agreement, gapPairs, measurePairs] = [0, 0, 0];
    for (let i = 0; i < models.length; i++)
      for (let j = 0; j < i; j++) {
        const weight = weights ? weights[i]! * weights[j]! : 1;
        const [gap, measure] = [gaps[i]![j]!, measures[i]![j]!];
        agreement += weight * gap * measure;
        gapPairs += weight * gap * gap;
        measurePairs += weight * measure * measure;
      }
    return agreement === 0 ? 0 : agreement / Math.sqrt(gapPairs * measurePairs);
  };
}

/** Options of the bootstrap over networks. */
export interface BootstrapOptions {
  /** Ours: 500. */
  readonly resamples?: number;
  readonly seed?: number | string;
}

/**
 * Resamples of n models with replacement, as weights: how often each was drawn. Two draws of one model make no pair, unlike in a
 * bootstrap that copies models, where each such pair would be a tie.
 */
export function bootstrapWeights(n: number, { resamples = 500, seed = 0 }: BootstrapOptions = {}): Float64Array[] {
  const rng = new Rng(seed).split("bootstrap");
  return Array.from({ length: resamples }, () => {
    const weights = new Float64Array(n);
    for (let draw = 0; draw < n; draw++) weights[rng.int(n)]! += 1;
    return weights;
  });
}

/** The middle 95 % of resampled values. */
export interface PercentileInterval {
  readonly low: number;
  readonly high: number;
}

/** The 2.5 % and 97.5 % quantiles, interpolated. @throws if there is no value */
export function percentileInterval(values: readonly number[]): PercentileInterval {
  if (values.length === 0) throw new Error("an interval of no value");
  const sorted = [...values].sort((a, b) => a - b);
  return { low: quantile(sorted, 0.025), high: quantile(sorted, 0.975) };
}

function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  return sorted[below]! + (place - below) * ((sorted[below + 1] ?? sorted[below]!) - sorted[below]!);
}

/** Two-sided p of "the statistic is 0": twice the smaller share of resampled values on one side of it, at most 1. */
export function bootstrapPValue(values: readonly number[]): number {
  const share = (side: (value: number) => boolean) => values.filter(side).length / values.length;
  return Math.min(1, 2 * Math.min(share((value) => value <= 0), share((value) => value >= 0))); // prettier-ignore
}
