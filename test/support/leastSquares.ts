/** ½(xᵀw − t)² on a few points: a quadratic loss whose gradient, Hessian and values are known exactly. */
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { Rng, tf } from "../../src/engine";
import type { ExampleLoss, ModelAt, TensorData } from "../../src/sharpness";
import { inner } from "./matrices";

export interface LeastSquares {
  readonly network: ModelAt;
  readonly data: TensorData;
  readonly loss: ExampleLoss;
  readonly rows: number[][];
  /** xᵀw − t of each point */
  readonly residuals: number[];
  /** XᵀX / n */
  readonly hessian: number[][];
  /** L(w + ε) − L(w), in float64 */
  rise(epsilon: ArrayLike<number>): number;
}

export function leastSquares({ n = 10, d = 3, atMinimum = false } = {}): LeastSquares {
  const rng = new Rng("leastSquares");
  const rows = Array.from({ length: n }, (_, i) => Array.from(rng.split(i).array(d)));
  const w = Array.from(rng.split("w").array(d));
  const [x, weight] = [tf.tensor2d(rows), tf.tensor2d(w, [d, 1])];
  const shift = tf.tensor2d(Array.from({ length: n }, (_, i) => (atMinimum ? 0 : Math.cos(i))), [n, 1]); // prettier-ignore
  const y = tf.sub(tf.matMul(x, weight), shift);
  const residuals = Array.from(shift.dataSync());
  const hessian = w.map((_, a) => w.map((__, b) => rows.reduce((sum, row) => sum + (row[a]! * row[b]!) / n, 0)));
  const rise = (epsilon: ArrayLike<number>) =>
    rows.reduce((sum, row, i) => sum + ((residuals[i]! + inner(row, epsilon)) ** 2 - residuals[i]! ** 2) / (2 * n), 0);
  const model: ModelAt["model"] = {
    apply: (weights, input) => ({ logits: tf.matMul(input as unknown as tf.Tensor2D, weights["head/kernel"] as tf.Tensor2D) }),
  };
  const loss: ExampleLoss = (outputs, targets) => tf.mul(0.5, tf.square(tf.sub(outputs, targets)));
  return { network: { model, weights: { "head/kernel": weight } }, data: { x, y }, loss, rows, residuals, hessian, rise };
}

/** Largest eigenvalue of a small symmetric matrix. */
export function largestEigenvalue(matrix: number[][]): number {
  return Math.max(...new EigenvalueDecomposition(new Matrix(matrix), { assumeSymmetric: true }).realEigenvalues);
}
