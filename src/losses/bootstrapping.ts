/** Bootstrapping (Reed et al. 2015): cross-entropy against a blend of the label and the network's own prediction. */
import { checkOptions, tf } from "../engine";
import { checkShare, checkTargets } from "./checks";
import { softmaxCrossEntropy } from "./crossEntropy";

/** Options of `softBootstrapping` and `hardBootstrapping`. */
export interface BootstrappingOptions {
  /** β in [0, 1], the label's share in the target; 1 is cross-entropy. Default, from memory of the paper: 0.95 soft, 0.8 hard. */
  readonly beta?: number;
}

export const bootstrappingDefaults = { soft: 0.95, hard: 0.8 } as const;

/**
 * −Σ (β t_k + (1 − β) p_k) log p_k. The gradient goes through p in the target too, as in the paper: this is β·CE + (1 − β)·entropy.
 * @param logits (n, numClasses)
 * @param oneHotLabels (n, numClasses), or soft ones; no gradient flows to them
 * @returns (n)
 * @throws if β is outside [0, 1], or the shapes differ
 */
export function softBootstrapping(
  logits: tf.Tensor2D,
  oneHotLabels: tf.Tensor2D,
  options: BootstrappingOptions = {},
): tf.Tensor1D {
  checkOptions(options, { beta: "number" }, "softBootstrapping");
  checkTargets("softBootstrapping", logits, oneHotLabels);
  const { beta = bootstrappingDefaults.soft } = options;
  checkShare("beta", beta);
  return tf.tidy(() => {
    const entropy = tf.neg(tf.sum(tf.mul(tf.softmax(logits), tf.logSoftmax(logits)), 1));
    return tf.add(tf.mul(softmaxCrossEntropy(logits, oneHotLabels), beta), tf.mul(entropy, 1 - beta));
  });
}

/**
 * −Σ (β t_k + (1 − β) z_k) log p_k, z the one-hot prediction (the first of several equal logits).
 * @param logits (n, numClasses)
 * @param oneHotLabels (n, numClasses), or soft ones; no gradient flows to them
 * @returns (n)
 * @throws if β is outside [0, 1], or the shapes differ
 */
export function hardBootstrapping(
  logits: tf.Tensor2D,
  oneHotLabels: tf.Tensor2D,
  options: BootstrappingOptions = {},
): tf.Tensor1D {
  checkOptions(options, { beta: "number" }, "hardBootstrapping");
  checkTargets("hardBootstrapping", logits, oneHotLabels);
  const { beta = bootstrappingDefaults.hard } = options;
  checkShare("beta", beta);
  return tf.tidy(() => {
    const predicted = tf.cast(tf.oneHot(tf.argMax(logits, 1), logits.shape[1]), "float32");
    return softmaxCrossEntropy(logits, tf.add(tf.mul(oneHotLabels, beta), tf.mul(predicted, 1 - beta)));
  });
}
