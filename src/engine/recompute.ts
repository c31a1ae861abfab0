/** Gradient checkpointing (Chen et al. 2016): a part of a network computed a second time for its gradient, instead of kept until then. */
import { tf } from "./tf";
import { mapWeights, type Weights } from "./weights";

/** A function's result, and what it made besides, which no gradient flows through. */
export interface ValueAndAux<T extends tf.Tensor> {
  readonly value: T;
  readonly aux: Weights;
}

/**
 * fn(inputs). Its gradient has the inputs kept, and runs `fn` again: memory for the activations of one such part at a time, for one more
 * forward pass. `fn` must be pure. Under two tapes everything is kept, since a second derivative needs it all.
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

// A gradient within a backward pass: it would take itself for the outermost one, and throw the outer tape away.
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
