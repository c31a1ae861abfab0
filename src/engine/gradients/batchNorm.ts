/** Batch norm over all but the last axis, differentiable to any order; on TensorFlow by its fused kernels. */
import * as tf from "@tensorflow/tfjs";
import { sumToShape } from "./reductions";
import { defineKernel, detach, putGradient, runKernel } from "./registry";
import { nativeOp } from "./native";
import { rewriteKernel } from "./tape";

const AXES = [0, 1, 2];

/** Result of batch norm in training mode. */
export interface BatchNormResult {
  /** (n, h, w, c) */
  y: tf.Tensor4D;
  /** (c), of this batch; off the tape */
  mean: tf.Tensor1D;
  /** (c), of this batch, biased (divided by n·h·w); off the tape */
  variance: tf.Tensor1D;
}

/**
 * y = scale · (x − mean) / √(variance + epsilon) + offset with this batch's own mean and variance
 * (Ioffe and Szegedy 2015). Gradients flow through both statistics into x.
 *
 * @param x (n, h, w, c)
 * @param scale (c)
 * @param offset (c)
 */
export function batchNormTraining(x: tf.Tensor4D, scale: tf.Tensor1D, offset: tf.Tensor1D, epsilon: number): BatchNormResult {
  if (!tf.getGradient("BatchNormTraining")) return withStockFunctions(x, scale, offset, epsilon);
  const [y, mean, variance] = runKernel<tf.Tensor[]>("BatchNormTraining", { x, scale, offset }, { epsilon });
  return { y: y as tf.Tensor4D, mean: detach(mean as tf.Tensor1D), variance: detach(variance as tf.Tensor1D) };
}

// Used after installStockGradients. Same computation as TensorFlow.js's batch norm layer.
function withStockFunctions(x: tf.Tensor4D, scale: tf.Tensor1D, offset: tf.Tensor1D, epsilon: number): BatchNormResult {
  const { mean, variance } = tf.moments(x, AXES) as { mean: tf.Tensor1D; variance: tf.Tensor1D };
  return { y: tf.batchNorm(x, mean, variance, offset, scale, epsilon), mean: detach(mean), variance: detach(variance) };
}

/**
 * Batch norm with given statistics: an affine function of x, scale and offset.
 *
 * @param x (n, h, w, c)
 * @param mean (c), held constant
 * @param variance (c), biased, held constant
 */
export function batchNormInference(
  x: tf.Tensor4D,
  scale: tf.Tensor1D,
  offset: tf.Tensor1D,
  mean: tf.Tensor1D,
  variance: tf.Tensor1D,
  epsilon: number,
): tf.Tensor4D {
  return tf.tidy(() => {
    const gain = tf.mul(scale, tf.rsqrt(tf.add(variance, epsilon)));
    return tf.add(tf.mul(x, gain), tf.sub(offset, tf.mul(mean, gain)));
  });
}

export function installBatchNormGradient(): void {
  rewriteKernel("FusedBatchNorm", fillMissing);
  defineKernel("BatchNormTraining", { native: nativeForward, composed: composedForward });
  defineKernel("BatchNormTrainingGrad", { native: nativeBackward, composed: composedBackward });
  putGradient("FusedBatchNorm", { inputsToSave: ["x", "mean", "variance", "scale"], gradFunc: givenStatistics });
  putGradient("BatchNormTraining", {
    inputsToSave: ["x", "scale"],
    outputsToSave: [false, false, false, true, true, true],
    gradFunc: (dys, saved, attrs) => backward((dys as tf.Tensor[])[0]!, saved, attrs as tf.NamedAttrMap),
  });
}

// The tape cannot hold a missing input, so stock batch norm without scale or offset has no gradient.
function fillMissing(inputs: tf.NamedTensorMap, attrs: tf.NamedAttrMap): tf.Tensor | undefined {
  const { mean, scale, offset } = inputs as Record<string, tf.Tensor | undefined>;
  if (tf.engine().state.gradientDepth === 0 || (scale && offset)) return undefined;
  const filled = { scale: scale ?? tf.ones(mean!.shape), offset: offset ?? tf.zeros(mean!.shape) };
  return runKernel<tf.Tensor>("FusedBatchNorm", { ...inputs, ...filled }, attrs);
}

type Gradients = Record<string, () => tf.Tensor>;

