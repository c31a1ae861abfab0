/** TensorFlow.js layers models as functions of their weights, and stock random layers as functions of a stream. */
import { tf } from "./tf";
import type { Rng } from "./rng";
import type { Weights } from "./weights";

/** A layer's variable. Layers read `val` each time, so another tensor there makes the model a function of its weights. */
export interface LayerSlot {
  /** Unique in the process: the original name, with a number appended where it was taken. */
  readonly name: string;
  /** "dense_Dense1/kernel" */
  readonly originalName: string;
  readonly shape: readonly (number | null)[];
  val: tf.Tensor;
}

/** @throws where the model has not one input and one output */
export function checkOneInOneOut(model: tf.LayersModel): void {
  if (model.outputs.length !== 1 || model.inputs.length !== 1)
    throw new Error(`the model has ${model.inputs.length} inputs and ${model.outputs.length} outputs, expected one of each`);
}

/** The model's output with some of its variables replaced; `keyOf` finds their values in `at`. */
export function applyLayersModel(
  model: tf.LayersModel,
  x: tf.Tensor,
  { slots, at, keyOf, training = false }: LayersModelCall,
): tf.Tensor {
  const originals = slots.map(({ val }) => val);
  try {
    slots.forEach((slot) => (slot.val = at[keyOf(slot)]!));
    return model.apply(reshapeFor(model, x), { training }) as tf.Tensor;
  } finally {
    slots.forEach((slot, i) => (slot.val = originals[i]!));
  }
}

/** One call of a layers model: its variables and its mode. */
export interface LayersModelCall {
  readonly slots: readonly LayerSlot[];
  readonly at: Weights;
  /** The name in `at` of the value of a slot. */
  readonly keyOf: (slot: LayerSlot) => string;
  readonly training?: boolean;
}

// A model with flat inputs takes images too.
function reshapeFor(model: tf.LayersModel, x: tf.Tensor): tf.Tensor {
  const wanted = model.inputs[0]!.shape.slice(1);
  return wanted.length === 1 && x.rank > 2 ? tf.reshape(x, [x.shape[0]!, -1]) : x;
}

/** Runs `fn` with the stream in place of Math.random, from which stock dropout and noise draw: one stream gives one set of masks. */
export function withRandom<T>(stream: Rng, fn: () => T): T {
  /* eslint-disable no-restricted-properties -- Math.random is replaced on purpose */
  const random = Math.random;
  Math.random = () => stream.uniform();
  try {
    return fn();
  } finally {
    Math.random = random;
  }
  /* eslint-enable no-restricted-properties */
}
