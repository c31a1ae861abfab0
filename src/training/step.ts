/** One update, Algorithm 1: the SAM gradient of a batch (mean over its blocks of m), clipping, the base optimizer, the average. */
import {
  cloneWeights,
  globalNormTensor,
  hessianVectorProduct,
  mapWeights,
  scaleWeights,
  tf,
  valueAndGradient,
  type GraphCache,
  type Rng,
  type TensorGroups,
  type Weights,
} from "../engine";
import type { Model, Variables } from "../models";
import { adamW, meanWeights, mSamGradient, scheduleByName, sgd } from "../optim";
import type { BaseOptimizer, Block, SamOptions, UpdateFactors } from "../optim";
import type { StepConfig } from "./fields";

/** Everything that an update changes. */
export interface TrainState {
  readonly weights: Weights;
  /** Moving averages of batch norm. */
  readonly stats: Weights;
  /** The base optimizer's state. */
  readonly slots: Weights;
  /** Moving averages of the weights and of batch norm's own averages; undefined where `emaDecay` is 0. */
  readonly ema: Weights | undefined;
  /** Updates made so far. */
  readonly step: number;
}

/** The place in an update that a loss is evaluated for. */
export interface LossPlace {
  /** 1 is the pass at w; the passes at w + ε̂ follow. */
  readonly pass: number;
  /** Position in the batch of the block's first example. */
  readonly firstRow: number;
}

/** Maps (n, numClasses) logits and targets to (n) losses, for a batch or a block of it. */
export type BatchLoss = (logits: tf.Tensor2D, targets: tf.Tensor2D) => tf.Tensor1D;

export interface StepBatch {
  /** (n, height, width, channels) */
  readonly images: tf.Tensor4D;
  /** (n, numClasses) */
  readonly targets: tf.Tensor2D;
}

export interface StepResult {
  readonly state: TrainState;
  /** Mean batch loss at w, without the L2 term. */
  readonly loss: number;
  /** Mean batch loss at w + ε̂; the same as `loss` in a step without SAM. */
  readonly perturbedLoss: number;
}

export function initialState(model: Model, config: StepConfig, rng: Rng): TrainState {
  const { weights, stats } = model.init(rng);
  const ema = config.emaDecay > 0 ? cloneWeights({ ...weights, ...stats }) : undefined;
  return { weights, stats, slots: baseOptimizer(config).init(weights), ema, step: 0 };
}

export function disposeState({ weights, stats, slots, ema = {} }: TrainState): void {
  tf.dispose([weights, stats, slots, ema].flatMap((part) => Object.values(part)));
}

export function baseOptimizer({ optimizer, momentum, nesterov, decoupledWeightDecay }: StepConfig): BaseOptimizer {
  return optimizer === "sgd" ? sgd({ momentum, nesterov, decoupledWeightDecay }) : adamW({ decoupledWeightDecay });
}

/** The learning rate of the update that `step` others precede. */
export function learningRateAt({ learningRate, schedule }: StepConfig, step: number, totalSteps: number): number {
  return learningRate * scheduleByName(schedule)(step, totalSteps);
}

export interface StepContext {
  readonly model: Model;
  readonly config: StepConfig;
  readonly loss: BatchLoss;
  /** Replaces `loss` where each pass or example has its own. */
  readonly lossAt?: (place: LossPlace) => BatchLoss;
  readonly totalSteps: number;
  /** This step's stream. */
  readonly rng: Rng;
  /** Replays the step as a graph where it can be: the same numbers but for float32's rounding. Absent: eager. */
  readonly graphs?: GraphCache;
}

