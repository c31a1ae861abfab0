/** Arithmetic on weights: a network's parameters, a gradient or a perturbation, as named tensors. */
import { showValue } from "./options";
import { tf } from "./tf";

/** Named tensors. Every function here returns new tensors and leaves its arguments unchanged. */
export type Weights = Record<string, tf.Tensor>;

/** The same names, with `fn` of each tensor. The caller owns what `fn` makes. */
export function mapWeights(weights: Weights, fn: (tensor: tf.Tensor, name: string) => tf.Tensor): Weights {
  const result: Weights = {};
  for (const name of Object.keys(weights)) result[name] = fn(weights[name]!, name);
  return result;
}

/** a + b. */
export function addWeights(a: Weights, b: Weights): Weights {
  assertSameNames(a, b);
  return mapWeights(a, (tensor, name) => tf.add(tensor, b[name]!));
}

/** a − b. */
export function subWeights(a: Weights, b: Weights): Weights {
  assertSameNames(a, b);
  return mapWeights(a, (tensor, name) => tf.sub(tensor, b[name]!));
}

/** factor · a; the factor is a number or a scalar tensor. */
export function scaleWeights(a: Weights, factor: number | tf.Scalar): Weights {
  return mapWeights(a, (tensor) => tf.mul(tensor, factor));
}

/** a + factor · b. */
export function addScaledWeights(a: Weights, b: Weights, factor: number | tf.Scalar): Weights {
  assertSameNames(a, b);
  return tf.tidy(() => mapWeights(a, (tensor, name) => tf.add(tensor, tf.mul(b[name]!, factor))));
}

/** ⟨a, b⟩ over all tensors, summed in float64. */
export function dotWeights(a: Weights, b: Weights): number {
  assertSameNames(a, b);
  let sum = 0;
  for (const name of Object.keys(a)) {
    const x = a[name]!.dataSync();
    const y = b[name]!.dataSync();
    for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  }
  return sum;
}

/** ‖a‖₂ over all tensors, summed in float64. */
export function globalNorm(a: Weights): number {
  return Math.sqrt(dotWeights(a, a));
}

/** ‖a‖₂ over all tensors as a float32 scalar tensor, without waiting for the device. */
export function globalNormTensor(a: Weights): tf.Scalar {
  return tf.tidy(() => tf.sqrt(tf.addN(Object.values(a).map((t) => tf.sum(tf.square(t)) as tf.Scalar))));
}

/** All zeros, in the same shapes. */
export function zerosLikeWeights(a: Weights): Weights {
  return mapWeights(a, (tensor) => tf.zerosLike(tensor));
}

/** Copies that stay valid when the originals are disposed of. */
export function cloneWeights(a: Weights): Weights {
  return mapWeights(a, (tensor) => tf.clone(tensor));
}

/** Frees all tensors. */
export function disposeWeights(a: Weights): void {
  tf.dispose(Object.values(a));
}

/** All values in one (size) vector, in the order of the names in `a`. */
export function flattenWeights(a: Weights): Float32Array {
  const vector = new Float32Array(sizeOfWeights(a));
  let offset = 0;
  for (const tensor of Object.values(a)) {
    vector.set(tensor.dataSync() as Float32Array, offset);
    offset += tensor.size;
  }
  return vector;
}

/** The inverse of `flattenWeights`; `like` gives names and shapes. */
export function unflattenWeights(vector: Float32Array, like: Weights): Weights {
  const size = sizeOfWeights(like);
  if (vector.length !== size) throw new Error(`the vector has ${vector.length} values, the weights have ${size}`);
  let offset = 0;
  return mapWeights(like, (tensor) => tf.tensor(vector.slice(offset, (offset += tensor.size)), tensor.shape, "float32"));
}

/** Total number of values. */
export function sizeOfWeights(a: Weights): number {
  return Object.values(a).reduce((sum, tensor) => sum + tensor.size, 0);
}

/** A loss and whatever else its forward pass computed, such as batch-norm statistics. */
export interface LossAndAux {
  readonly loss: tf.Scalar;
  readonly aux?: Weights;
}

/** A loss and its gradient; the caller owns all tensors. */
export interface ValueAndGradient {
  readonly value: tf.Scalar;
  readonly gradient: Weights;
  readonly aux: Weights;
}

/**
 * Value and gradient of a scalar loss of named weights, on TensorFlow.js's tape, with the forward pass's other results.
 * The caller owns the returned tensors; everything between is freed.
 *
 * @param fn returns the loss, or `{ loss, aux }`
 * @throws where the loss is no scalar tensor, or does not depend on the weights
 */
export function valueAndGradient(fn: (weights: Weights) => tf.Scalar | LossAndAux, weights: Weights): ValueAndGradient {
  const names = Object.keys(weights);
  const toRecord = (tensors: tf.Tensor[]) => Object.fromEntries(names.map((name, i) => [name, tensors[i]!]));
  let aux: Weights = {};
  const loss = (...tensors: tf.Tensor[]) => {
    const result = fn(toRecord(tensors));
    if (result instanceof tf.Tensor) return checkedLoss(result);
    // The forward pass is a tidy of TensorFlow.js's own, which would free them.
    aux = mapWeights(result?.aux ?? {}, (tensor) => tf.keep(tf.clone(tensor)));
    return checkedLoss(result?.loss);
  };
  return tf.tidy(() => {
    try {
      const { value, grads } = tf.valueAndGrads(loss)(Object.values(weights));
      return { value: value as tf.Scalar, gradient: toRecord(grads), aux: cloneWeights(aux) };
    } finally {
      disposeWeights(aux);
    }
  });
}

function checkedLoss(loss: unknown): tf.Scalar {
  if (!(loss instanceof tf.Tensor))
    throw new Error(`valueAndGradient: the function returned ${showValue(loss)}, expected a scalar tensor or { loss, aux }`);
  if (loss.size !== 1) throw new Error(`valueAndGradient: the loss has shape [${loss.shape}], expected a scalar`);
  return loss as tf.Scalar;
}

function assertSameNames(a: Weights, b: Weights): void {
  for (const weights of [a, b])
    if (typeof weights !== "object" || weights === null || weights instanceof tf.Tensor)
      throw new Error(`weights are ${weights instanceof tf.Tensor ? "one tensor" : showValue(weights)}, expected named tensors`);
  const missing = Object.keys(a).filter((name) => !(name in b));
  const extra = Object.keys(b).filter((name) => !(name in a));
  if (missing.length + extra.length === 0) return;
  throw new Error(`weights differ in names: missing [${missing.join(", ")}], unexpected [${extra.join(", ")}]`);
}
