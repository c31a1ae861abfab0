/** One update, Algorithm 1: the SAM gradient of a batch (mean over its blocks of m), clipping, the base optimizer, the average. */
import {
  cloneWeights,
  globalNormTensor,
  mapWeights,
  scaleWeights,
  tf,
  valueAndGradient,
  type Rng,
  type Weights,
} from "../engine";
import type { Model } from "../models";
import { adamW, evaluateSam, meanWeights, scheduleByName, sgd, type BaseOptimizer, type SamOptions } from "../optim";
import type { StepConfig as TrainConfig } from "./fields";

/** Everything that an update changes. */
export interface TrainState {
  readonly weights: Weights;
  /** Moving averages of batch norm. */
  readonly stats: Weights;
  /** The base optimizer's. */
  readonly slots: Weights;
  /** Moving averages of the weights and of batch norm's own averages; undefined where `emaDecay` is 0. */
  readonly ema: Weights | undefined;
  /** Updates made. */
  readonly step: number;
}

/** Where in an update a loss is asked for. */
export interface LossPlace {
  /** 1 is the pass at w; those at w + ε̂ follow. */
  readonly pass: number;
  /** Position in the batch of the first row of logits: that of its block of m. */
  readonly firstRow: number;
}

/** Losses of a batch, or a block of it: (n, numClasses) logits and targets to (n) losses. */
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

export function initialState(model: Model, config: TrainConfig, rng: Rng): TrainState {
  const { weights, stats } = model.init(rng);
  const ema = config.emaDecay > 0 ? cloneWeights({ ...weights, ...stats }) : undefined;
  return { weights, stats, slots: baseOptimizer(config).init(weights), ema, step: 0 };
}

export function disposeState({ weights, stats, slots, ema = {} }: TrainState): void {
  tf.dispose([weights, stats, slots, ema].flatMap((part) => Object.values(part)));
}

export function baseOptimizer({ optimizer, momentum, nesterov, decoupledWeightDecay }: TrainConfig): BaseOptimizer {
  return optimizer === "sgd" ? sgd({ momentum, nesterov, decoupledWeightDecay }) : adamW({ decoupledWeightDecay });
}

/** Of the update that `step` others came before. */
export function learningRateAt({ learningRate, schedule }: TrainConfig, step: number, totalSteps: number): number {
  return learningRate * scheduleByName(schedule)(step, totalSteps);
}

export interface StepContext {
  readonly model: Model;
  readonly config: TrainConfig;
  readonly loss: BatchLoss;
  /** In place of `loss`, where it is another one for each pass or example. */
  readonly lossAt?: (place: LossPlace) => BatchLoss;
  readonly totalSteps: number;
  /** This step's stream. */
  readonly rng: Rng;
}

/** Algorithm 1's body. The given state stays valid; the caller disposes of it. */
export function trainStep(state: TrainState, batch: StepBatch, context: StepContext): StepResult {
  const { config, totalSteps } = context;
  const learningRate = learningRateAt(config, state.step, totalSteps);
  const { losses, ...next } = tidied(() => {
    const blocks = splitIntoBlocks(batch, config.m).map((block, index) => blockGradient(state, block, index, context));
    const gradient = clip(meanOf(blocks, "gradient"), config.clipNorm);
    const moved = baseOptimizer(config).update(gradient, state.slots, state.weights, { learningRate, step: state.step });
    const losses = tf.addN(blocks.map(({ losses, size }) => tf.mul(losses, size / batch.images.shape[0])));
    const stats = config.freezeBatchNorm ? cloneWeights(state.stats) : meanOf(blocks, "stats");
    return { ...moved, stats, ema: averaged(state, { ...moved.weights, ...stats }, config.emaDecay), losses };
  });
  const [loss, perturbedLoss] = losses.dataSync();
  losses.dispose();
  return { state: { ...next, step: state.step + 1 }, loss: loss!, perturbedLoss: perturbedLoss! };
}

interface BlockResult {
  readonly gradient: Weights;
  readonly stats: Weights;
  /** (2): mean loss at w and at w + ε̂ */
  readonly losses: tf.Tensor1D;
  readonly size: number;
}

