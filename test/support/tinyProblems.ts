/** Problems whose gradients and Hessians are known in closed form, in float64. */
import { tf, type Weights } from "../../src/engine";

export type Vector = readonly number[];
export type Matrix = readonly Vector[];

export const dot = (a: Vector, b: Vector): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
export const norm = (a: Vector, p = 2): number =>
  p === Infinity ? Math.max(...a.map(Math.abs)) : a.reduce((sum, x) => sum + Math.abs(x) ** p, 0) ** (1 / p);
export const times = (A: Matrix, x: Vector): number[] => A.map((row) => dot(row, x));
export const scaled = (a: Vector, factor: number): number[] => a.map((x) => x * factor);
export const plus = (a: Vector, b: Vector): number[] => a.map((x, i) => x + b[i]!);

/** A loss of three numbers. */
export interface Problem {
  loss(w: Vector): number;
  gradient(w: Vector): number[];
  hessian(w: Vector): Matrix;
}

/** L(w) = ½wᵀAw + Σ cᵢwᵢ³/6, so ∇L = Aw + cw²/2 and H = A + diag(cw); c = 0 by default: a quadratic. */
export function polynomial(A: Matrix, c: Vector = A.map(() => 0)): Problem {
  return {
    loss: (w) => dot(w, times(A, w)) / 2 + dot(c, w.map((x) => x ** 3 / 6)), // prettier-ignore
    gradient: (w) => plus(times(A, w), w.map((x, i) => (c[i]! * x * x) / 2)), // prettier-ignore
    hessian: (w) => A.map((row, i) => row.map((a, j) => (i === j ? a + c[i]! * w[i]! : a))),
  };
}

/** A symmetric, positive definite matrix without a pattern. */
export const A: Matrix = [
  [3, 1, -0.5],
  [1, 2, 0.25],
  [-0.5, 0.25, 1],
];

/** Three numbers as two tensors, so that a norm over one tensor is not the norm over all. */
export function toWeights(vector: Vector): Weights {
  return { first: tf.tensor2d([vector.slice(0, 2)]), second: tf.tensor1d([vector[2]!]) };
}

export function toVector(weights: Weights): number[] {
  return Object.values(weights).flatMap((tensor) => [...tensor.dataSync()]);
}

/** The gradient as SAM wants it: tensors in, tensors out; the arithmetic between is float64. */
export function lossGradientOf(problem: Problem): (weights: Weights) => Weights {
  return (weights) => toWeights(problem.gradient(toVector(weights)));
}
