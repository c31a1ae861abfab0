/** One update, Algorithm 1: the direction of SAM or a variant (mean over a batch's blocks of m), clipping, the base optimizer, the average. */
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
import { adamW, meanWeights, scheduleByName, sgd } from "../optim";
import type { BaseOptimizer, Block, SamOptions, UpdateFactors } from "../optim";
import { drawFor, FORWARD_COST, HVP_COST, initialMemory, kindOfStep, slot, variantDirection } from "../optim/family";
import type { VariantResult, VariantStep } from "../optim/family";
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
  /** What the variant of SAM remembers; absent: nothing. */
  readonly variantMemory?: Weights;
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

/** A batch as tensors. */
export interface StepBatch {
  /** (n, height, width, channels) */
  readonly images: tf.Tensor4D;
  /** (n, numClasses) */
  readonly targets: tf.Tensor2D;
}

/** Losses of a step. */
export interface StepResult {
  readonly state: TrainState;
  /** Mean batch loss at w, without the L2 term. */
  readonly loss: number;
  /** Mean batch loss at w + ε̂; the same as `loss` in a step without SAM. */
  readonly perturbedLoss: number;
  /** Gradients that the step took; a forward pass alone counts a third. */
  readonly gradients: number;
}

/** The state before the first step. The caller owns it. */
export function initialState(model: Model, config: StepConfig, rng: Rng): TrainState {
  const { weights, stats } = model.init(rng);
  const ema = config.emaDecay > 0 || config.averageLast > 0 ? cloneWeights({ ...weights, ...stats }) : undefined;
  const variantMemory = initialMemory(config.variant, weights, rng.split("variant"));
  return { weights, stats, slots: baseOptimizer(config).init(weights), ema, variantMemory, step: 0 };
}

/** Frees all tensors of a state. */
export function disposeState({ weights, stats, slots, ema = {}, variantMemory = {} }: TrainState): void {
  tf.dispose([weights, stats, slots, ema, variantMemory].flatMap((part) => Object.values(part)));
}

/** The optimizer that a training's config names. */
export function baseOptimizer({ optimizer, momentum, nesterov, decoupledWeightDecay }: StepConfig): BaseOptimizer {
  return optimizer === "sgd" ? sgd({ momentum, nesterov, decoupledWeightDecay }) : adamW({ decoupledWeightDecay });
}

/** The learning rate of the update that `step` others precede. */
export function learningRateAt({ learningRate, schedule }: StepConfig, step: number, totalSteps: number): number {
  return learningRate * scheduleByName(schedule)(step, totalSteps);
}

/** What a step needs beside its state and its batch. */
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
  /** ρ of this step in place of the config's. */
  readonly rho?: number;
  /** The caller's gradient in place of SAM's. */
  readonly gradientRule?: (input: Omit<GradientRuleInput, "step">) => Weights;
}

/** What a gradient rule is given at each step. */
export interface GradientRuleInput {
  /**
   * Gradient of the mean loss at the given weights, over the examples that share one ε̂, with weight decay. A step's first call gives
   * batch norm's statistics and the reported training loss; its last call gives the perturbed loss.
   */
  readonly lossGradient: (weights: Weights) => Weights;
  readonly weights: Weights;
  /** ρ of this step. */
  readonly rho: number;
  /** A stream for this step and these examples. */
  readonly rng: Rng;
  /** Steps made before this one. */
  readonly step: number;
}

/** The gradient that a step follows, made of gradients at points of the rule's choice. It runs in a tidy. */
export type GradientRule = (input: GradientRuleInput) => Weights;

