/**
 * Sharpness-Aware Minimization (Foret et al. 2021), in the paper's order: ε̂(w) of eq. (2), the SAM gradient of eq. (3), its
 * mean over blocks of m examples (Sec. 4.1). Variants follow: other norms, ASAM, several ascent steps, the second-order term.
 */
import {
  addScaledWeights,
  addWeights,
  checkOptions,
  mapWeights,
  scaleWeights,
  tf,
  type OptionKinds,
  type Weights,
} from "../engine";

/** Gradient of the batch loss at the given weights. `pass` counts from 1: SAM's first gradient, at w, is pass 1. */
export type LossGradient = (weights: Weights, pass: number) => Weights;

/** Options of `epsilonHat`. */
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
  /** η of `adaptive: "weights"`, which alone has one; default 0.01, as published. */
  readonly eta?: number;
  /** w; needed where `adaptive` is on. */
  readonly weights?: Weights;
}

/** Options of `samGradient`. */
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

/**
 * ε̂(w) = argmax over ‖ε‖_p ≤ ρ of gᵀε: eq. (2), which is ρ·g/‖g‖₂ for p = 2. One norm over all tensors.
 * A zero gradient gives ε̂ = 0; any other has ‖ε̂‖_p = ρ. The caller owns the result.
 * @throws where an option is unknown, out of its range, or contradicts another
 */
export function epsilonHat(gradient: Weights, options: EpsilonHatOptions = {}): Weights {
  checkOptions(options, EPSILON_HAT_OPTIONS, "epsilonHat");
  checkSamOptions(options);
  const { rho = 0.05 } = options;
  return tf.tidy(() => {
    if (isVariant(options)) return variantOfEpsilonHat(gradient, options);
    const g = dividedByLargest(gradient);
    return scaleWeights(g, tf.mul(oneOverOrZero(norm2(g)), rho) as tf.Scalar);
  });
}

/**
 * ∇L^SAM(w) ≈ ∇L(w + ε̂(w)): eq. (3), with the second-order terms dropped unless `hessianVectorProduct` is given.
 * Two calls of `lossGradient`, one where ρ = 0. The caller owns the result; `weights` stay as they are.
 * @throws where an option is unknown, out of its range, or contradicts another
 */
export function samGradient(lossGradient: LossGradient, weights: Weights, options: SamOptions = {}): Weights {
  checkOptions(options, SAM_OPTIONS, "samGradient");
  checkSamOptions(options);
  const { rho = 0.05, ascentSteps = 1 } = options;
  return tf.tidy(() => {
    const gradient = lossGradient(weights, 1);
    if (rho === 0) return gradient;
    const epsilon = findEpsilon(lossGradient, gradient, weights, options);
    const perturbed = lossGradient(addWeights(weights, epsilon), ascentSteps + 1);
    return options.hessianVectorProduct ? addSecondOrderTerm(gradient, perturbed, weights, options) : perturbed;
  });
}

/** A part of a batch: its gradient function and how many examples it has. */
export interface Block extends Pick<SamOptions, "hessianVectorProduct"> {
  readonly lossGradient: LossGradient;
  readonly size: number;
}

/**
 * ∇L^(m)(w): each block of m examples has its own ε̂ from the same w; the mean is weighted by the blocks' sizes (Sec. 4.1).
 * One block gives SAM itself, bit for bit. The caller owns the result.
 * @throws where there are no blocks, and as `samGradient` does
 */
export function mSamGradient(blocks: readonly Block[], weights: Weights, options: SamOptions = {}): Weights {
  const gradientOf = ({ lossGradient, hessianVectorProduct = options.hessianVectorProduct }: Block) =>
    samGradient(lossGradient, weights, { ...options, hessianVectorProduct });
  return tf.tidy(() => meanWeights(blocks.map((block) => ({ weights: gradientOf(block), size: block.size }))));
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
  const { rho = 0.05, normP = 2, normalize, adaptive, eta, ascentSteps = 1, ascentStepSize = rho } = options;
  if (ascentSteps === 1) return epsilonHat(firstGradient, { rho, normP, normalize, adaptive, eta, weights });
  const step = (gradient: Weights) => epsilonHat(gradient, { rho: ascentStepSize, normP, normalize });
  let epsilon = projectToBall(step(firstGradient), { rho, normP });
  for (let pass = 2; pass <= ascentSteps; pass++) {
    const gradient = lossGradient(addWeights(weights, epsilon), pass);
    epsilon = projectToBall(addWeights(epsilon, step(gradient)), { rho, normP });
  }
  return epsilon;
}

