/** Inputs and weights by formula, so that another library can be given the same; training in a few lines. */
import { disposeWeights, Rng, tf, valueAndGradient, type Weights } from "../../src/engine";
import type { Model, Variables } from "../../src/models";
import { sgd } from "../../src/optim";

/** xᵢ = sin(0.13·i) over (n, height, width, channels). */
export function sineImages(model: Pick<Model, "inputShape">, n: number): tf.Tensor4D {
  const shape: [number, number, number, number] = [n, ...model.inputShape];
  return tf.tensor4d(
    Float32Array.from({ length: n * sizeOf(model.inputShape) }, (_, i) => Math.sin(0.13 * i)),
    shape,
  );
}

/**
 * Parameter j has the values 0.3·sin(0.7·i + j), plus 1 for gains; moving averages: mean 0.1·cos(i), variance 1 + ½cos²(i).
 */
export function sineVariables(model: Model): Variables {
  const fill = (shape: readonly number[], value: (i: number) => number) =>
    tf.tensor(Float32Array.from({ length: sizeOf(shape) }, (_, i) => value(i)), [...shape]); // prettier-ignore
  const weight = (name: string, j: number) => (i: number) => (name.endsWith("/scale") ? 1 : 0) + 0.3 * Math.sin(0.7 * i + j);
  const average = (name: string) => (i: number) => (name.endsWith("/mean") ? 0.1 * Math.cos(i) : 1 + 0.5 * Math.cos(i) ** 2);
  return {
    weights: Object.fromEntries(model.parameters.map(({ name, shape }, j) => [name, fill(shape, weight(name, j))])),
    stats: Object.fromEntries(model.statistics.map(({ name, shape }) => [name, fill(shape, average(name))])),
  };
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

/** Cross-entropy of each of `steps` full-batch updates, and after them the accuracy on the same batch: batch statistics, no dropout, mean gates. */
export function fit(
  model: Model,
  { x, y }: { x: tf.Tensor4D; y: tf.Tensor2D },
  options: { steps: number; learningRate: number },
) {
  const { steps, learningRate } = options;
  const optimizer = sgd();
  const { weights: initial, stats } = model.init(new Rng("fit"));
  let weights = initial;
  let slots = optimizer.init(weights);
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const before = [weights, slots];
    const value = tf.tidy(() => {
      const loss = (w: Weights) => {
        const logits = model.apply(w, x, { training: true, stats, rng: new Rng(step) }).logits;
        return tf.neg(tf.mean(tf.sum(tf.mul(y, tf.logSoftmax(logits)), 1))) as tf.Scalar;
      };
      const { value, gradient } = valueAndGradient(loss, weights);
      const next = optimizer.update(gradient, slots, weights, { learningRate, step });
      [weights, slots] = [next.weights, next.slots];
      return [value, weights, slots] as unknown as tf.TensorContainer;
    }) as unknown as [tf.Scalar];
    before.forEach(disposeWeights);
    losses.push(value[0].dataSync()[0]!);
  }
  const { logits } = model.apply(weights, x, { batchStatistics: true, stats });
  const accuracy = tf.mean(tf.equal(tf.argMax(logits, 1), tf.argMax(y, 1))).dataSync()[0]!;
  return { losses, accuracy };
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
