/** Means with the interval around them, as figures draw them. */

/** A mean and the half-width of its interval; a single seed has no interval. */
export interface IntervalPoint {
  readonly mean: number;
  readonly interval?: number;
}

/** Rates in [0, 1] as per cent. */
export function inPercent({ mean, interval }: IntervalPoint): IntervalPoint {
  return { mean: 100 * mean, ...(interval === undefined ? {} : { interval: 100 * interval }) };
}

/** Rows with `low` and `high`, the ends of their intervals; both are the mean where there is no interval. */
export function withBounds<Point extends IntervalPoint>(rows: readonly Point[]): (Point & { low: number; high: number })[] {
  return rows.map((row) => ({ ...row, low: row.mean - (row.interval ?? 0), high: row.mean + (row.interval ?? 0) }));
}