/** Algorithm 1's body. The given state stays valid; the caller disposes of it. */
export function trainStep(state: TrainState, batch: StepBatch, context: StepContext): StepResult {
  const { graphs, model, config, loss } = context;
  const options = samOptions(state, context);
  const update = (tensors: StepTensors): UpdatedTensors => updated(tensors, options, context);
  const { losses, ...next } = tidied(() => {
    const tensors = stepTensors(state, batch, context);
    return graphs && canReplay(context) ? graphs.run([model, config, loss, options.rho], update, tensors) : update(tensors);
  }) as UpdatedTensors;
  const [atW, perturbed] = losses.both!.dataSync();
  losses.both!.dispose();
  return { state: { ...next, ema: state.ema && next.ema, step: state.step + 1 }, loss: atW!, perturbedLoss: perturbed! };
}

// A loss made for this batch, or a radius that changes with every step, would be frozen in the graph.
function canReplay({ lossAt, config }: StepContext): boolean {
  return !lossAt && config.rhoSchedule !== "cosine";
}

/** Everything that changes from step to step; anything else would be frozen in a recorded step. */
type StepTensors = TensorGroups & {
  readonly weights: Weights;
  readonly stats: Weights;
  readonly slots: Weights;
  /** Empty where no average is kept. */
  readonly ema: Weights;
  /** images and targets */
  readonly batch: Weights;
  /** Scalars: the base optimizer's, and those of the average. */
  readonly factors: Weights;
};

type UpdatedTensors = TensorGroups & {
  readonly weights: Weights;
  readonly stats: Weights;
  readonly slots: Weights;
  readonly ema: Weights;
  /** both: (2) mean loss at w and at w + ε̂. */
  readonly losses: Weights;
};

function stepTensors({ weights, stats, slots, ema = {}, step }: TrainState, batch: StepBatch, context: StepContext): StepTensors {
  const { config, totalSteps } = context;
  const learningRate = learningRateAt(config, step, totalSteps);
  const numbers = { ...baseOptimizer(config).factors({ learningRate, step }), ...averageFactors(config.emaDecay, step) };
  const factors = Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, tf.scalar(value)]));
  return { weights, stats, slots, ema, batch: { ...batch }, factors };
}

function updated({ batch, factors, ...state }: StepTensors, options: StepSamOptions, context: StepContext): UpdatedTensors {
  const { config } = context;
  const { gradient, stats, losses } = batchGradient(state, batch as unknown as StepBatch, options, context);
  const clipped = clip(gradient, config.clipNorm);
  const moved = baseOptimizer(config).apply(clipped, state.slots, state.weights, factors as UpdateFactors);
  return { ...moved, stats, ema: averaged(state.ema, { ...moved.weights, ...stats }, factors), losses: { both: losses } };
}

export interface BatchGradient {
  /** ∇L^(m)(w). */
  readonly gradient: Weights;
  /** Batch norm's averages after the first passes, averaged over the blocks. */
  readonly stats: Weights;
  /** (2) mean loss at w and at w + ε̂. */
  readonly losses: tf.Tensor1D;
}

/** The gradient that an update of this batch follows, before clipping. Call it in a tidy. */
export function batchGradient(state: Variables, batch: StepBatch, options: StepSamOptions, context: StepContext): BatchGradient {
  const { config } = context;
  return withBlocks(state, batch, { options, context }, (blocks) => {
    const gradient = mSamGradient(blocks, state.weights, options);
    const losses = tf.addN(blocks.map(({ passes, size }) => tf.mul(lossesOf(passes), size / batch.images.shape[0])));
    const stats = config.freezeBatchNorm
      ? state.stats
      : meanWeights(blocks.map(({ passes, size }) => ({ weights: passes[0]!.stats, size })));
    return { gradient, stats: cloneWeights(stats), losses: losses as tf.Tensor1D };
  });
}

/** Hands on the blocks of a batch, and frees what their passes kept. Call it in a tidy. */
export function withBlocks<T>(
  state: Variables,
  batch: StepBatch,
  place: Omit<BlockPlace, "index">,
  use: (blocks: readonly RecordedBlock[]) => T,
): T {
  const blocks = splitIntoBlocks(batch, place.context.config.m).map((block, index) =>
    recordedBlock(state, block, { ...place, index }),
  );
  try {
    return use(blocks);
  } finally {
    tf.dispose(blocks.flatMap(({ passes }) => passes.flatMap(({ loss, stats }) => [loss, ...Object.values(stats)])));
  }
}

