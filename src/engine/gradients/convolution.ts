/** Convolutions, differentiable to any order, with any stride, padding and dilation: each gradient kernel is the adjoint of another. */
import * as tf from "@tensorflow/tfjs";
import { sumToShape } from "./reductions";
import { putGradient, runKernel } from "./registry";
import { replaceCustomGradient, rewriteKernel } from "./tape";

type Pair = [number, number];
type Margins = [Pair, Pair];

interface ConvAttributes {
  readonly strides: number | Pair;
  readonly pad: "same" | "valid" | number | [Pair, Pair, Pair, Pair];
  readonly dilations?: number | Pair | null;
  readonly dataFormat?: "NHWC" | "NCHW";
}

/** Kernels of a convolution: conv(x, f), toInput(dy, f) and toFilter(x, dy) are the partial adjoints of one trilinear form. */
interface ConvFamily {
  readonly forward: string;
  readonly toInput: string;
  readonly toFilter: string;
}
const FULL: ConvFamily = { forward: "Conv2D", toInput: "Conv2DBackpropInput", toFilter: "Conv2DBackpropFilter" };
const DEPTHWISE: ConvFamily = {
  forward: "DepthwiseConv2dNative",
  toInput: "DepthwiseConv2dNativeBackpropInput",
  toFilter: "DepthwiseConv2dNativeBackpropFilter",
};
const VOLUME: ConvFamily = { forward: "Conv3D", toInput: "Conv3DBackpropInputV2", toFilter: "Conv3DBackpropFilterV2" };

export function installConvolutionGradients(): void {
  for (const family of [FULL, DEPTHWISE]) {
    installExplicitPadding(family);
    putGradient(family.forward, {
      inputsToSave: ["x", "filter"],
      gradFunc: (dy, saved, attrs) => convolutionGradients(family, dy as tf.Tensor4D, saved as tf.Tensor4D[], attrs),
    });
  }
  for (const family of [FULL, DEPTHWISE, VOLUME]) installAdjoints(family);
  rewriteKernel("FusedConv2D", rewriteFused);
  rewriteKernel("FusedDepthwiseConv2D", (inputs, attrs) => runPadded("FusedDepthwiseConv2D", inputs, attrs));
}

function installAdjoints({ forward, toInput, toFilter }: ConvFamily): void {
  const run = runKernel<tf.Tensor>;
  putGradient(toInput, {
    inputsToSave: ["dy", "filter"],
    gradFunc: (ddx, [dy, filter], attrs) => ({
      dy: () => run(forward, { x: ddx as tf.Tensor, filter: filter! }, forwardAttributes(attrs)),
      filter: () => run(toFilter, { x: ddx as tf.Tensor, dy: dy! }, { ...attrs, filterShape: filter!.shape }),
    }),
  });
  putGradient(toFilter, {
    inputsToSave: ["x", "dy"],
    gradFunc: (ddf, [x, dy], attrs) => ({
      x: () => run(toInput, { dy: dy!, filter: ddf as tf.Tensor }, { ...attrs, inputShape: x!.shape }),
      dy: () => run(forward, { x: x!, filter: ddf as tf.Tensor }, forwardAttributes(attrs)),
    }),
  });
}

function forwardAttributes(attrs: tf.NamedAttrMap): tf.NamedAttrMap {
  return {
    dataFormat: attrs.filterShape && (attrs.filterShape as number[]).length === 5 ? "NDHWC" : "NHWC",
    dilations: 1,
    ...attrs,
  };
}

/** Gradients of a convolution with "same" or "valid" padding; a dilated filter is a larger one with zeros between its taps. */
function convolutionGradients(
  { toInput, toFilter }: ConvFamily,
  dy: tf.Tensor4D,
  [x, filter]: tf.Tensor4D[],
  attrs: tf.NamedAttrMap,
): { x: () => tf.Tensor; filter: () => tf.Tensor } {
  const spread = dilationOf(attrs);
  const undilated = { ...attrs, dilations: 1 };
  const [h, w, inputs, outputs] = filter!.shape;
  const wideShape = [(h - 1) * spread[0] + 1, (w - 1) * spread[1] + 1, inputs, outputs];
  return {
    x: () => runKernel<tf.Tensor>(toInput, { dy, filter: dilate(filter!, spread) }, { ...undilated, inputShape: x!.shape }),
    filter: () => {
      const wide = runKernel<tf.Tensor4D>(toFilter, { x: x!, dy }, { ...undilated, filterShape: wideShape });
      return undilate(wide, filter!.shape, spread);
    },
  };
}

function dilationOf(attrs: tf.NamedAttrMap): Pair {
  const dilations = (attrs as unknown as ConvAttributes).dilations ?? 1; // The depthwise layer gives null.
  return typeof dilations === "number" ? [dilations, dilations] : dilations;
}

