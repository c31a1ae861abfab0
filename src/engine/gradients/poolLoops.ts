/** Pooling gradients as plain loops, for the engines that keep tensors in arrays (CPU, WASM) and whose own kernels are wrong. */
import * as tf from "@tensorflow/tfjs";
import { replaceKernel } from "./registry";

export type PoolInfo = tf.backend_util.Conv2DInfo;

export function poolInfo(x: tf.Tensor, attrs: tf.NamedAttrMap | undefined): PoolInfo {
  const { filterSize, strides, pad } = attrs as unknown as {
    filterSize: number;
    strides: number;
    pad: "same" | "valid" | number;
  };
  return tf.backend_util.computePool2DInfo(x.shape as [number, number, number, number], filterSize, strides, 1, pad);
}

/** For each window, the value of `image` at the place of `input`'s maximum. */
export function pickMaxima({ image, input }: tf.NamedTensorMap, attrs: tf.NamedAttrMap | undefined): tf.Tensor {
  const info = poolInfo(input!, attrs);
  const wanted = image!.dataSync();
  const picked = new Float32Array(info.batchSize * info.outHeight * info.outWidth * info.outChannels);
  forEachMaximum(input!, info, (place, i) => (picked[i] = wanted[place]!));
  return tf.tensor(picked, info.outShape, "float32");
}

/** dy sent to the place of each window's maximum. WASM's own MaxPoolGrad is wrong by more than the gradient itself. */
export function maxPoolGradLoop({ dy, input }: tf.NamedTensorMap, attrs: tf.NamedAttrMap | undefined): tf.Tensor {
  const given = dy!.dataSync();
  const dx = new Float32Array(input!.size);
  forEachMaximum(input!, poolInfo(input!, attrs), (place, i) => (dx[place] = dx[place]! + given[i]!));
  return tf.tensor(dx, input!.shape, "float32");
}

// The first maximum where several are equal, as TensorFlow has it.
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
 * The engine's AvgPoolGrad, made the gradient of its AvgPool: at a padded edge AvgPool divides by the places that exist,
 * stock AvgPoolGrad by the whole window.
 */
export function averagePoolGradKernel(backendName: "cpu" | "wasm"): void {
  const stock = tf.getKernel("AvgPoolGrad", backendName);
  if (!stock || repaired.has(stock)) return;
  const kernelFunc: tf.KernelFunc = ({ inputs, attrs, backend }) => {
    const { dy, input } = inputs as { dy: tf.Tensor; input: tf.Tensor };
    const scaled = tf.tidy(() => tf.mul(dy, windowShares(poolInfo(input, attrs))));
    const dx = stock.kernelFunc({ inputs: { dy: scaled, input }, attrs, backend });
    scaled.dispose();
    return dx;
  };
  const config = { ...stock, kernelFunc };
  repaired.add(config);
  replaceKernel(config);
}

const repaired = new WeakSet<object>();

/** (1, height, width, 1): the window's size over the number of its places inside the image. */
function windowShares(info: PoolInfo): tf.Tensor {
  const shares: number[] = [];
  forEachWindow({ ...info, batchSize: 1 }, (_, rows, columns) => {
    shares.push((info.filterHeight * info.filterWidth) / ((rows[1] - rows[0]) * (columns[1] - columns[0])));
  });
  return tf.tensor(shares, [1, info.outHeight, info.outWidth, 1], "float32");
}
