/** L(w) = ½wᵀAw as a network of its own: the loss whose gradient Aw, Hessian A and sharpness can be worked out by hand. */
import { tf, type Weights } from "../engine";
import { matrixOperator, type DenseMatrix } from "./operator";
import type { ExampleLoss, ModelAt, TensorData } from "./problem";

/** Arguments of every measure in this folder: `mSharpness(bowl.at([1, 2]), bowl.data, { loss: bowl.loss })`. */
export interface Quadratic {
  /** The network at the point w, (size); the caller owns its one tensor, "w". */
  at(point: ArrayLike<number>): ModelAt;
  /** One example, which the loss does not look at. The caller owns its two tensors. */
  readonly data: TensorData;
  /** ½wᵀAw of the network's output, which is w itself. */
  readonly loss: ExampleLoss;
  /** The same as a function of the weights, to be differentiated. */
  value(weights: Weights): tf.Scalar;
}

/**
 * The quadratic of a symmetric matrix, with its stationary point at 0.
 *
 * @throws if the matrix is not square or not symmetric
 */
export function quadratic(matrix: DenseMatrix): Quadratic {
  const { size } = matrixOperator(matrix);
  const rows = Array.from(matrix, (row) => Array.from(row));
  const loss = (w: tf.Tensor) => tf.sum(tf.mul(tf.matMul(w as tf.Tensor2D, tf.tensor2d(rows)), tf.mul(w, 0.5)), 1);
  const output = ({ w }: Weights): tf.Tensor2D => tf.reshape(w!, [1, size]);
  return {
    at: (point) => ({ model: { apply: (weights) => ({ logits: output(weights) }) }, weights: { w: pointTensor(point, size) } }),
    data: { x: tf.zeros([1, 1]), y: tf.zeros([1, 1]) },
    loss,
    value: (weights) => tf.mean(loss(output(weights))),
  };
}

function pointTensor(point: ArrayLike<number>, size: number): tf.Tensor1D {
  if (point.length !== size) throw new Error(`the point has ${point.length} coordinates, expected the matrix's size ${size}`);
  return tf.tensor1d(Array.from(point));
}
