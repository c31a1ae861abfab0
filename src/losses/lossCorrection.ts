/**
 * Forward and backward loss correction (Patrini et al. 2017) for noise with a known transition matrix T, T_ij = P(label j | class i):
 * forward passes the prediction through T, backward undoes T on the vector of losses.
 */
import { inverse, Matrix } from "ml-matrix";
import { checkTransitionMatrix } from "../data/labelNoise";
import { checkOptions, tf } from "../engine";
import { checkTargets } from "./checks";
import { softmaxCrossEntropy } from "./crossEntropy";

/** Options of `forwardCorrection` and `backwardCorrection`. */
export interface LossCorrectionOptions {
  /** (numClasses, numClasses), row: true class, column: label; rows sum to 1. `symmetricTransition` and its like make one. */
  readonly transitionMatrix: readonly (readonly number[])[];
}

// Below log p of any float32 logits, and finite: 0 · −∞ would be NaN.
const LOG_ZERO = -1e30;

/**
 * −Σ t_j log (Tᵀp)_j.
 * @param logits (n, numClasses), of the true classes
 * @param oneHotLabels (n, numClasses) noisy labels, or soft ones; no gradient flows to them
 * @returns (n); 1e30 for a label that the matrix makes impossible
 * @throws if the matrix is not a transition matrix over numClasses classes, or the shapes differ
 */
export function forwardCorrection(logits: tf.Tensor2D, oneHotLabels: tf.Tensor2D, options: LossCorrectionOptions): tf.Tensor1D {
  const transitionMatrix = matrixFor("forwardCorrection", logits, oneHotLabels, options);
  return tf.tidy(() => {
    // (n, label, class): log p_i + log T_ij
    const joint = tf.add(tf.expandDims(tf.logSoftmax(logits), 1), logOfTransposed(transitionMatrix));
    return tf.neg(tf.sum(tf.mul(tf.logSumExp(joint, 2), oneHotLabels), 1)) as tf.Tensor1D;
  });
}

/**
 * Σ t_j (T⁻¹ℓ)_j with ℓ_k = −log p_k, which is cross-entropy against tᵀT⁻¹: its expectation over the noise is the loss at the true class,
 * exactly. It can be negative, and is then not bounded from below.
 * @param logits (n, numClasses), of the true classes
 * @param oneHotLabels (n, numClasses) noisy labels, or soft ones; no gradient flows to them
 * @returns (n)
 * @throws if the matrix is not an invertible transition matrix over numClasses classes, or the shapes differ
 */
export function backwardCorrection(logits: tf.Tensor2D, oneHotLabels: tf.Tensor2D, options: LossCorrectionOptions): tf.Tensor1D {
  const transitionMatrix = matrixFor("backwardCorrection", logits, oneHotLabels, options);
  const inverted = invertTransition(transitionMatrix);
  return tf.tidy(() => softmaxCrossEntropy(logits, tf.matMul(oneHotLabels, tf.tensor2d(inverted))));
}

/** T⁻¹, whose rows sum to 1. @throws if T is singular, or so nearly that losses would be multiplied by over 10⁴ */
export function invertTransition(matrix: readonly (readonly number[])[]): number[][] {
  checkTransitionMatrix(matrix);
  const inverted = inverseOrNothing(matrix);
  if (!inverted?.every((row) => row.every((entry) => Math.abs(entry) <= 1e4)))
    throw new Error("transition matrix: singular, or nearly so; backward correction needs its inverse");
  return inverted;
}

function inverseOrNothing(matrix: readonly (readonly number[])[]): number[][] | undefined {
  try {
    return inverse(new Matrix(matrix.map((row) => [...row]))).to2DArray();
  } catch {
    return undefined;
  }
}

function matrixFor(what: string, logits: tf.Tensor2D, labels: tf.Tensor2D, options: LossCorrectionOptions) {
  checkOptions(options, { transitionMatrix: "array" }, what);
  checkTargets(what, logits, labels);
  const { transitionMatrix } = options;
  checkTransitionMatrix(transitionMatrix);
  if (transitionMatrix.length !== logits.shape[1])
    throw new Error(`transition matrix of ${transitionMatrix.length} classes for logits of ${logits.shape[1]} classes`);
  return transitionMatrix;
}

// (1, label, class)
function logOfTransposed(matrix: readonly (readonly number[])[]): tf.Tensor3D {
  const log = (p: number) => (p > 0 ? Math.log(p) : LOG_ZERO);
  return tf.tensor3d([matrix.map((_, j) => matrix.map((row) => log(row[j]!)))]);
}