/**
 * The nearest point of the ball ‖ε‖_p ≤ ρ. The caller owns the result.
 * @throws where p is neither 2 nor ∞
 */
export function projectToBall(epsilon: Weights, options: { rho: number; normP?: number }): Weights {
  checkOptions(options, { rho: "number", normP: { values: [2, Infinity] } }, "projectToBall");
  const { rho, normP = 2 } = options;
  return tf.tidy(() => {
    if (normP === Infinity) return mapWeights(epsilon, (e) => tf.clipByValue(e, -rho, rho));
    const factor = tf.minimum(1, tf.mul(oneOverOrZero(norm2(epsilon)), rho)) as tf.Scalar;
    return scaleWeights(epsilon, factor);
  });
}

function isVariant({ normP = 2, normalize = true, adaptive = false }: EpsilonHatOptions): boolean {
  return normP !== 2 || !normalize || adaptive !== false;
}

function variantOfEpsilonHat(gradient: Weights, options: EpsilonHatOptions): Weights {
  const { rho = 0.05, normP = 2, normalize = true, adaptive = false } = options;
  if (adaptive) return adaptiveEpsilon(gradient, rho, options);
  if (!normalize) return scaleWeights(gradient, rho);
  if (normP === 1) return largestEntryOnly(gradient, rho);
  if (normP === Infinity) return mapWeights(gradient, (g) => tf.mul(tf.sign(g), rho));
  return dualNormDirection(gradient, rho, normP);
}

// ρ·sign(g)|g|^(q−1) / ‖g‖_q^(q−1) with 1/p + 1/q = 1.
function dualNormDirection(gradient: Weights, rho: number, normP: number): Weights {
  const relative = dividedByLargest(gradient);
  const q = normP / (normP - 1);
  const sumOfPowers = tf.addN(Object.values(relative).map((g) => tf.sum(tf.pow(tf.abs(g), q)) as tf.Scalar));
  const factor = tf.mul(oneOverOrZero(tf.pow(sumOfPowers, 1 / normP)), rho);
  return mapWeights(relative, (g) => tf.mul(tf.mul(tf.sign(g), tf.pow(tf.abs(g), q - 1)), factor));
}

// |g|/max|g| keeps the powers inside float32's range; the scale cancels. Division, as 1/max overflows below 3e-39.
function dividedByLargest(gradient: Weights): Weights {
  const largest = largestEntry(gradient);
  const divisor = tf.where(tf.equal(largest, 0), tf.onesLike(largest), largest);
  return mapWeights(gradient, (g) => tf.div(g, divisor));
}

