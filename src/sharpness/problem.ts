/** The loss of a network on data as a function of named weights, batch by batch, for functional models and layers models alike. */
import {
  addWeights,
  applyLayersModel,
  checkOneInOneOut,
  disposeWeights,
  pause,
  tf,
  valueAndGradient,
  type LayerSlot,
  type OptionKinds,
  type Weights,
} from "../engine";
import { crossEntropy } from "../losses";
import { checkCount } from "./operator";

/** The part of a functional model that sharpness needs. */
export interface FunctionalModel {
  /** Logits, (n, numClasses), of a batch of images, (n, height, width, channels). */
  apply(weights: Weights, x: tf.Tensor4D, mode?: InferenceMode): { logits: tf.Tensor2D };
}

/** How a functional model is applied. */
export interface InferenceMode {
  readonly training?: boolean;
  /** Batch norm by the batch's own statistics. */
  readonly batchStatistics?: boolean;
  /** Moving averages of batch norm. */
  readonly stats?: Weights;
}

/** A functional model at a point. */
export interface ModelAt {
  readonly model: FunctionalModel;
  readonly weights: Weights;
  /** Moving averages of batch norm; needed where the model has them. */
  readonly stats?: Weights;
}

/** A functional model with its weights, or a TensorFlow.js layers model, which holds its own. */
export type Network = ModelAt | tf.LayersModel;

