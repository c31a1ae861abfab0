/** Hv for a scalar loss of a list of tensors: exact by double backward, or by central differences of the gradient. */
import { checkOptions, checkScalarLoss, gradientOfTensors, hvpOfTensors, tf, type TensorLoss } from "../engine";

/**
 * H(w)v, exact: `loss` is differentiated twice. Lists of tensors in and out; the caller owns the result.
 *
 *     const [hv] = hvp(([w]) => tf.sum(tf.pow(w, 4)).div(12), [w], [v]); // w² ⊙ v
 */
export function hvp(loss: (weights: tf.Tensor[]) => tf.Scalar, weights: tf.Tensor[], vector: tf.Tensor[]): tf.Tensor[] {
  return hvpOfTensors(loss, weights, vector);
}

/** Options of `hvpFiniteDifference`. */
export interface FiniteDifferenceOptions {
  /**
   * ‖hv‖, the length of the step to either side. Ours: 5e-3, where rounding (∝ 1/step) and truncation (∝ step²) of float32
   * gradients meet, at a relative error of about 5e-5 for smooth losses with weights of order 1.
   */
  step?: number;
}

/**
 * H(w)v ≈ (∇L(w + hv) − ∇L(w − hv)) / 2h with h = step/‖v‖: for cross-checks, and for losses that cannot be differentiated
 * twice. Two gradients. No oracle on ReLU nets: a step crosses kinks, and the error grows as the step shrinks.
 */
export function hvpFiniteDifference(
  loss: (weights: tf.Tensor[]) => tf.Scalar,
  weights: tf.Tensor[],
  vector: tf.Tensor[],
  options: FiniteDifferenceOptions = {},
): tf.Tensor[] {
  checkOptions(options, { step: "number" }, "hvpFiniteDifference");
  const { step = 5e-3 } = options;
  if (!(step > 0)) throw new Error(`step = ${step}: expected a number > 0`);
  return tf.tidy(() => {
    const norm = listNorm(vector);
    if (norm === 0) return weights.map((weight) => tf.zerosLike(weight));
    const [after, before] = [step / norm, -step / norm].map((h) => gradientAt(loss, weights, vector, h));
    return after!.map((gradient, i) => tf.mul(tf.sub(gradient, before![i]!), norm / (2 * step)));
  });
}

function gradientAt(loss: TensorLoss, weights: tf.Tensor[], vector: tf.Tensor[], h: number): tf.Tensor[] {
  const moved = weights.map((weight, i) => tf.add(weight, tf.mul(vector[i]!, h)));
  return gradientOfTensors(() => checkScalarLoss(loss(moved)), moved).map((gradient, i) => gradient ?? tf.zerosLike(moved[i]!));
}

function listNorm(list: tf.Tensor[]): number {
  return Math.sqrt(list.reduce((sum, tensor) => sum + tensor.square().sum().dataSync()[0]!, 0));
}
