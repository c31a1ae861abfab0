/** Hessian-vector products (Pearlmutter 1994) as the gradient of ⟨∇L(w), v⟩, on the repaired tape: exact to float32's rounding. */
import { tf } from "./tf";
import type { Weights } from "./weights";

/** A scalar loss of a list of tensors, on TensorFlow.js's tape. */
export type TensorLoss = (weights: tf.Tensor[]) => tf.Scalar;

/**
 * H(w)v for lists of tensors: H the second derivative of `loss` at `weights`, v of the same shapes. About twice the cost of a
 * gradient, with all activations in memory. The caller owns the result.
 *
 * @throws if the loss is not a scalar or does not depend on the weights, or shapes differ
 */
export function hvpOfTensors(loss: TensorLoss, weights: tf.Tensor[], vector: tf.Tensor[]): tf.Tensor[] {
  checkShapes(weights, vector);
  return tf.tidy(() => {
    // Copies: a vector that is the weights themselves would be differentiated too, which would add ∇L.
    const fixed = vector.map((v) => tf.clone(v));
    const slope = () =>
      innerProduct(
        gradientOfTensors(() => checkScalarLoss(loss(weights)), weights),
        fixed,
      );
    const { grads } = tf.engine().gradients(slope, weights, undefined, true);
    return weights.map((weight, i) => grads[i] ?? tf.zerosLike(weight)); // where the loss is linear in a weight
  });
}

/** H(w)v for named weights; see `hvpOfTensors`. With its loss bound, it is `samGradient`'s option `hessianVectorProduct`. */
export function hessianVectorProduct(loss: (weights: Weights) => tf.Scalar, weights: Weights, vector: Weights): Weights {
  const names = Object.keys(weights);
  const toRecord = (tensors: tf.Tensor[]): Weights => Object.fromEntries(names.map((name, i) => [name, tensors[i]!]));
  const missing = names.filter((name) => !(name in vector));
  if (missing.length > 0) throw new Error(`the vector lacks [${missing.join(", ")}]`);
  const toList = (record: Weights) => names.map((name) => record[name]!);
  return toRecord(hvpOfTensors((tensors) => loss(toRecord(tensors)), toList(weights), toList(vector)));
}

/** ∇ of a scalar (or of ⟨·, dy⟩) by tensors, on the tape, to be differentiated again. Undefined for a tensor that it does not depend on. */
export function gradientOfTensors<T extends tf.Tensor>(fn: () => T, by: tf.Tensor[], dy?: T): (tf.Tensor | undefined)[] {
  const { grads } = tf.engine().gradients(fn, by, dy, true);
  if (grads.every((grad) => grad == null)) throw new Error("the loss does not depend on the weights: is it computed from them?");
  return grads;
}

/** Returns the loss. A list of losses would be summed silently. @throws if it is not a scalar */
export function checkScalarLoss(loss: tf.Scalar): tf.Scalar {
  if (loss.rank > 0) throw new Error(`the loss has shape [${loss.shape}], expected a scalar: take its mean or its sum`);
  return loss;
}

/** ⟨a, b⟩ over the tensors that exist. */
export function innerProduct(a: readonly (tf.Tensor | undefined)[], b: readonly tf.Tensor[]): tf.Scalar {
  const terms = a.flatMap((tensor, i) => (tensor == null ? [] : [tf.sum(tf.mul(tensor, b[i]!)) as tf.Scalar]));
  return tf.addN(terms);
}

function checkShapes(weights: readonly tf.Tensor[], vector: readonly tf.Tensor[]): void {
  if (weights.length !== vector.length)
    throw new Error(`the vector has ${vector.length} tensors, expected ${weights.length} as the weights`);
  weights.forEach(({ shape }, i) => {
    if (String(shape) !== String(vector[i]!.shape))
      throw new Error(`tensor ${i} of the vector has shape [${vector[i]!.shape}], expected [${shape}] as the weights`);
  });
}
