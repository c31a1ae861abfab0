/** CIFAR ResNets (He et al. 2016, section 4.2): three groups of basic blocks, shortcuts without parameters (option A). */
import { checkOptions, tf } from "../engine";
import { batchNorm, conv, dense, everySecond, globalAveragePool } from "./layers";
import { checkCount, ModelBuilder, type Layer, type Model } from "./model";
import { padChannels } from "./wideResNet";

/** Options of `resNetCifar`. */
export interface ResNetCifarOptions {
  /** 6n + 2: 8, 14, 20, 32, 44, 56 … */
  readonly depth: number;
  readonly numClasses: number;
  /** height, width, channels; default 32×32×3 */
  readonly inputShape?: readonly [number, number, number];
  /** Channels of the first group; the others have twice and four times as many. Default 16. */
  readonly width?: number;
  /** Default true. False: the same layers without shortcuts, a plain network. */
  readonly skipConnections?: boolean;
  /** Default true. False: no normalization at all, convolutions get a bias. */
  readonly batchNorm?: boolean;
  /** Default false, as TensorFlow pads. True, as PyTorch does: for weights that were trained there. */
  readonly symmetricPadding?: boolean;
}

/** A residual network for small images; ResNet-20 with 10 classes has 269 722 parameters, ResNet-32 has 464 154. */
export function resNetCifar(options: ResNetCifarOptions): Model {
  checkOptions(
    options,
    {
      depth: "number",
      numClasses: "number",
      inputShape: "array",
      width: "number",
      skipConnections: "boolean",
      batchNorm: "boolean",
      symmetricPadding: "boolean",
    },
    "resNetCifar",
  );
  const { depth, numClasses, inputShape = [32, 32, 3], width = 16, symmetricPadding = false } = options;
  const { skipConnections = true, batchNorm: withNorm = true } = options;
  if ((depth - 2) % 6 !== 0 || depth < 8)
    throw new Error(`depth = ${depth}: a CIFAR ResNet has depth 6n + 2 (8, 14, 20, 32, 56 …)`);
  checkCount("width", width);
  const padding = symmetricPadding ? 1 : "same";
  const builder = new ModelBuilder();
  const step = { withNorm, skipConnections, padding } as const;
  const stem = convNorm(builder, "stem", { ...step, inputs: inputShape[2], outputs: width, stride: 1 });
  const blocks: Layer[] = [];
  let inputs = width;
  for (const [group, outputs] of [width, 2 * width, 4 * width].entries()) {
    for (let block = 0; block < (depth - 2) / 6; block++) {
      const stride = group > 0 && block === 0 ? 2 : 1;
      blocks.push(basicBlock(builder, `group${group}/block${block}`, { ...step, inputs, outputs, stride }));
      inputs = outputs;
    }
  }
  const head = dense(builder, "head", { inputs, outputs: numClasses });
  return builder.build(nameOf(options), { inputShape, numClasses, settings: { symmetricPadding } }, (x, context) => {
    const features = blocks.reduce((h, block) => block(h, context), tf.relu(stem(x, context)));
    return head(globalAveragePool(features), context);
  });
}

function nameOf({ depth, width = 16, skipConnections = true, batchNorm: withNorm = true }: ResNetCifarOptions): string {
  const without = [skipConnections ? "" : "skip connections", withNorm ? "" : "batch norm"].filter(Boolean);
  const size = width === 16 ? "" : `, width ${width}`;
  return `ResNet-${depth}${size}${without.length > 0 ? ` without ${without.join(" and ")}` : ""}`;
}

interface StepOptions {
  readonly inputs: number;
  readonly outputs: number;
  readonly stride: number;
  readonly withNorm: boolean;
  readonly padding: "same" | number;
}

function convNorm(builder: ModelBuilder, name: string, { withNorm, ...options }: StepOptions): Layer {
  const { inputs, outputs, stride, padding } = options;
  const step = conv(builder, `${name}/conv`, { inputs, outputs, stride, padding, bias: !withNorm });
  const norm = withNorm ? batchNorm(builder, `${name}/norm`, outputs) : undefined;
  return (x, context) => {
    const y = step(x, context);
    return norm ? norm(y, context) : y;
  };
}

function basicBlock(builder: ModelBuilder, name: string, options: StepOptions & { skipConnections: boolean }): Layer {
  const { outputs, stride, skipConnections } = options;
  const first = convNorm(builder, `${name}/1`, options);
  const second = convNorm(builder, `${name}/2`, { ...options, inputs: outputs, stride: 1 });
  return (x, context) => {
    const branch = second(tf.relu(first(x, context)), context);
    if (!skipConnections) return tf.relu(branch);
    return tf.relu(tf.add<tf.Tensor4D>(branch, padChannels(everySecond(x, stride), outputs)));
  };
}
