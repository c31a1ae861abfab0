/** A small plain ConvNet: 3×3 convolution, (batch norm,) ReLU, 2×2 average pooling, for each entry of `widths`. */
import { checkOptions, tf } from "../engine";
import { batchNorm, conv, dense, globalAveragePool } from "./layers";
import { checkCount, checkInputShape, ModelBuilder, type Model } from "./model";

/** Options of `convNet`. */
export interface ConvNetOptions {
  /** height, width, channels */
  readonly inputShape: readonly [number, number, number];
  readonly numClasses: number;
  /** Channels of each stage; default [16, 32, 64]. */
  readonly widths?: readonly number[];
  /** Default true. */
  readonly batchNorm?: boolean;
}

/** A small convolutional network for lessons and quick trials. */
export function convNet(options: ConvNetOptions): Model {
  checkOptions(options, { inputShape: "array", numClasses: "number", widths: "array", batchNorm: "boolean" }, "convNet");
  const { inputShape, numClasses, widths = [16, 32, 64], batchNorm: withNorm = true } = options;
  checkInputShape(inputShape);
  widths.forEach((width, i) => checkCount(`widths[${i}]`, width));
  const builder = new ModelBuilder();
  const channels = [inputShape[2], ...widths];
  const stages = widths.map((outputs, i) => ({
    conv: conv(builder, `conv${i}`, { inputs: channels[i]!, outputs, bias: !withNorm }),
    norm: withNorm ? batchNorm(builder, `norm${i}`, outputs) : undefined,
  }));
  const head = dense(builder, "head", { inputs: channels[widths.length]!, outputs: numClasses });
  return builder.build(`ConvNet-${widths.join("-")}`, { inputShape, numClasses }, (x, context) => {
    let h = x;
    for (const stage of stages) {
      h = stage.conv(h, context);
      h = tf.relu(stage.norm ? stage.norm(h, context) : h);
      h = tf.avgPool(h, 2, 2, "same");
    }
    return head(globalAveragePool(h), context);
  });
}
