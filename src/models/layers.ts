/** Layers that register their parameters with a ModelBuilder and return a pure function of them. */
import { batchNormInference, batchNormTraining, recomputed, tf, type Rng, type Weights } from "../engine";
import type { Context, Initializer, Layer, ModelBuilder } from "./model";

/** He et al. 2015, fan out: N(0, 2 / (kernel² · outputs)), as the official code draws convolutions. */
export const heNormalFanOut: Initializer = (rng, shape) => {
  const fanOut = shape[0]! * shape[1]! * shape[3]!;
  return rng.array(size(shape)).map((value) => value * Math.sqrt(2 / fanOut));
};

/** U(−1/√outputs, 1/√outputs): dense layers of the official code. */
export const uniformByOutputs: Initializer = (rng, shape) => {
  const bound = 1 / Math.sqrt(shape[shape.length - 1]!);
  return rng.array(size(shape), "uniform").map((value) => (2 * value - 1) * bound);
};

/** He et al. 2015, fan in, for dense layers before a ReLU: N(0, 2 / inputs). */
export const heNormalFanIn: Initializer = (rng, shape) => {
  const scale = Math.sqrt(2 / size(shape.slice(0, -1)));
  return rng.array(size(shape)).map((value) => value * scale);
};

/** N(0, σ²) with σ = `scale(shape)`, truncated at two standard deviations of the untruncated normal, as JAX and TensorFlow draw it. */
const truncatedNormal =
  (scale: (shape: readonly number[]) => number): Initializer =>
  (rng, shape) => {
    const factor = scale(shape) / TRUNCATED_DEVIATION;
    return Float32Array.from({ length: size(shape) }, () => factor * withinTwo(rng));
  };

// Standard deviation of a standard normal truncated to [−2, 2].
const TRUNCATED_DEVIATION = 0.87962566103423978;

function withinTwo(rng: Rng): number {
  for (;;) {
    const value = rng.normal();
    if (Math.abs(value) <= 2) return value;
  }
}

/** LeCun et al. 1998, variance 1 / fan in: Flax's default, which the official code's ImageNet ResNets keep. */
export const lecunNormal = truncatedNormal((shape) => Math.sqrt(1 / size(shape.slice(0, -1))));

/** Variance 2 / (kernel² · outputs), truncated: convolutions of the official code's EfficientNets. */
export const truncatedFanOut = truncatedNormal((shape) => Math.sqrt(2 / (shape[0]! * shape[1]! * shape[3]!)));

/** Standard deviation 0.02: Vision Transformers (Touvron et al. 2021). */
export const truncated002 = truncatedNormal(() => 0.02);

export const zeros: Initializer = (_, shape) => new Float32Array(size(shape));
export const ones: Initializer = (_, shape) => new Float32Array(size(shape)).fill(1);

export interface ConvOptions {
  readonly inputs: number;
  readonly outputs: number;
  /** Side of the square kernel; default 3. */
  readonly kernel?: number;
  /** Default 1. */
  readonly stride?: number;
  /** Default false: a batch norm follows. */
  readonly bias?: boolean;
  /** "same" (default) as TensorFlow pads; a number is that many zeros on each side, as PyTorch pads. They differ where stride > 1. */
  readonly padding?: "same" | number;
  /** Initializer of the kernel; default `heNormalFanOut`. */
  readonly init?: Initializer;
}

/** 2-D convolution; the kernel is (kernel, kernel, inputs, outputs). */
export function conv(builder: ModelBuilder, name: string, options: ConvOptions): Layer {
  const { inputs, outputs, kernel = 3, stride = 1, bias = false, padding = "same", init = heNormalFanOut } = options;
  const weight = builder.parameter(`${name}/kernel`, [kernel, kernel, inputs, outputs], init);
  const offset = bias ? builder.parameter(`${name}/bias`, [outputs], zeros) : undefined;
  return (x, { weights }) => {
    const filter = weights[weight] as tf.Tensor4D;
    const y = convolve(padSides(x, padding), filter, { stride, pad: padding === "same" ? "same" : "valid" });
    return offset === undefined ? y : tf.add(y, weights[offset]!);
  };
}

