/** The same WideResNet as a TensorFlow.js user writes it without this kit: batch norm by tf.moments and tf.batchNorm. */
import { tf, type Weights } from "../../engine";
import type { ApplyMode, Model, ModelOutput } from "../../models";

const EPSILON = 1e-5;
const MOMENTUM = 0.9;

interface Pass {
  readonly weights: Weights;
  readonly stats: Weights;
  readonly newStats: Weights;
}

/** A WRN-10-k with batch norm, applied in training mode by stock functions; parameters and results as the given model's. */
export function stockWideResNet10(model: Model): Model {
  return { ...model, apply: (weights, x, mode = {}) => applyStock(weights, x, mode) };
}

function applyStock(weights: Weights, x: tf.Tensor4D, { training = false, stats = {} }: ApplyMode): ModelOutput {
  if (!training) throw new Error("the stock network is for training steps only");
  const pass: Pass = { weights, stats, newStats: {} };
  let h = conv(pass, "stem", x, 1);
  for (const group of [0, 1, 2]) h = block(pass, `group${group}/block0`, h, group);
  const features = tf.mean(normRelu(pass, "norm", h), [1, 2]) as tf.Tensor2D;
  const logits = tf.add(tf.matMul(features, weights["head/kernel"] as tf.Tensor2D), weights["head/bias"]!) as tf.Tensor2D;
  return { logits, stats: { ...stats, ...pass.newStats } };
}

function block(pass: Pass, name: string, x: tf.Tensor4D, group: number): tf.Tensor4D {
  const stride = group === 0 ? 1 : 2;
  const active = normRelu(pass, `${name}/norm1`, x);
  const inner = conv(pass, `${name}/conv1`, active, stride);
  const branch = conv(pass, `${name}/conv2`, normRelu(pass, `${name}/norm2`, inner), 1);
  const shortcut = group === 0 ? active : tf.avgPool(x, stride, stride, "same");
  const extra = branch.shape[3] - x.shape[3];
  return tf.add(branch, tf.pad(shortcut, [[0, 0], [0, 0], [0, 0], [0, extra]])); // prettier-ignore
}

function conv({ weights }: Pass, name: string, x: tf.Tensor4D, stride: number): tf.Tensor4D {
  return tf.conv2d(x, weights[`${name}/kernel`] as tf.Tensor4D, stride, "same");
}

// As the layers API normalizes in training: regularNormalizeBatchInTraining.
function normRelu({ weights, stats, newStats }: Pass, name: string, x: tf.Tensor4D): tf.Tensor4D {
  const { mean, variance } = tf.moments(x, [0, 1, 2]);
  newStats[`${name}/mean`] = movingAverage(stats[`${name}/mean`]!, mean);
  newStats[`${name}/variance`] = movingAverage(stats[`${name}/variance`]!, variance);
  const [scale, offset] = [weights[`${name}/scale`] as tf.Tensor1D, weights[`${name}/offset`] as tf.Tensor1D];
  return tf.relu(tf.batchNorm(x, mean as tf.Tensor1D, variance as tf.Tensor1D, offset, scale, EPSILON));
}

function movingAverage(old: tf.Tensor, now: tf.Tensor): tf.Tensor {
  return tf.add(tf.mul(old, MOMENTUM), tf.mul(now, 1 - MOMENTUM));
}
