/** Selection of examples in a batch: their weights in the loss, and how many of the selected labels are wrong. */
import type { Batch } from "../../data";
import { tf } from "../../engine";
import type { BatchLoss } from "../step";
import type { LossAt, MethodSetting } from "./method";

/** Each example's loss times its weight; (n) weights of the batch. */
export function weighted(loss: BatchLoss, weights: Float32Array): LossAt {
  return ({ firstRow }) =>
    (logits, targets) => {
      const rows = weights.subarray(firstRow, firstRow + logits.shape[0]);
      return tf.mul(loss(logits, targets), tf.tensor1d(rows));
    };
}

/** Counts of an epoch. */
export interface Selection {
  /** (2) examples selected, and those of them whose label is wrong; part of the method's memory. */
  readonly counts: Float32Array;
  reset(): void;
  /** @param isSelected of a position in the batch */
  add(batch: Batch, isSelected: (i: number) => boolean): void;
  report(): { readonly selectedNoiseRate: number } | undefined;
}

/** Counts nothing where the true labels are not known. */
export function countSelection({ cleanLabels }: MethodSetting): Selection {
  const counts = new Float32Array(2);
  return {
    counts,
    reset: () => void counts.fill(0),
    add: ({ indices, labels }, isSelected) => {
      if (!cleanLabels) return;
      const selected = Array.from(indices.keys()).filter(isSelected);
      counts[0]! += selected.length;
      counts[1]! += selected.filter((i) => labels[i] !== cleanLabels[indices[i]!]).length;
    },
    report: () => (counts[0]! > 0 ? { selectedNoiseRate: counts[1]! / counts[0]! } : undefined),
  };
}
