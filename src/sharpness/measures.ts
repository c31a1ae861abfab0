/**
 * Sharpness of a solution w: how much the loss rises around it. m-sharpness (Foret et al. 2021, Sec. 4.1: one ascent step per block
 * of m), the worst case of a ball by projected ascent, and the average over Gaussian noise; each also adaptive (Kwon et al. 2021),
 * in coordinates relative to the weights, where rescaling a ReLU net changes nothing.
 */
import {
  addWeights,
  checkOptions,
  disposeWeights,
  flattenWeights,
  mapWeights,
  Rng,
  scaleWeights,
  tf,
  type OptionKinds,
  type Weights,
} from "../engine";
import { adaptiveScale, epsilonHat, projectToBall } from "../optim";
import { checkCount, checkOver, productKinds, ProductOptions, report, SEED } from "./operator";
import {
  atWeights,
  checkFixedLoss,
  lossAndGradient,
  makeProblem,
  meanLoss,
  Network,
  Problem,
  ProblemData,
  problemKinds,
  ProblemOptions,
} from "./problem";
import { meanAndError } from "./statistics";
import { norm } from "./vector";

export interface SharpnessOptions extends ProblemOptions, ProductOptions {
  /** ρ, the radius of the ball. 0.05: the paper's untuned default (App. C.3). */
  rho?: number;
  /** p of ‖ε‖_p ≤ ρ; 2 as in the paper. */
  normP?: number;
  /** ‖T⁻¹ε‖ ≤ ρ: "weights" with T = |w| + η, 1 on biases (ASAM as published); "all" with T = |w|. Default: T = 1. */
  adaptive?: false | "weights" | "all";
  /** η of "weights"; 0.01, as published. */
  eta?: number;
  seed?: number | string;
}

const sharpnessKinds: OptionKinds<SharpnessOptions> = {
  ...problemKinds,
  ...productKinds,
  rho: "number",
  normP: "number",
  adaptive: { values: [false, "weights", "all"] },
  eta: "number",
  seed: SEED,
};

export interface MSharpnessOptions extends SharpnessOptions {
  /** Examples per block. 32: what the paper's 256 on 8 devices came to. m = n is the sharpness of the whole. */
  m?: number;
}

/** Result of `mSharpness`. */
export interface MSharpness {
  /** Mean over blocks of L_B(w + ε̂_B) − L_B(w), a smaller last block weighted by its size. */
  readonly sharpness: number;
  /** Standard error of `sharpness`, from the spread over blocks; NaN for one block. */
  readonly standardError: number;
  /** L(w), the mean loss. */
  readonly loss: number;
  /** One difference a block. */
  readonly samples: number[];
  /** Examples in each block. */
  readonly sizes: number[];
}

/** m-sharpness over a random partition of the data into blocks of m. Two passes over the data; `onProgress` counts blocks. */
export async function mSharpness(network: Network, data: ProblemData, options: MSharpnessOptions = {}): Promise<MSharpness> {
  checkOptions(options, { ...sharpnessKinds, m: "number" }, "mSharpness");
  const { m = 32, seed = 0 } = options;
  const problem = startProblem(network, data, options);
  const order = new Rng(seed).split("blocks").permutation(problem.size);
  const blocks = cut(order, Math.min(checkCount("m", m), problem.size));
  const losses: { loss: number; rise: number; size: number }[] = [];
  for (const block of blocks) {
    losses.push({ ...(await blockRise(problem, block, options)), size: block.length });
    await report(options, losses.length, blocks.length);
  }
  const mean = (value: (part: (typeof losses)[number]) => number) =>
    losses.reduce((sum, part) => sum + (value(part) * part.size) / problem.size, 0);
  const samples = losses.map(({ rise }) => rise);
  const { standardError } = meanAndError(samples);
  return {
    sharpness: mean((p) => p.rise),
    standardError,
    loss: mean((p) => p.loss),
    samples,
    sizes: losses.map(({ size }) => size),
  };
}

async function blockRise(problem: Problem, indices: Int32Array, { rho, normP, adaptive, eta, signal }: SharpnessOptions) {
  const { weights } = problem;
  const { loss, gradient } = await lossAndGradient(problem, { indices, signal });
  try {
    const moved = () => addWeights(weights, epsilonHat(gradient, { rho, normP, adaptive, eta, weights }));
    return { loss, rise: (await atWeights(moved, (at) => meanLoss(problem, { weights: at, indices, signal }))) - loss };
  } finally {
    disposeWeights(gradient);
  }
}