/** Algorithm 1's body. The given state stays valid; the caller disposes of it. */
export function trainStep(state: TrainState, batch: StepBatch, context: StepContext): StepResult {
  const { graphs, model, config, loss } = context;
  const options = samOptions(state, context);
  const update = (tensors: StepTensors): UpdatedTensors => updated(tensors, options, context);
  const { report, ...next } = tidied(() => {
    const tensors = stepTensors(state, batch, context);
    const key = [model, config, loss, options.rho, options.kind];
    return graphs && canReplay(context) ? graphs.run(key, update, tensors) : update(tensors);
  }) as UpdatedTensors;
  const [atW, perturbed, gradients] = report.numbers!.dataSync();
  report.numbers!.dispose();
  const after = { ...next, ema: state.ema && next.ema, step: state.step + 1 };
  return { state: after, loss: atW!, perturbedLoss: perturbed!, gradients: Number(gradients!.toPrecision(6)) };
}

// A loss made for this batch, a radius that changes with every step, or whatever a rule depends on would be frozen in the graph.
function canReplay({ lossAt, gradientRule, config }: StepContext): boolean {
  return !lossAt && !gradientRule && config.rhoSchedule !== "cosine";
}

/** Everything that changes from step to step; anything else would be frozen in a recorded step. */
type StepTensors = TensorGroups & {
  readonly weights: Weights;
  readonly stats: Weights;
  readonly slots: Weights;
  /** Empty where no average is kept. */
  readonly ema: Weights;
  readonly variantMemory: Weights;
  /** images and targets */
  readonly batch: Weights;
  /** Scalars: the base optimizer's, those of the average, and the share of the run that is done. */
  readonly factors: Weights;
  /** The variant's random tensors. */
  readonly drawn: Weights;
};

type UpdatedTensors = TensorGroups & {
  readonly weights: Weights;
  readonly stats: Weights;
  readonly slots: Weights;
  readonly ema: Weights;
  readonly variantMemory: Weights;
  /** numbers: (3) mean loss at w and at w + ε̂, and how many gradients the step took. */
  readonly report: Weights;
};

function stepTensors(state: TrainState, batch: StepBatch, context: StepContext): StepTensors {
  const { weights, stats, slots, ema = {}, variantMemory = {}, step } = state;
  const { config, totalSteps, rng } = context;
  const learningRate = learningRateAt(config, step, totalSteps);
  const averaging = averageFactors(config, step, totalSteps);
  const numbers = { ...baseOptimizer(config).factors({ learningRate, step }), ...averaging, progress: step / totalSteps };
  const factors = Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, tf.scalar(value)]));
  const drawn = drawFor(config.variant, weights, rng.split("variant"));
  return { weights, stats, slots, ema, variantMemory, batch: { ...batch }, factors, drawn };
}

function updated(tensors: StepTensors, options: StepSamOptions, context: StepContext): UpdatedTensors {
  const { config } = context;
  const { slots, weights, ema, factors } = tensors;
  const { gradient, stats, variantMemory, report } = batchGradient(
    tensors,
    tensors.batch as unknown as StepBatch,
    options,
    context,
  );
  const clipped = clip(gradient, config.clipNorm);
  const moved = baseOptimizer(config).apply(clipped, slots, weights, factors as UpdateFactors);
  const average = averaged(ema, { ...moved.weights, ...stats }, factors);
  return { ...moved, stats, ema: average, variantMemory, report: { numbers: report } };
}

/** Gradient and losses of a batch. */
export interface BatchGradient {
  /** ∇L^(m)(w), or the direction of SAM's variant. */
  readonly gradient: Weights;
  /** Batch norm's averages after the first passes, averaged over the blocks. */
  readonly stats: Weights;
  readonly variantMemory: Weights;
  /** (3) mean loss at w and at w + ε̂, and how many gradients were taken. */
  readonly report: tf.Tensor1D;
}

/** What a gradient depends on; the optional parts matter to some variants of SAM. */
type GradientInputs = Variables & Partial<Pick<StepTensors, "slots" | "variantMemory" | "factors" | "drawn">>;

