/** EfficientNet (Tan and Le 2019): inverted bottlenecks with depthwise convolutions, squeeze-and-excitation, stochastic depth and swish. */
import { checkOptions, tf } from "../engine";
import { stochasticDepth } from "./gates";
import { batchNorm, conv, dense, depthwiseConv, dropout, globalAveragePool, truncatedFanOut, withoutActivations } from "./layers";
import { ModelBuilder, type Layer, type Model } from "./model";

/** Scaling of a variant relative to B0. */
export interface EfficientNetScale {
  readonly width: number;
  readonly depth: number;
  /** Side of the images, pixels. */
  readonly resolution: number;
  readonly dropout: number;
}

/** Tan and Le's published scales; l2: Xie et al. 2020 (Noisy Student), at the 475 pixels of the paper's checkpoint (it was published at 800 too). */
export const efficientNetScales = {
  b0: { width: 1, depth: 1, resolution: 224, dropout: 0.2 },
  b1: { width: 1, depth: 1.1, resolution: 240, dropout: 0.2 },
  b2: { width: 1.1, depth: 1.2, resolution: 260, dropout: 0.3 },
  b3: { width: 1.2, depth: 1.4, resolution: 300, dropout: 0.3 },
  b4: { width: 1.4, depth: 1.8, resolution: 380, dropout: 0.4 },
  b5: { width: 1.6, depth: 2.2, resolution: 456, dropout: 0.4 },
  b6: { width: 1.8, depth: 2.6, resolution: 528, dropout: 0.5 },
  b7: { width: 2, depth: 3.1, resolution: 600, dropout: 0.5 },
  l2: { width: 4.3, depth: 5.3, resolution: 475, dropout: 0.5 },
} as const satisfies Record<string, EfficientNetScale>;

/** Names of the published scales. */
export type EfficientNetVariant = keyof typeof efficientNetScales;

/** Options of `efficientNet`. */
export interface EfficientNetOptions {
  /** A published variant, or a scale of one's own. */
  readonly variant: EfficientNetVariant | EfficientNetScale;
  /** Default 1000. */
  readonly numClasses?: number;
  /** height, width, channels; default the variant's resolution, RGB */
  readonly inputShape?: readonly [number, number, number];
  /** Default the variant's. */
  readonly dropout?: number;
  /** Stochastic depth of the last block, growing linearly from 0; default 0.2, as published. */
  readonly dropConnect?: number;
}

interface Stage {
  readonly outputs: number;
  readonly kernel: number;
  readonly repeats: number;
  readonly expand: number;
  readonly stride: number;
}

const B0_STAGES: readonly Stage[] = [
  { outputs: 16, kernel: 3, repeats: 1, expand: 1, stride: 1 },
  { outputs: 24, kernel: 3, repeats: 2, expand: 6, stride: 2 },
  { outputs: 40, kernel: 5, repeats: 2, expand: 6, stride: 2 },
  { outputs: 80, kernel: 3, repeats: 3, expand: 6, stride: 2 },
  { outputs: 112, kernel: 5, repeats: 3, expand: 6, stride: 1 },
  { outputs: 192, kernel: 5, repeats: 4, expand: 6, stride: 2 },
  { outputs: 320, kernel: 3, repeats: 1, expand: 6, stride: 1 },
];
const [STEM_CHANNELS, TOP_CHANNELS] = [32, 1280];
const SQUEEZE = 0.25;
// Pixels of an image; ours. At B7's 600², the activations of two images would take some 48 GB; recomputed, a SAM step takes 6 GB in all.
const RECOMPUTED_FROM = 300 ** 2;
const NORM = { momentum: 0.99, epsilon: 1e-3 }; // official code

/** An EfficientNet; B0 with 1000 classes has 5 288 548 parameters. */
export function efficientNet(options: EfficientNetOptions): Model {
  checkOptions(
    options,
    {
      variant: { types: ["string", "object"] },
      numClasses: "number",
      inputShape: "array",
      dropout: "number",
      dropConnect: "number",
    },
    "efficientNet",
  );
  const { variant, numClasses = 1000, dropConnect = 0.2 } = options;
  const scale = scaleOf(variant);
  const { inputShape = [scale.resolution, scale.resolution, 3], dropout: rate = scale.dropout } = options;
  const builder = new ModelBuilder();
  const [stemChannels, topChannels] = [scaledChannels(STEM_CHANNELS, scale), scaledChannels(TOP_CHANNELS, scale)];
  const stem = convNormSwish(builder, "stem", { inputs: inputShape[2], outputs: stemChannels, kernel: 3, stride: 2 });
  const plans = blockPlans(scale, stemChannels);
  const isLarge = inputShape[0] * inputShape[1] >= RECOMPUTED_FROM;
  const blocks = plans.map((plan, i) => {
    const make = () => invertedBottleneck(builder, { ...plan, survival: 1 - (dropConnect * i) / plans.length });
    return isLarge ? withoutActivations(builder, make) : make();
  });
  const inputs = plans[plans.length - 1]!.outputs;
  const top = convNormSwish(builder, "top", { inputs, outputs: topChannels, kernel: 1, stride: 1 });
  const drop = dropout("dropout", rate);
  const head = dense(builder, "head", { inputs: topChannels, outputs: numClasses });
  const name =
    typeof variant === "string" ? `EfficientNet-${variant.toUpperCase()}` : `EfficientNet ${scale.width}×${scale.depth}`;
  const settings = { dropout: rate, dropConnect };
  return builder.build(name, { inputShape, numClasses, settings }, (x, context) => {
    const features = blocks.reduce((h, block) => block(h, context), stem(x, context));
    return head(drop(globalAveragePool(top(features, context)), context), context);
  });
}

