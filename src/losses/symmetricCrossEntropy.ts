/** Symmetric cross-entropy (Wang et al. 2019): α·CE + β·RCE, with the reverse cross-entropy RCE = −Σ p_k log t_k and log 0 := A. */
import { checkOptions, tf } from "../engine";
import { checkFactor, checkTargets } from "./checks";
import { softmaxCrossEntropy } from "./crossEntropy";

/** Options of `symmetricCrossEntropy`. */
export interface SymmetricCrossEntropyOptions {
  /** Factor of the cross-entropy. Default 0.1: the authors', for CIFAR-10. */
  readonly alpha?: number;
  /** Factor of the reverse cross-entropy. Default 1: the authors', for CIFAR-10. */
  readonly beta?: number;
  /** A < 0, a lower bound of log t. Default log 10⁻⁴ ≈ −9.2: the authors' code clips labels at 10⁻⁴. Their text mentions −4. */
  readonly logZero?: number;
}

export const sceDefaults = { alpha: 0.1, beta: 1, logZero: Math.log(1e-4) } as const;

/**
 * α·CE + β·RCE; for hard labels RCE is −A·(1 − p_y).
 * @param logits (n, numClasses)
 * @param oneHotLabels (n, numClasses), or soft ones; no gradient flows to them
 * @returns (n)
 * @throws if α or β is negative, A is not, or the shapes differ
 */
export function symmetricCrossEntropy(
  logits: tf.Tensor2D,
  oneHotLabels: tf.Tensor2D,
  options: SymmetricCrossEntropyOptions = {},
): tf.Tensor1D {
  checkOptions(options, { alpha: "number", beta: "number", logZero: "number" }, "symmetricCrossEntropy");
  checkTargets("symmetricCrossEntropy", logits, oneHotLabels);
  const { alpha = sceDefaults.alpha, beta = sceDefaults.beta, logZero = sceDefaults.logZero } = options;
  checkFactor("alpha", alpha);
  checkFactor("beta", beta);
  if (!(logZero < 0 && logZero > -Infinity)) throw new Error(`logZero = ${logZero}: expected a finite number below 0`);
  return tf.tidy(() => {
    const cost = tf.neg(tf.log(tf.maximum(oneHotLabels, Math.exp(logZero))));
    const reverse = tf.sum(tf.mul(tf.softmax(logits), cost), 1);
    return tf.add(tf.mul(softmaxCrossEntropy(logits, oneHotLabels), alpha), tf.mul(reverse, beta));
  });
}
