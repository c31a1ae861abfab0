/**
 * Sharpness-Aware Minimization (Foret et al. 2021): ε̂ of eq. (2), the SAM gradient of eq. (3), several projected ascent
 * steps (Table 11), m-sharpness (Sec. 4.1) and the second-order term that eq. (3) drops.
 */
import { addScaledWeights, addWeights, dotWeights, globalNorm, mapWeights, scaleWeights, tf, type Weights } from "../engine";

/** Gradient of the batch loss at the given weights. `pass` counts from 1: SAM's first gradient is pass 1. */
export type LossGradient = (weights: Weights, pass: number) => Weights;

export interface EpsilonHatOptions {
  /** ρ ≥ 0: the radius of the ball. Paper App. C.3: 0.05 is the untuned default. */
  readonly rho?: number;
  /** p ∈ [1, ∞] of ‖ε‖_p ≤ ρ; default 2, as everywhere in the paper but in Fig. 6. */
  readonly normP?: number;
  /** False: ε = ρ·g without dividing by the norm (USAM; p = 2 only). Default true. */
  readonly normalize?: boolean;
  /**
   * ASAM (Kwon et al. 2021): ε = ρT²g/‖Tg‖₂. "weights" is the published one, T = |w| + η on kernels and gains, 1 on biases;
   * "all" is the popular port, T = |w| everywhere. Their ρ are not comparable. Default false.
   */
  readonly adaptive?: false | "weights" | "all";
  /** η of ASAM; default 0.01, as published. */
  readonly eta?: number;
  /** w; needed where `adaptive` is on. */
  readonly weights?: Weights;
}

/**
 * ε̂(w) = argmax over ‖ε‖_p ≤ ρ of gᵀε: eq. (2), ρ·sign(g)|g|^(q−1) / ‖g‖_q^(q−1) with 1/p + 1/q = 1.
 * One norm over all tensors. A zero gradient gives ε̂ = 0; any other has ‖ε̂‖_p = ρ. The caller owns the result.
 */
export function epsilonHat(gradient: Weights, options: EpsilonHatOptions = {}): Weights {
  const { rho = 0.05, normP = 2, normalize = true, adaptive = false } = options;
  checkSamOptions(options);
  return tf.tidy(() => {
    if (adaptive) return adaptiveEpsilon(gradient, rho, adaptive, options);
    if (!normalize) return scaleWeights(gradient, rho);
    if (normP === 1) return largestEntryOnly(gradient, rho);
    if (normP === Infinity) return mapWeights(gradient, (g) => tf.mul(tf.sign(g), rho));
    return dualNormDirection(gradient, rho, normP);
  });
}

function dualNormDirection(gradient: Weights, rho: number, normP: number): Weights {
  const relative = dividedByLargest(gradient);
  if (normP === 2) return scaleWeights(relative, tf.mul(reciprocalOrZero(norm2(relative)), rho) as tf.Scalar);
  const q = normP / (normP - 1);
  const sumOfPowers = tf.addN(Object.values(relative).map((g) => tf.sum(tf.pow(tf.abs(g), q)) as tf.Scalar));
  const factor = tf.mul(reciprocalOrZero(tf.pow(sumOfPowers, 1 / normP)), rho);
  return mapWeights(relative, (g) => tf.mul(tf.mul(tf.sign(g), tf.pow(tf.abs(g), q - 1)), factor));
}

// |g|/max|g| keeps the powers inside float32's range; the scale cancels. Division, as 1/max overflows below 3e-39.
function dividedByLargest(gradient: Weights): Weights {
  const largest = tf.max(tf.stack(Object.values(gradient).map((g) => tf.max(tf.abs(g)) as tf.Scalar)));
  const divisor = tf.where(tf.equal(largest, 0), tf.onesLike(largest), largest);
  return mapWeights(gradient, (g) => tf.div(g, divisor));
}

function adaptiveEpsilon(
  gradient: Weights,
  rho: number,
  kind: "weights" | "all",
  { weights, eta = 0.01 }: EpsilonHatOptions,
): Weights {
  if (!weights) throw new Error(`adaptive = "${kind}": epsilonHat needs the weights too`);
  const T = adaptiveScale(weights, { adaptive: kind, eta });
  const Tg = mapWeights(dividedByLargest(gradient), (g, name) => tf.mul(T[name]!, g));
  const factor = tf.mul(reciprocalOrZero(norm2(Tg)), rho);
  return mapWeights(Tg, (tg, name) => tf.mul(tf.mul(T[name]!, tg), factor));
}

