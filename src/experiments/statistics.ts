/** Means, paired differences and ratios over seeds, with intervals by Student's t; Holm's correction for several at once. */
import tQuantile from "@stdlib/stats-base-dists-t-quantile";
import { checkOptions } from "../engine";

/** A mean over seeds. One seed has no interval, so none is ever NaN. */
export interface SeedMean {
  readonly mean: number;
  /** Half-width of the mean's confidence interval; absent for n = 1. It is over seeds, not over data: the test images are the same. */
  readonly interval?: number;
  /** Sample standard deviation (n − 1); absent for n = 1. */
  readonly std?: number;
  /** Degrees of freedom of the interval; default n − 1. */
  readonly freedom?: number;
  /** Number of seeds. */
  readonly n: number;
}

/** One seed's value, such as the error of its run. */
export interface SeedValue {
  readonly seed: number;
  readonly value: number;
}

/** Options of `estimate`, `pairedDifference` and `pairedFactor`. */
export interface EstimateOptions {
  /** Confidence in (0, 1). */
  readonly level?: number; // 0.95: paper section 3
}

/** Mean and t interval of one number per seed. @throws if there is no value, or one is not finite */
export function estimate(values: readonly number[], options: EstimateOptions = {}): SeedMean {
  checkOptions(options, { level: "number" }, "estimate");
  const { level = 0.95 } = options;
  checkSample(values);
  const n = values.length;
  const mean = meanOf(values);
  if (n === 1) return { mean, n };
  const std = Math.sqrt(variance(values));
  return { mean, interval: (studentT(level, n - 1) * std) / Math.sqrt(n), std, n };
}

/**
 * The mean of a − b over the seeds that both have, with Student's t on the differences. Runs of one seed share start and
 * order of images, so much of their noise is common and drops out.
 * @throws if a seed occurs twice, or no seed is in both
 */
export function pairedDifference(a: readonly SeedValue[], b: readonly SeedValue[], options: EstimateOptions = {}): SeedMean {
  return estimate(pairBySeed(a, b).map(([x, y]) => x - y), options); // prettier-ignore
}

/** A factor over seeds: geometric mean, and interval from `low` to `high`; both absent for n = 1. */
export interface SeedFactor {
  readonly factor: number;
  readonly low?: number;
  readonly high?: number;
  /** The natural logarithm of the factor, 0 for no effect. */
  readonly log: SeedMean;
}

/**
 * The factor a / b over the seeds that both have: `pairedDifference` of the logarithms, since a mean of ratios is above 1
 * even if there is no effect.
 * @throws if a value is not above 0, a seed occurs twice, or no seed is in both
 */
export function pairedFactor(a: readonly SeedValue[], b: readonly SeedValue[], options: EstimateOptions = {}): SeedFactor {
  const log = pairedDifference(logOf(a), logOf(b), options);
  const { mean, interval } = log;
  if (interval === undefined) return { factor: Math.exp(mean), log };
  return { factor: Math.exp(mean), low: Math.exp(mean - interval), high: Math.exp(mean + interval), log };
}

function logOf(values: readonly SeedValue[]): SeedValue[] {
  return values.map(({ seed, value }) => {
    if (!(value > 0)) throw new RangeError(`A factor needs values above 0, got ${value} for seed ${seed}`);
    return { seed, value: Math.log(value) };
  });
}

function pairBySeed(a: readonly SeedValue[], b: readonly SeedValue[]): [number, number][] {
  const [first, second] = [bySeed(a), bySeed(b)];
  const pairs = [...first].flatMap(([seed, value]): [number, number][] => (second.has(seed) ? [[value, second.get(seed)!]] : []));
  if (pairs.length === 0) {
    const list = (seeds: Map<number, number>) => [...seeds.keys()].join(", ") || "none";
    throw new RangeError(`Paired values need a seed in common, got the seeds ${list(first)} and ${list(second)}`);
  }
  return pairs;
}

function bySeed(values: readonly SeedValue[]): Map<number, number> {
  const map = new Map(values.map(({ seed, value }) => [seed, value]));
  if (map.size < values.length) throw new RangeError(`Paired values need each seed once, got ${values.map(({ seed }) => seed).join(", ")}`); // prettier-ignore
  return map;
}

/** A mean times a factor, with its interval. */
export function scaleMean({ mean, interval, std, ...rest }: SeedMean, factor: number): SeedMean {
  if (interval === undefined) return { ...rest, mean: factor * mean };
  const width = Math.abs(factor);
  return { ...rest, mean: factor * mean, interval: width * interval, std: std === undefined ? undefined : width * std };
}