/** The part of a `Dataset` that sharpness needs. */
export interface LabeledImages {
  readonly size: number;
  /** Height, width, channels. */
  readonly shape: readonly [number, number, number];
  readonly numClasses: number;
  /** (size·height·width·channels) 0 … 255 */
  readonly images: Uint8Array;
  /** (size) */
  readonly labels: Int32Array;
  /** Per channel, of images / 255. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Tensors whose first axis counts the examples. */
export interface TensorData {
  readonly x: tf.Tensor;
  /** One-hot or soft targets (n, numClasses), or other targets of your own loss. */
  readonly y: tf.Tensor;
}

/** A data set, or tensors. */
export type ProblemData = LabeledImages | TensorData;

/** (outputs, targets) → one loss per example: (n), or (n, …) which is averaged over the other axes. */
export type ExampleLoss = (outputs: tf.Tensor, targets: tf.Tensor) => tf.Tensor;

/** Options that say which loss is measured, and how. */
export interface ProblemOptions {
  /**
   * Default: softmax cross-entropy of a functional model's logits; the loss that a layers model was compiled with. Without label
   * smoothing, L2 or regularizers.
   */
  loss?: ExampleLoss;
  /** Examples per pass. Changes memory and speed, not the result. 256: the paper's batch. */
  batchSize?: number;
  /** Mode of a functional model. Anything but inference is refused: the loss would not be one function of the weights. */
  mode?: InferenceMode;
}

export const problemKinds: OptionKinds<ProblemOptions> = { loss: "function", batchSize: "number", mode: "object" };

/** A batch as tensors; the taker disposes of it. */
export interface ProblemBatch {
  readonly x: tf.Tensor;
  readonly y: tf.Tensor;
  readonly size: number;
}

/** A mean loss over data as a function of named weights. */
export interface Problem {
  readonly size: number;
  /** Trainable weights, at the point. Not ours to dispose of. */
  readonly weights: Weights;
  /** (n, …) on the tape. */
  outputs(weights: Weights, batch: ProblemBatch): tf.Tensor;
  /** (n, …) losses of outputs. */
  losses(outputs: tf.Tensor, batch: ProblemBatch): tf.Tensor;
  /** One at a time, in the order of `indices`; default: all, in the data's order. */
  batches(indices?: Int32Array): Generator<ProblemBatch>;
  /** Throws where a layers model was trained on meanwhile. */
  assertUnchanged(): void;
}

/** The loss of `network` on `data`. */
export function makeProblem(network: Network, data: ProblemData, options: ProblemOptions = {}): Problem {
  const { batchSize = 256 } = options;
  checkCount("batchSize", batchSize);
  const part = network instanceof tf.LayersModel ? layersProblem(network, options) : functionalProblem(network, options);
  const size = sizeOf(data);
  const batches = (indices = Int32Array.from({ length: size }, (_, i) => i)) => dataBatches(data, indices, batchSize);
  return { size, batches, ...part };
}

/** Mean loss over a batch, times its share of `of` examples: such terms add up to the mean over all, however ragged. */
export function batchShare(problem: Problem, weights: Weights, batch: ProblemBatch, of = problem.size): tf.Scalar {
  const losses = problem.losses(problem.outputs(weights, batch), batch);
  return tf.mul(tf.mean(losses), batch.size / of);
}

/** Runs `fn` in a tidy scope and disposes of the batch. */
export function useBatch<T extends tf.TensorContainer | void>(batch: ProblemBatch, fn: (batch: ProblemBatch) => T): T {
  try {
    return tf.tidy(() => fn(batch) as tf.TensorContainer) as T;
  } finally {
    tf.dispose([batch.x, batch.y]);
  }
}

/** One pass over data. */
export interface PassOptions {
  /** Default: the problem's. */
  readonly weights?: Weights;
  /** Positions of the examples. Default: all. */
  readonly indices?: Int32Array;
  /** Stops between two batches. */
  readonly signal?: AbortSignal;
}

/** Mean loss, summed over batches in float64, with a pause after each. */
export async function meanLoss(problem: Problem, options: PassOptions = {}): Promise<number> {
  const { weights = problem.weights, indices, signal } = options;
  let sum = 0;
  for (const batch of problem.batches(indices)) {
    useBatch(batch, () => void (sum += batchShare(problem, weights, batch, indices?.length).dataSync()[0]!));
    await pause(signal);
  }
  return sum;
}

/** Mean loss and its gradient, which the caller owns, with a pause after each batch. */
export async function lossAndGradient(problem: Problem, options: PassOptions = {}): Promise<{ loss: number; gradient: Weights }> {
  const { weights = problem.weights, indices, signal } = options;
  let [loss, gradient] = [0, undefined as Weights | undefined];
  const add = (batch: ProblemBatch, before?: Weights) =>
    useBatch(batch, () => {
      const part = valueAndGradient((at) => batchShare(problem, at, batch, indices?.length), weights);
      loss += part.value.dataSync()[0]!;
      return before ? addWeights(before, part.gradient) : part.gradient;
    });
  try {
    for (const batch of problem.batches(indices)) {
      const before = gradient;
      gradient = add(batch, before);
      if (before) disposeWeights(before);
      await pause(signal);
    }
  } catch (error) {
    if (gradient) disposeWeights(gradient);
    throw error;
  }
  return { loss, gradient: gradient! };
}

/** fn at weights that are made for it and disposed of after it. */
export async function atWeights<T>(make: () => Weights, fn: (weights: Weights) => Promise<T>): Promise<T> {
  const weights = tf.tidy(make);
  try {
    return await fn(weights);
  } finally {
    disposeWeights(weights);
  }
}

/**
 * Refuses a loss that is not one fixed function of the weights, by the first batch: computed twice it must be the same (no
 * dropout), and its halves on their own must add up to it (no batch statistics).
 */
export function checkFixedLoss(problem: Problem): void {
  useBatch(problem.batches().next().value as ProblemBatch, (batch) => {
    const whole = total(problem, batch);
    if (differs(whole, total(problem, batch), whole)) throw new Error(RANDOM_LOSS);
    if (batch.size < 2) return;
    const half = Math.floor(batch.size / 2);
    const [first, second] = [total(problem, batch, 0, half), total(problem, batch, half, batch.size - half)];
    if (differs(whole, first + second, Math.abs(first) + Math.abs(second))) throw new Error(COUPLED_LOSS);
  });
}

const RANDOM_LOSS =
  "the loss of one batch differs between two evaluations: something in it draws random numbers. Switch it off: dropout and noise " +
  "layers are off in inference (training: false); a random layer or loss of your own must fix its mask";

const COUPLED_LOSS =
  "the loss of an example depends on the rest of its batch, so there is no Hessian over the data: batch statistics? Use moving " +
  "averages: batch norm does in inference (training: false, no batchStatistics), a layer of your own must too";

// 1e-4: float32 sums in another order differ less, batch statistics more.
function differs(a: number, b: number, scale: number): boolean {
  return !(Math.abs(a - b) <= 1e-4 * Math.abs(scale) + 1e-7);
}

/** Sum of the losses of a part of a batch, mean over other axes. */
function total(problem: Problem, batch: ProblemBatch, from = 0, size = batch.size): number {
  return tf.tidy(() => {
    const part = { x: rows(batch.x, from, size), y: rows(batch.y, from, size), size };
    return batchShare(problem, problem.weights, part, 1).dataSync()[0]!;
  });
}

function functionalProblem({ model, weights, stats }: ModelAt, { loss, mode = {} }: ProblemOptions) {
  const { training = false, batchStatistics = false } = mode;
  if (training) throw new Error(`mode.training = true: ${IN_INFERENCE}`);
  if (batchStatistics) throw new Error(`mode.batchStatistics = true: ${IN_INFERENCE}`);
  const inference = { training: false, batchStatistics: false, ...(stats ? { stats } : {}) };
  return {
    weights,
    outputs: (at: Weights, { x }: ProblemBatch) => model.apply(at, x as tf.Tensor4D, { ...inference }).logits,
    losses: (outputs: tf.Tensor, { y }: ProblemBatch) => checkLosses((loss ?? softmaxCrossEntropy)(outputs, y), outputs),
    assertUnchanged: () => undefined,
  };
}

const IN_INFERENCE =
  "dropout and batch statistics make the loss random, or one example's loss depend on others. " +
  "Leave `mode` out: curvature is measured in inference mode, with dropout off and batch norm's moving averages (`stats`)";

function softmaxCrossEntropy(logits: tf.Tensor, targets: tf.Tensor): tf.Tensor1D {
  if (String(targets.shape) !== String(logits.shape))
    throw new Error(`targets have shape [${targets.shape}], expected one-hot rows as the logits, [${logits.shape}]`);
  return crossEntropy(logits as tf.Tensor2D, targets as tf.Tensor2D);
}

function checkLosses(losses: tf.Tensor, outputs: tf.Tensor): tf.Tensor {
  if (losses.rank === 0 || losses.shape[0] !== outputs.shape[0])
    throw new Error(`the loss has shape [${losses.shape}], expected one value for each of ${outputs.shape[0]} examples`);
  return losses;
}

function sizeOf(data: ProblemData): number {
  if ("images" in data) return checkCount("data.size", data.size);
  const [n, m] = [data.x.shape[0], data.y.shape[0]];
  if (n !== m) throw new Error(`x has ${n} examples and y has ${m}`);
  return checkCount("the number of examples", n ?? 1);
}

function* dataBatches(data: ProblemData, indices: Int32Array, batchSize: number): Generator<ProblemBatch> {
  const take = "images" in data ? takeImages(data) : takeRows(data);
  for (let from = 0; from < indices.length; from += batchSize) {
    const part = indices.subarray(from, from + batchSize);
    yield { ...take(part), size: part.length };
  }
}

function takeRows({ x, y }: TensorData) {
  return (indices: Int32Array) =>
    tf.tidy(() => {
      const at = tf.tensor1d(indices, "int32");
      return { x: tf.gather(x, at), y: tf.gather(y, at) };
    });
}

function takeImages(data: LabeledImages) {
  const tables = normalizationTables(data);
  return (indices: Int32Array) => ({
    x: tf.tensor4d(pixels(data, tables, indices), [indices.length, ...data.shape]),
    y: tf.tensor2d(oneHot(data, indices), [indices.length, data.numClasses]),
  });
}

function rows(x: tf.Tensor, from: number, size: number): tf.Tensor {
  return tf.slice(x, [from, ...x.shape.slice(1).map(() => 0)], [size, ...x.shape.slice(1)]);
}

/** (channels, 256) what each byte becomes. */
function normalizationTables({ mean, std }: LabeledImages): Float32Array[] {
  return mean.map((m, c) => Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - m) / std[c]!));
}