/** T of ASAM (Kwon et al. 2021), see `EpsilonHatOptions.adaptive`; ones where that is false. The caller owns it. */
export function adaptiveScale(
  weights: Weights,
  { adaptive = false, eta = 0.01 }: Pick<EpsilonHatOptions, "adaptive" | "eta">,
): Weights {
  checkAdaptive(adaptive);
  return mapWeights(weights, (w, name) => {
    if (!adaptive || (adaptive === "weights" && isBias(name))) return tf.onesLike(w);
    return tf.tidy(() => (adaptive === "all" ? tf.abs(w) : tf.add(tf.abs(w), eta)));
  });
}

function checkAdaptive(adaptive: unknown): void {
  if (![false, "weights", "all"].includes(adaptive as never))
    throw new Error(`adaptive = ${adaptive}: expected false, "weights" or "all"`);
}

// TensorFlow.js adds _1, _2 … to the names of a second model's variables.
function isBias(name: string): boolean {
  return /(^|\/)(bias|offset|beta)(_\d+)?$/.test(name);
}

// p = 1: the whole radius goes to the one weight of largest |g| (the first of equals).
function largestEntryOnly(gradient: Weights, rho: number): Weights {
  let best = { name: "", index: -1, value: 0 };
  for (const [name, tensor] of Object.entries(gradient)) {
    tensor.dataSync().forEach((value: number, index: number) => {
      if (Math.abs(value) > Math.abs(best.value)) best = { name, index, value };
    });
  }
  return mapWeights(gradient, (g, name) => {
    const values = new Float32Array(g.size);
    if (name === best.name) values[best.index] = rho * Math.sign(best.value);
    return tf.tensor(values, g.shape);
  });
}

function norm2(weights: Weights): tf.Scalar {
  return tf.sqrt(tf.addN(Object.values(weights).map((t) => tf.sum(tf.square(t)) as tf.Scalar)));
}

function reciprocalOrZero(x: tf.Scalar): tf.Scalar {
  return tf.divNoNan(tf.scalar(1), x) as tf.Scalar;
}

export interface SamOptions extends Omit<EpsilonHatOptions, "weights"> {
  /** Projected gradient ascent steps to find ε; default 1, as everywhere in the paper but in Table 11. */
  readonly ascentSteps?: number;
  /** Length of each ascent step where there are several; default ρ (ours, as Andriushchenko and Flammarion; the paper gives none). */
  readonly ascentStepSize?: number;
  /**
   * H(w)·v for the same loss, to add the term (dε̂/dw)ᵀ∇L(w+ε̂) that eq. (3) drops (Fig. 4, 5). Only for normP = 2,
   * one ascent step and normalize. Default: dropped, as in the paper.
   */
  readonly hessianVectorProduct?: (weights: Weights, vector: Weights) => Weights;
}

/** What the evaluation of one pass brings along, beside its gradient. */
export interface Evaluation {
  readonly gradient: Weights;
}

export interface SamEvaluation<E extends Evaluation> {
  /** At w. */
  readonly first: E;
  /** At w + ε̂; the same as `first` where ρ = 0. */
  readonly last: E;
  /** ε̂, all zeros where ρ = 0 (undefined then: nothing was computed). */
  readonly epsilon: Weights | undefined;
  /** ∇L^SAM(w). */
  readonly gradient: Weights;
}

/**
 * Both passes of SAM with whatever each pass computes beside its gradient (losses, batch-norm statistics).
 * Call it inside tf.tidy: it leaves its intermediate tensors to the caller's scope.
 */
export function evaluateSam<E extends Evaluation>(
  evaluate: (weights: Weights, pass: number) => E,
  weights: Weights,
  options: SamOptions,
): SamEvaluation<E> {
  const { rho = 0.05, ascentSteps = 1, hessianVectorProduct } = options;
  checkSamOptions(options);
  const first = evaluate(weights, 1);
  if (rho === 0) return { first, last: first, epsilon: undefined, gradient: first.gradient };
  const epsilon = findEpsilon((w, pass) => evaluate(w, pass).gradient, first.gradient, weights, options);
  const last = evaluate(addWeights(weights, epsilon), ascentSteps + 1);
  if (!hessianVectorProduct) return { first, last, epsilon, gradient: last.gradient };
  return { first, last, epsilon, gradient: addSecondOrderTerm(first.gradient, last.gradient, weights, options) };
}

/**
 * ε by `ascentSteps` steps of projected gradient ascent, given the gradient at w: ε̂ of eq. (2) where there is one step.
 * Each further step calls `lossGradient` once, at w + ε with pass 2, 3 …
 */
export function findEpsilon(
  lossGradient: LossGradient,
  firstGradient: Weights,
  weights: Weights,
  options: SamOptions = {},
): Weights {
  const { rho = 0.05, ascentSteps = 1, ascentStepSize = rho, normP = 2 } = options;
  if (ascentSteps === 1) return epsilonHat(firstGradient, { ...options, weights });
  const step = (gradient: Weights) => epsilonHat(gradient, { ...options, rho: ascentStepSize });
  let epsilon = projectToBall(step(firstGradient), { rho, normP });
  for (let pass = 2; pass <= ascentSteps; pass++) {
    const gradient = lossGradient(addWeights(weights, epsilon), pass);
    epsilon = projectToBall(addWeights(epsilon, step(gradient)), { rho, normP });
  }
  return epsilon;
}