/**
 * Which means of a family differ from 0, each with a 95 % interval: Holm's step-down procedure (1979) at 5 % for the
 * whole family. If all are truly 0, the chance that any one is called different is at most 5 %. One seed supports none.
 */
export function holm(means: readonly SeedMean[]): boolean[] {
  const supported = means.map(() => false);
  for (;;) {
    // Holm by rounds: whatever 5 % / (number still open) rejects makes that number smaller for the rest.
    const open = means.flatMap((_, i) => (supported[i] ? [] : [i]));
    const found = open.filter((i) => leavesOutZero(means[i]!, 1 - 0.05 / open.length));
    if (found.length === 0) return supported;
    for (const i of found) supported[i] = true;
  }
}

function leavesOutZero({ mean, interval, n, freedom = n - 1 }: SeedMean, level: number): boolean {
  if (interval === undefined) return false;
  return Math.abs(mean) > (interval * studentT(level, freedom)) / studentT(0.95, freedom);
}

/** Groups rows by some of their fields and estimates one field over each group, in order of first appearance. */
export function estimateBy<Row extends object, Key extends keyof Row & string>(
  rows: readonly Row[],
  keys: readonly Key[],
  field: keyof Row & string,
  options: EstimateOptions = {},
): (Pick<Row, Key> & SeedMean)[] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const name = JSON.stringify(keys.map((key) => row[key] ?? null));
    groups.set(name, [...(groups.get(name) ?? []), row]);
  }
  return [...groups.values()].map((group) => {
    const values = group.map((row) => Number(row[field]));
    const fields = Object.fromEntries(keys.map((key) => [key, group[0]![key]])) as Pick<Row, Key>;
    return { ...fields, ...estimate(values, options) };
  });
}

/** The middle value, or the mean of the two in the middle for an even number. @throws if there is no value */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error("the median of no value");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Options of `formatEstimate`. */
export interface FormatOptions {
  /** Decimals of the mean and of the bar. */
  readonly decimals?: number; // 2: as Table 5 prints
  /** Factor before printing, such as 100 for a rate in per cent. */
  readonly scale?: number;
}

/** "3.98±0.05" as the paper prints it; "3.98" without interval; "1.40±<0.01" where the bar rounds to nothing. */
export function formatEstimate(
  { mean, interval, bound }: { readonly mean: number; readonly interval?: number; readonly bound?: "<" | undefined },
  { decimals = 2, scale = 1 }: FormatOptions = {},
): string {
  const text = fixed(mean * scale, decimals);
  if (interval === undefined) return text;
  const smallest = 10 ** -decimals;
  const width = interval * Math.abs(scale);
  if (bound === "<") return `${text}±<${width.toFixed(Math.max(decimals, decimalsOf(width)))}`;
  return width < smallest / 2 ? `${text}±<${smallest.toFixed(decimals)}` : `${text}±${width.toFixed(decimals)}`;
}

/** "0.59±0.10": the size of a difference, for a sentence that names its direction. */
export function formatSize({ mean, ...rest }: SeedMean, options?: FormatOptions): string {
  return formatEstimate({ ...rest, mean: Math.abs(mean) }, options);
}

/** "5.2 (4.6 to 5.9)": a factor with its interval; "5.2" for one seed. */
export function formatFactor({ factor, low, high }: SeedFactor, { decimals = 1 }: Pick<FormatOptions, "decimals"> = {}): string {
  if (low === undefined || high === undefined) return factor.toFixed(decimals);
  return `${factor.toFixed(decimals)} (${low.toFixed(decimals)} to ${high.toFixed(decimals)})`;
}

/** toFixed with a true minus sign, and without negative zero. */
function fixed(value: number, decimals: number): string {
  const text = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

function studentT(level: number, freedom: number): number {
  if (!(level > 0 && level < 1)) throw new RangeError(`level = ${level}, expected a confidence in (0, 1)`);
  return tQuantile((1 + level) / 2, freedom);
}

function checkSample(values: readonly number[]): void {
  if (values.length === 0) throw new RangeError("An estimate needs at least one value, got none");
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new RangeError(`An estimate needs finite values, but value ${bad + 1} of ${values.length} is ${values[bad]}`);
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function variance(values: readonly number[]): number {
  const mean = meanOf(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}

function decimalsOf(value: number): number {
  return String(value).split(".")[1]?.length ?? 0;
}
