/** PyramidNet with bottlenecks (Han et al. 2017) and optional ShakeDrop (Yamada et al. 2019), as in the official SAM code. */
import { checkOptions, tf } from "../engine";
import { applyDecoupledGate, applyGate, gateRng, uniformGate, type Gate } from "./gates";
import { batchNorm, conv, dense, globalAveragePool } from "./layers";
import { checkCount, ModelBuilder, type Context, type Layer, type Model } from "./model";
import { poolAndPad } from "./wideResNet";

/** Options of `pyramidNet`. */
export interface PyramidNetOptions {
  readonly numClasses: number;
  /** 9n + 2: three groups of n bottlenecks of three convolutions; default 272, as in the paper. */
  readonly depth?: number;
  /** Channels added from the first block to the last; default 200, as in the paper. */
  readonly alpha?: number;
  /** Default false. */
  readonly shakeDrop?: boolean;
  /** height, width, channels; default 32×32×3 */
  readonly inputShape?: readonly [number, number, number];
}

/**
 * A pyramidal residual network; 272 layers, α = 200 and 100 classes make 26 288 692 parameters. ShakeDrop draws its gates from
 * `mode.rng`; with `mode.trueGradient` the backward pass has the forward pass's.
 */
export function pyramidNet(options: PyramidNetOptions): Model {
  checkOptions(
    options,
    { numClasses: "number", depth: "number", alpha: "number", shakeDrop: "boolean", inputShape: "array" },
    "pyramidNet",
  );
  const { numClasses, depth = 272, alpha = 200, shakeDrop: withDrop = false, inputShape = [32, 32, 3] } = options;
  if ((depth - 2) % 9 !== 0 || depth < 11) throw new Error(`depth = ${depth}: a PyramidNet has depth 9n + 2 (11, 20, 29, … 272)`);
  checkCount("alpha", alpha);
  const builder = new ModelBuilder();
  const stem = conv(builder, "stem/conv", { inputs: inputShape[2], outputs: FIRST_CHANNELS });
  const stemNorm = batchNorm(builder, "stem/norm", FIRST_CHANNELS);
  const perGroup = (depth - 2) / 9;
  let inputs = FIRST_CHANNELS;
  const blocks = Array.from({ length: 3 * perGroup }, (_, i) => {
    const name = `group${Math.floor(i / perGroup)}/block${i % perGroup}`;
    const stride = i > 0 && i % perGroup === 0 ? 2 : 1;
    const share = (i + 1) / (3 * perGroup);
    const channels = Math.round(FIRST_CHANNELS + alpha * share); // rounded, not cut off: official code
    const drop = withDrop ? shakeDrop(name, 1 - share * LAST_DROP_RATE) : (x: tf.Tensor4D) => x;
    const block = bottleneck(builder, name, { inputs, channels, stride, drop });
    inputs = EXPANSION * channels;
    return block;
  });
  const norm = batchNorm(builder, "norm", inputs);
  const head = dense(builder, "head", { inputs, outputs: numClasses });
  const name = `PyramidNet-${depth} α=${alpha}${withDrop ? " with ShakeDrop" : ""}`;
  return builder.build(name, { inputShape, numClasses }, (x, context) => {
    const features = blocks.reduce((h, block) => block(h, context), stemNorm(stem(x, context), context));
    return head(globalAveragePool(tf.relu(norm(features, context))), context);
  });
}

const FIRST_CHANNELS = 16;
const EXPANSION = 4;
const LAST_DROP_RATE = 0.5; // of the last block; it grows linearly from the first, official code

interface BottleneckOptions {
  readonly inputs: number;
  readonly channels: number;
  readonly stride: number;
  readonly drop: Layer;
}

function bottleneck(builder: ModelBuilder, name: string, { inputs, channels, stride, drop }: BottleneckOptions): Layer {
  const outputs = EXPANSION * channels;
  const norm0 = batchNorm(builder, `${name}/norm0`, inputs);
  const contract = conv(builder, `${name}/conv1`, { inputs, outputs: channels, kernel: 1 });
  const norm1 = batchNorm(builder, `${name}/norm1`, channels);
  const middle = conv(builder, `${name}/conv2`, { inputs: channels, outputs: channels, stride });
  const norm2 = batchNorm(builder, `${name}/norm2`, channels);
  const expand = conv(builder, `${name}/conv3`, { inputs: channels, outputs, kernel: 1 });
  const norm3 = batchNorm(builder, `${name}/norm3`, outputs);
  return (x, context) => {
    const narrow = tf.relu(norm1(contract(norm0(x, context), context), context));
    const filtered = tf.relu(norm2(middle(narrow, context), context));
    const branch = norm3(expand(filtered, context), context);
    return tf.add(poolAndPad(x, outputs, stride), drop(branch, context));
  };
}

/**
 * ShakeDrop: with probability `survival` an example's branch stays as it is; otherwise it is multiplied by α ~ U(−1, 1) forward
 * and its gradient by β ~ U(0, 1). In inference mode the branch is multiplied by the mean, `survival` + (1 − survival)·E[α].
 */
export function shakeDrop(name: string, survival: number): (x: tf.Tensor4D, context: Context) => tf.Tensor4D {
  return (x, context) => {
    if (!context.training) return tf.mul(x, survival); // E[α] = 0
    const rng = gateRng(name, context);
    const n = x.shape[0];
    const kept = uniformGate(rng.split("kept"), n, 0, 1).map((u) => (u < survival ? 1 : 0));
    const mixed = (gate: Gate) => gate.map((value, i) => (kept[i] ? 1 : value));
    const forward = mixed(uniformGate(rng.split("alpha"), n, -1, 1));
    if (context.trueGradient) return applyGate(x, forward);
    return applyDecoupledGate(x, forward, mixed(uniformGate(rng.split("beta"), n, 0, 1)));
  };
}
