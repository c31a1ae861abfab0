/**
 * Loss surfaces (Li et al. 2018): the loss along one or two random directions whose filters have the norms of the network's own
 * filters, and between given solutions (Goodfellow et al. 2015).
 */
import {
  addScaledWeights,
  checkOptions,
  disposeWeights,
  flattenWeights,
  mapWeights,
  Rng,
  scaleWeights,
  subWeights,
  tf,
  type OptionKinds,
  type Weights,
} from "../engine";
import { checkCount, productKinds, ProductOptions, report, SEED } from "./operator";
import {
  atWeights,
  checkFixedLoss,
  makeProblem,
  meanLoss,
  ModelAt,
  Network,
  ProblemData,
  problemKinds,
  ProblemOptions,
} from "./problem";
import { norm } from "./vector";

/** Options of `randomLine` and `randomPlane`. */
export interface DirectionOptions {
  /** Same seed, same random numbers, also for another network of the same shapes. */
  seed?: number | string;
  /**
   * "filter": each filter (the slice of one output) gets the norm of the network's; "layer": each tensor does; "none": one scale
   * for the whole direction, to the norm of the weights. Default "filter", as in Li et al.
   */
  normalization?: "filter" | "layer" | "none";
  /** "biasbn": no movement along biases and batch norm (tensors of one axis), as in Li et al.; "none": along all. */
  ignore?: "biasbn" | "none";
}

export interface GridOptions extends ProblemOptions, ProductOptions {
  /** Ends of each axis. [−1, 1]: Li et al. */
  range?: readonly [number, number];
  /** Points on each axis. 51: Li et al.; their square costs 2601 passes over the data. */
  gridPoints?: number;
}

const directionKinds: OptionKinds<DirectionOptions> = {
  seed: SEED,
  normalization: { values: ["filter", "layer", "none"] },
  ignore: { values: ["biasbn", "none"] },
};

const gridKinds: OptionKinds<GridOptions> = { ...problemKinds, ...productKinds, range: "array", gridPoints: "number" };

/** The loss along one direction. */
export interface LossLine {
  /** (gridPoints) */
  readonly x: number[];
  /** (gridPoints) mean loss over the data. */
  readonly loss: number[];
}

/** The loss over a plane. */
export interface LossPlane {
  /** (gridPoints) */
  readonly x: number[];
  /** (gridPoints) */
  readonly y: number[];
  /** (y, x): loss[j][i] at x[i], y[j]. */
  readonly loss: number[][];
}

/** Loss along one random direction through the network's weights. */
export async function randomLine(
  network: Network,
  data: ProblemData,
  options: DirectionOptions & GridOptions = {},
): Promise<LossLine> {
  checkOptions(options, { ...directionKinds, ...gridKinds }, "randomLine");
  const { x, loss } = await alongDirections(network, data, ["x"], options);
  return { x, loss: loss[0]! };
}

/** Loss on the plane of two random directions: the first is that of `randomLine` for the same seed. */
export async function randomPlane(
  network: Network,
  data: ProblemData,
  options: DirectionOptions & GridOptions = {},
): Promise<LossPlane> {
  checkOptions(options, { ...directionKinds, ...gridKinds }, "randomPlane");
  return alongDirections(network, data, ["x", "y"], options);
}

async function alongDirections(network: Network, data: ProblemData, axes: string[], options: DirectionOptions & GridOptions) {
  const { weights } = makeProblem(network, data, options);
  const directions = axes.map((axis) => drawDirection(weights, new Rng(options.seed ?? 0).split(axis), options));
  try {
    return await surface(network, data, directions, options);
  } finally {
    directions.forEach(disposeWeights);
  }
}

/**
 * Loss along given directions through the network's weights, such as eigenvectors (`operator.toWeights`); parameters that a
 * direction lacks stay. One direction gives one row.
 */
export async function lossAlong(
  network: Network,
  data: ProblemData,
  directions: readonly Weights[],
  options: GridOptions = {},
): Promise<LossPlane> {
  checkOptions(options, gridKinds, "lossAlong");
  return surface(network, data, directions, options);
}

async function surface(
  network: Network,
  data: ProblemData,
  directions: readonly Weights[],
  options: GridOptions,
): Promise<LossPlane> {
  if (directions.length < 1 || directions.length > 2) throw new Error(`${directions.length} directions: expected one or two`);
  const problem = makeProblem(network, data, options);
  checkFixedLoss(problem);
  const at = (a: number, b: number) =>
    atWeights(
      () => move(move(problem.weights, directions[0]!, a), directions[1], b),
      (weights) => meanLoss(problem, { weights, signal: options.signal }),
    );
  return overGrid(directions.length, options, at);
}

/** The value at each point of a line or a square, row by row. */
async function overGrid(
  dimensions: number,
  options: GridOptions,
  at: (x: number, y: number) => Promise<number>,
): Promise<LossPlane> {
  const x = axis(options);
  const y = dimensions === 2 ? x : [0];
  const loss: number[][] = [];
  for (const b of y) {
    const row: number[] = [];
    for (const a of x) {
      row.push(await at(a, b));
      await report(options, loss.length * x.length + row.length, x.length * y.length);
    }
    loss.push(row);
  }
  return { x, y: [...y], loss };
}

