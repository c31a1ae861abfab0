/** Kernels that training needs and that the WASM engine lacks or gets wrong, composed of kernels that it has. */
import * as tf from "@tensorflow/tfjs";
import { replaceKernel, wrapKernel } from "./gradients/registry";
import { averagePoolGradKernels, maxPoolGradLoop } from "./gradients/poolLoops";

type Pair = [number, number];
type Quad = [number, number, number, number];
type ConvInfo = tf.backend_util.Conv2DInfo;
type Attributes = Record<string, unknown>;
type Body = (inputs: tf.NamedTensorMap, attrs: Attributes) => tf.Tensor;

const CONVOLUTIONS = ["Conv2D", "FusedConv2D", "DepthwiseConv2dNative", "FusedDepthwiseConv2D"];
const WRONG = ["Conv3DBackpropInputV2", "Dilation2DBackpropInput", "Dilation2DBackpropFilter"];

/** Registers these kernels. Call it after `@tensorflow/tfjs-backend-wasm` is loaded. */
export function installWasmKernels(): void {
  define("Conv2DBackpropFilter", ({ x, dy }, attrs) => convFilterGradient(x as tf.Tensor4D, dy as tf.Tensor4D, attrs));
  define("DepthwiseConv2dNativeBackpropFilter", ({ x, dy }, attrs) =>
    depthwiseFilterGradient(x as tf.Tensor4D, dy as tf.Tensor4D, attrs),
  );
  define("DepthwiseConv2dNativeBackpropInput", ({ dy, filter }, attrs) =>
    depthwiseInputGradient(dy as tf.Tensor4D, filter as tf.Tensor4D, attrs),
  );
  for (const kernelName of CONVOLUTIONS) wrapKernel(kernelName, "wasm", withoutUnseenPixels);
  wrapKernel("Prelu", "wasm", withWholeSlopes);
  averagePoolGradKernels("wasm");
  replace("MaxPoolGrad", (inputs, attrs) => maxPoolGradLoop(inputs, attrs as tf.NamedAttrMap));
  for (const kernelName of WRONG) replace(kernelName, () => refuse(kernelName));
  define("UnsortedSegmentSum", ({ x, segmentIds }, attrs) =>
    segmentSum(x!, segmentIds as tf.Tensor1D, attrs.numSegments as number),
  );
}

function define(kernelName: string, body: Body): void {
  if (!tf.getKernel(kernelName, "wasm")) replace(kernelName, body);
}

function replace(kernelName: string, body: Body): void {
  const kernelFunc: tf.KernelFunc = ({ inputs, attrs }) => tf.tidy(() => body(inputs as tf.NamedTensorMap, attrs as Attributes));
  replaceKernel({ kernelName, backendName: "wasm", kernelFunc });
}

// Strides beyond the kernel with "same" padding may leave the last pixels of an axis under no window. XNNPACK then computes a negative
// padding and returns zeros. It is right on the image without these pixels.
function withoutUnseenPixels(stock: tf.KernelFunc): tf.KernelFunc {
  return ({ inputs, attrs, backend }) => {
    const { x, filter } = inputs as { x: tf.Tensor4D; filter: tf.Tensor4D };
    const seen = attrs!.pad === "same" ? seenSides(x.shape, filter.shape, attrs as Attributes) : x.shape;
    if (seen.every((side, i) => side === x.shape[i])) return stock({ inputs, attrs, backend });
    const part = tf.slice(x, [0, 0, 0, 0], seen);
    const result = stock({ inputs: { ...inputs, x: part }, attrs, backend });
    part.dispose();
    return result;
  };
}

function seenSides(shape: Quad, filterShape: Quad, { strides, dilations }: Attributes): Quad {
  const info = tf.backend_util.computeConv2DInfo(shape, filterShape, strides as Pair, (dilations ?? 1) as Pair, "same");
  const seen = (out: number, stride: number, filter: number) => (out - 1) * stride + filter;
  const height = seen(info.outHeight, info.strideHeight, info.effectiveFilterHeight);
  const width = seen(info.outWidth, info.strideWidth, info.effectiveFilterWidth);
  return [shape[0], Math.min(height, shape[1]), Math.min(width, shape[2]), shape[3]];
}

