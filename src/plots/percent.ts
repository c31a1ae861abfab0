/** Rates in [0, 1] as figures show them. */
import type { IntervalPoint } from "./figures";

/** A mean and the half-width of its interval, in per cent. */
export function inPercent({ mean, interval }: IntervalPoint): IntervalPoint {
  return { mean: 100 * mean, ...(interval === undefined ? {} : { interval: 100 * interval }) };
}