function scaleOf(variant: EfficientNetOptions["variant"]): EfficientNetScale {
  if (typeof variant === "object") return variant;
  const scale = efficientNetScales[variant] as EfficientNetScale | undefined;
  if (!scale)
    throw new Error(`variant = ${String(variant)}: expected one of ${Object.keys(efficientNetScales).join(", ")}, or a scale`);
  return scale;
}

/** The nearest multiple of 8 that is at most a tenth below. */
function scaledChannels(channels: number, { width }: EfficientNetScale): number {
  const wanted = channels * width;
  const rounded = Math.max(8, Math.floor((wanted + 4) / 8) * 8);
  return rounded < 0.9 * wanted ? rounded + 8 : rounded;
}

interface BlockPlan {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: number;
  readonly expand: number;
  readonly stride: number;
}

function blockPlans(scale: EfficientNetScale, stemChannels: number): BlockPlan[] {
  let inputs = stemChannels;
  return B0_STAGES.flatMap(({ kernel, expand, ...stage }, group) => {
    const outputs = scaledChannels(stage.outputs, scale);
    return Array.from({ length: Math.ceil(scale.depth * stage.repeats) }, (_, block) => {
      const [name, stride] = [`group${group}/block${block}`, block === 0 ? stage.stride : 1];
      const plan = { name, inputs, outputs, kernel, expand, stride };
      inputs = outputs;
      return plan;
    });
  });
}

function invertedBottleneck(builder: ModelBuilder, options: BlockPlan & { survival: number }): Layer {
  const { name, inputs, outputs, kernel, expand, stride, survival } = options;
  const channels = inputs * expand;
  const widen =
    expand === 1 ? undefined : convNormSwish(builder, `${name}/expand`, { inputs, outputs: channels, kernel: 1, stride: 1 });
  const depthwise = depthwiseConv(builder, `${name}/depthwise/conv`, { channels, kernel, stride, init: truncatedFanOut });
  const depthwiseNorm = batchNorm(builder, `${name}/depthwise/norm`, channels, NORM);
  const excite = squeezeExcite(builder, `${name}/squeeze`, { channels, squeezed: Math.max(1, Math.floor(inputs * SQUEEZE)) });
  const project = conv(builder, `${name}/project/conv`, { inputs: channels, outputs, kernel: 1, init: truncatedFanOut });
  const projectNorm = batchNorm(builder, `${name}/project/norm`, outputs, NORM);
  const drop = stochasticDepth(name, survival);
  return (x, context) => {
    const wide = widen ? widen(x, context) : x;
    const filtered = swish(depthwiseNorm(depthwise(wide, context), context));
    const branch = projectNorm(project(excite(filtered, context), context), context);
    return stride === 1 && inputs === outputs ? tf.add(drop(branch, context), x) : branch;
  };
}

/** Squeeze-and-excitation (Hu et al. 2018): each channel times a sigmoid of all channels' means. */
function squeezeExcite(
  builder: ModelBuilder,
  name: string,
  { channels, squeezed }: { channels: number; squeezed: number },
): Layer {
  const shared = { kernel: 1, bias: true, init: truncatedFanOut };
  const reduce = conv(builder, `${name}/reduce`, { ...shared, inputs: channels, outputs: squeezed });
  const expand = conv(builder, `${name}/expand`, { ...shared, inputs: squeezed, outputs: channels });
  return (x, context) => {
    const means = tf.mean(x, [1, 2], true) as tf.Tensor4D;
    return tf.mul(x, tf.sigmoid(expand(swish(reduce(means, context)), context)));
  };
}

function convNormSwish(
  builder: ModelBuilder,
  name: string,
  options: { inputs: number; outputs: number; kernel: number; stride: number },
): Layer {
  const step = conv(builder, `${name}/conv`, { ...options, init: truncatedFanOut });
  const norm = batchNorm(builder, `${name}/norm`, options.outputs, NORM);
  return (x, context) => swish(norm(step(x, context), context));
}

function swish(x: tf.Tensor4D): tf.Tensor4D {
  return tf.mul(x, tf.sigmoid(x));
}
