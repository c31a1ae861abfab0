/** Pooling, differentiable to any order: the gradient kernels get gradients of their own. */
import * as tf from "@tensorflow/tfjs";
import { nativeOp } from "./native";
import { averagePoolGradKernels, pickMaxima, poolInfo } from "./poolLoops";
import { defineKernel, detach, putGradient, runKernel } from "./registry";

export function installPoolingGradients(): void {
  for (const kernelName of ["AvgPool", "AvgPool3D"]) installAveragePool(kernelName);
  averagePoolGradKernels("cpu");
  installMaxPool();
}

// AvgPoolGrad is linear in dy, and average pooling is its adjoint; it only uses the shape of its input.
function installAveragePool(kernelName: string): void {
  putGradient(kernelName, {
    inputsToSave: ["x"],
    gradFunc: (dy, [x], attrs) => ({
      x: () => runKernel<tf.Tensor>(`${kernelName}Grad`, { dy: dy as tf.Tensor, input: detach(x!) }, attrs),
    }),
  });
  putGradient(`${kernelName}Grad`, {
    gradFunc: (ddx, _saved, attrs) => ({ dy: () => runKernel<tf.Tensor>(kernelName, { x: ddx as tf.Tensor }, attrs) }),
  });
}

// MaxPoolGrad sends dy to each window's maximum; its adjoint picks, for each window, the value at that place.
function installMaxPool(): void {
  defineKernel("MaxPoolPick", { native: nativePick, composed: pickMaxima });
  putGradient("MaxPool", {
    inputsToSave: ["x"],
    outputsToSave: [true],
    gradFunc: (dy, [x, y], attrs) => ({ x: () => maxPoolGrad(dy as tf.Tensor, x!, y!, attrs) }),
  });
  putGradient("MaxPoolGrad", {
    inputsToSave: ["input", "output"],
    gradFunc: (ddx, [x, y], attrs) => ({ dy: () => maxPoolPick(ddx as tf.Tensor, x!, y!, attrs) }),
  });
  putGradient("MaxPoolPick", {
    inputsToSave: ["input", "output"],
    gradFunc: (dd, [x, y], attrs) => ({ image: () => maxPoolGrad(dd as tf.Tensor, x!, y!, attrs) }),
  });
}

// The places of the maxima are constant almost everywhere, so x and y stay off the tape.
function maxPoolGrad(dy: tf.Tensor, x: tf.Tensor, y: tf.Tensor, attrs: tf.NamedAttrMap): tf.Tensor {
  return runKernel("MaxPoolGrad", { dy, input: detach(x), output: detach(y) }, attrs);
}

function maxPoolPick(image: tf.Tensor, x: tf.Tensor, y: tf.Tensor, attrs: tf.NamedAttrMap): tf.Tensor {
  return runKernel("MaxPoolPick", { image, input: detach(x), output: detach(y) }, attrs);
}

function nativePick({ image, input, output }: tf.NamedTensorMap, attrs: tf.NamedAttrMap | undefined): tf.Tensor {
  const info = poolInfo(input!, attrs);
  const attributes = {
    T: { type: "float32" as const },
    ksize: [1, info.filterHeight, info.filterWidth, 1],
    strides: [1, info.strideHeight, info.strideWidth, 1],
    padding: info.padInfo.type,
    data_format: "NHWC",
  };
  return nativeOp("MaxPoolGradGrad", [input!, output!, image!], attributes)[0]!;
}