/** The gradient that an update of this batch follows, before clipping. Call it in a tidy. */
export function batchGradient(
  inputs: GradientInputs,
  batch: StepBatch,
  options: StepSamOptions,
  context: StepContext,
): BatchGradient {
  const { config } = context;
  return withBlocks(inputs, batch, { options, context }, (blocks) => {
    const directions = blocks.map((block, index) => ({ ...direction(block, options, context, index), size: block.size }));
    const stats = config.freezeBatchNorm
      ? inputs.stats
      : meanWeights(blocks.map(({ passes, size }) => ({ weights: passes[0]!.stats, size })));
    return {
      gradient: meanWeights(directions.map(({ gradient, size }) => ({ weights: gradient, size }))),
      variantMemory: cloneWeights(meanWeights(directions.map(({ memory, size }) => ({ weights: memory, size })))),
      stats: cloneWeights(stats),
      report: reportOf(blocks, batch.images.shape[0]),
    };
  });
}

/** Hands on the blocks of a batch, and frees what their passes kept. Call it in a tidy. */
export function withBlocks<T>(
  inputs: GradientInputs,
  batch: StepBatch,
  place: Omit<BlockPlace, "index">,
  use: (blocks: readonly RecordedBlock[]) => T,
): T {
  const blocks = splitIntoBlocks(batch, place.context.config.m).map((block, index) =>
    recordedBlock(inputs, block, { ...place, index }),
  );
  try {
    return use(blocks);
  } finally {
    const passes = blocks.flatMap((block) => block.passes);
    tf.dispose(passes.flatMap(({ stats, ...rest }) => [...Object.values(rest), ...Object.values(stats)]));
  }
}

type Direction = Required<VariantResult>;

function direction(block: RecordedBlock, options: StepSamOptions, context: StepContext, index: number): Direction {
  const { config, gradientRule, rng } = context;
  const { step, passes, lossGradient } = block;
  if (!gradientRule) return blockDirection(step, options, config);
  const { weights, memory } = step;
  const input = { lossGradient: (at: Weights) => lossGradient(at, passes.length + 1), weights, rho: options.rho };
  const gradient = tidied(() => gradientRule({ ...input, rng: rng.split("rule").split(index) }));
  checkRule(gradient, weights, passes.length);
  return { gradient: config.decayInAscent ? gradient : addDecay(gradient, weights, config), memory };
}

function checkRule(gradient: Weights, weights: Weights, calls: number): void {
  if (calls === 0) throw new Error("gradientRule: expected at least one call of lossGradient in each step");
  for (const [name, { shape }] of Object.entries(weights)) {
    const came = (gradient as Partial<Weights> | undefined)?.[name]?.shape;
    if (String(came) !== String(shape))
      throw new Error(`gradientRule: the gradient of "${name}" has the shape [${came ?? "none"}], expected [${shape}]`);
  }
}

/** Direction and memory of a block; with ρ = 0 its gradient. */
function blockDirection(step: VariantStep, { rho, kind }: StepSamOptions, config: StepConfig): Direction {
  const { gradient, memory = step.memory } =
    rho === 0 ? { gradient: step.gradient(step.weights) } : tidied(() => variantDirection(config.variant, step, kind));
  return { gradient: config.decayInAscent ? gradient : addDecay(gradient, step.weights, config), memory };
}

/** What a pass computes beside its gradient. */
interface Pass {
  readonly loss: tf.Scalar;
  /** (n) */
  readonly losses: tf.Tensor1D;
  /** Batch norm's moving averages after this pass. */
  readonly stats: Weights;
}

/** A block of m examples, and what its passes computed beside their gradients, kept until the step disposes of it. */
export interface RecordedBlock extends Block {
  readonly passes: Pass[];
  /** The block as a variant of SAM sees it. */
  readonly step: VariantStep;
  /** Gradients that its passes took so far. */
  readonly cost: { total: number };
  /** Mean over the block at these weights, without the L2 term, as pass 1 has it: same masks and batch statistics. Default: of the step's loss. */
  meanLoss(weights: Weights, loss?: BatchLoss): tf.Scalar;
}

interface BlockPlace {
  /** Place of the block in its batch, from 0. */
  readonly index: number;
  readonly options: StepSamOptions;
  readonly context: StepContext;
}

