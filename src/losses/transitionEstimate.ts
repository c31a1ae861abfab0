/** The transition matrix of label noise, estimated by anchor points (Patrini et al. 2017, eq. (12)). */
import { checkTransitionMatrix } from "../data/labelNoise";
import { checkOptions } from "../engine";

/** Options of `estimateTransition`. */
export interface TransitionEstimateOptions {
  readonly numClasses: number;
  /** Probabilities of a class from this percentile on count as outliers. Default 97: the authors' code, which has 100 (none) for CIFAR-100. */
  readonly percentile?: number;
}

/**
 * T_ij = p_j of the example whose p_i is largest, outliers excluded. A network that was trained on the noisy labels and is sure of an
 * example shows the probability that its class is labeled j. A network that has memorized its labels is sure of all and shows no noise.
 * @param probabilities (n·numClasses), row by row, for instance those of `predictedProbabilities`
 * @returns (numClasses, numClasses) rows that sum to 1
 * @throws if the probabilities do not fit numClasses, or the percentile is outside (0, 100]
 */
export function estimateTransition(probabilities: ArrayLike<number>, options: TransitionEstimateOptions): number[][] {
  checkOptions(options, { numClasses: "number", percentile: "number" }, "estimateTransition");
  const { numClasses, percentile = 97 } = options;
  const n = probabilities.length / numClasses;
  if (!(Number.isInteger(n) && n > 0))
    throw new Error(`${probabilities.length} probabilities for ${numClasses} classes: expected a multiple`);
  if (!(percentile > 0 && percentile <= 100)) throw new Error(`percentile = ${percentile}: expected a number in (0, 100]`);
  const matrix = Array.from({ length: numClasses }, (_, i) => {
    const ofClass = Float64Array.from({ length: n }, (_, example) => probabilities[example * numClasses + i]!);
    const start = anchor(ofClass, percentile) * numClasses;
    return normalized(Array.from({ length: numClasses }, (_, j) => probabilities[start + j]!));
  });
  checkTransitionMatrix(matrix);
  return matrix;
}

/** Position of the largest value below the percentile, or of the largest value if none is below. */
function anchor(values: Float64Array, percentile: number): number {
  const sorted = values.slice().sort();
  const threshold = percentile === 100 ? Infinity : sorted[Math.ceil((percentile / 100) * (values.length - 1))]!;
  const below = sorted.filter((value) => value < threshold);
  return values.indexOf((below.length > 0 ? below : sorted).at(-1)!);
}

// float32 rows sum to 1 only nearly.
function normalized(row: readonly number[]): number[] {
  const sum = row.reduce((total, p) => total + p, 0);
  return row.map((p) => p / sum);
}