// A 1×1 convolution is a product of matrices, and must be one: oneDNN in TensorFlow 2.21 ends the process with SIGFPE at some
// sizes of it, 512 → 1024 channels among them (seen on an AMD EPYC).
function convolve(x: tf.Tensor4D, filter: tf.Tensor4D, { stride, pad }: { stride: number; pad: "same" | "valid" }): tf.Tensor4D {
  const [side, , inputs, outputs] = filter.shape;
  if (side !== 1) return tf.conv2d(x, filter, stride, pad);
  const seen = everySecond(x, stride);
  const product = tf.matMul(tf.reshape(seen, [-1, inputs]), tf.reshape(filter, [inputs, outputs]));
  return tf.reshape(product, [seen.shape[0], seen.shape[1], seen.shape[2], outputs]);
}

/** The pixels at multiples of `stride`. */
export function everySecond(x: tf.Tensor4D, stride: number): tf.Tensor4D {
  return stride === 1 ? x : tf.avgPool(x, 1, stride, "same");
}

/** Pads an image with that many zeros on each side; not for "same", which TensorFlow pads itself. */
export function padSides(x: tf.Tensor4D, padding: "same" | number): tf.Tensor4D {
  if (padding === "same" || padding === 0) return x;
  return tf.pad(x, [[0, 0], [padding, padding], [padding, padding], [0, 0]]); // prettier-ignore
}

/** One filter a channel, "same" padding; the kernel is (kernel, kernel, channels, 1), as TensorFlow keeps it. */
export function depthwiseConv(
  builder: ModelBuilder,
  name: string,
  { channels, kernel, stride = 1, init = heNormalFanOut }: DepthwiseConvOptions,
): Layer {
  const weight = builder.parameter(`${name}/kernel`, [kernel, kernel, channels, 1], init);
  return (x, { weights }) => tf.depthwiseConv2d(x, weights[weight] as tf.Tensor4D, stride, "same");
}

export interface DepthwiseConvOptions {
  readonly channels: number;
  /** Side of the square kernel. */
  readonly kernel: number;
  /** Default 1. */
  readonly stride?: number;
  /** Default `heNormalFanOut`: a filter has one output. */
  readonly init?: Initializer;
}

/** Fully connected; the kernel is (inputs, outputs). */
export function dense(
  builder: ModelBuilder,
  name: string,
  { inputs, outputs, init = uniformByOutputs }: { inputs: number; outputs: number; init?: Initializer },
): (x: tf.Tensor2D, context: Context) => tf.Tensor2D {
  const kernel = builder.parameter(`${name}/kernel`, [inputs, outputs], init);
  const bias = builder.parameter(`${name}/bias`, [outputs], zeros);
  return (x, { weights }) => tf.add(tf.matMul(x, weights[kernel] as tf.Tensor2D), weights[bias]!);
}

const BATCH_NORM_MOMENTUM = 0.9; // official code, paper.md 7.4
const BATCH_NORM_EPSILON = 1e-5; // official code

/**
 * Batch norm over all but the channel axis. With batch statistics the moving averages after this batch go to
 * `context.newStats`; the given ones are never changed. They are updated with the biased variance, as in Flax.
 */