function recordedBlock(inputs: GradientInputs, block: StepBatch, place: BlockPlace): RecordedBlock {
  const { index, options, context } = place;
  const { kind: _, ...sam } = options;
  const [size, cost, passes] = [block.images.shape[0], { total: 0 }, [] as Pass[]];
  const passAt = (weights: Weights) => passContextOf(weights, { ...place, inputs, passes });
  const gradient = (weights: Weights, rows?: tf.Tensor1D) => {
    cost.total += rows ? rows.size / size : 1;
    // Tidied: with a network that nearly fills the memory, each copy of a gradient counts.
    return tidied(() => passGradient(weights, rows ? rowsOf(block, rows) : block, { ...place, inputs, passes }));
  };
  const losses = (weights: Weights) => {
    cost.total += FORWARD_COST;
    return tf.tidy(() => passLosses(weights, inputs.stats, block, passAt(weights)).losses);
  };
  const firstPass = {
    ...context,
    rng: masksOf(index, context),
    place: { pass: 1, firstRow: index * context.config.m },
    trueGradient: true,
  };
  const meanLoss = (weights: Weights, loss?: BatchLoss) => {
    const first = loss ? { ...firstPass, loss, lossAt: undefined } : firstPass;
    return tf.mean(passLosses(weights, inputs.stats, block, first).losses) as tf.Scalar;
  };
  const hvp = (weights: Weights, vector: Weights) => {
    cost.total += HVP_COST;
    // The Hessian of ½λ‖w‖² is λ.
    return addDecay(hessianVectorProduct(meanLoss, weights, vector), vector, context.config);
  };
  const step: VariantStep = {
    weights: inputs.weights,
    sam: context.config.secondOrder ? { ...sam, hessianVectorProduct: hvp } : sam,
    ...{ memory: inputs.variantMemory ?? {}, drawn: inputs.drawn ?? {}, momentum: momentumOf(inputs.slots, context.config) },
    progress: (inputs.factors?.progress ?? tf.scalar(0)) as tf.Scalar,
    ...{ gradient, newestLosses: () => passes.at(-1)!.losses, losses, hessianVectorProduct: hvp },
  };
  return { lossGradient: (weights) => gradient(weights), size, passes, step, cost, meanLoss };
}

interface PassPlace extends BlockPlace {
  readonly inputs: GradientInputs;
  /** Those before it. */
  readonly passes: Pass[];
}

/** Gradient of a block's loss, with weight decay unless that is added to the final gradient only. */
function passGradient(weights: Weights, block: StepBatch, place: PassPlace): Weights {
  const { config } = place.context;
  const { gradient, ...rest } = evaluatePass(weights, place.inputs.stats, block, passContextOf(weights, place));
  place.passes.push(keepPass(rest));
  return config.decayInAscent ? addDecay(gradient, weights, config) : gradient;
}

function passContextOf(weights: Weights, { index, options, context, inputs, passes }: PassPlace): PassContext {
  const { config } = context;
  const pass = passes.length + 1;
  const masks = masksOf(index, context);
  // Official code: the gates of the forward pass in SAM's first gradient; a step without SAM has none.
  const trueGradient = pass === 1 && options.rho > 0 && weights === inputs.weights;
  const rng = config.freshMasks && pass > 1 ? masks.split(pass) : masks;
  return { ...context, rng, place: { pass, firstRow: index * config.m }, trueGradient };
}

// By a product with one-hot rows, which is exact: TensorFlow.js's gather reads its indices, and a recorded step must not.
function rowsOf({ images, targets }: StepBatch, rows: tf.Tensor1D): StepBatch {
  const [n, ...shape] = images.shape;
  const chosen = tf.oneHot(rows, n, 1, 0, "float32") as tf.Tensor2D;
  const pixels = tf.matMul(chosen, tf.reshape(images, [n, -1]));
  return { images: tf.reshape(pixels, [rows.size, ...shape]), targets: tf.matMul(chosen, targets) };
}

