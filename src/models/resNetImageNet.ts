/** ImageNet ResNets (He et al. 2016) with bottlenecks, stride in the 3×3 convolution, as the official SAM code has them. */
import { checkOptions, tf } from "../engine";
import { batchNorm, conv, dense, globalAveragePool, lecunNormal, ones, padSides, zeros, type ConvOptions } from "./layers";
import { checkCount, ModelBuilder, type Layer, type Model } from "./model";

/** Options of `resNetImageNet`. */
export interface ResNetImageNetOptions {
  /** 50, 101 or 152 as in the paper; 14 and 26 are small siblings with one and two blocks in each group. */
  readonly depth: 14 | 26 | 50 | 101 | 152;
  /** Default 1000. */
  readonly numClasses?: number;
  /** height, width, channels; default 224×224×3 */
  readonly inputShape?: readonly [number, number, number];
  /** Channels of the stem; default 64. */
  readonly width?: number;
  /** Default false, as the official code pads. True, as PyTorch does: for weights that were trained there. */
  readonly symmetricPadding?: boolean;
}

const BLOCKS: Readonly<Record<number, readonly number[]>> = {
  14: [1, 1, 1, 1],
  26: [2, 2, 2, 2],
  50: [3, 4, 6, 3],
  101: [3, 4, 23, 3],
  152: [3, 8, 36, 3],
};
const EXPANSION = 4;

/** A residual network for large images; ResNet-50 with 1000 classes has 25 557 032 parameters. */
export function resNetImageNet(options: ResNetImageNetOptions): Model {
  checkOptions(
    options,
    { depth: "number", numClasses: "number", inputShape: "array", width: "number", symmetricPadding: "boolean" },
    "resNetImageNet",
  );
  const { depth, numClasses = 1000, inputShape = [224, 224, 3], width = 64, symmetricPadding = false } = options;
  const groups = BLOCKS[depth];
  if (!groups) throw new Error(`depth = ${depth}: expected one of ${Object.keys(BLOCKS).join(", ")}`);
  checkCount("width", width);
  const builder = new ModelBuilder();
  // The official code pads the first convolution by hand, and the others as TensorFlow does.
  const stem = convNorm(builder, "stem", { inputs: inputShape[2], outputs: width, kernel: 7, stride: 2, padding: 3 });
  const blocks: Layer[] = [];
  let inputs = width;
  groups.forEach((count, group) => {
    for (let block = 0; block < count; block++) {
      const stride = group > 0 && block === 0 ? 2 : 1;
      const channels = width * 2 ** group;
      blocks.push(bottleneck(builder, `group${group}/block${block}`, { inputs, channels, stride, symmetricPadding }));
      inputs = EXPANSION * channels;
    }
  });
  const head = dense(builder, "head", { inputs, outputs: numClasses, init: lecunNormal });
  const name = `ImageNet ResNet-${depth}${width === 64 ? "" : `, width ${width}`}`;
  return builder.build(name, { inputShape, numClasses, settings: { symmetricPadding } }, (x, context) => {
    const pooled = stemPool(tf.relu(stem(x, context)), symmetricPadding);
    return head(globalAveragePool(blocks.reduce((h, block) => block(h, context), pooled)), context);
  });
}

// After a ReLU, zeros at the border never beat a maximum.
function stemPool(x: tf.Tensor4D, symmetricPadding: boolean): tf.Tensor4D {
  return symmetricPadding ? tf.maxPool(padSides(x, 1), 3, 2, "valid") : tf.maxPool(x, 3, 2, "same");
}

function convNorm(
  builder: ModelBuilder,
  name: string,
  { initialScale = ones, ...options }: ConvOptions & { initialScale?: typeof ones },
): Layer {
  const step = conv(builder, `${name}/conv`, { init: lecunNormal, ...options });
  const norm = batchNorm(builder, `${name}/norm`, options.outputs, { initialScale });
  return (x, context) => norm(step(x, context), context);
}

interface BottleneckOptions {
  readonly inputs: number;
  readonly channels: number;
  readonly stride: number;
  readonly symmetricPadding: boolean;
}

function bottleneck(builder: ModelBuilder, name: string, options: BottleneckOptions): Layer {
  const { inputs, channels, stride, symmetricPadding } = options;
  const outputs = EXPANSION * channels;
  const padding = symmetricPadding ? 1 : "same";
  const contract = convNorm(builder, `${name}/1`, { inputs, outputs: channels, kernel: 1 });
  const middle = convNorm(builder, `${name}/2`, { inputs: channels, outputs: channels, stride, padding });
  // Each block starts as the identity: official code.
  const expand = convNorm(builder, `${name}/3`, { inputs: channels, outputs, kernel: 1, initialScale: zeros });
  const changes = stride !== 1 || inputs !== outputs;
  const project = changes ? convNorm(builder, `${name}/shortcut`, { inputs, outputs, kernel: 1, stride }) : undefined;
  return (x, context) => {
    const branch = expand(tf.relu(middle(tf.relu(contract(x, context)), context)), context);
    return tf.relu(tf.add<tf.Tensor4D>(branch, project ? project(x, context) : x));
  };
}
