/** VGG-like networks (Simonyan and Zisserman 2015): stages of 3×3 convolutions with max-pooling between, then dense layers. */
import { checkOptions, tf } from "../engine";
import { batchNorm, conv, dense, dropout, flatten, heNormalFanIn } from "./layers";
import { checkCount, ModelBuilder, type Head, type Layer, type Model } from "./model";

/** Options of `vgg`. */
export interface VggOptions {
  readonly depth: 11 | 13 | 16 | 19;
  readonly numClasses: number;
  /** height, width, channels; default 32×32×3 */
  readonly inputShape?: readonly [number, number, number];
  /** Channels of the first stage; the others have 2, 4, 8 and 8 times as many. Default 64. */
  readonly width?: number;
  /** Stages from the first on, 1 to 5, each followed by a pooling; default all 5. Fewer are ours, for small images. */
  readonly stages?: number;
  /** After each convolution; default true. False is the original network. Convolutions have a bias either way. */
  readonly batchNorm?: boolean;
  /** Units of the dense layers before the last; default none (ours, usual for CIFAR). The original's are [4096, 4096]. */
  readonly hidden?: readonly number[];
  /** After each dense layer; default 0. */
  readonly dropout?: number;
}

const CONVOLUTIONS: Readonly<Record<number, readonly number[]>> = {
  11: [1, 1, 2, 2, 2],
  13: [2, 2, 2, 2, 2],
  16: [2, 2, 3, 3, 3],
  19: [2, 2, 4, 4, 4],
};

/** A VGG network; VGG-16 with `hidden: [4096, 4096]` and without batch norm has 138 357 544 parameters on ImageNet. */
export function vgg(options: VggOptions): Model {
  checkOptions(
    options,
    {
      depth: "number",
      numClasses: "number",
      inputShape: "array",
      width: "number",
      stages: "number",
      batchNorm: "boolean",
      hidden: "array",
      dropout: "number",
    },
    "vgg",
  );
  const { depth, numClasses, inputShape = [32, 32, 3], width = 64, batchNorm: withNorm = true } = options;
  const { stages: kept = 5 } = options;
  const counts = CONVOLUTIONS[depth]?.slice(0, kept);
  if (!counts) throw new Error(`depth = ${depth}: expected one of ${Object.keys(CONVOLUTIONS).join(", ")}`);
  checkCount("width", width);
  if (![1, 2, 3, 4, 5].includes(kept)) throw new Error(`stages = ${kept}: expected a whole number from 1 to 5`);
  const builder = new ModelBuilder();
  let inputs = inputShape[2];
  const stages = counts.map((count, stage) => {
    const outputs = width * Math.min(2 ** stage, 8);
    const layers = Array.from({ length: count }, (_, i) => {
      const layer = convRelu(builder, `stage${stage}/${i}`, { inputs, outputs, withNorm });
      inputs = outputs;
      return layer;
    });
    return layers;
  });
  const pixels = pooled(inputShape[0], kept) * pooled(inputShape[1], kept);
  const classify = classifier(builder, pixels * inputs, options);
  const cut = kept === 5 ? "" : `, ${kept} ${kept === 1 ? "stage" : "stages"}`;
  const name = `VGG-${depth}${cut}${width === 64 ? "" : `, width ${width}`}${withNorm ? "" : " without batch norm"}`;
  return builder.build(name, { inputShape, numClasses, settings: { dropout: options.dropout ?? 0 } }, (x, context) => {
    const features = stages.reduce((h, layers) => {
      return tf.maxPool(layers.reduce((y, layer) => layer(y, context), h), 2, 2, "same"); // prettier-ignore
    }, x);
    return classify(features, context);
  });
}

function pooled(side: number, times: number): number {
  return Math.ceil(side / 2 ** times);
}

function convRelu(
  builder: ModelBuilder,
  name: string,
  { inputs, outputs, withNorm }: { inputs: number; outputs: number; withNorm: boolean },
): Layer {
  const step = conv(builder, `${name}/conv`, { inputs, outputs, bias: true });
  const norm = withNorm ? batchNorm(builder, `${name}/norm`, outputs) : undefined;
  return (x, context) => {
    const y = step(x, context);
    return tf.relu(norm ? norm(y, context) : y);
  };
}

function classifier(builder: ModelBuilder, features: number, { numClasses, hidden = [], dropout: rate = 0 }: VggOptions): Head {
  hidden.forEach((units, i) => checkCount(`hidden[${i}]`, units));
  const sizes = [features, ...hidden];
  const layers = hidden.map((outputs, i) => dense(builder, `dense${i}`, { inputs: sizes[i]!, outputs, init: heNormalFanIn }));
  const drops = hidden.map((_, i) => dropout(`dense${i}`, rate));
  const head = dense(builder, "head", { inputs: sizes[hidden.length]!, outputs: numClasses });
  return (x, context) => {
    let h = flatten(x);
    if (h.shape[1] !== features)
      throw new Error(`VGG: ${h.shape[1]} features, expected ${features}: the dense layers fix the size of images`);
    layers.forEach((layer, i) => (h = drops[i]!(tf.relu(layer(h, context)), context)));
    return head(h, context);
  };
}