// max|g| over all tensors.
function largestEntry(gradient: Weights): tf.Scalar {
  return tf.max(tf.stack(Object.values(gradient).map((g) => tf.max(tf.abs(g)) as tf.Scalar)));
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

function adaptiveEpsilon(gradient: Weights, rho: number, { adaptive, eta, weights }: EpsilonHatOptions): Weights {
  if (!weights) throw new Error(`adaptive = "${adaptive}": epsilonHat needs the weights too`);
  const T = adaptiveScale(weights, { adaptive, eta });
  const Tg = mapWeights(dividedByLargest(gradient), (g, name) => tf.mul(T[name]!, g));
  const factor = tf.mul(oneOverOrZero(norm2(Tg)), rho);
  return mapWeights(Tg, (tg, name) => tf.mul(tf.mul(T[name]!, tg), factor));
}

/** T of ASAM (Kwon et al. 2021), see `EpsilonHatOptions.adaptive`; ones where that is false. The caller owns it. */
export function adaptiveScale(weights: Weights, options: Pick<EpsilonHatOptions, "adaptive" | "eta"> = {}): Weights {
  checkOptions(options, { adaptive: ADAPTIVE, eta: "number" }, "adaptiveScale");
  checkSamOptions(options);
  const { adaptive = false, eta = 0.01 } = options;
  return mapWeights(weights, (w, name) => {
    if (!adaptive || (adaptive === "weights" && isBias(name))) return tf.onesLike(w);
    return tf.tidy(() => (adaptive === "all" ? tf.abs(w) : tf.add(tf.abs(w), eta)));
  });
}

// TensorFlow.js adds _1, _2 … to the names of a second model's variables.
function isBias(name: string): boolean {
  return /(^|\/)(bias|offset|beta)(_\d+)?$/.test(name);
}

// (dε̂/dw)ᵀ g_adv = (ρ/‖g‖)·H(w)·(I − ĝĝᵀ) g_adv. Tensors alone, so that a step can be replayed as a graph.
function addSecondOrderTerm(g: Weights, gAdv: Weights, weights: Weights, options: SamOptions): Weights {
  const { rho = 0.05, hessianVectorProduct } = options;
  const largest = largestEntry(g);
  const relative = dividedByLargest(g);
  const relativeNorm = norm2(relative);
  const unit = scaleWeights(relative, oneOverOrZero(relativeNorm));
  const orthogonal = addScaledWeights(gAdv, unit, tf.neg(dot(unit, gAdv)) as tf.Scalar);
  const factor = tf.mul(oneOverOrZero(tf.mul(relativeNorm, largest)), rho) as tf.Scalar;
  return addScaledWeights(gAdv, hessianVectorProduct!(weights, orthogonal), factor);
}

function dot(a: Weights, b: Weights): tf.Scalar {
  return tf.addN(Object.keys(a).map((name) => tf.sum(tf.mul(a[name]!, b[name]!)) as tf.Scalar));
}

function norm2(weights: Weights): tf.Scalar {
  return tf.sqrt(tf.addN(Object.values(weights).map((t) => tf.sum(tf.square(t)) as tf.Scalar)));
}

function oneOverOrZero(x: tf.Scalar): tf.Scalar {
  return tf.divNoNan(tf.scalar(1), x) as tf.Scalar;
}

const ADAPTIVE = { values: [false, "weights", "all"] } as const;

const EPSILON_HAT_OPTIONS: OptionKinds<EpsilonHatOptions> = {
  rho: "number",
  normP: "number",
  normalize: "boolean",
  adaptive: ADAPTIVE,
  eta: "number",
  weights: "object",
};

export const SAM_OPTIONS: OptionKinds<SamOptions> = {
  rho: "number",
  normP: "number",
  normalize: "boolean",
  adaptive: ADAPTIVE,
  eta: "number",
  ascentSteps: "number",
  ascentStepSize: "number",
  hessianVectorProduct: "function",
};

/** @throws where an option is out of its range, or two contradict each other; the message has the value and what was expected */
export function checkSamOptions(options: SamOptions): void {
  const { rho = 0.05, normP = 2, normalize = true, adaptive = false, eta } = options;
  const { ascentSteps = 1, ascentStepSize = rho, hessianVectorProduct } = options;
  const finite = (value: number) => value >= 0 && value < Infinity;
  if (!finite(rho)) throw new Error(`rho = ${rho}: expected a finite number ≥ 0`);
  if (!(normP >= 1)) throw new Error(`normP = ${normP}: expected a number from 1 to Infinity`);
  if (eta !== undefined && !finite(eta)) throw new Error(`eta = ${eta}: expected a finite number ≥ 0`);
  if (eta !== undefined && adaptive !== "weights")
    throw new Error(`eta = ${eta}: only adaptive = "weights" has an η, and adaptive is ${JSON.stringify(adaptive)}`);
  if ((adaptive || !normalize) && normP !== 2)
    throw new Error(`normP = ${normP}: adaptive and unnormalized SAM are defined for normP = 2`);
  if (adaptive && !normalize) throw new Error(`normalize = false: adaptive SAM is defined with its norm`);
  if (!Number.isInteger(ascentSteps) || ascentSteps < 1)
    throw new Error(`ascentSteps = ${ascentSteps}: expected a whole number of at least 1`);
  if (!finite(ascentStepSize)) throw new Error(`ascentStepSize = ${ascentStepSize}: expected a finite number ≥ 0`);
  if (ascentSteps > 1 && (adaptive || (normP !== 2 && normP !== Infinity)))
    throw new Error(`ascentSteps = ${ascentSteps}: several ascent steps need normP = 2 or Infinity, without adaptive`);
  const conflict = hessianVectorProduct && secondOrderConflict(options);
  if (conflict) throw new Error(conflict);
}

/** Why these options have no second-order term here; undefined if they have one. */
export function secondOrderConflict(options: SamOptions): string | undefined {
  const { normP = 2, normalize = true, adaptive = false, ascentSteps = 1 } = options;
  if (!isVariant(options) && ascentSteps === 1) return undefined;
  const came = `normP = ${normP}, ascentSteps = ${ascentSteps}, normalize = ${normalize}, adaptive = ${JSON.stringify(adaptive)}`;
  return `the second-order term is defined for normP = 2, ascentSteps = 1, normalize = true and adaptive = false, not ${came}`;
}
