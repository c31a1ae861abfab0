/**
 * Early-learning regularization (Liu et al. 2020): loss + λ log(1 − ⟨p, t̄⟩), with t̄ ← βt̄ + (1 − β)p once per update, in the pass at w.
 * SAM's further passes use the targets of the first, so that all gradients belong to one loss.
 */
import { z } from "zod";
import type { Batch } from "../../data";
import { tf } from "../../engine";
import { elrDefaults, elrRegularizer, updateElrTargets } from "../../losses";
import type { BatchLoss } from "../step";
import { defineMethod, type LossAt } from "./method";

const elrSchema = z.strictObject({
  name: z.literal("elr"),
  /** λ: weight of the regularizer. */
  lambda: z.number().min(0).finite().default(elrDefaults.lambda),
  /** β: share of a target that each update keeps. */
  beta: z.number().min(0).max(1).default(elrDefaults.beta),
});

export const elr = defineMethod({
  schema: elrSchema,
  conflicts: (_, { mixupAlpha }) =>
    mixupAlpha > 0 ? [`mixupAlpha = ${mixupAlpha}: elr averages predictions of single examples, which mixup does not give`] : [],
  create: (options, { dataset: { size, numClasses } }) => {
    const targets = new Float32Array(size * numClasses);
    return {
      memory: { targets },
      losses: (batch, _, { loss }) => [regularized(loss, batch, targets, options)],
    };
  },
});

// The targets are (size · numClasses), changed in place.
function regularized(loss: BatchLoss, { indices }: Batch, targets: Float32Array, options: z.output<typeof elrSchema>): LossAt {
  return ({ pass, firstRow }) =>
    (logits, labels) => {
      const [n, numClasses] = logits.shape;
      const rows = indices.subarray(firstRow, firstRow + n);
      if (pass === 1) updateRows(targets, rows, logits, options);
      const current = tf.tensor2d(rowsOf(targets, rows, numClasses), [n, numClasses]);
      return tf.add(loss(logits, labels), elrRegularizer(logits, { lambda: options.lambda, targets: current }));
    };
}

function updateRows(targets: Float32Array, rows: Int32Array, logits: tf.Tensor2D, { beta }: z.output<typeof elrSchema>): void {
  const [n, numClasses] = logits.shape;
  tf.tidy(() => {
    // Via plain numbers, so that no gradient flows through the targets.
    const predictions = tf.tensor2d(logits.dataSync(), [n, numClasses]);
    const before = tf.tensor2d(rowsOf(targets, rows, numClasses), [n, numClasses]);
    const after = updateElrTargets(before, predictions, { beta, indices: rows.map((_, i) => i) });
    setRows(targets, rows, after.dataSync() as Float32Array);
  });
}

function rowsOf(values: Float32Array, rows: Int32Array, length: number): Float32Array {
  const found = new Float32Array(rows.length * length);
  rows.forEach((row, i) => found.set(values.subarray(row * length, (row + 1) * length), i * length));
  return found;
}

function setRows(values: Float32Array, rows: Int32Array, given: Float32Array): void {
  const length = given.length / rows.length;
  rows.forEach((row, i) => values.set(given.subarray(i * length, (i + 1) * length), row * length));
}