/** SGD's velocity or AdamW's mean, by the weights' names; undefined without momentum. */
function momentumOf(slots: Weights = {}, { optimizer, momentum }: StepConfig): Weights | undefined {
  if (optimizer === "sgd" && momentum === 0) return undefined;
  return slot(optimizer === "sgd" ? "velocity" : "mean", slots);
}

// Kept: the gradient's own tidies would free them.
function keepPass({ loss, losses, stats }: Pass): Pass {
  return { loss: tf.keep(loss), losses: tf.keep(losses), stats: mapWeights(stats, (tensor) => tf.keep(tensor)) };
}

/** (3) mean losses over the blocks, and the gradients that they took; n examples in all. */
function reportOf(blocks: readonly RecordedBlock[], n: number): tf.Tensor1D {
  const losses = tf.addN(blocks.map(({ passes, size }) => tf.mul(lossesOf(passes), size / n))) as tf.Tensor1D;
  const gradients = blocks.reduce((sum, { cost, size }) => sum + (cost.total * size) / n, 0);
  return tf.concat([losses, tf.tensor1d([gradients])]);
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
  const { value, gradient, aux } = valueAndGradient((w) => {
    const { losses, stats: newStats } = passLosses(w, stats, block, context);
    return { loss: tf.mean(losses) as tf.Scalar, aux: { ...newStats, [LOSSES]: losses } };
  }, weights);
  const { [LOSSES]: losses, ...newStats } = aux;
  return { gradient, loss: value, losses: losses as tf.Tensor1D, stats: newStats };
}

const LOSSES = "losses of the examples"; // no name of a statistic

/** (n) losses of a block in training mode, without the L2 term, and batch norm's averages after it. */
function passLosses(weights: Weights, stats: Weights, block: StepBatch, context: PassContext): Omit<Pass, "loss"> {
  const { model, config, rng, place, trueGradient } = context;
  const loss = context.lossAt?.(place) ?? context.loss;
  const batchStatistics = !config.freezeBatchNorm;
  const output = model.apply(weights, block.images, { training: true, batchStatistics, stats, rng, trueGradient });
  return { losses: loss(output.logits, block.targets), stats: output.stats };
}

/** `kind`: see VariantDefinition. */
export type StepSamOptions = SamOptions & { readonly rho: number; readonly kind: string };

/** The perturbation of the update that `state.step` others precede. */
export function samOptions(state: Pick<TrainState, "step">, context: StepContext): StepSamOptions {
  const { config, totalSteps, rho: given } = context;
  const { normP, ascentStepSize, ascentSteps, normalize, adaptive, eta, samInterval } = config;
  const current = given ?? config.rho * scheduleByName(config.rhoSchedule)(state.step, totalSteps);
  const rho = state.step % samInterval === 0 ? current : 0;
  return {
    rho,
    kind: rho === 0 ? "" : kindOfStep(config.variant, state.step),
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
function averageFactors(config: StepConfig, step: number, totalSteps: number): Record<string, number> {
  const { emaDecay, averageLast } = config;
  if (averageLast > 0) return equalShares(config, step, totalSteps);
  if (emaDecay === 0) return {};
  const decay = Math.min(emaDecay, (1 + step) / (10 + step));
  return { oldShare: decay, newShare: 1 - decay };
}

/** The first epoch, from 1, whose weights enter the average of `averageLast`. */
export function firstAveragedEpoch({ averageLast, epochs }: StepConfig): number {
  return epochs + 1 - Math.max(1, Math.round(averageLast * epochs));
}

// The weights themselves until the first averaged epoch ends; then each epoch's last weights count alike.
function equalShares(config: StepConfig, step: number, totalSteps: number): Record<string, number> {
  const epoch = ((step + 1) * config.epochs) / totalSteps;
  const before = Math.floor(epoch) - firstAveragedEpoch(config);
  if (before < 0 || (before === 0 && Number.isInteger(epoch))) return { oldShare: 0, newShare: 1 };
  if (!Number.isInteger(epoch)) return { oldShare: 1, newShare: 0 };
  return { oldShare: before / (before + 1), newShare: 1 / (before + 1) };
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
