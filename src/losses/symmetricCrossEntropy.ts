/** Symmetric cross-entropy (Wang et al. 2019): α·CE + β·RCE, with the reverse cross-entropy RCE = −Σ p_k log t_k and log 0 := A. */
import { tf } from "../engine";
import { checkFactor } from "./checks";
import { crossEntropy } from "./crossEntropy";

export interface SymmetricCrossEntropyOptions {
  /** of the cross-entropy. Default 0.1: the authors', for CIFAR-10. */
  readonly alpha?: number;
  /** of the reverse one. Default 1: the authors', for CIFAR-10. */
  readonly beta?: number;
  /** A < 0, what log t is at least. Default −4: the paper's, unsure; the authors' code has log 10⁻⁴ ≈ −9.2. */
  readonly logZero?: number;
}

export const sceDefaults = { alpha: 0.1, beta: 1, logZero: -4 } as const;

/**
 * α·CE + β·RCE; for hard labels RCE is −A·(1 − p_y).
 * @param logits (n, numClasses)
 * @param oneHotLabels (n, numClasses), or soft ones; no gradient flows to them
 * @returns (n)
 * @throws where α or β is negative, or A is not
 */
export function symmetricCrossEntropy(
  logits: tf.Tensor2D,
  oneHotLabels: tf.Tensor2D,
  { alpha = sceDefaults.alpha, beta = sceDefaults.beta, logZero = sceDefaults.logZero }: SymmetricCrossEntropyOptions = {},
): tf.Tensor1D {
  checkFactor("alpha", alpha);
  checkFactor("beta", beta);
  if (!(logZero < 0 && logZero > -Infinity)) throw new Error(`logZero = ${logZero}: expected a finite number below 0`);
  return tf.tidy(() => {
    const cost = tf.neg(tf.log(tf.maximum(oneHotLabels, Math.exp(logZero))));
    const reverse = tf.sum(tf.mul(tf.softmax(logits), cost), 1);
    return tf.add(tf.mul(crossEntropy(logits, oneHotLabels), alpha), tf.mul(reverse, beta));
  });
}