/** The nearest point of the ball ‖ε‖_p ≤ ρ, p = 2 or ∞. */
export function projectToBall(epsilon: Weights, { rho, normP = 2 }: { rho: number; normP?: number }): Weights {
  return tf.tidy(() => {
    if (normP === Infinity) return mapWeights(epsilon, (e) => tf.clipByValue(e, -rho, rho));
    const factor = tf.minimum(1, tf.mul(reciprocalOrZero(norm2(epsilon)), rho)) as tf.Scalar;
    return scaleWeights(epsilon, factor);
  });
}

// (dε̂/dw)ᵀ g_adv = (ρ/‖g‖)·H(w)·(I − ĝĝᵀ) g_adv
function addSecondOrderTerm(g: Weights, gAdv: Weights, weights: Weights, options: SamOptions): Weights {
  const { rho = 0.05, normP = 2, ascentSteps = 1, adaptive = false, normalize = true, hessianVectorProduct } = options;
  if (normP !== 2 || ascentSteps !== 1 || adaptive || !normalize) {
    throw new Error("the second-order term is defined for normP = 2, ascentSteps = 1, normalize and without adaptive");
  }
  const norm = globalNorm(g);
  if (norm === 0) return gAdv;
  const orthogonal = addScaledWeights(gAdv, g, -dotWeights(g, gAdv) / norm ** 2);
  return addScaledWeights(gAdv, hessianVectorProduct!(weights, orthogonal), rho / norm);
}

/** ∇L^SAM(w) ≈ ∇L(w + ε̂(w)): eq. (3). The caller owns the result; `weights` stay as they are. */
export function samGradient(lossGradient: LossGradient, weights: Weights, options: SamOptions = {}): Weights {
  return tf.tidy(() => evaluateSam((w, pass) => ({ gradient: lossGradient(w, pass) }), weights, options).gradient);
}

/** A part of a batch: its gradient function and how many examples it has. */
export interface Block {
  readonly lossGradient: LossGradient;
  readonly size: number;
}

/** Gradient of L^(m): each block has its own ε̂ from the same w; the mean is weighted by the blocks' sizes (Sec. 4.1). */
export function mSamGradient(blocks: readonly Block[], weights: Weights, options: SamOptions = {}): Weights {
  return tf.tidy(() =>
    meanWeights(blocks.map(({ lossGradient, size }) => ({ weights: samGradient(lossGradient, weights, options), size }))),
  );
}

/** Mean over parts, each weighted by its size; a single part is returned as it is. */
export function meanWeights(parts: readonly { readonly weights: Weights; readonly size: number }[]): Weights {
  if (parts.length === 0) throw new Error("the mean of no parts is not defined");
  if (parts.length === 1) return parts[0]!.weights;
  const total = parts.reduce((sum, { size }) => sum + size, 0);
  return mapWeights(parts[0]!.weights, (_, name) =>
    tf.addN(parts.map(({ weights, size }) => tf.mul(weights[name]!, size / total))),
  );
}

/** @throws where an option is out of its range, or two do not go together; the message has the value and what was expected */
export function checkSamOptions(options: SamOptions): void {
  const { rho = 0.05, normP = 2, normalize = true, adaptive = false, eta = 0.01 } = options;
  const { ascentSteps = 1, ascentStepSize = rho } = options;
  const finite = (value: number) => value >= 0 && value < Infinity;
  if (!finite(rho)) throw new Error(`rho = ${rho}: expected a finite number ≥ 0`);
  if (!(normP >= 1)) throw new Error(`normP = ${normP}: expected a number from 1 to Infinity`);
  checkAdaptive(adaptive);
  if (!finite(eta)) throw new Error(`eta = ${eta}: expected a finite number ≥ 0`);
  if ((adaptive || !normalize) && normP !== 2)
    throw new Error(`normP = ${normP}: adaptive and unnormalized SAM are defined for normP = 2`);
  if (!Number.isInteger(ascentSteps) || ascentSteps < 1)
    throw new Error(`ascentSteps = ${ascentSteps}: expected a whole number of at least 1`);
  if (!finite(ascentStepSize)) throw new Error(`ascentStepSize = ${ascentStepSize}: expected a finite number ≥ 0`);
  if (ascentSteps > 1 && (adaptive || (normP !== 2 && normP !== Infinity)))
    throw new Error(`ascentSteps = ${ascentSteps}: several ascent steps need normP = 2 or Infinity, without adaptive`);
}
