/** Networks and data small enough to follow by hand. */
import { tf, type Weights } from "../../src/engine";
import { makeDataset, syntheticImages, type Dataset } from "../../src/data";
import { ModelBuilder, type Context, type Model } from "../../src/models";
import { trainConfig, type StepBatch, type TrainConfig, type TrainOptions, type TrainState } from "../../src/training";
import { dot, norm, plus, scaled, type Vector } from "./tinyProblems";

/** Plain gradient descent with learning rate 1: the weights move by exactly the gradient of a step. */
export function bareConfig(options: Partial<TrainOptions> = {}): TrainConfig {
  return trainConfig({
    ...{ epochs: 1, learningRate: 1, schedule: "constant", momentum: 0, nesterov: false, weightDecay: 0, clipNorm: 0 },
    ...options,
  });
}

/** One logit, xᵀw; `visit` sees each forward pass. */
export function linearModel(inputs: number, visit: (context: Context) => void = () => {}): Model {
  const builder = new ModelBuilder();
  const zeros = () => new Float32Array(inputs);
  const kernel = builder.parameter("kernel", [inputs, 1], zeros);
  return builder.build("linear", { inputShape: [1, 1, inputs], numClasses: 1 }, (x, context) => {
    visit(context);
    return tf.matMul(tf.reshape(x, [-1, inputs]), context.weights[kernel] as tf.Tensor2D);
  });
}

/** ½(z − t)² */
export const squaredError = (z: tf.Tensor2D, t: tf.Tensor2D) => tf.mul(tf.sum(tf.square(tf.sub(z, t)), 1), 0.5) as tf.Tensor1D;

/** z: its gradient is the mean of the inputs, wherever it is taken. */
export const linearLoss = (z: tf.Tensor2D) => tf.sum(z, 1) as tf.Tensor1D;

/** Five examples of two numbers, without a pattern, and what is to be predicted. */
export const X: readonly Vector[] = [
  [1, 0.5],
  [-0.4, 2],
  [0.3, -1.2],
  [2, 1],
  [-1.5, 0.7],
];
export const T: Vector = [0.2, 1.1, -0.6, 0.9, -1.4];
export const W: Vector = [0.8, -0.5];

/** Rows of X in float64: the mean of ½(xᵀw − t)² and its gradient. */
export function meanSquaredError(w: Vector, rows = [0, 1, 2, 3, 4]): number {
  return rows.reduce((sum, i) => sum + (dot(X[i]!, w) - T[i]!) ** 2 / 2, 0) / rows.length;
}

export function gradientOfRows(w: Vector, rows = [0, 1, 2, 3, 4]): number[] {
  const parts = rows.map((i) => scaled(X[i]!, (dot(X[i]!, w) - T[i]!) / rows.length));
  return parts.reduce(plus);
}

/** ρ·g/‖g‖ */
export const ascent = (g: Vector, rho: number) => scaled(g, rho / norm(g));

export function batchOfRows(rows = [0, 1, 2, 3, 4]): StepBatch {
  const images = tf.tensor4d(rows.flatMap((i) => [...X[i]!]), [rows.length, 1, 1, 2]); // prettier-ignore
  return { images, targets: tf.tensor2d(rows.map((i) => T[i]!), [rows.length, 1]) }; // prettier-ignore
}

export function stateOf(weights: Weights, parts: Partial<TrainState> = {}): TrainState {
  return { weights, stats: {}, slots: {}, ema: undefined, step: 0, ...parts };
}

/** Small images of three classes. */
export function tinyImages(size: number, seed: number | string = 0): Dataset {
  return syntheticImages({ size, seed, shape: [8, 8, 1], numClasses: 3 });
}

/** One pixel an image: x = byte / 255. */
export function pixels(bytes: readonly number[], labels: readonly number[], numClasses = 2): Dataset {
  return makeDataset({
    ...{ name: "pixels", shape: [1, 1, 1], numClasses, mean: [0], std: [1] },
    ...{ images: Uint8Array.from(bytes), labels: Int32Array.from(labels) },
  });
}

/** Every number of named tensors, to be compared bit by bit. */
export function valuesOf(weights: Weights): Record<string, number[]> {
  return Object.fromEntries(Object.entries(weights).map(([name, tensor]) => [name, [...tensor.dataSync()]]));
}
