/** WideResNet-d-k (Zagoruyko and Komodakis 2016), pre-activation, with the official SAM code's parameter-free shortcuts. */
import { checkOptions, tf } from "../engine";
import { batchNorm, conv, dense, dropout, globalAveragePool } from "./layers";
import { checkCount, ModelBuilder, type Layer, type Model } from "./model";

/** Options of `wideResNet`. */
export interface WideResNetOptions {
  /** d = 6·n + 4: 10, 16, 22, 28, 40 … */
  readonly depth: number;
  /** k: the three groups have 16k, 32k and 64k channels. */
  readonly widenFactor: number;
  readonly numClasses: number;
  /** height, width, channels; default 32×32×3 */
  readonly inputShape?: readonly [number, number, number];
  /** Default true. False: no normalization at all, convolutions get a bias (paper, Fig. 3 left). */
  readonly batchNorm?: boolean;
  /** Between the two convolutions of a block; default 0, as in the paper. */
  readonly dropout?: number;
}

/** A wide residual network; WRN-28-10 with 100 classes has 36 278 324 parameters. */
export function wideResNet(options: WideResNetOptions): Model {
  checkOptions(
    options,
    {
      depth: "number",
      widenFactor: "number",
      numClasses: "number",
      inputShape: "array",
      batchNorm: "boolean",
      dropout: "number",
    },
    "wideResNet",
  );
  const { depth, widenFactor: k, numClasses, inputShape = [32, 32, 3], batchNorm: withNorm = true, dropout: rate = 0 } = options;
  if ((depth - 4) % 6 !== 0 || depth < 10)
    throw new Error(`depth = ${depth}: a WideResNet has depth 6n + 4 (10, 16, 22, 28, 40 …)`);
  checkCount("widenFactor", k);
  const builder = new ModelBuilder();
  const stem = conv(builder, "stem", { inputs: inputShape[2], outputs: 16, bias: !withNorm });
  const blocks: Layer[] = [];
  let inputs = 16;
  for (const [group, outputs] of [16 * k, 32 * k, 64 * k].entries()) {
    for (let block = 0; block < (depth - 4) / 6; block++) {
      const stride = group > 0 && block === 0 ? 2 : 1;
      const activateShortcut = group === 0 && block === 0;
      const name = `group${group}/block${block}`;
      blocks.push(residualBlock(builder, name, { inputs, outputs, stride, withNorm, rate, activateShortcut }));
      inputs = outputs;
    }
  }
  const norm = normRelu(builder, "norm", inputs, withNorm);
  const head = dense(builder, "head", { inputs, outputs: numClasses });
  const name = `WRN-${depth}-${k}${withNorm ? "" : " without batch norm"}`;
  return builder.build(name, { inputShape, numClasses, settings: { dropout: rate } }, (x, context) => {
    const features = blocks.reduce((h, block) => block(h, context), stem(x, context));
    return head(globalAveragePool(norm(features, context)), context);
  });
}

interface BlockOptions {
  readonly inputs: number;
  readonly outputs: number;
  readonly stride: number;
  readonly withNorm: boolean;
  readonly rate: number;
  /** The shortcut starts after the first ReLU: in the network's first block only, official code. */
  readonly activateShortcut: boolean;
}

function residualBlock(
  builder: ModelBuilder,
  name: string,
  { inputs, outputs, stride, withNorm, rate, activateShortcut }: BlockOptions,
): Layer {
  const norm1 = normRelu(builder, `${name}/norm1`, inputs, withNorm);
  const conv1 = conv(builder, `${name}/conv1`, { inputs, outputs, stride, bias: !withNorm });
  const norm2 = normRelu(builder, `${name}/norm2`, outputs, withNorm);
  const drop = dropout(name, rate);
  const conv2 = conv(builder, `${name}/conv2`, { inputs: outputs, outputs, bias: !withNorm });
  return (x, context) => {
    const active = norm1(x, context);
    const shortcut = poolAndPad(activateShortcut ? active : x, outputs, stride);
    return tf.add(conv2(drop(norm2(conv1(active, context), context), context), context), shortcut);
  };
}

/** The shortcut without parameters: average pooling, then zeros for the new channels. */
export function poolAndPad(x: tf.Tensor4D, outputs: number, stride: number): tf.Tensor4D {
  return padChannels(stride === 1 ? x : tf.avgPool(x, stride, stride, "same"), outputs);
}

/** Zeros for the channels that x has not. */
export function padChannels(x: tf.Tensor4D, outputs: number): tf.Tensor4D {
  const extra = outputs - x.shape[3];
  if (extra === 0) return x;
  return tf.pad(x, [[0, 0], [0, 0], [0, 0], [0, extra]]); // prettier-ignore
}

function normRelu(builder: ModelBuilder, name: string, channels: number, withNorm: boolean): Layer {
  if (!withNorm) return (x) => tf.relu(x);
  const norm = batchNorm(builder, name, channels);
  return (x, context) => tf.relu(norm(x, context));
}
