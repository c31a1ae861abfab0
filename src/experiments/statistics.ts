/** Mean ± 95 % interval over seeds, by Student's t with n − 1 degrees of freedom: the paper's bars have 5 replicas and name no law. */
import tQuantile from "@stdlib/stats-base-dists-t-quantile";

/** A mean over seeds. One seed has no interval, and so none is ever NaN. */
export interface SeedMean {
  readonly mean: number;
  /** half-width of the confidence interval of the mean; absent where n = 1 */
  readonly interval?: number;
  /** sample standard deviation (n − 1); absent where n = 1 */
  readonly std?: number;
  /** number of seeds */
  readonly n: number;
}

export interface EstimateOptions {
  /** confidence in (0, 1) */
  readonly level?: number; // 0.95: paper section 3
}

/** Mean and t interval of one number per seed. @throws where there is no value, or one is not finite */
export function estimate(values: readonly number[], { level = 0.95 }: EstimateOptions = {}): SeedMean {
  checkSample(values);
  const n = values.length;
  const mean = meanOf(values);
  if (n === 1) return { mean, n };
  const std = Math.sqrt(variance(values));
  return { mean, interval: (studentT(level, n - 1) * std) / Math.sqrt(n), std, n };
}

/**
 * mean(a) − mean(b) with Welch's interval (unequal variances, Welch–Satterthwaite degrees of freedom).
 * An interval that leaves 0 out is a difference that the seeds support.
 */
export function estimateDifference(a: readonly number[], b: readonly number[], { level = 0.95 }: EstimateOptions = {}): SeedMean {
  checkSample(a);
  checkSample(b);
  const mean = meanOf(a) - meanOf(b);
  const n = Math.min(a.length, b.length);
  if (n === 1) return { mean, n };
  const va = variance(a) / a.length;
  const vb = variance(b) / b.length;
  const error = Math.sqrt(va + vb);
  if (error === 0) return { mean, interval: 0, std: 0, n };
  const freedom = (va + vb) ** 2 / (va ** 2 / (a.length - 1) + vb ** 2 / (b.length - 1));
  return { mean, interval: studentT(level, freedom) * error, std: error * Math.sqrt(n), n };
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

/** The middle value; of an even number, the mean of the two in the middle. @throws where there is none */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error("the median of no value");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export interface FormatOptions {
  /** decimals of the mean and of the bar */
  readonly decimals?: number; // 2: as Table 5 prints
  /** factor before printing, e.g. 100 for a rate in per cent */
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

/** The size of a difference, whose direction the sentence tells: "0.59±0.10". */
export function formatSize({ mean, ...rest }: SeedMean, options?: FormatOptions): string {
  return formatEstimate({ ...rest, mean: Math.abs(mean) }, options);
}

/** Whether the seeds support that there is a difference: its interval leaves 0 out. One seed supports none. */
export function isSupported({ mean, interval }: SeedMean): boolean {
  return interval !== undefined && Math.abs(mean) > interval;
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
