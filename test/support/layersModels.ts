/** Stock TensorFlow.js layers models with weights that a seed decides, and data for them. */
import { Rng, tf } from "../../src/engine";

export interface Batch {
  /** (n, 4) */
  readonly x: tf.Tensor2D;
  /** (n, 3), one-hot */
  readonly y: tf.Tensor2D;
}

/** Three classes in four dimensions that a small network can learn; every step on them has a gradient. */
export function blobs(n = 24, seed = 0): Batch {
  const rng = new Rng(`blobs ${seed}`);
  const labels = Array.from({ length: n }, (_, i) => i % 3);
  const rows = labels.map((label) => [...rng.array(4)].map((noise, j) => (j === label ? 2 : 0) + noise));
  return { x: tf.tensor2d(rows), y: tf.oneHot(tf.tensor1d(labels, "int32"), 3).toFloat() as tf.Tensor2D };
}

export interface ClassifierOptions {
  readonly optimizer: tf.Optimizer;
  readonly batchNorm?: boolean;
  readonly dropout?: number;
  readonly metrics?: string[];
  readonly l2?: number;
  readonly seed?: number;
}

/** dense 6 tanh, (batch norm, dropout,) dense 3 softmax; compiled. */
export function classifier(options: ClassifierOptions): tf.Sequential {
  const { optimizer, batchNorm = false, dropout = 0, metrics = [], l2 = 0, seed = 1 } = options;
  const kernelRegularizer = l2 > 0 ? tf.regularizers.l2({ l2 }) : undefined;
  const model = tf.sequential();
  model.add(tf.layers.dense({ units: 6, inputShape: [4], activation: "tanh", kernelRegularizer }));
  if (batchNorm) model.add(tf.layers.batchNormalization({ momentum: 0.9 }));
  if (dropout > 0) model.add(tf.layers.dropout({ rate: dropout }));
  model.add(tf.layers.dense({ units: 3, activation: "softmax" }));
  seedWeights(model, seed);
  model.compile({ optimizer, loss: "categoricalCrossentropy", metrics });
  return model;
}

/** Kernels, gains and offsets of the seed; moving averages stay as they are. */
export function seedWeights(model: tf.LayersModel, seed = 1): void {
  const rng = new Rng(seed);
  for (const weight of model.trainableWeights) {
    const values = rng.array(sizeOf(weight.shape as number[])).map((value) => 0.6 * value);
    weight.write(tf.tensor(values, weight.shape as number[]));
  }
}

/** All values of a model, moving averages included, in its order. */
export function valuesOf(model: tf.LayersModel): number[] {
  return model.getWeights().flatMap((tensor) => [...tensor.dataSync()]);
}

function sizeOf(shape: number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** As `withRandom`, until the promise settles: `fit` shuffles by Math.random, and dropout draws from it. */
export async function repeatably<T>(seed: string, fn: () => Promise<T>): Promise<T> {
  const stream = new Rng(seed);
  /* eslint-disable no-restricted-properties -- it is Math.random that is replaced */
  const random = Math.random;
  Math.random = () => stream.uniform();
  try {
    return await fn();
  } finally {
    Math.random = random;
  }
  /* eslint-enable no-restricted-properties */
}
