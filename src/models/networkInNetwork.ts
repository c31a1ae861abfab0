/** Network in Network (Lin et al. 2014): convolutions followed by 1×1 convolutions, and a map for each class in place of dense layers. */
import { checkOptions, tf } from "../engine";
import { batchNorm, conv, dropout, globalAveragePool } from "./layers";
import { checkCount, ModelBuilder, type Layer, type Model } from "./model";

export interface NetworkInNetworkOptions {
  readonly numClasses: number;
  /** height, width, channels; default 32×32×3 */
  readonly inputShape?: readonly [number, number, number];
  /** Channels of the widest layers; default 192. */
  readonly width?: number;
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
    { numClasses: "number", inputShape: "array", width: "number", batchNorm: "boolean", dropout: "number" },
    "networkInNetwork",
  );
  const { numClasses, inputShape = [32, 32, 3], width = 192, batchNorm: withNorm = true, dropout: rate = 0.5 } = options;
  checkCount("width", width);
  const builder = new ModelBuilder();
  const stages: readonly Stage[] = [
    { kernel: 5, widths: [width, Math.ceil((5 * width) / 6), Math.ceil(width / 2)] },
    { kernel: 5, widths: [width, width, width] },
    { kernel: 3, widths: [width, width] },
  ];
  let inputs = inputShape[2];
  const [first, second, third] = stages.map(({ kernel, widths }, stage) => {
    const layers = widths.map((outputs, i) => {
      const layer = convRelu(builder, `stage${stage}/${i}`, { inputs, outputs, kernel: i === 0 ? kernel : 1, withNorm });
      inputs = outputs;
      return layer;
    });
    return ((x, context) => layers.reduce((h, layer) => layer(h, context), x)) as Layer;
  });
  const [drop1, drop2] = [dropout("dropout1", rate), dropout("dropout2", rate)];
  const head = conv(builder, "head", { inputs, outputs: numClasses, kernel: 1, bias: true });
  const name = `NiN${width === 192 ? "" : `, width ${width}`}${withNorm ? "" : " without batch norm"}`;
  return builder.build(name, { inputShape, numClasses, settings: { dropout: rate } }, (x, context) => {
    const early = drop1(tf.maxPool(first!(x, context), 3, 2, "same"), context);
    const late = drop2(tf.avgPool(second!(early, context), 3, 2, "same"), context);
    return globalAveragePool(head(third!(late, context), context));
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
