/**
 * The PAC-Bayes bound of Theorem 2 (Foret et al. 2021, eq. 4) for a loss in [0, 1]: with probability 1 − δ over n training examples,
 *
 *     L_D(w) ≤ max_{‖ε‖₂ ≤ ρ} L_S(w + ε) + √( (k·log(1 + (‖w‖²/ρ²)(1 + √(log(n)/k))²) + 4·log(n/δ) + Õ(1)) / (n − 1) ),
 *
 * where Õ(1) is 8·log(6n + 3k), as the proof's last line has it, and w is a point where Gaussian noise does not lower the test loss.
 */
import { checkOptions } from "../engine";
import { checkCount, checkOver } from "./operator";

/** Options of `theorem2Bound`. */
export interface BoundOptions {
  /** ‖w‖₂ */
  readonly weightNorm: number;
  /** ρ */
  readonly rho: number;
  /** k, the number of weights. */
  readonly parameters: number;
  /** n, the number of training examples; at least 2. */
  readonly examples: number;
  /** δ in (0, 1), the chance that the bound fails. Ours: 0.05. */
  readonly delta?: number;
}

/** Result of `theorem2Bound`: the bound and its terms. */
export interface SharpnessBound {
  /** At most this is the expected loss; above 1 it says nothing. */
  readonly bound: number;
  /** The square root, which the maximum is added to. */
  readonly complexity: number;
  /** What the terms under the square root come to, over n − 1: k·log(…), 4·log(n/δ) and 8·log(6n + 3k). */
  readonly terms: { readonly weights: number; readonly confidence: number; readonly grid: number };
  /** ‖w‖² > ρ²(exp(4n/k) − 1): the proof sets this case aside, since the bound is above 1 there whatever the loss is. */
  readonly trivial: boolean;
}

/**
 * Theorem 2's bound on the expected loss.
 *
 * @param perturbedLoss max of the training loss over the ball, in [0, 1], such as the error rate. What an ascent finds is a lower
 * bound of it, so the result is one of the true bound, too
 * @throws if a value is out of its range
 */
export function theorem2Bound(perturbedLoss: number, options: BoundOptions): SharpnessBound {
  const kinds = { weightNorm: "number", rho: "number", parameters: "number", examples: "number", delta: "number" } as const;
  checkOptions(options, kinds, "theorem2Bound");
  const { weightNorm, rho, parameters: k, examples: n, delta = 0.05 } = options;
  if (!(perturbedLoss >= 0 && perturbedLoss <= 1)) throw new Error(`perturbedLoss = ${perturbedLoss}: expected a loss in [0, 1]`);
  if (!(weightNorm >= 0)) throw new Error(`weightNorm = ${weightNorm}: expected a number of at least 0`);
  if (!(delta > 0 && delta < 1)) throw new Error(`delta = ${delta}: expected a probability between 0 and 1`);
  checkOver("rho", rho, 0, false);
  checkCount("parameters", k);
  checkCount("examples", n, 2);
  const ratio = (weightNorm / rho) ** 2;
  const weights = (k * Math.log1p(ratio * (1 + Math.sqrt(Math.log(n) / k)) ** 2)) / (n - 1);
  const confidence = (4 * Math.log(n / delta)) / (n - 1);
  const grid = (8 * Math.log(6 * n + 3 * k)) / (n - 1);
  const complexity = Math.sqrt(weights + confidence + grid);
  const trivial = ratio > Math.expm1((4 * n) / k);
  return { bound: perturbedLoss + complexity, complexity, terms: { weights, confidence, grid }, trivial };
}
