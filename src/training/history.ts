/** Results of a training: one record for each epoch, and the metrics that sum them up. */
import type { Memorization } from "./evaluate";

export interface EpochRecord {
  /** Counts from 1. */
  readonly epoch: number;
  /** Mean batch loss at w over the epoch, without the L2 term. */
  readonly trainLoss: number;
  /** The same at w + ε̂. */
  readonly perturbedLoss: number;
  /** In [0, 1]; absent in epochs without evaluation. */
  readonly testErrorRate?: number;
  readonly testLoss?: number;
  /** On the labels trained on, in inference mode, without augmentation; where `trackTraining` is on. */
  readonly trainErrorRate?: number;
  readonly memorization?: Memorization;
  /** Error of the second of two networks that are trained side by side; all else is of the first. */
  readonly peerTestErrorRate?: number;
  /** What `training.method` has to say of the epoch. */
  readonly method?: Readonly<Record<string, number>>;
  /** What the caller's `measure` gave. */
  readonly measures?: unknown;
}

export interface TrainMetrics {
  /** After the last epoch, in [0, 1]; NaN is never stored: absent where the run diverged before any evaluation. */
  readonly testErrorRate?: number;
  readonly bestTestErrorRate?: number;
  /** First epoch that reached the best. */
  readonly bestEpoch?: number;
  readonly trainLoss?: number;
  readonly trainErrorRate?: number;
  /** Of the second network, where there is one. */
  readonly peerTestErrorRate?: number;
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