function backward(dy: tf.Tensor, [x, scale, ...reserve]: tf.Tensor[], attrs: tf.NamedAttrMap): Gradients {
  const inputs: tf.NamedTensorMap = { dy, x: x!, scale: scale! };
  // An outer tape needs plain functions, since the second derivative needs statistics that depend on x.
  const nested = tf.engine().state.gradientDepth > 0;
  reserve.forEach((tensor, i) => (inputs[`reserve${i}`] = tensor));
  const [dx, dScale, dOffset] = nested
    ? composedBackward(inputs, attrs)
    : runKernel<tf.Tensor[]>("BatchNormTrainingGrad", inputs, attrs);
  return { x: () => dx!, scale: () => dScale!, offset: () => dOffset! };
}

/** Gradient of tf.batchNorm, which the layer calls. The statistics are inputs like any other, of rank 1 or of x's rank. */
function givenStatistics(dys: tf.Tensor | tf.Tensor[], saved: tf.Tensor[], attrs: tf.NamedAttrMap): Gradients {
  const dy = dys as tf.Tensor;
  const [x, mean, variance, scale] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  const inverse = tf.rsqrt(tf.add(variance, attrs.varianceEpsilon as number));
  const gain = tf.mul(inverse, scale);
  const alongX = () => sumToShape(tf.mul(dy, tf.sub(x, mean)), mean.shape);
  return {
    x: () => tf.mul(dy, gain),
    mean: () => tf.neg(tf.mul(sumToShape(dy, mean.shape), gain)),
    variance: () => tf.mul(alongX(), tf.mul(tf.mul(gain, tf.square(inverse)), -0.5)),
    scale: () => tf.mul(alongX(), inverse),
    offset: () => sumToShape(dy, mean.shape),
  };
}

function fusedAttributes(attrs: tf.NamedAttrMap | undefined) {
  const float = { type: "float32" } as const;
  return { T: float, U: float, epsilon: { float: attrs!.epsilon as number }, data_format: "NHWC", is_training: true };
}

/** Returns y, mean, biased variance, and the three reserved tensors that the gradient needs. */
function nativeForward({ x, scale, offset }: tf.NamedTensorMap, attrs: tf.NamedAttrMap | undefined): tf.Tensor[] {
  const empty = tf.tensor1d([], "float32");
  const inputs = [x!, scale!, offset!, empty, empty];
  const attributes = { ...fusedAttributes(attrs), exponential_avg_factor: { float: 1 } };
  const [y, mean, unbiased, ...reserve] = nativeOp("FusedBatchNormV3", inputs, attributes, 6);
  const count = x!.size / scale!.size;
  // The kernel returns the variance with Bessel's correction.
  return [y!, mean!, tf.mul(unbiased!, Math.max(count - 1, 1) / count), ...reserve];
}

function nativeBackward({ dy, x, scale, ...reserve }: tf.NamedTensorMap, attrs: tf.NamedAttrMap | undefined): tf.Tensor[] {
  const inputs = [dy!, x!, scale!, reserve.reserve0!, reserve.reserve1!, reserve.reserve2!];
  return nativeOp("FusedBatchNormGradV3", inputs, fusedAttributes(attrs), 5).slice(0, 3);
}

function composedForward({ x, scale, offset }: tf.NamedTensorMap, attrs: tf.NamedAttrMap | undefined): tf.Tensor[] {
  const mean = tf.mean(x!, AXES);
  const centered = tf.sub(x!, mean);
  const variance = tf.mean(tf.square(centered), AXES);
  const inverse = tf.rsqrt(tf.add(variance, attrs!.epsilon as number));
  const y = tf.add(tf.mul(centered, tf.mul(inverse, scale!)), offset!);
  return [y, mean, variance, tf.clone(mean), tf.clone(variance), tf.zeros([0])];
}

// x̂ = (x − mean) / σ;  ∂L/∂x = scale/σ · (dy − mean(dy) − x̂ · mean(dy · x̂)).
function composedBackward({ dy, x, scale }: tf.NamedTensorMap, attrs: tf.NamedAttrMap | undefined): tf.Tensor[] {
  const centered = tf.sub(x!, tf.mean(x!, AXES));
  const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centered), AXES), attrs!.epsilon as number));
  const normalized = tf.mul(centered, inverse);
  const [dOffset, dScale] = [tf.sum(dy!, AXES), tf.sum(tf.mul(dy!, normalized), AXES)];
  const count = x!.size / scale!.size;
  const correction = tf.add(tf.div(dOffset, count), tf.mul(normalized, tf.div(dScale, count)));
  return [tf.mul(tf.sub(dy!, correction), tf.mul(scale!, inverse)), dScale, dOffset];
}
