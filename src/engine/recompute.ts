/** Gradient checkpointing (Chen et al. 2016): part of a network is recomputed in the backward pass instead of being kept in memory. */
import { tf } from "./tf";
import { mapWeights, type Weights } from "./weights";

/** A function's result, and further results that no gradient flows through. */
export interface ValueAndAux<T extends tf.Tensor> {
  readonly value: T;
  readonly aux: Weights;
}

/**
 * fn(inputs), with only the inputs kept for the gradient, which runs `fn` again. This costs one more forward pass and saves memory:
 * only one such part has its activations in memory at a time. `fn` must be pure. Under two tapes everything is kept, since a
 * second derivative needs it.
 *
 * @param fn a function of `inputs` alone: no gradient reaches another tensor that it uses
 */
export function recomputed<T extends tf.Tensor>(
  fn: (inputs: tf.Tensor[]) => ValueAndAux<T>,
  inputs: tf.Tensor[],
): ValueAndAux<T> {
  const { gradientDepth } = tf.engine().state;
  if (gradientDepth === 0) return tf.tidy(() => fn(inputs) as unknown as tf.TensorContainer) as unknown as ValueAndAux<T>;
  if (gradientDepth > 1) return fn(inputs);
  let kept: Weights = {};
  const once = tf.customGrad((...args) => {
    const save = args.pop() as unknown as tf.GradSaveFunc;
    const own = args as tf.Tensor[];
    const { value, aux } = fn(own);
    kept = mapWeights(aux, (tensor) => tf.keep(tf.clone(tensor))); // customGrad frees what it does not return
    save(own);
    return { value, gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => gradientsOf((xs) => fn(xs).value, saved, dy) };
  });
  const value = once(...inputs) as T;
  const aux = mapWeights(kept, (tensor) => tf.clone(tensor)); // freed with the scope, as the value is
  tf.dispose(Object.values(kept));
  return { value, aux };
}

// This gradient runs within a backward pass. It would take itself for the outermost one and discard the outer tape.
function gradientsOf(fn: (inputs: tf.Tensor[]) => tf.Tensor, inputs: tf.Tensor[], dy: tf.Tensor): tf.Tensor[] {
  const { state } = tf.engine();
  const tape = state.activeTape;
  try {
    const { grads } = tf.engine().gradients(() => fn(inputs), inputs, dy, true);
    return inputs.map((input, i) => grads[i] ?? tf.zerosLike(input));
  } finally {
    state.activeTape = tape;
  }
}