// The kernel counts through the slopes as if their shape were the last axes of x.
function withWholeSlopes(stock: tf.KernelFunc): tf.KernelFunc {
  return ({ inputs, attrs, backend }) => {
    const { x, alpha } = inputs as { x: tf.Tensor; alpha: tf.Tensor };
    const whole = tf.broadcastTo(alpha, x.shape);
    const result = stock({ inputs: { x, alpha: whole }, attrs, backend });
    whole.dispose();
    return result;
  };
}

function refuse(kernelName: string): never {
  throw new Error(`${kernelName}: TensorFlow.js's WASM engine computes this wrongly; use the native or the cpu engine`);
}

// df = Σ over examples and places of x ⊗ dy: a convolution of x with dy as the filter, where examples play the channels,
// and the stride becomes the dilation.
function convFilterGradient(x: tf.Tensor4D, dy: tf.Tensor4D, attrs: Attributes): tf.Tensor {
  const filterShape = attrs.filterShape as Quad;
  const info = convInfo(x.shape, filterShape, attrs, false);
  const image = tf.transpose(padded(x, info), [3, 1, 2, 0]) as tf.Tensor4D;
  const filter = tf.transpose(dy, [1, 2, 0, 3]) as tf.Tensor4D;
  const all = tf.conv2d(image, filter, 1, "valid", "NHWC", [info.strideHeight, info.strideWidth]);
  const used = tf.slice(all, [0, 0, 0, 0], [all.shape[0], filterShape[0], filterShape[1], all.shape[3]]);
  return tf.transpose(used, [1, 2, 0, 3]);
}

// One tap at a time: df[h, w] = Σ x(shifted by h, w) · dy, summed over examples and places.
function depthwiseFilterGradient(x: tf.Tensor4D, dy: tf.Tensor4D, attrs: Attributes): tf.Tensor {
  const filterShape = attrs.filterShape as Quad;
  const info = convInfo(x.shape, filterShape, attrs, true);
  const image = padded(x, info);
  const [, , channels, multiplier] = filterShape;
  const grouped = tf.reshape(dy, [-1, channels, multiplier]);
  const taps = tapsOf(info).map(([h, w]) => {
    const seen = tf.reshape(strided(image, h, w, info), [-1, channels, 1]);
    return tf.sum(tf.mul(seen, grouped), 0);
  });
  return tf.reshape(tf.stack(taps), filterShape);
}

// One tap at a time: dx(shifted by h, w) += Σ over multipliers of dy · filter[h, w].
function depthwiseInputGradient(dy: tf.Tensor4D, filter: tf.Tensor4D, attrs: Attributes): tf.Tensor {
  const inputShape = attrs.inputShape as Quad;
  const info = convInfo(inputShape, filter.shape, attrs, true);
  const [, , channels, multiplier] = filter.shape;
  const grouped = tf.reshape(dy, [-1, channels, multiplier]);
  const parts = tapsOf(info).map(([h, w]) => {
    const tap = tf.reshape(tf.slice(filter, [h, w, 0, 0], [1, 1, channels, multiplier]), [1, channels, multiplier]);
    const here = tf.reshape(tf.sum(tf.mul(grouped, tap), 2), [dy.shape[0], dy.shape[1], dy.shape[2], channels]);
    return unstrided(here as tf.Tensor4D, h, w, info);
  });
  const { top, left } = info.padInfo;
  return tf.slice(tf.addN(parts), [0, top, left, 0], inputShape);
}