interface Pass {
  readonly gradient: Weights;
  readonly loss: tf.Scalar;
  readonly stats: Weights;
}

// One block of m examples: its own ε̂, its own gradient at its own w + ε̂.
function blockGradient(state: TrainState, block: StepBatch, index: number, context: StepContext): BlockResult {
  return tidied(() => {
    const { config } = context;
    const options = samOptions(state, context);
    const masks = masksOf(index, context);
    const evaluate = (weights: Weights, pass: number): Pass => {
      const rng = config.freshMasks && pass > 1 ? masks.split(pass) : masks;
      const place = { pass, firstRow: index * config.m };
      // Official code: the gates of the forward pass in SAM's first gradient; a step without SAM has none.
      return evaluatePass(weights, state.stats, block, { ...context, rng, place, trueGradient: pass === 1 && options.rho > 0 });
    };
    const { first, last, gradient } = evaluateSam(evaluate, state.weights, options);
    const decayed = config.decayInAscent ? gradient : addDecay(gradient, state.weights, config);
    return {
      gradient: decayed,
      stats: first.stats,
      losses: tf.stack([first.loss, last.loss]) as tf.Tensor1D,
      size: block.images.shape[0],
    };
  });
}

function masksOf(block: number, { rng }: StepContext): Rng {
  return rng.split("masks").split(block);
}

/**
 * (n) values of `context.loss` at w, without a gradient, as the first pass of `trainStep` sees them: in training mode, with the same
 * masks and batch statistics, block by block.
 */
export function lossesAtStart({ weights, stats }: TrainState, batch: StepBatch, context: StepContext): Float32Array {
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

// Tidied: of a network as large as memory, each copy of a gradient counts.
function evaluatePass(weights: Weights, stats: Weights, block: StepBatch, context: PassContext): Pass {
  return tidied(() => {
    const { model, config, rng, place, trueGradient } = context;
    const loss = context.lossAt?.(place) ?? context.loss;
    const { value, gradient, aux } = valueAndGradient((w) => {
      const batchStatistics = !config.freezeBatchNorm;
      const output = model.apply(w, block.images, { training: true, batchStatistics, stats, rng, trueGradient });
      return { loss: tf.mean(loss(output.logits, block.targets)) as tf.Scalar, aux: output.stats };
    }, weights);
    return { gradient: config.decayInAscent ? addDecay(gradient, weights, config) : gradient, loss: value, stats: aux };
  });
}

function samOptions(state: TrainState, { config, totalSteps }: StepContext): SamOptions & { readonly rho: number } {
  const { normP, ascentStepSize, ascentSteps, normalize, adaptive, eta, samInterval } = config;
  const rho = state.step % samInterval === 0 ? config.rho * scheduleByName(config.rhoSchedule)(state.step, totalSteps) : 0;
  return {
    rho,
    normP: normP === "infinity" ? Infinity : normP,
    ascentSteps,
    ascentStepSize: ascentStepSize || rho,
    normalize,
    adaptive,
    eta,
  };
}

// The gradient of ½λ‖w‖² is λw: the same numbers as with the term on the tape, without its cost.
function addDecay(gradient: Weights, weights: Weights, { weightDecay, decayOnNorm }: TrainConfig): Weights {
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
function averaged({ ema, step }: TrainState, now: Weights, emaDecay: number): Weights | undefined {
  if (!ema) return undefined;
  const decay = Math.min(emaDecay, (1 + step) / (10 + step));
  return mapWeights(ema, (average, name) => tf.add(tf.mul(average, decay), tf.mul(now[name]!, 1 - decay)));
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

function meanOf(blocks: readonly BlockResult[], part: "gradient" | "stats"): Weights {
  return meanWeights(blocks.map((block) => ({ weights: block[part], size: block.size })));
}

// tf.tidy walks any plain record; its type admits tensors alone.
function tidied<T extends object>(fn: () => T): T {
  return tf.tidy(fn as unknown as () => tf.TensorContainer) as unknown as T;
}
