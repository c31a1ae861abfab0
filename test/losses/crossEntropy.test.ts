import assert from "node:assert/strict";
import { tf } from "../../src/engine";
import { crossEntropy, smoothLabels } from "../../src/losses";
import { closeTo } from "../support/closeTo";
import { tidyTests } from "../support/noLeak";

const logits = () => tf.tensor2d([0, Math.log(3), -2, 1, 0.5, 4], [2, 3]);
const targets = () => tf.tensor2d([0, 1, 0, 1, 0, 0], [2, 3]);

const rowsOf = (t: tf.Tensor) => t.arraySync() as number[][];
const softmaxOf = (z: number[]) => {
  const sum = z.reduce((total, value) => total + Math.exp(value), 0);
  return z.map((value) => Math.exp(value) / sum);
};
const entropyOf = (z: number[], t: number[]) => -softmaxOf(z).reduce((sum, p, k) => sum + t[k]! * Math.log(p), 0);

describe("losses/crossEntropy", () => {
  tidyTests();

  it("is −log of the softmax at the label, for each example", () => {
    const expected = rowsOf(logits()).map((z, i) => entropyOf(z, rowsOf(targets())[i]!));

    closeTo(crossEntropy(logits(), targets()).dataSync(), expected, 1e-6);
  });

  it("is log k where all logits are equal, and finite where they are huge", () => {
    closeTo(crossEntropy(tf.zeros([1, 10]), tf.oneHot([3], 10).toFloat() as tf.Tensor2D).dataSync(), [Math.log(10)], 1e-6);
    closeTo(crossEntropy(tf.tensor2d([[1e4, 0]]), tf.tensor2d([[0, 1]])).dataSync(), [1e4], 1e-6);
  });

  it("takes soft targets, and is linear in them", () => {
    const mixed = tf.tensor2d([[0.3, 0.7, 0]]);
    const z = [[0.2, -1, 0.4]];
    const ends = [tf.tensor2d([[1, 0, 0]]), tf.tensor2d([[0, 1, 0]])].map((t) => crossEntropy(tf.tensor2d(z), t).dataSync()[0]!);

    closeTo(crossEntropy(tf.tensor2d(z), mixed).dataSync(), [0.3 * ends[0]! + 0.7 * ends[1]!], 1e-6);
  });

  it("smooths labels to (1 − s)·t + s/k: the official code", () => {
    const smoothed = targets().arraySync().map((row) => row.map((t) => 0.9 * t + 0.1 / 3)); // prettier-ignore
    const expected = rowsOf(logits()).map((z, i) => entropyOf(z, smoothed[i]!));

    closeTo(smoothLabels(targets(), 0.1).dataSync(), smoothed.flat(), 1e-6);
    closeTo(crossEntropy(logits(), targets(), { labelSmoothing: 0.1 }).dataSync(), expected, 1e-6);
  });

  it("has the gradient softmax(z) − t, and the Hessian diag(p) − ppᵀ", () => {
    const z = [0.3, -0.8, 1.1];
    const p = softmaxOf(z);
    const t = [0.1, 0.7, 0.2];
    const v = [1, -2, 0.5];
    const loss = (x: tf.Tensor) => tf.sum(crossEntropy(x as tf.Tensor2D, tf.tensor2d([t]))) as tf.Scalar;
    const slope = (x: tf.Tensor) => tf.sum(tf.mul(tf.grad(loss)(x), tf.tensor2d([v]))) as tf.Scalar;
    const pv = p.reduce((sum, pk, k) => sum + pk * v[k]!, 0);

    closeTo(tf.grad(loss)(tf.tensor2d([z])).dataSync(), p.map((pk, k) => pk - t[k]!), 1e-6); // prettier-ignore
    closeTo(tf.grad(slope)(tf.tensor2d([z])).dataSync(), p.map((pk, k) => pk * (v[k]! - pv)), 1e-6); // prettier-ignore
  });

  it("gives each example its own share of the gradient", () => {
    const weights = tf.tensor1d([2, -0.5]);
    const loss = (x: tf.Tensor) => tf.sum(tf.mul(crossEntropy(x as tf.Tensor2D, targets()), weights)) as tf.Scalar;
    const expected = rowsOf(logits()).map((z, i) => softmaxOf(z).map((p, k) => [2, -0.5][i]! * (p - rowsOf(targets())[i]![k]!)));

    closeTo(tf.grad(loss)(logits()).dataSync(), expected.flat(), 1e-6);
  });

  it("refuses smoothing outside [0, 1)", () => {
    for (const labelSmoothing of [-0.1, 1, NaN])
      assert.throws(
        () => crossEntropy(logits(), targets(), { labelSmoothing }),
        /labelSmoothing = .*: expected a number in \[0, 1\)/,
      );
  });
});
