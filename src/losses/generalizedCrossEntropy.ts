/**
 * Generalized cross-entropy (Zhang and Sabuncu 2018): L_q(p) = (1 − p_y^q)/q, from cross-entropy (q → 0) to 1 − p_y (q = 1), half the
 * mean absolute error, which noise does not bias. And its truncated form.
 */
import { checkOptions, tf } from "../engine";
import { checkShare, checkTargets } from "./checks";
import { softmaxCrossEntropy } from "./crossEntropy";

/** Options of `generalizedCrossEntropy`. */
export interface GeneralizedCrossEntropyOptions {
  /** in [0, 1]; 0 is cross-entropy. Default 0.7: the authors'. */
  readonly q?: number;
}

/** Options of `truncatedGeneralizedCrossEntropy`. */
export interface TruncatedGeneralizedCrossEntropyOptions extends GeneralizedCrossEntropyOptions {
  /** k in (0, 1): examples with p_y below it have the constant loss L_q(k), so no gradient. Default 0.5: the authors'. */
  readonly threshold?: number;
}

export const gceDefaults = { q: 0.7, threshold: 0.5 } as const;

/**
 * Σ t_k L_q(p_k).
 * @param logits (n, numClasses)
 * @param oneHotLabels (n, numClasses), or soft ones, such as mixup's; no gradient flows to them
 * @returns (n)
 * @throws if q is outside [0, 1], or the shapes differ
 */
export function generalizedCrossEntropy(
  logits: tf.Tensor2D,
  oneHotLabels: tf.Tensor2D,
  options: GeneralizedCrossEntropyOptions = {},
): tf.Tensor1D {
  checkOptions(options, { q: "number" }, "generalizedCrossEntropy");
  checkTargets("generalizedCrossEntropy", logits, oneHotLabels);
  const { q = gceDefaults.q } = options;
  checkShare("q", q);
  if (q === 0) return softmaxCrossEntropy(logits, oneHotLabels);
  return tf.tidy(() => expected(oneHotLabels, boxCox(tf.logSoftmax(logits), q)));
}

/**
 * Σ t_k min(L_q(p_k), L_q(k)): eq. (9) there, with each example truncated by the network as it is at that step. The authors alternate
 * instead: every few epochs they prune the examples whose p_y is below k under the best network so far, and keep that choice until the
 * next pruning (`method: { name: "pruning" }` of a training). A new network has p_y near 1/numClasses, below the default threshold, so it would get no gradient at all: train it
 * without truncation first (`warmupEpochs` in a config).
 * @param logits (n, numClasses)
 * @param oneHotLabels (n, numClasses), or soft ones
 * @returns (n)
 * @throws if q is outside [0, 1], the threshold outside (0, 1), or the shapes differ
 */
export function truncatedGeneralizedCrossEntropy(
  logits: tf.Tensor2D,
  oneHotLabels: tf.Tensor2D,
  options: TruncatedGeneralizedCrossEntropyOptions = {},
): tf.Tensor1D {
  checkOptions(options, { q: "number", threshold: "number" }, "truncatedGeneralizedCrossEntropy");
  checkTargets("truncatedGeneralizedCrossEntropy", logits, oneHotLabels);
  const { q = gceDefaults.q, threshold = gceDefaults.threshold } = options;
  checkShare("q", q);
  if (!(threshold > 0 && threshold < 1)) throw new Error(`threshold = ${threshold}: expected a number in (0, 1)`);
  return tf.tidy(() => expected(oneHotLabels, boxCox(tf.maximum(tf.logSoftmax(logits), Math.log(threshold)), q)));
}

// (1 − p^q)/q from log p, so that p = 0 is finite and a small q loses no digits.
function boxCox(logP: tf.Tensor, q: number): tf.Tensor {
  return q === 0 ? tf.neg(logP) : tf.div(tf.expm1(tf.mul(logP, q)), -q);
}

function expected(targets: tf.Tensor2D, losses: tf.Tensor): tf.Tensor1D {
  return tf.sum(tf.mul(losses, targets), 1);
}
