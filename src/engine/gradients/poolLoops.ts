/** Pooling gradients as plain loops, for engines that keep tensors in arrays (CPU, WASM) and have wrong kernels. */
import * as tf from "@tensorflow/tfjs";
import { wrapKernel } from "./registry";

export type PoolInfo = tf.backend_util.Conv2DInfo;

export function poolInfo(x: tf.Tensor, attrs: tf.NamedAttrMap | undefined): PoolInfo {
  const { filterSize, strides, pad } = attrs as unknown as {
    filterSize: number;
    strides: number;
    pad: "same" | "valid" | number;
  };
  return tf.backend_util.computePool2DInfo(x.shape as [number, number, number, number], filterSize, strides, 1, pad);
}

/** Picks, for each window, the value of `image` at the place of `input`'s maximum. */
export function pickMaxima({ image, input }: tf.NamedTensorMap, attrs: tf.NamedAttrMap | undefined): tf.Tensor {
  const info = poolInfo(input!, attrs);
  const wanted = image!.dataSync();
  const picked = new Float32Array(info.batchSize * info.outHeight * info.outWidth * info.outChannels);
  forEachMaximum(input!, info, (place, i) => (picked[i] = wanted[place]!));
  return tf.tensor(picked, info.outShape, "float32");
}

/** Sends dy to the place of each window's maximum. WASM's own MaxPoolGrad is wrong by more than the gradient itself. */
export function maxPoolGradLoop({ dy, input }: tf.NamedTensorMap, attrs: tf.NamedAttrMap | undefined): tf.Tensor {
  const given = dy!.dataSync();
  const dx = new Float32Array(input!.size);
  forEachMaximum(input!, poolInfo(input!, attrs), (place, i) => (dx[place] = dx[place]! + given[i]!));
  return tf.tensor(dx, input!.shape, "float32");
}

// Among equal maxima the first one counts, as in TensorFlow.
function forEachMaximum(input: tf.Tensor, info: PoolInfo, visit: (place: number, output: number) => void): void {
  const values = input.dataSync();
  const channels = info.inChannels;
  forEachWindow(info, (example, rows, columns, output) => {
    for (let channel = 0; channel < channels; channel++) {
      let place = -1;
      for (let h = rows[0]; h < rows[1]; h++) {
        for (let w = columns[0]; w < columns[1]; w++) {
          const here = ((example * info.inHeight + h) * info.inWidth + w) * channels + channel;
          if (place < 0 || values[here]! > values[place]!) place = here;
        }
      }
      visit(place, output * channels + channel);
    }
  });
}

type Range = [number, number];

function forEachWindow(info: PoolInfo, visit: (example: number, rows: Range, columns: Range, output: number) => void): void {
  let output = 0;
  for (let example = 0; example < info.batchSize; example++) {
    for (let row = 0; row < info.outHeight; row++) {
      const rows = range(row * info.strideHeight - info.padInfo.top, info.filterHeight, info.inHeight);
      for (let column = 0; column < info.outWidth; column++) {
        const columns = range(column * info.strideWidth - info.padInfo.left, info.filterWidth, info.inWidth);
        visit(example, rows, columns, output++);
      }
    }
  }
}

function range(start: number, length: number, limit: number): Range {
  return [Math.max(0, start), Math.min(limit, start + length)];
}

/**
 * Repairs AvgPoolGrad and AvgPool3DGrad of an engine. At a padded edge, pooling divides by the places that exist, but its stock
 * gradients divide by the whole window.
 */
export function averagePoolGradKernels(backendName: "cpu" | "wasm"): void {
  repairAveragePool("AvgPoolGrad", backendName, (x, attrs) => planeAxes(poolInfo(x, attrs)));
  repairAveragePool("AvgPool3DGrad", backendName, volumeAxes);
}

/** One axis of a pooling. */
interface PoolAxis {
  readonly out: number;
  readonly stride: number;
  readonly before: number;
  readonly window: number;
  readonly side: number;
}

function planeAxes({ padInfo, ...info }: PoolInfo): PoolAxis[] {
  return [
    { out: info.outHeight, stride: info.strideHeight, before: padInfo.top, window: info.filterHeight, side: info.inHeight },
    { out: info.outWidth, stride: info.strideWidth, before: padInfo.left, window: info.filterWidth, side: info.inWidth },
  ];
}

type Triple = [number, number, number];

function volumeAxes(x: tf.Tensor, attrs: tf.NamedAttrMap): PoolAxis[] {
  const { filterSize, strides, pad } = attrs as unknown as { filterSize: Triple; strides: Triple; pad: "same" };
  const shape = x.shape as [number, number, number, number, number];
  const info = tf.backend_util.computePool3DInfo(shape, filterSize, strides, 1, pad);
  const depth = { out: info.outDepth, stride: info.strideDepth, before: info.padInfo.front, window: info.filterDepth, side: info.inDepth }; // prettier-ignore
  return [depth, ...planeAxes(info as unknown as PoolInfo)];
}

type AxesOf = (x: tf.Tensor, attrs: tf.NamedAttrMap) => PoolAxis[];

function repairAveragePool(kernelName: string, backendName: string, axesOf: AxesOf): void {
  wrapKernel(kernelName, backendName, (stock) => ({ inputs, attrs, backend }) => {
    const { dy, input } = inputs as { dy: tf.Tensor; input: tf.Tensor };
    const scaled = tf.tidy(() =>
      axesOf(input, attrs!).reduce((product, axis, i) => tf.mul(product, windowShares(axis, i + 1, dy)), dy),
    );
    const dx = stock({ inputs: { dy: scaled, input }, attrs, backend });
    scaled.dispose();
    return dx;
  });
}

/** The window's size over the number of its places inside the image, along one axis of dy. */
function windowShares({ out, stride, before, window, side }: PoolAxis, axis: number, { rank }: tf.Tensor): tf.Tensor {
  const shares = Float32Array.from({ length: out }, (_, i) => {
    const [from, to] = range(i * stride - before, window, side);
    return window / (to - from);
  });
  return tf.tensor(
    shares,
    Array.from({ length: rank }, (_, i) => (i === axis ? out : 1)),
  );
}
