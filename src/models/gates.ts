/** Random gates, one number an example, from the context's stream: Shake-Shake, ShakeDrop and stochastic depth. */
import { tf, type Rng } from "../engine";
import type { Context } from "./model";

/** (n) numbers, one an example. */
export type Gate = Float32Array;

/** x (n, …) with each example times its gate. */
export function applyGate(x: tf.Tensor4D, gate: Gate): tf.Tensor4D {
  return tf.mul(x, asColumn(gate));
}

/** Forward x·`forward`, backward dy·`backward`: a gradient that is not the forward function's, as Shake-Shake and ShakeDrop train. */
export function applyDecoupledGate(x: tf.Tensor4D, forward: Gate, backward: Gate): tf.Tensor4D {
  // Gates stay plain numbers until they are used: tensors of the forward pass are freed before the backward one.
  const gated = tf.customGrad((input) => ({
    value: applyGate(input as tf.Tensor4D, forward),
    gradFunc: (dy: tf.Tensor) => applyGate(dy as tf.Tensor4D, backward),
  }));
  return gated(x) as tf.Tensor4D;
}

function asColumn(gate: Gate): tf.Tensor4D {
  return tf.tensor4d(gate, [gate.length, 1, 1, 1]);
}

/** The stream of a layer's gates. @throws if training mode has none */
export function gateRng(name: string, { rng }: Context): Rng {
  if (!rng) throw new Error(`${name}: random gates in training mode need mode.rng`);
  return rng.split(name);
}

/** (n) draws from U(low, high). */
export function uniformGate(rng: Rng, n: number, low: number, high: number): Gate {
  return rng.array(n, "uniform").map((u) => low + (high - low) * u);
}

/** Stochastic depth (Huang et al. 2016): an example's branch is kept with probability `survival`, and divided by it. */
export function stochasticDepth(name: string, survival: number): (x: tf.Tensor4D, context: Context) => tf.Tensor4D {
  return (x, context) => {
    if (!context.training || survival === 1) return x;
    const draws = gateRng(name, context).array(x.shape[0], "uniform");
    return applyGate(
      x,
      draws.map((u) => (u < survival ? 1 / survival : 0)),
    );
  };
}
