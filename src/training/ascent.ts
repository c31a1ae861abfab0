/** SAM's ascent on one batch, looked at without an update: the error that it finds, and what the second-order term would change. */
import { addWeights, dotWeights, globalNorm, tf } from "../engine";
import type { Variables } from "../models";
import { findEpsilon } from "../optim/sam";
import { batchGradient, samOptions, withBlocks, type BatchLoss, type StepBatch, type StepContext } from "./step";

/** Options of the measurement of SAM's ascent. */
export interface AscentOptions {
  /** Updates made so far, on which the schedule of ρ depends. */
  readonly step: number;
  /** Numbers of projected ascent steps to be compared. */
  readonly ascentSteps: readonly number[];
}

/** Error rates of one batch in training mode, in [0, 1]. */
export interface BatchAscent {
  /** At w. */
  readonly errorRate: number;
  /** At w + ε, for each number of ascent steps. */
  readonly perturbedErrorRates: readonly number[];
}

/**
 * The error of a batch at w and at w + ε, with each block's own ε by 1, 2 … projected ascent steps, as an update with that many would find it:
 * the same masks, batch statistics, weight decay and ρ.
 */
export function ascentErrors(state: Variables, batch: StepBatch, context: StepContext, options: AscentOptions): BatchAscent {
  const { step, ascentSteps } = options;
  const errorsOf = (count: number) => {
    const own = { ...context, config: { ...context.config, ascentSteps: count, samInterval: 1, secondOrder: false } };
    return tf.tidy(() => [...errorsAround(state, batch, own, step).dataSync()] as [number, number]);
  };
  const errors = ascentSteps.map(errorsOf);
  return { errorRate: errors[0]![0], perturbedErrorRates: errors.map(([, perturbed]) => perturbed) };
}

/** (2) error at w and at w + ε, means over the blocks. */
function errorsAround(state: Variables, batch: StepBatch, context: StepContext, step: number): tf.Tensor1D {
  const options = samOptions({ step }, context);
  const { weights } = state;
  return withBlocks(state, batch, { options, context }, (blocks) => {
    const parts = blocks.map(({ lossGradient, meanLoss, size }) => {
      const epsilon = findEpsilon(lossGradient, lossGradient(weights, 1), weights, options);
      const errors = tf.stack([meanLoss(weights, zeroOneLoss), meanLoss(addWeights(weights, epsilon), zeroOneLoss)]);
      return tf.mul(errors, size / batch.images.shape[0]);
    });
    return tf.addN(parts) as tf.Tensor1D;
  });
}

/** 1 where the largest logit is not that of the largest target. */
const zeroOneLoss: BatchLoss = (logits, targets) =>
  tf.notEqual(tf.argMax(logits, 1), tf.argMax(targets, 1)).toFloat() as tf.Tensor1D;

/** Cosine of the angle between the SAM gradients of a batch with and without the second-order term, both at w. */
export function secondOrderCosine(state: Variables, batch: StepBatch, context: StepContext, { step }: { step: number }): number {
  return tf.tidy(() => {
    const [first, second] = [false, true].map((secondOrder) => {
      const own = { ...context, config: { ...context.config, secondOrder, samInterval: 1 } };
      return batchGradient(state, batch, samOptions({ step }, own), own).gradient;
    });
    return dotWeights(first!, second!) / (globalNorm(first!) * globalNorm(second!));
  });
}