/** A filter with dilation − 1 zeros between its taps. */
function dilate(filter: tf.Tensor4D, [dh, dw]: Pair): tf.Tensor4D {
  if (dh === 1 && dw === 1) return filter;
  const [h, w, inputs, outputs] = filter.shape;
  const rows = tf.pad(tf.reshape(filter, [h, 1, -1]), [[0, 0], [0, dh - 1], [0, 0]]); // prettier-ignore
  const both = tf.pad(tf.reshape(rows, [h * dh, w, 1, -1]), [[0, 0], [0, 0], [0, dw - 1], [0, 0]]); // prettier-ignore
  const spread = tf.reshape(both, [h * dh, w * dw, inputs, outputs]) as tf.Tensor4D;
  return tf.slice(spread, [0, 0, 0, 0], [(h - 1) * dh + 1, (w - 1) * dw + 1, inputs, outputs]);
}

/** The taps of a dilated filter: the adjoint of `dilate`. */
function undilate(wide: tf.Tensor4D, [h, w, inputs, outputs]: number[], [dh, dw]: Pair): tf.Tensor4D {
  if (dh === 1 && dw === 1) return wide;
  const grown = tf.pad(wide, [[0, dh - 1], [0, dw - 1], [0, 0], [0, 0]]); // prettier-ignore
  const columns = tf.slice(tf.reshape(grown, [h! * dh, w!, dw, -1]), [0, 0, 0, 0], [h! * dh, w!, 1, inputs! * outputs!]);
  const rows = tf.slice(tf.reshape(columns, [h!, dh, -1]), [0, 0, 0], [h!, 1, w! * inputs! * outputs!]);
  return tf.reshape(rows, [h!, w!, inputs!, outputs!]);
}

const NO_CHANNELS_FIRST =
  'depthwiseConv2d: dataFormat "NCHW" is computed wrongly by TensorFlow.js; transpose the image to "NHWC"';

// The native engine refuses padding in numbers, and WASM's kernels read past their arrays. A padded image with "valid" is the same.
function installExplicitPadding({ forward, toInput, toFilter }: ConvFamily): void {
  const run = runKernel<tf.Tensor>;
  const rewrite = (name: string, body: (inputs: tf.NamedTensorMap, attrs: tf.NamedAttrMap, margins: Margins) => tf.Tensor) =>
    rewriteKernel(name, (inputs, attrs) => {
      const margins = explicitMargins(attrs);
      return margins && body(inputs, { ...attrs, pad: "valid" }, margins);
    });
  rewriteKernel(forward, (inputs, attrs) => {
    if (forward === DEPTHWISE.forward && attrs.dataFormat === "NCHW") throw new Error(NO_CHANNELS_FIRST);
    return runPadded(forward, inputs, attrs);
  });
  rewrite(toFilter, ({ x, dy }, attrs, margins) => run(toFilter, { x: padImage(x!, margins, attrs), dy: dy! }, attrs));
  rewrite(toInput, ({ dy, filter }, attrs, margins) => {
    const shape = attrs.inputShape as number[];
    const inputShape = shape.map(
      (side, i) => side + marginsPerAxis(margins, attrs)[i]![0] + marginsPerAxis(margins, attrs)[i]![1],
    );
    const start = marginsPerAxis(margins, attrs).map(([before]) => before);
    return tf.slice(run(toInput, { dy: dy!, filter: filter! }, { ...attrs, inputShape }), start, shape);
  });
}

// [top, bottom], [left, right]; undefined for "same" and "valid".
function explicitMargins(attrs: tf.NamedAttrMap): Margins | undefined {
  const { pad } = attrs as unknown as ConvAttributes;
  if (typeof pad === "string") return undefined;
  if (typeof pad === "number") return [[pad, pad], [pad, pad]]; // prettier-ignore
  return attrs.dataFormat === "NCHW" ? [pad[2], pad[3]] : [pad[1], pad[2]];
}

function marginsPerAxis([rows, columns]: Margins, attrs: tf.NamedAttrMap): Pair[] {
  const none: Pair = [0, 0];
  return attrs.dataFormat === "NCHW" ? [none, none, rows, columns] : [none, rows, columns, none];
}

function padImage(x: tf.Tensor, margins: Margins, attrs: tf.NamedAttrMap): tf.Tensor {
  return tf.pad(x, marginsPerAxis(margins, attrs));
}

// Convolution layers call tf.fused.conv2d. It gets explicit padding, and a gradient for dilated filters.
function rewriteFused(inputs: tf.NamedTensorMap, attrs: tf.NamedAttrMap): tf.Tensor | undefined {
  if (tf.engine().state.gradientDepth > 0 && dilationOf(attrs).some((d) => d !== 1)) {
    replaceCustomGradient((dy, [filter, x, , bias]) => {
      const parts = convolutionGradients(FULL, dy as tf.Tensor4D, [x, filter] as tf.Tensor4D[], attrs);
      return [parts.x(), parts.filter(), ...(bias ? [sumToShape(dy, bias.shape)] : [])];
    });
  }
  return runPadded("FusedConv2D", inputs, attrs);
}

/** The kernel on a padded image; undefined where the padding is not given in numbers. */
function runPadded(kernelName: string, inputs: tf.NamedTensorMap, attrs: tf.NamedAttrMap): tf.Tensor | undefined {
  const margins = explicitMargins(attrs);
  if (!margins) return undefined;
  return runKernel<tf.Tensor>(kernelName, { ...inputs, x: padImage(inputs.x!, margins, attrs) }, { ...attrs, pad: "valid" });
}