export interface WorstCaseOptions extends SharpnessOptions {
  /** Projected ascent steps per start. 20: Andriushchenko et al. 2023. */
  steps?: number;
  /** Starts: the first at w (which stays there if w is exactly stationary), the others at random points of the ball. Ours: 1. */
  restarts?: number;
}

/** Result of `worstCaseSharpness`. */
export interface WorstCaseSharpness {
  /** Largest L(w + ε) − L(w) found in the ball: a lower bound of the true maximum. */
  readonly sharpness: number;
  readonly loss: number;
  readonly perturbedLoss: number;
  /** ‖T⁻¹ε‖_p of the best ε; ≤ ρ. */
  readonly radius: number;
  /** (restarts, steps) the best rise so far, after each step. */
  readonly history: number[][];
}

/**
 * Worst-case sharpness over all data, by projected ascent with a step length that starts at ρ and halves, from the best point,
 * whenever a step does not raise the loss (similar to APGD, Croce and Hein 2020). One step is SAM's ε̂. p is 2 or ∞. A step costs one
 * gradient over the data.
 */
export async function worstCaseSharpness(
  network: Network,
  data: ProblemData,
  options: WorstCaseOptions = {},
): Promise<WorstCaseSharpness> {
  checkOptions(options, { ...sharpnessKinds, steps: "number", restarts: "number" }, "worstCaseSharpness");
  const { rho = 0.05, normP = 2, steps = 20, restarts = 1, seed = 0, adaptive = false, eta, signal } = options;
  checkOver("rho", rho, 0);
  if (normP !== 2 && normP !== Infinity)
    throw new Error(`normP = ${normP}: expected 2 or Infinity, the balls that can be projected to`);
  checkCount("steps", steps);
  checkCount("restarts", restarts);
  const problem = startProblem(network, data, options);
  const starts: AscentPath[] = [];
  const { loss, gradient } = await lossAndGradient(problem, { signal });
  const ball = { rho, normP, scale: adaptiveScale(problem.weights, { adaptive, eta }) };
  try {
    for (let start = 0; start < restarts; start++) {
      const rng = start === 0 ? undefined : new Rng(seed).split("restart").split(start);
      starts.push(
        await ascend(problem, { ball, steps, rng, loss, gradient, options, done: start * steps, total: restarts * steps }),
      );
    }
  } finally {
    disposeWeights(gradient);
    disposeWeights(ball.scale);
  }
  const best = starts.reduce((a, b) => (b.rise > a.rise ? b : a));
  return {
    sharpness: best.rise,
    loss,
    perturbedLoss: loss + best.rise,
    radius: best.radius,
    history: starts.map((s) => s.history),
  };
}

interface Ball {
  rho: number;
  normP: number;
  scale: Weights;
}

interface Ascent {
  ball: Ball;
  steps: number;
  rng: Rng | undefined;
  /** At w. */
  loss: number;
  gradient: Weights;
  options: ProductOptions;
  done: number;
  total: number;
}

interface AscentPath {
  rise: number;
  radius: number;
  history: number[];
}

/** Ascent in coordinates δ = T⁻¹ε, where the ball is round and the gradient is T∇L. */
async function ascend(problem: Problem, { ball, steps, rng, loss, gradient, options, done, total }: Ascent): Promise<AscentPath> {
  let best = { rise: 0, delta: tf.tidy(() => scaleWeights(gradient, 0)), gradient: tf.tidy(() => scaleWeights(gradient, 1)) };
  let stepSize = ball.rho;
  const history: number[] = [];
  const evaluateAt = (delta: Weights) => evaluate(problem, delta, { ball, loss, signal: options.signal });
  try {
    if (rng) best = replaceBest(best, await evaluateAt(randomPoint(best.delta, ball, rng)));
    for (let step = 0; step < steps; step++) {
      const next = await evaluateAt(stepFrom(best, ball, stepSize));
      if (next.rise > best.rise) best = replaceBest(best, next);
      else {
        disposePoint(next);
        stepSize /= 2;
      }
      history.push(best.rise);
      await report(options, done + step + 1, total);
    }
    return { rise: best.rise, radius: radiusOf(best.delta, ball.normP), history };
  } finally {
    disposePoint(best);
  }
}

interface Point {
  rise: number;
  delta: Weights;
  gradient: Weights;
}

interface EvaluateOptions {
  ball: Ball;
  /** At w. */
  loss: number;
  signal?: AbortSignal;
}

