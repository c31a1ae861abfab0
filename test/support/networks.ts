/** Inputs and weights by formula, so that another library can be given the same; training in a few lines. */
import { disposeWeights, Rng, tf, valueAndGradient } from "../../src/engine";
import type { Model, Variables } from "../../src/models";
import { sgd } from "../../src/optim";

/** Entry i is sin(0.7·i² + phase): no entry repeats another, and no kernel is of low rank. */
export function wave(count: number, phase: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => Math.sin(0.7 * (i * i) + phase));
}

/** The wave of phase 0 over (n, height, width, channels). */
export function waveImages(model: Pick<Model, "inputShape">, n: number): tf.Tensor4D {
  return tf.tensor4d(Float32Array.from(wave(n * sizeOf(model.inputShape), 0)), [n, ...model.inputShape]);
}

/**
 * Each tensor the wave of its name's phase: kernels times 2/√(inputs of a unit), gains 1 + 0.3 of it, moving averages 0.3 of it (mean) and
 * 2 + 0.6 of it (variance), all else 0.3 of it.
 */
export function waveVariables({ parameters, statistics }: Pick<Model, "parameters" | "statistics">): Variables {
  const fill = (specs: Model["parameters"]) =>
    Object.fromEntries(
      specs.map(({ name, shape }) => {
        const [center, amplitude] = waveRange(name, shape);
        const values = wave(sizeOf(shape), phaseOf(name)).map((value) => center + amplitude * value);
        return [name, tf.tensor(Float32Array.from(values), [...shape])];
      }),
    );
  return { weights: fill(parameters), stats: fill(statistics) };
}

function waveRange(name: string, shape: readonly number[]): [number, number] {
  if (name.endsWith("/scale")) return [0.5, 0.3];
  if (name.endsWith("/variance")) return [0.6, 0.2];
  if (!name.endsWith("/kernel")) return [0, 0.3];
  return [0, 2 / Math.sqrt(sizeOf(shape.slice(0, name.includes("depthwise") ? 2 : -1)))];
}

/** Σ k·code of letter k, counted from 1. */
function phaseOf(name: string): number {
  return [...name].reduce((sum, letter, k) => sum + (k + 1) * letter.charCodeAt(0), 0);
}

/** Images of rows (class 0), columns (1), a chessboard (2) …, in noise; the labels go round. */
export function texturedBatch(model: Pick<Model, "inputShape" | "numClasses">, n: number): { x: tf.Tensor4D; y: tf.Tensor2D } {
  const [height, width, channels] = model.inputShape;
  const rng = new Rng("textured batch");
  const textures = [(row: number) => row, (_: number, column: number) => column, (row: number, column: number) => row + column];
  const labels = Int32Array.from({ length: n }, (_, i) => i % model.numClasses);
  const pixel = (i: number) => {
    const [image, position] = [Math.floor(i / (height * width * channels)), Math.floor(i / channels) % (height * width)];
    const phase = textures[labels[image]! % 3]!(Math.floor(position / width), position % width);
    return Math.cos(Math.PI * phase) + 0.5 * rng.normal();
  };
  const x = tf.tensor4d(
    Float32Array.from({ length: n * sizeOf(model.inputShape) }, (_, i) => pixel(i)),
    [n, height, width, channels],
  );
  return { x, y: tf.oneHot(tf.tensor1d(labels, "int32"), model.numClasses).toFloat() as tf.Tensor2D };
}

/** Cross-entropy and accuracy on the same batch after `steps` full-batch updates: batch statistics, no dropout, mean gates. */
export function fit(
  model: Model,
  { x, y }: { x: tf.Tensor4D; y: tf.Tensor2D },
  { steps, learningRate }: { steps: number; learningRate: number },
) {
  const optimizer = sgd();
  const crossEntropy = (logits: tf.Tensor2D) => tf.losses.softmaxCrossEntropy(y, logits) as tf.Scalar;
  const { weights: initial, stats } = model.init(new Rng("fit"));
  let weights = initial;
  let slots = optimizer.init(weights);
  for (let step = 0; step < steps; step++) {
    const before = [weights, slots];
    tf.tidy(() => {
      const mode = () => ({ training: true, stats, rng: new Rng(step) });
      const { gradient } = valueAndGradient((w) => crossEntropy(model.apply(w, x, mode()).logits), weights);
      ({ weights, slots } = optimizer.update(gradient, slots, weights, { learningRate, step }));
      return { weights, slots } as tf.TensorContainer;
    });
    before.forEach(disposeWeights);
  }
  const { logits } = model.apply(weights, x, { batchStatistics: true, stats });
  const accuracy = tf.mean(tf.equal(tf.argMax(logits, 1), tf.argMax(y, 1))).dataSync()[0]!;
  return { loss: crossEntropy(logits).dataSync()[0]!, accuracy };
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
