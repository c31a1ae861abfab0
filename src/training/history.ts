/** Results of a training: one record for each epoch, and the metrics that sum them up. */
import type { Memorization } from "./evaluate";

/** Numbers of one epoch. */
export interface EpochRecord {
  /** Counts from 1. */
  readonly epoch: number;
  /** Mean batch loss at w over the epoch, without the L2 term. */
  readonly trainLoss: number;
  /** The same at w + ε̂. */
  readonly perturbedLoss: number;
  /** Test error in [0, 1]; absent in epochs without evaluation. */
  readonly testErrorRate?: number;
  readonly testLoss?: number;
  /** Error on the training labels, in inference mode and without augmentation; present if `trackTraining` is on. */
  readonly trainErrorRate?: number;
  readonly memorization?: Memorization;
  /** Error of the second of two networks trained side by side; everything else describes the first. */
  readonly peerTestErrorRate?: number;
  /** Numbers that the method reports about the epoch. */
  readonly method?: Readonly<Record<string, number>>;
  /** The result of the caller's `measure`. */
  readonly measures?: unknown;
}

/** Numbers of a whole training. */
export interface TrainMetrics {
  /** Test error after the last epoch, in [0, 1]. NaN is never stored: the field is absent if the run diverged before any evaluation. */
  readonly testErrorRate?: number;
  readonly bestTestErrorRate?: number;
  /** First epoch that reached the best. */
  readonly bestEpoch?: number;
  readonly trainLoss?: number;
  readonly trainErrorRate?: number;
  /** Test error of the second network, if there is one. */
  readonly peerTestErrorRate?: number;
  /** Gradients that a step took on average, all networks together, counted; present where `variant` is not "sam". */
  readonly gradientsPerStep?: number;
  /** Epoch in which the loss became NaN or infinite. */
  readonly divergedInEpoch?: number;
}

/** The last epoch and the best one. */
export function summarize(history: readonly EpochRecord[]): TrainMetrics {
  const last = history[history.length - 1];
  if (!last) return {};
  const tested = history.filter(({ testErrorRate }) => testErrorRate !== undefined);
  const best = tested.reduce<EpochRecord | undefined>((a, b) => (a && a.testErrorRate! <= b.testErrorRate! ? a : b), undefined);
  return {
    ...(last.testErrorRate === undefined ? {} : { testErrorRate: last.testErrorRate }),
    ...(best ? { bestTestErrorRate: best.testErrorRate!, bestEpoch: best.epoch } : {}),
    trainLoss: last.trainLoss,
    ...(last.trainErrorRate === undefined ? {} : { trainErrorRate: last.trainErrorRate }),
    ...(last.peerTestErrorRate === undefined ? {} : { peerTestErrorRate: last.peerTestErrorRate }),
  };
}