/** What a pass computes beside its gradient. */
interface Pass {
  readonly loss: tf.Scalar;
  /** Batch norm's moving averages after this pass. */
  readonly stats: Weights;
}

/** A block of m examples, and what its passes computed beside their gradients, kept until the step disposes of it. */
export interface RecordedBlock extends Block {
  readonly passes: Pass[];
  /** Mean over the block at these weights, without the L2 term, as pass 1 has it: same masks and batch statistics. Default: of the step's loss. */
  meanLoss(weights: Weights, loss?: BatchLoss): tf.Scalar;
}

interface BlockPlace {
  /** Place of the block in its batch, from 0. */
  readonly index: number;
  readonly options: StepSamOptions;
  readonly context: StepContext;
}

function recordedBlock(state: Variables, block: StepBatch, { index, options, context }: BlockPlace): RecordedBlock {
  const { config } = context;
  const { rho, ascentSteps = 1 } = options;
  const masks = masksOf(index, context);
  const lastPass = rho === 0 ? 1 : ascentSteps + 1;
  const passes: Pass[] = [];
  const lossGradient = (weights: Weights, pass: number): Weights => {
    const rng = config.freshMasks && pass > 1 ? masks.split(pass) : masks;
    const place = { pass, firstRow: index * config.m };
    // Official code: the gates of the forward pass in SAM's first gradient; a step without SAM has none.
    const trueGradient = pass === 1 && rho > 0;
    const { gradient, ...rest } = evaluatePass(weights, state.stats, block, { ...context, rng, place, trueGradient });
    passes.push(keepPass(rest));
    if (config.decayInAscent) return addDecay(gradient, weights, config);
    return pass === lastPass ? addDecay(gradient, state.weights, config) : gradient;
  };
  // Tidied: with a network that nearly fills the memory, each copy of a gradient counts.
  const tidiedGradient = (weights: Weights, pass: number) => tidied(() => lossGradient(weights, pass));
  const firstPass = { ...context, rng: masks, place: { pass: 1, firstRow: index * config.m }, trueGradient: true };
  const meanLoss = (weights: Weights, loss?: BatchLoss) =>
    passLoss(weights, state.stats, block, loss ? { ...firstPass, loss, lossAt: undefined } : firstPass).loss;
  // The Hessian of ½λ‖w‖² is λ.
  const hvp = (weights: Weights, vector: Weights) => addDecay(hessianVectorProduct(meanLoss, weights, vector), vector, config);
  const secondOrder = config.secondOrder ? { hessianVectorProduct: hvp } : {};
  return { lossGradient: tidiedGradient, size: block.images.shape[0], passes, meanLoss, ...secondOrder };
}

// Kept: the gradient's own tidies would free them.
function keepPass({ loss, stats }: Pass): Pass {
  return { loss: tf.keep(loss), stats: mapWeights(stats, (tensor) => tf.keep(tensor)) };
}

/** (2) at w and at w + ε̂; the same one twice in a step without SAM. */
function lossesOf(passes: readonly Pass[]): tf.Tensor1D {
  return tf.stack([passes[0]!.loss, passes.at(-1)!.loss]) as tf.Tensor1D;
}

function masksOf(block: number, { rng }: StepContext): Rng {
  return rng.split("masks").split(block);
}

/**
 * (n) values of `context.loss` at w without a gradient, as the first pass of `trainStep` has them: in training mode, with the same
 * masks and batch statistics, block by block.
 */
export function firstPassLosses({ weights, stats }: TrainState, batch: StepBatch, context: StepContext): Float32Array {
  const { model, config, loss } = context;
  return tf.tidy(() => {
    const losses = splitIntoBlocks(batch, config.m).map((block, index) => {
      const { logits } = model.apply(weights, block.images, { training: true, stats, rng: masksOf(index, context) });
      return loss(logits, block.targets);
    });
    return tf.concat(losses).dataSync() as Float32Array;
  });
}

