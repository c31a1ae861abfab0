/** Cross-entropy of softmax, per example, with label smoothing; right at second order too. */
import { checkOptions, tf } from "../engine";
import { checkTargets } from "./checks";

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions {
  /** s ∈ [0, 1): the target becomes (1 − s)·t + s/numClasses. Default 0. */
  readonly labelSmoothing?: number;
}

/**
 * −Σ t_k log p_k.
 * @param logits (n, numClasses)
 * @param targets (n, numClasses), one-hot or soft, rows summing to 1; no gradient flows to them
 * @returns (n)
 * @throws if s is outside [0, 1), or the shapes differ
 */
export function crossEntropy(logits: tf.Tensor2D, targets: tf.Tensor2D, options: CrossEntropyOptions = {}): tf.Tensor1D {
  checkOptions(options, { labelSmoothing: "number" }, "crossEntropy");
  checkTargets("crossEntropy", logits, targets);
  const { labelSmoothing = 0 } = options;
  return softmaxCrossEntropy(logits, targets, labelSmoothing);
}

/** `crossEntropy` without its checks. */
export function softmaxCrossEntropy(logits: tf.Tensor2D, targets: tf.Tensor2D, labelSmoothing = 0): tf.Tensor1D {
  const smoothed = labelSmoothing === 0 ? targets : smoothLabels(targets, labelSmoothing);
  // Stock softmaxCrossEntropy drops terms at second order; here the gradient is an expression of the logits.
  const op = tf.customGrad((...args) => {
    const [z, save] = args as unknown as [tf.Tensor2D, tf.GradSaveFunc];
    // The targets too: made in the forward pass, they would be freed before the backward one.
    save([z, smoothed]);
    const value = tf.sub(tf.logSumExp(z, 1), tf.sum(tf.mul(z, smoothed), 1));
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) =>
      tf.mul(tf.expandDims(dy, 1), tf.sub(tf.softmax(saved[0]!), saved[1]!));
    return { value, gradFunc };
  });
  return op(logits) as tf.Tensor1D;
}

/** (1 − s)·t + s/numClasses. @throws if s is outside [0, 1) */
export function smoothLabels(targets: tf.Tensor2D, labelSmoothing: number): tf.Tensor2D {
  if (!(labelSmoothing >= 0 && labelSmoothing < 1))
    throw new Error(`labelSmoothing = ${labelSmoothing}: expected a number in [0, 1)`);
  return tf.tidy(() => tf.add(tf.mul(targets, 1 - labelSmoothing), labelSmoothing / targets.shape[1]));
}
