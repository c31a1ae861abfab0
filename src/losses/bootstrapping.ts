/** Bootstrapping (Reed et al. 2015): cross-entropy against a blend of the label and the network's own prediction. */
import { tf } from "../engine";
import { checkShare } from "./checks";
import { crossEntropy } from "./crossEntropy";

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
 * @throws where β is outside [0, 1]
 */
export function softBootstrapping(
  logits: tf.Tensor2D,
  oneHotLabels: tf.Tensor2D,
  { beta = bootstrappingDefaults.soft }: BootstrappingOptions = {},
): tf.Tensor1D {
  checkShare("beta", beta);
  return tf.tidy(() => {
    const entropy = tf.neg(tf.sum(tf.mul(tf.softmax(logits), tf.logSoftmax(logits)), 1));
    return tf.add(tf.mul(crossEntropy(logits, oneHotLabels), beta), tf.mul(entropy, 1 - beta));
  });
}

/**
 * −Σ (β t_k + (1 − β) z_k) log p_k, z the one-hot prediction (of equal logits, the first).
 * @param logits (n, numClasses)
 * @param oneHotLabels (n, numClasses), or soft ones; no gradient flows to them
 * @returns (n)
 * @throws where β is outside [0, 1]
 */
export function hardBootstrapping(
  logits: tf.Tensor2D,
  oneHotLabels: tf.Tensor2D,
  { beta = bootstrappingDefaults.hard }: BootstrappingOptions = {},
): tf.Tensor1D {
  checkShare("beta", beta);
  return tf.tidy(() => {
    const predicted = tf.cast(tf.oneHot(tf.argMax(logits, 1), logits.shape[1]), "float32");
    return crossEntropy(logits, tf.add(tf.mul(oneHotLabels, beta), tf.mul(predicted, 1 - beta)));
  });
}
