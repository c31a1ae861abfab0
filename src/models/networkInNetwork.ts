/** Network in Network (Lin et al. 2014): convolutions followed by 1×1 convolutions, and a map for each class in place of dense layers. */
import { checkOptions, tf } from "../engine";
import { batchNorm, conv, dropout, globalAveragePool } from "./layers";
import { checkCount, ModelBuilder, type Layer, type Model } from "./model";

/** Options of `networkInNetwork`. */
export interface NetworkInNetworkOptions {
  readonly numClasses: number;
  /** height, width, channels; default 32×32×3 */
  readonly inputShape?: readonly [number, number, number];
  /** Channels of the widest layers; default 192. */
  readonly width?: number;
  /** Blocks of three convolutions, at least 2; the last one's third is the head. Default 3, as in the original: 9 convolutions. */
  readonly blocks?: number;
  /** Default true (ours: it trains at once). False is the original network. Convolutions have a bias either way. */
  readonly batchNorm?: boolean;
  /** Between the stages; default 0.5, as in the original. */
  readonly dropout?: number;
}

interface Stage {
  readonly kernel: number;
  /** Channels of its three convolutions. */
  readonly widths: readonly number[];
}

/** A Network in Network; the original one for CIFAR-10 has 966 986 parameters. */
export function networkInNetwork(options: NetworkInNetworkOptions): Model {
  checkOptions(
    options,
    { numClasses: "number", inputShape: "array", width: "number", blocks: "number", batchNorm: "boolean", dropout: "number" },
    "networkInNetwork",
  );
  const { numClasses, inputShape = [32, 32, 3], width = 192, blocks = 3 } = options;
  const { batchNorm: withNorm = true, dropout: rate = 0.5 } = options;
  checkCount("width", width);
  if (!(Number.isInteger(blocks) && blocks >= 2)) throw new Error(`blocks = ${blocks}: expected a whole number of at least 2`);
  const builder = new ModelBuilder();
  const stages: readonly Stage[] = [
    { kernel: 5, widths: [width, Math.ceil((5 * width) / 6), Math.ceil(width / 2)] },
    ...Array.from({ length: blocks - 2 }, (_, i) => ({ kernel: i === 0 ? 5 : 3, widths: [width, width, width] })),
    { kernel: 3, widths: [width, width] },
  ];
  let inputs = inputShape[2];
  const layers = stages.map(({ kernel, widths }, stage) =>
    widths.map((outputs, i) => {
      const layer = convRelu(builder, `stage${stage}/${i}`, { inputs, outputs, kernel: i === 0 ? kernel : 1, withNorm });
      inputs = outputs;
      return layer;
    }),
  );
  const drops = stages.map((_, i) => dropout(`dropout${i}`, rate));
  const head = conv(builder, "head", { inputs, outputs: numClasses, kernel: 1, bias: true });
  const size = blocks === 3 ? "" : `, ${3 * blocks} layers`;
  const name = `NiN${size}${width === 192 ? "" : `, width ${width}`}${withNorm ? "" : " without batch norm"}`;
  return builder.build(name, { inputShape, numClasses, settings: { dropout: rate } }, (x, context) => {
    const features = layers.reduce((h, convolutions, i) => {
      // The first pooling takes maxima, the others means, and the last block has none.
      const pooled = i === 0 ? h : drops[i]!((i === 1 ? tf.maxPool : tf.avgPool)(h, 3, 2, "same"), context);
      return convolutions.reduce((y, layer) => layer(y, context), pooled);
    }, x);
    return globalAveragePool(head(features, context));
  });
}

function convRelu(
  builder: ModelBuilder,
  name: string,
  { withNorm, ...options }: { inputs: number; outputs: number; kernel: number; withNorm: boolean },
): Layer {
  const step = conv(builder, `${name}/conv`, { ...options, bias: true });
  const norm = withNorm ? batchNorm(builder, `${name}/norm`, options.outputs) : undefined;
  return (x, context) => {
    const y = step(x, context);
    return tf.relu(norm ? norm(y, context) : y);
  };
}