interface PassContext extends StepContext {
  readonly place: LossPlace;
  readonly trueGradient: boolean;
}

function evaluatePass(
  weights: Weights,
  stats: Weights,
  block: StepBatch,
  context: PassContext,
): Pass & { readonly gradient: Weights } {
  const { value, gradient, aux } = valueAndGradient((w) => passLoss(w, stats, block, context), weights);
  return { gradient, loss: value, stats: aux };
}

/** Mean loss of a block in training mode, without the L2 term, and batch norm's averages after it. */
function passLoss(weights: Weights, stats: Weights, block: StepBatch, context: PassContext) {
  const { model, config, rng, place, trueGradient } = context;
  const loss = context.lossAt?.(place) ?? context.loss;
  const batchStatistics = !config.freezeBatchNorm;
  const output = model.apply(weights, block.images, { training: true, batchStatistics, stats, rng, trueGradient });
  return { loss: tf.mean(loss(output.logits, block.targets)) as tf.Scalar, aux: output.stats };
}

export type StepSamOptions = SamOptions & { readonly rho: number };

/** The perturbation of the update that `state.step` others precede. */
export function samOptions(state: Pick<TrainState, "step">, { config, totalSteps }: StepContext): StepSamOptions {
  const { normP, ascentStepSize, ascentSteps, normalize, adaptive, eta, samInterval } = config;
  const rho = state.step % samInterval === 0 ? config.rho * scheduleByName(config.rhoSchedule)(state.step, totalSteps) : 0;
  return {
    rho,
    normP: normP === "infinity" ? Infinity : normP,
    ascentSteps,
    ascentStepSize: ascentStepSize || rho,
    normalize,
    adaptive,
    eta: adaptive === "weights" ? eta : undefined,
  };
}

// The gradient of ½λ‖w‖² is λw: the same numbers as with the term on the tape, without its cost.
function addDecay(gradient: Weights, weights: Weights, { weightDecay, decayOnNorm }: StepConfig): Weights {
  if (weightDecay === 0) return gradient;
  return mapWeights(gradient, (g, name) => (decays(name, decayOnNorm) ? tf.add(g, tf.mul(weights[name]!, weightDecay)) : g));
}

function decays(name: string, decayOnNorm: boolean): boolean {
  return decayOnNorm || !/\/(scale|offset)$/.test(name);
}

function clip(gradient: Weights, clipNorm: number): Weights {
  if (clipNorm === 0) return gradient;
  const factor = tf.minimum(1, tf.divNoNan(tf.scalar(clipNorm), globalNormTensor(gradient))) as tf.Scalar;
  return scaleWeights(gradient, factor);
}

// Official code: the decay grows, min(d, (1 + Δ) / (10 + Δ)). There Δ counts from step 1560; ours from the first, so that short runs have one.
function averageFactors(emaDecay: number, step: number): Record<string, number> {
  if (emaDecay === 0) return {};
  const decay = Math.min(emaDecay, (1 + step) / (10 + step));
  return { oldShare: decay, newShare: 1 - decay };
}

function averaged(ema: Weights, now: Weights, { oldShare, newShare }: Weights): Weights {
  return mapWeights(ema, (average, name) => tf.add(tf.mul(average, oldShare!), tf.mul(now[name]!, newShare!)));
}

function splitIntoBlocks({ images, targets }: StepBatch, m: number): StepBatch[] {
  const n = images.shape[0];
  if (m === 0 || m >= n) return [{ images, targets }];
  const starts = Array.from({ length: Math.ceil(n / m) }, (_, i) => i * m);
  return starts.map((start) => {
    const size = Math.min(m, n - start);
    return { images: tf.slice(images, start, size), targets: tf.slice(targets, start, size) };
  });
}

// tf.tidy walks any plain record; its type admits tensors alone.
function tidied<T extends object>(fn: () => T): T {
  return tf.tidy(fn as unknown as () => tf.TensorContainer) as unknown as T;
}