// Negative ids count for nothing: they go to a segment of their own, which is cut off.
function segmentSum(x: tf.Tensor, segmentIds: tf.Tensor1D, numSegments: number): tf.Tensor {
  const rows = tf.add(tf.maximum(segmentIds, tf.scalar(-1, "int32")), tf.scalar(1, "int32"));
  const sums = tf.scatterND(tf.reshape(rows, [-1, 1]) as tf.Tensor2D, x, [numSegments + 1, ...x.shape.slice(1)]);
  return tf.slice(sums, 1, numSegments);
}

function convInfo(inputShape: Quad, filterShape: Quad, attrs: Attributes, depthwise: boolean): ConvInfo {
  const { strides, pad, dimRoundingMode } = attrs as { strides: number; pad: "same"; dimRoundingMode: "floor" };
  return tf.backend_util.computeConv2DInfo(inputShape, filterShape, strides, 1, pad, dimRoundingMode, depthwise);
}

function tapsOf({ filterHeight, filterWidth }: ConvInfo): [number, number][] {
  return Array.from({ length: filterHeight * filterWidth }, (_, i) => [Math.floor(i / filterWidth), i % filterWidth]);
}

/** Sides that the taps reach when they move by whole strides, so that slices and reshapes fit. */
function reach({ outHeight, outWidth, strideHeight, strideWidth, filterHeight, filterWidth }: ConvInfo): [number, number] {
  return [outHeight * strideHeight + filterHeight - 1, outWidth * strideWidth + filterWidth - 1];
}

function padded(x: tf.Tensor4D, info: ConvInfo): tf.Tensor4D {
  const { top, left } = info.padInfo;
  const [height, width] = reach(info);
  const margin = (have: number, before: number, want: number): [number, number] => [before, Math.max(0, want - before - have)];
  return tf.pad(x, [[0, 0], margin(x.shape[1], top, height), margin(x.shape[2], left, width), [0, 0]]); // prettier-ignore
}

// Every stride-th place from (h, w) on, which is the part of the image that tap (h, w) sees.
function strided(image: tf.Tensor4D, h: number, w: number, info: ConvInfo): tf.Tensor4D {
  const { outHeight, outWidth, strideHeight, strideWidth } = info;
  const [n, , , c] = image.shape;
  const window = tf.slice(image, [0, h, w, 0], [n, outHeight * strideHeight, outWidth * strideWidth, c]);
  const rows = tf.slice(tf.reshape(window, [n, outHeight, strideHeight, -1]), [0, 0, 0, 0], [n, outHeight, 1, -1]);
  const columns = tf.slice(tf.reshape(rows, [n * outHeight, outWidth, strideWidth, c]), [0, 0, 0, 0], [-1, outWidth, 1, c]);
  return tf.reshape(columns, [n, outHeight, outWidth, c]);
}

/** The adjoint of `strided`: zeros elsewhere, in an image as large as `padded` makes it. */
function unstrided(part: tf.Tensor4D, h: number, w: number, info: ConvInfo): tf.Tensor4D {
  const { outHeight, outWidth, strideHeight, strideWidth } = info;
  const [n, , , c] = part.shape;
  const columns = tf.pad(tf.reshape(part, [n * outHeight, outWidth, 1, c]), [[0, 0], [0, 0], [0, strideWidth - 1], [0, 0]]); // prettier-ignore
  const rows = tf.pad(tf.reshape(columns, [n, outHeight, 1, -1]), [[0, 0], [0, 0], [0, strideHeight - 1], [0, 0]]); // prettier-ignore
  const window = tf.reshape(rows, [n, outHeight * strideHeight, outWidth * strideWidth, c]) as tf.Tensor4D;
  const [height, width] = imageSides(info);
  const after = (want: number, before: number, have: number): [number, number] => [before, want - before - have];
  return tf.pad(window, [[0, 0], after(height, h, window.shape[1]), after(width, w, window.shape[2]), [0, 0]]); // prettier-ignore
}

function imageSides(info: ConvInfo): [number, number] {
  const { top, left } = info.padInfo;
  const [height, width] = reach(info);
  return [Math.max(height, top + info.inHeight), Math.max(width, left + info.inWidth)];
}
