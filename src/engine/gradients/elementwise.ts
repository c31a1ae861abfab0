/** Elementwise functions whose stock gradient is wrong at some points, has no gradient of its own, or ignores broadcast axes. */
import * as tf from "@tensorflow/tfjs";
import { sumToShape } from "./reductions";
import { offTape, putGradient, refuseGradient, runKernel } from "./registry";

const SELU_SCALE = 1.0507009873554805; // Klambauer et al. 2017
const SELU_SCALE_ALPHA = 1.7580993408473768;

export function installElementwiseGradients(): void {
  installAbs();
  installElu();
  installSelu();
  installBroadcasting();
}

// Stock has slope −1 at 0, and treats a complex tensor as its real part.
function installAbs(): void {
  putGradient("Abs", { inputsToSave: ["x"], gradFunc: (dy, [x]) => ({ x: () => tf.mul(dy as tf.Tensor, tf.sign(x!)) }) });
  refuseGradient("ComplexAbs");
}

// y = x or eˣ − 1, y' = 1 or y + 1: EluGrad(dy, y); its derivative with respect to y is dy where y < 0.
function installElu(): void {
  const eluGrad = (dy: tf.Tensor, y: tf.Tensor) => runKernel<tf.Tensor>("EluGrad", { dy, y });
  putGradient("EluGrad", {
    inputsToSave: ["dy", "y"],
    gradFunc: (ddx, [dy, y]) => ({
      dy: () => eluGrad(ddx as tf.Tensor, y!),
      y: () => tf.mul(tf.mul(ddx as tf.Tensor, dy!), negative(y!)),
    }),
  });
}

// Stock selu has exp(x) for positive x too, which overflows to Infinity · 0 = NaN at second order.
function installSelu(): void {
  putGradient("Selu", {
    outputsToSave: [true],
    gradFunc: (dy, [y]) => ({
      x: () => {
        const below = negative(y!);
        const slope = tf.add(
          tf.mul(below, tf.add(y!, SELU_SCALE_ALPHA)),
          offTape(() => tf.mul(tf.sub(1, below), SELU_SCALE)),
        );
        return tf.mul(dy as tf.Tensor, slope);
      },
    }),
  });
}

/** 1 where y < 0, else 0; off the tape. */
function negative(y: tf.Tensor): tf.Tensor {
  return offTape(() => tf.cast(tf.less(y, 0), "float32"));
}

type Partial = (dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => tf.Tensor;

// The stock gradients of these three have the wrong shape when one operand was broadcast.
function installBroadcasting(): void {
  const put = (kernelName: string, toA: Partial, toB: Partial) =>
    putGradient(kernelName, {
      inputsToSave: ["a", "b"],
      gradFunc: (dy, [a, b]) => ({
        a: () => sumToShape(toA(dy as tf.Tensor, a!, b!), a!.shape),
        b: () => sumToShape(toB(dy as tf.Tensor, a!, b!), b!.shape),
      }),
    });
  const where = (compare: typeof tf.less) => (dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor) =>
    tf.mul(
      dy,
      offTape(() => tf.cast(compare(a, b), "float32")),
    );
  put("Maximum", where(tf.greaterEqual), where(tf.less));
  put("Minimum", where(tf.lessEqual), where(tf.greater));
  put(
    "SquaredDifference",
    (dy, a, b) => tf.mul(dy, tf.mul(tf.sub(a, b), 2)),
    (dy, a, b) => tf.mul(dy, tf.mul(tf.sub(b, a), 2)),
  );
}