/** The point w + Tδ. Owns δ, also where it fails. */
async function evaluate(problem: Problem, delta: Weights, { ball, loss, signal }: EvaluateOptions): Promise<Point> {
  try {
    const moved = () => addWeights(problem.weights, times(ball.scale, delta));
    const at = await atWeights(moved, (weights) => lossAndGradient(problem, { weights, signal }));
    return { rise: at.loss - loss, delta, gradient: at.gradient };
  } catch (error) {
    disposeWeights(delta);
    throw error;
  }
}

function stepFrom({ delta, gradient }: Point, { rho, normP, scale }: Ball, stepSize: number): Weights {
  return tf.tidy(() =>
    projectToBall(addWeights(delta, epsilonHat(times(scale, gradient), { rho: stepSize, normP })), { rho, normP }),
  );
}

// A random start may have a lower loss than w; only the ascent from there counts.
function replaceBest(old: Point, next: Point): Point {
  disposePoint(old);
  return next;
}

function disposePoint({ delta, gradient }: Point): void {
  disposeWeights(delta);
  disposeWeights(gradient);
}

/** Uniform in direction (p = 2) or in the cube (p = ∞). */
function randomPoint(like: Weights, { rho, normP }: Ball, rng: Rng): Weights {
  return tf.tidy(() => {
    const noise = mapWeights(like, (t, name) =>
      tf.tensor(rng.split(name).array(t.size, normP === 2 ? "normal" : "uniform"), t.shape),
    );
    if (normP === Infinity) return mapWeights(noise, (u) => tf.mul(tf.sub(tf.mul(u, 2), 1), rho));
    return epsilonHat(noise, { rho: rho * rng.split("radius").uniform() });
  });
}

function radiusOf(delta: Weights, normP: number): number {
  const values = flattenWeights(delta);
  return normP === Infinity ? values.reduce((max, x) => Math.max(max, Math.abs(x)), 0) : norm(values);
}

/** Options of `averageSharpness`. */
export interface AverageSharpnessOptions extends Omit<SharpnessOptions, "rho" | "normP"> {
  /** Standard deviation of the noise on each weight, times T where adaptive. Ours: 0.01. */
  sigma?: number;
  /** Random perturbations. Ours: 20. */
  numSamples?: number;
}

/** Result of `averageSharpness`. */
export interface AverageSharpness {
  /** Mean of L(w + ε) − L(w) over ε ~ N(0, σ²T²); near a minimum σ² tr(T H T)/2. */
  readonly sharpness: number;
  /** NaN for one sample. */
  readonly standardError: number;
  readonly loss: number;
  readonly samples: number[];
}

/** Average-case sharpness over all data; a sample costs one pass without gradient. */
export async function averageSharpness(
  network: Network,
  data: ProblemData,
  options: AverageSharpnessOptions = {},
): Promise<AverageSharpness> {
  const { rho: _, normP: __, ...kinds } = sharpnessKinds;
  checkOptions(options, { ...kinds, sigma: "number", numSamples: "number" }, "averageSharpness");
  const { sigma = 0.01, numSamples = 20, seed = 0, adaptive = false, eta, signal } = options;
  checkOver("sigma", sigma, 0);
  checkCount("numSamples", numSamples);
  const problem = startProblem(network, data, options);
  const loss = await meanLoss(problem, { signal });
  const samples: number[] = [];
  for (let n = 0; n < numSamples; n++) {
    const moved = () => noisy(problem.weights, new Rng(seed).split("noise").split(n), { sigma, adaptive, eta });
    samples.push((await atWeights(moved, (weights) => meanLoss(problem, { weights, signal }))) - loss);
    await report(options, n + 1, numSamples);
  }
  const { mean: sharpness, standardError } = meanAndError(samples);
  return { sharpness, standardError, loss, samples };
}

function noisy(
  weights: Weights,
  rng: Rng,
  { sigma, adaptive, eta }: { sigma: number; adaptive: false | "weights" | "all"; eta?: number },
): Weights {
  const scale = adaptiveScale(weights, { adaptive, eta });
  return mapWeights(weights, (w, name) => {
    const noise = tf.tensor(rng.split(name).array(w.size), w.shape);
    return tf.add(w, tf.mul(tf.mul(noise, sigma), scale[name]!));
  });
}

function times(a: Weights, b: Weights): Weights {
  return mapWeights(a, (tensor, name) => tf.mul(tensor, b[name]!));
}

function startProblem(network: Network, data: ProblemData, options: ProblemOptions): Problem {
  const problem = makeProblem(network, data, options);
  checkFixedLoss(problem);
  return problem;
}

function cut(order: Int32Array, size: number): Int32Array[] {
  return Array.from({ length: Math.ceil(order.length / size) }, (_, i) => order.subarray(i * size, (i + 1) * size));
}
