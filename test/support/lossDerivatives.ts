/** Derivatives of a per-example loss beside central differences of a reference in float64. */
import { tf } from "../../src/engine";
import { closeTo } from "./closeTo";

export type TensorLoss = (logits: tf.Tensor2D, targets: tf.Tensor2D) => tf.Tensor1D;
/** The loss of one example, in float64. */
export type RowLoss = (z: number[], t: number[]) => number;

export const softmaxOf = (z: readonly number[]): number[] => {
  const top = Math.max(...z);
  const sum = z.reduce((total, value) => total + Math.exp(value - top), 0);
  return z.map((value) => Math.exp(value - top) / sum);
};

/** −Σ t log p */
export const entropyOf: RowLoss = (z, t) => -softmaxOf(z).reduce((sum, p, k) => sum + t[k]! * Math.log(p), 0);

/** Without a pattern, and away from the kinks of the losses that have some. */
export const LOGITS = [
  [0.4, -1.1, 0.7],
  [2.5, 0.3, -0.6],
  [-0.2, 0.1, 0.05],
];
/** Two hard labels, and a mixed one. */
export const TARGETS = [
  [0, 0, 1],
  [0, 1, 0],
  [0.3, 0, 0.7],
];

/** Values, gradients and Hessian-vector products agree with the reference, example by example. */
export function agreesWith(loss: TensorLoss, reference: RowLoss): void {
  const total = (z: tf.Tensor) => tf.sum(loss(z as tf.Tensor2D, tf.tensor2d(TARGETS))) as tf.Scalar;
  const v = tf.tensor2d(DIRECTION);
  const slope = (z: tf.Tensor) => tf.sum(tf.mul(tf.grad(total)(z), v)) as tf.Scalar;
  const logits = tf.tensor2d(LOGITS);
  const alongDirection = (z: number[], t: number[], i: number, step: number) =>
    gradientOf(reference, z.map((value, k) => value + step * DIRECTION[i]![k]!), t); // prettier-ignore

  closeTo(loss(logits, tf.tensor2d(TARGETS)).dataSync(), LOGITS.map((z, i) => reference(z, TARGETS[i]!)), 2e-6); // prettier-ignore
  closeTo(tf.grad(total)(logits).dataSync(), LOGITS.flatMap((z, i) => gradientOf(reference, z, TARGETS[i]!)), 5e-6); // prettier-ignore
  const products = LOGITS.flatMap((z, i) => {
    const [above, below] = [1, -1].map((sign) => alongDirection(z, TARGETS[i]!, i, sign * 1e-3));
    return above!.map((value, k) => (value - below![k]!) / 2e-3);
  });
  closeTo(tf.grad(slope)(logits).dataSync(), products, 2e-5);
}

const DIRECTION = [
  [1, -0.5, 0.3],
  [0.2, 0.9, -1],
  [-0.7, 0.1, 0.4],
];

function gradientOf(loss: RowLoss, z: number[], t: number[], step = 1e-4): number[] {
  return z.map((_, k) => {
    const [above, below] = [step, -step].map((d) => loss(z.map((value, j) => (j === k ? value + d : value)), t)); // prettier-ignore
    return (above! - below!) / (2 * step);
  });
}

/** Loss, gradient and Hessian-vector product are finite where every probability is 0 or 1 to float32. */
export function isFiniteWhenSaturated(loss: TensorLoss): void {
  const extremes = tf.tensor2d([[100, -100, 0], [-100, 100, 100], [100, 100, 100], [0, -100, 100]]); // prettier-ignore
  for (const label of [0, 1, 2]) {
    const targets = tf.oneHot([label, label, label, label], 3).toFloat() as tf.Tensor2D;
    const total = (z: tf.Tensor) => tf.sum(loss(z as tf.Tensor2D, targets)) as tf.Scalar;
    const slope = (z: tf.Tensor) => tf.sum(tf.mul(tf.grad(total)(z), tf.tensor2d([[1, -2, 0.5]]))) as tf.Scalar;
    const numbers = [loss(extremes, targets), tf.grad(total)(extremes), tf.grad(slope)(extremes)];
    const wrong = numbers.flatMap((tensor) => [...tensor.dataSync()]).find((value) => !Number.isFinite(value));
    if (wrong !== undefined) throw new Error(`label ${label}: ${wrong}`);
  }
}