export function batchNorm(builder: ModelBuilder, name: string, channels: number, options: BatchNormOptions = {}): Layer {
  const { initialScale = ones, momentum = BATCH_NORM_MOMENTUM, epsilon = BATCH_NORM_EPSILON } = options;
  const scale = builder.parameter(`${name}/scale`, [channels], initialScale);
  const offset = builder.parameter(`${name}/offset`, [channels], zeros);
  const mean = builder.statistic(`${name}/mean`, [channels], zeros);
  const variance = builder.statistic(`${name}/variance`, [channels], ones);
  return (x, context) => {
    const { weights, stats = {}, training = false, batchStatistics = training, newStats } = context;
    const [gain, shift] = [weights[scale] as tf.Tensor1D, weights[offset] as tf.Tensor1D];
    const [oldMean, oldVariance] = [stats[mean] as tf.Tensor1D | undefined, stats[variance] as tf.Tensor1D | undefined];
    if (!oldMean || !oldVariance)
      throw new Error(`${name}: batch norm needs its moving averages in mode.stats, as init() returned them`);
    if (!batchStatistics) return batchNormInference(x, gain, shift, oldMean, oldVariance, epsilon);
    const batch = batchNormTraining(x, gain, shift, epsilon);
    newStats[mean] = movingAverage(oldMean, batch.mean, momentum);
    newStats[variance] = movingAverage(oldVariance, batch.variance, momentum);
    return batch.y;
  };
}

export interface BatchNormOptions {
  /** Initializer of the gain; default ones. */
  readonly initialScale?: Initializer;
  /** Share of the old moving average that stays; default 0.9. */
  readonly momentum?: number;
  /** Default 1e-5. */
  readonly epsilon?: number;
}

/** Batch norm's moving average: momentum · old + (1 − momentum) · now. */
export function movingAverage(old: tf.Tensor, now: tf.Tensor, momentum: number): tf.Tensor {
  return tf.add(tf.mul(old, momentum), tf.mul(now, 1 - momentum));
}

/** Layer norm over the last axis (Ba et al. 2016); epsilon 1e-6 as in ViT. */
export function layerNorm(
  builder: ModelBuilder,
  name: string,
  channels: number,
): (x: tf.Tensor2D, context: Context) => tf.Tensor2D {
  const scale = builder.parameter(`${name}/scale`, [channels], ones);
  const offset = builder.parameter(`${name}/offset`, [channels], zeros);
  return (x, { weights }) => {
    const centered = tf.sub(x, tf.mean(x, -1, true));
    const deviation = tf.sqrt(tf.add(tf.mean(tf.square(centered), -1, true), LAYER_NORM_EPSILON));
    return tf.add(tf.mul(tf.div(centered, deviation), weights[scale]!), weights[offset]!);
  };
}

const LAYER_NORM_EPSILON = 1e-6;

/** The layer that `make` returns, with its activations recomputed for the gradient instead of kept. */
export function withoutActivations(builder: ModelBuilder, make: () => Layer): Layer {
  const before = builder.parameters.length;
  const layer = make();
  const names = builder.parameters.slice(before).map(({ name }) => name);
  return (x, context) => {
    const again = ([input, ...own]: tf.Tensor[]) => {
      const newStats: Weights = {};
      const weights = Object.fromEntries(names.map((name, i) => [name, own[i]!]));
      return { value: layer(input as tf.Tensor4D, { ...context, weights, newStats }), aux: newStats };
    };
    const { value, aux } = recomputed(again, [x, ...names.map((name) => context.weights[name]!)]);
    Object.assign(context.newStats, aux);
    return value;
  };
}

/** Mean over height and width: (n, h, w, c) → (n, c). */
export function globalAveragePool(x: tf.Tensor4D): tf.Tensor2D {
  return tf.mean(x, [1, 2]);
}

export function flatten(x: tf.Tensor4D): tf.Tensor2D {
  return tf.reshape(x, [x.shape[0], -1]);
}

/** Inverted dropout with a mask from the context's stream: the same stream, the same mask. */
export function dropout(name: string, rate: number): <T extends tf.Tensor>(x: T, context: Context) => T {
  if (!(rate >= 0 && rate < 1)) throw new Error(`dropout = ${rate}: expected a rate from 0 up to, but not, 1`);
  return (x, { training = false, rng }) => {
    if (!training || rate === 0) return x;
    if (!rng) throw new Error(`${name}: dropout in training mode needs mode.rng`);
    const draws = rng.split(name).array(x.size, "uniform");
    const keep = 1 - rate;
    return tf.mul(
      x,
      tf.tensor(
        draws.map((draw) => (draw < keep ? 1 / keep : 0)),
        x.shape,
      ),
    );
  };
}

function size(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
