/** Measurements along training as curves, and the parts of a training that claims compare. */
import { estimate, estimateBy, type SeedValue } from "../../experiments/statistics";
import type { CurvePoint } from "../../plots";

/** Every n-th epoch, and the last. */
export function everyEpochs(epochs: number, n: number): number[] {
  const all = Array.from({ length: epochs }, (_, i) => i + 1);
  return all.filter((epoch) => epoch % n === 0 || epoch === epochs);
}

/** One measured number of one run: its place in the figure, and the seed. */
export interface CurveValue {
  readonly x: number;
  readonly series: string;
  readonly style?: string;
  readonly panel: string;
  readonly value: number;
}

/** Means over seeds, with intervals; values and means are in the figure's unit. */
export function meanCurves(values: readonly CurveValue[]): CurvePoint[] {
  if (values.length === 0) return [];
  return estimateBy(values, ["x", "series", "style", "panel"], "value").map(({ x, series, style, panel, mean, interval }) => ({
    ...{ x, series, panel, mean, interval },
    ...(style === undefined ? {} : { style }),
  }));
}

interface Measured {
  readonly seed: number;
  readonly epoch: number;
}

/** The rows at the last epoch that any run was measured at. */
export function atEnd<Row extends Measured>(rows: readonly Row[]): Row[] {
  const last = Math.max(...rows.map(({ epoch }) => epoch));
  return rows.filter(({ epoch }) => epoch === last);
}

/** The rows of a stretch of training, as shares of its epochs: after `from`, up to `to`. */
export function stretch<Row extends Measured>(rows: readonly Row[], { from, to }: { from: number; to: number }): Row[] {
  const last = Math.max(...rows.map(({ epoch }) => epoch));
  return rows.filter(({ epoch }) => epoch > from * last && epoch <= to * last);
}

/** The mean of a number over each seed's rows. */
export function bySeed<Row extends { readonly seed: number }>(rows: readonly Row[], valueOf: (row: Row) => number): SeedValue[] {
  const seeds = [...new Set(rows.map(({ seed }) => seed))];
  return seeds.map((seed) => ({ seed, value: estimate(rows.filter((row) => row.seed === seed).map(valueOf)).mean }));
}
