/** ReLU's gradient in one pass, by TensorFlow's ReluGrad as a kernel with a gradient of its own. */
import * as tf from "@tensorflow/tfjs";
import { defineKernel, detach, putGradient, runKernel } from "./registry";
import { nativeOp } from "./native";

/** dy where y > 0, else 0. y stays off the tape: the mask is constant almost everywhere. */
function reluGrad(dy: tf.Tensor, y: tf.Tensor): tf.Tensor {
  return runKernel<tf.Tensor>("ReluGrad", { dy, y: detach(y) });
}

export function installReluGradient(): void {
  defineKernel("ReluGrad", {
    native: ({ dy, y }) => nativeOp("ReluGrad", [dy!, y!], { T: { type: "float32" } })[0]!,
    composed: ({ dy, y }) => tf.mul(dy!, tf.step(y!)),
  });
  putGradient("Relu", {
    outputsToSave: [true],
    gradFunc: (dy, [y]) => ({ x: () => reluGrad(dy as tf.Tensor, y!) }),
  });
  putGradient("ReluGrad", {
    inputsToSave: ["y"],
    gradFunc: (ddx, [y]) => ({ dy: () => reluGrad(ddx as tf.Tensor, y!) }),
  });
}
