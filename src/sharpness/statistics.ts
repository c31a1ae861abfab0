/** Random estimates with their standard errors and samples. */

/** A random estimate. */
export interface RandomEstimate {
  readonly estimate: number;
  /** Standard deviation of `estimate` over seeds, estimated from the samples; NaN where there is one sample only. */
  readonly standardError: number;
  readonly samples: number[];
}

/** Mean, and its standard error s/√n with s of n − 1 degrees of freedom; NaN for n = 1. */
export function meanAndError(samples: readonly number[]): { mean: number; standardError: number } {
  const n = samples.length;
  const mean = samples.reduce((sum, x) => sum + x, 0) / n;
  const squares = samples.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return { mean, standardError: Math.sqrt(squares / (n - 1) / n) };
}

export function toEstimate(samples: number[]): RandomEstimate {
  const { mean, standardError } = meanAndError(samples);
  return { estimate: mean, standardError, samples };
}
