/**
 * Convolution and pooling of volumes with "same" padding. With strides beyond the window the last places of an axis may lie under no
 * window: JavaScript and WASM then take the padding for negative and shift the windows.
 */
import * as tf from "@tensorflow/tfjs";
import { runKernel } from "./registry";
import { rewriteKernel } from "./tape";

type Shape5 = [number, number, number, number, number];

interface VolumeAttributes {
  readonly pad: "same" | "valid" | number;
  readonly strides: number | [number, number, number];
  readonly filterSize?: number | [number, number, number];
  readonly inputShape?: Shape5;
}

export function repairVolumes(): void {
  for (const kernelName of ["Conv3D", "AvgPool3D", "MaxPool3D"]) {
    rewriteKernel(kernelName, (inputs, attrs) => {
      const { x, filter } = inputs as { x: tf.Tensor5D; filter?: tf.Tensor5D };
      const part = seenPart(x.shape, attrs, filter?.shape);
      if (part) return runKernel<tf.Tensor>(kernelName, { ...inputs, x: tf.slice(x, [0, 0, 0, 0, 0], part) }, attrs);
      return kernelName === "MaxPool3D" ? inTwoSteps(x, attrs) : undefined;
    });
  }
  rewriteKernel("Conv3DBackpropInputV2", (inputs, attrs) => {
    const { inputShape } = attrs as unknown as { inputShape: Shape5 };
    const part = seenPart(inputShape, attrs, inputs.filter!.shape);
    if (!part) return undefined;
    const seen = runKernel<tf.Tensor>("Conv3DBackpropInputV2", inputs, { ...attrs, inputShape: part });
    return tf.pad(seen, inputShape.map((side, i) => [0, side - part[i]!])); // prettier-ignore
  });
}

/** The shape without the places under no window; undefined where there are none. */
function seenPart(shape: Shape5, attrs: tf.NamedAttrMap, filterShape?: number[]): Shape5 | undefined {
  const { pad, strides, filterSize } = attrs as unknown as VolumeAttributes;
  if (pad !== "same") return undefined;
  const [stride, window] = [triple(strides), triple((filterShape?.slice(0, 3) ?? filterSize) as [number, number, number])];
  const part = shape.map((side, i) => {
    if (i === 0 || i === 4) return side;
    return Math.min(side, (Math.ceil(side / stride[i - 1]!) - 1) * stride[i - 1]! + window[i - 1]!);
  }) as Shape5;
  return part.every((side, i) => side === shape[i]) ? undefined : part;
}

function triple(value: number | [number, number, number]): [number, number, number] {
  return typeof value === "number" ? [value, value, value] : value;
}

/**
 * Maxima over rows and columns, then over depth: two plane poolings, which have second derivatives. WASM's own kernel takes every
 * maximum for at least 0.
 */
function inTwoSteps(x: tf.Tensor5D, attrs: tf.NamedAttrMap): tf.Tensor | undefined {
  if (tf.getBackend() !== "wasm" && tf.engine().state.gradientDepth === 0) return undefined;
  const { pad, strides, filterSize } = attrs as unknown as Required<VolumeAttributes>;
  const [[byDepth, byRow, byColumn], [depth, ...plane]] = [triple(strides), triple(filterSize)];
  const [n, d, h, w, c] = x.shape;
  const planes = tf.maxPool(tf.reshape(x, [n * d, h, w, c]) as tf.Tensor4D, plane, [byRow, byColumn], pad);
  const [, height, width] = planes.shape;
  const alongDepth = typeof pad === "number" ? [[0, 0], [pad, pad], [0, 0], [0, 0]] : pad; // prettier-ignore
  const maxima = tf.maxPool(tf.reshape(planes, [n, d, height * width, c]) as tf.Tensor4D, [depth, 1], [byDepth, 1], alongDepth as "same"); // prettier-ignore
  return tf.reshape(maxima, [n, maxima.shape[1], height, width, c]);
}