function move(weights: Weights, direction: Weights | undefined, factor: number): Weights {
  if (!direction) return mapWeights(weights, (w) => tf.clone(w));
  const unknown = Object.keys(direction).filter((name) => !(name in weights));
  if (unknown.length > 0) throw new Error(`the direction has [${unknown.join(", ")}], which the network lacks`);
  return mapWeights(weights, (w, name) => (name in direction ? tf.add(w, tf.mul(direction[name]!, factor)) : tf.clone(w)));
}

function axis({ range = [-1, 1], gridPoints = 51 }: GridOptions): number[] {
  const [from, to] = range;
  if (range.length !== 2 || !(from < to && Number.isFinite(to - from)))
    throw new Error(`range = ${JSON.stringify(range)}: expected two finite numbers, the smaller one first`);
  checkCount("gridPoints", gridPoints, 2);
  return Array.from({ length: gridPoints }, (_, i) => from + ((to - from) * i) / (gridPoints - 1));
}

/** A Gaussian direction in the shapes of `weights`, normalized; the caller owns it. Zero filters get a zero direction. */
export function randomDirection(weights: Weights, rng: Rng, options: DirectionOptions = {}): Weights {
  checkOptions(options, directionKinds, "randomDirection");
  return drawDirection(weights, rng, options);
}

function drawDirection(weights: Weights, rng: Rng, { normalization = "filter", ignore = "biasbn" }: DirectionOptions): Weights {
  const draw = (w: tf.Tensor, name: string) => {
    if (ignore === "biasbn" && w.rank <= 1) return tf.zerosLike(w);
    const noise = tf.tensor(rng.split(name).array(w.size), w.shape);
    return normalization === "none" ? noise : withNormsOf(w, noise, normalization === "filter" && w.rank > 1);
  };
  return tf.tidy(() => {
    const direction = mapWeights(weights, draw);
    if (normalization !== "none") return direction;
    return scaleWeights(direction, norm(flattenWeights(weights)) / (norm(flattenWeights(direction)) || 1));
  });
}

// The last axis of kernels, dense or convolutional, is the output: one filter per index.
function withNormsOf(w: tf.Tensor, noise: tf.Tensor, perFilter: boolean): tf.Tensor {
  const axes = w.shape.map((_, i) => i).slice(0, perFilter ? -1 : undefined);
  const length = (t: tf.Tensor) => tf.sqrt(tf.sum(tf.square(t), axes, true));
  return tf.mul(noise, tf.divNoNan(length(w), length(noise)));
}

/**
 * Loss at (1 − x)·a + x·b for x on the axis, by default [0, 1]: from the solution a to the solution b of one functional model.
 * Moving averages of batch norm are interpolated too.
 */
export async function linearInterpolation(
  a: ModelAt,
  b: ModelAt,
  data: ProblemData,
  options: GridOptions = {},
): Promise<LossLine> {
  checkOptions(options, gridKinds, "linearInterpolation");
  const { range = [0, 1], gridPoints = 51 } = options;
  const plane = await interpolate(a, [b], data, { ...options, range, gridPoints });
  return { x: plane.x, loss: plane.loss[0]! };
}

/** Loss on the plane through three solutions of one functional model: a + x·(b − a) + y·(c − a), by default on [−0.5, 1.5]². */
export async function planarInterpolation(
  a: ModelAt,
  b: ModelAt,
  c: ModelAt,
  data: ProblemData,
  options: GridOptions = {},
): Promise<LossPlane> {
  checkOptions(options, gridKinds, "planarInterpolation");
  const { range = [-0.5, 1.5], gridPoints = 51 } = options;
  return interpolate(a, [b, c], data, { ...options, range, gridPoints });
}

function interpolate(a: ModelAt, others: ModelAt[], data: ProblemData, options: GridOptions): Promise<LossPlane> {
  return overGrid(others.length, options, async (x, y) => {
    const point = tf.tidy(() => between(a, others, [x, y]) as unknown as tf.TensorContainer) as unknown as ModelAt;
    try {
      return await meanLoss(makeProblem(point, data, options), { signal: options.signal });
    } finally {
      disposeWeights(point.weights);
      if (point.stats) disposeWeights(point.stats);
    }
  });
}

function between(a: ModelAt, others: ModelAt[], factors: number[]): ModelAt {
  const mix = (from: Weights, to: Weights[]) =>
    to.reduce((sum, end, i) => addScaledWeights(sum, subWeights(end, from), factors[i]!), from);
  const weights = mix(a.weights, others.map((other) => other.weights)); // prettier-ignore
  if (!a.stats) return { model: a.model, weights };
  return { model: a.model, weights, stats: mix(a.stats, others.map((other) => other.stats ?? {})) }; // prettier-ignore
}