function pixels({ images, shape }: LabeledImages, tables: Float32Array[], indices: Int32Array): Float32Array {
  const channels = shape[2];
  const length = shape[0] * shape[1] * channels;
  const values = new Float32Array(indices.length * length);
  for (let n = 0; n < indices.length; n++)
    for (let c = 0; c < channels; c++)
      for (let i = c; i < length; i += channels) values[n * length + i] = tables[c]![images[indices[n]! * length + i]!]!;
  return values;
}

function oneHot({ labels, numClasses }: LabeledImages, indices: Int32Array): Float32Array {
  const values = new Float32Array(indices.length * numClasses);
  indices.forEach((index, n) => (values[n * numClasses + labels[index]!] = 1));
  return values;
}

function layersProblem(model: tf.LayersModel, { loss, mode }: ProblemOptions) {
  if (mode) throw new Error("mode is for functional models: a layers model is always applied with training: false");
  checkOneInOneOut(model);
  const variables = model.trainableWeights.map((weight) => weight as unknown as LayerSlot);
  if (variables.length === 0) throw new Error("the model has no trainable weights");
  const before = variables.map(({ val }) => val.dataId);
  const weights = Object.fromEntries(variables.map((slot) => [slot.name, slot.val]));
  if (Object.keys(weights).length < variables.length) throw new Error("two weights of the model have the same name");
  return {
    weights,
    outputs: (at: Weights, { x }: ProblemBatch) =>
      applyLayersModel(model, x, { slots: variables, at, keyOf: ({ name }) => name }),
    losses: layersLoss(model, loss),
    assertUnchanged() {
      if (variables.some(({ val }, i) => val.dataId !== before[i]))
        throw new Error("the model's weights have changed since this was made: make a new one for the new weights");
    },
  };
}

function layersLoss(model: tf.LayersModel, loss?: ExampleLoss) {
  if (loss) return (outputs: tf.Tensor, { y }: ProblemBatch) => checkLosses(loss(outputs, y), outputs);
  // A Sequential keeps them in a model inside.
  const { lossFunctions } =
    model instanceof tf.Sequential ? ((model as unknown as { model?: tf.LayersModel }).model ?? model) : model;
  const compiled = lossFunctions?.[0];
  if (!compiled) throw new Error("the model is not compiled, so its loss is unknown: compile it, or give options.loss");
  const sparse = model.loss === "sparseCategoricalCrossentropy";
  const toTargets = (y: tf.Tensor, outputs: tf.Tensor) =>
    sparse && String(y.shape) === String(outputs.shape) ? tf.cast(tf.argMax(y, -1), "float32") : y;
  // A compiled loss of the caller's own may be a mean over the batch already.
  return (outputs: tf.Tensor, { y }: ProblemBatch) => compiled(toTargets(y, outputs), outputs);
}
