/** Shake-Shake (Gastaldi 2017): two branches a block, mixed by a random gate for each example, as the official SAM code has it. */
import { checkOptions, tf } from "../engine";
import { applyDecoupledGate, applyGate, gateRng, uniformGate } from "./gates";
import { batchNorm, conv, dense, everySecond, globalAveragePool } from "./layers";
import { checkCount, ModelBuilder, type Context, type Layer, type Model } from "./model";

/** Options of `shakeShake`. */
export interface ShakeShakeOptions {
  readonly numClasses: number;
  /** 6n + 2: three groups of n blocks of two convolutions; default 26, as in the paper. */
  readonly depth?: number;
  /** Channels of the first group, even; the others have twice and four times as many. Default 96, as in the paper ("2x6": 6·16). */
  readonly width?: number;
  /** height, width, channels; default 32×32×3 */
  readonly inputShape?: readonly [number, number, number];
}

/**
 * A Shake-Shake network; 26 2x96d with 100 classes has 26 227 572 parameters. In training mode the gates come from `mode.rng`:
 * one for the forward pass, another for the backward pass unless `mode.trueGradient`. In inference mode they are ½.
 */
export function shakeShake(options: ShakeShakeOptions): Model {
  checkOptions(options, { numClasses: "number", depth: "number", width: "number", inputShape: "array" }, "shakeShake");
  const { numClasses, depth = 26, width = 96, inputShape = [32, 32, 3] } = options;
  if ((depth - 2) % 6 !== 0 || depth < 8)
    throw new Error(`depth = ${depth}: a Shake-Shake network has depth 6n + 2 (8, 14, 20, 26 …)`);
  if (width % 2 !== 0 || width < 2)
    throw new Error(`width = ${width}: expected an even number, half for each path of a shortcut`);
  checkCount("width", width);
  const builder = new ModelBuilder();
  const stem = conv(builder, "stem/conv", { inputs: inputShape[2], outputs: STEM_CHANNELS });
  const stemNorm = batchNorm(builder, "stem/norm", STEM_CHANNELS);
  const blocks: Layer[] = [];
  let inputs = STEM_CHANNELS;
  for (const [group, outputs] of [width, 2 * width, 4 * width].entries()) {
    for (let block = 0; block < (depth - 2) / 6; block++) {
      const stride = group > 0 && block === 0 ? 2 : 1;
      blocks.push(shakeBlock(builder, `group${group}/block${block}`, { inputs, outputs, stride }));
      inputs = outputs;
    }
  }
  const head = dense(builder, "head", { inputs, outputs: numClasses });
  return builder.build(`Shake-Shake ${depth} 2x${width}d`, { inputShape, numClasses }, (x, context) => {
    const features = blocks.reduce((h, block) => block(h, context), stemNorm(stem(x, context), context));
    return head(globalAveragePool(tf.relu(features)), context);
  });
}

const STEM_CHANNELS = 16; // official code, for every width

interface BlockOptions {
  readonly inputs: number;
  readonly outputs: number;
  readonly stride: number;
}

function shakeBlock(builder: ModelBuilder, name: string, options: BlockOptions): Layer {
  const [a, b] = [branch(builder, `${name}/a`, options), branch(builder, `${name}/b`, options)];
  const skip = shortcut(builder, `${name}/shortcut`, options);
  return (x, context) => tf.add(skip(x, context), shake(name, a(x, context), b(x, context), context));
}

/** γ·a + (1 − γ)·b with one γ an example: U(0, 1) in training mode, ½ otherwise. */
export function shake(name: string, a: tf.Tensor4D, b: tf.Tensor4D, context: Context): tf.Tensor4D {
  if (!context.training) return tf.mul(tf.add(a, b), 0.5);
  const rng = gateRng(name, context);
  const [forward, backward] = ["forward", "backward"].map((pass) => uniformGate(rng.split(pass), a.shape[0], 0, 1));
  const other = (gate: Float32Array) => gate.map((value) => 1 - value);
  if (context.trueGradient) return tf.add(applyGate(a, forward!), applyGate(b, other(forward!)));
  return tf.add(applyDecoupledGate(a, forward!, backward!), applyDecoupledGate(b, other(forward!), other(backward!)));
}

function branch(builder: ModelBuilder, name: string, { inputs, outputs, stride }: BlockOptions): Layer {
  const conv1 = conv(builder, `${name}/conv1`, { inputs, outputs, stride });
  const norm1 = batchNorm(builder, `${name}/norm1`, outputs);
  const conv2 = conv(builder, `${name}/conv2`, { inputs: outputs, outputs });
  const norm2 = batchNorm(builder, `${name}/norm2`, outputs);
  return (x, context) => {
    const hidden = tf.relu(norm1(conv1(tf.relu(x), context), context));
    return norm2(conv2(hidden, context), context);
  };
}

/** Shortcut of a block that changes the shape: half of the channels from every second pixel, half from its diagonal neighbor. */
function shortcut(builder: ModelBuilder, name: string, { inputs, outputs, stride }: BlockOptions): Layer {
  if (inputs === outputs) return (x) => x;
  const half = { inputs, outputs: outputs / 2, kernel: 1 };
  const [here, beside] = [conv(builder, `${name}/conv1`, half), conv(builder, `${name}/conv2`, half)];
  const norm = batchNorm(builder, `${name}/norm`, outputs);
  return (x, context) => {
    const paths = [here(everySecond(x, stride), context), beside(everySecond(shiftedByOne(x), stride), context)];
    return norm(tf.concat(paths, 3), context);
  };
}

/** Each pixel replaced by the one below and to its right; zeros come in at the end. */
function shiftedByOne(x: tf.Tensor4D): tf.Tensor4D {
  return tf.slice(tf.pad(x, [[0, 0], [0, 1], [0, 1], [0, 0]]), [0, 1, 1, 0], x.shape); // prettier-ignore
}
