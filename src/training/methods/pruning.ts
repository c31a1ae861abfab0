/**
 * Alternating pruning (Zhang and Sabuncu 2018, Algorithm 1): after a warm-up, and every few epochs from then on, the examples that the
 * best network so far gives a loss above L_q(k) are pruned, and training continues on the others. With generalized cross-entropy
 * as the loss this is their truncated L_q. L_q(p) > L_q(k) exactly if p < k, for every q. The best network is the one with the least error on
 * held-out training examples, whose labels are as noisy as the others'; it never trains on them.
 */
import { z } from "zod";
import type { Batch } from "../../data";
import { Rng } from "../../engine";
import { evaluateAny, type Evaluated } from "../evaluate";
import { defineMethod, type EpochContext, type MethodSetting } from "./method";
import { countSelection, weighted } from "./selection";

const schema = z.strictObject({
  name: z.literal("pruning"),
  /** Epochs on all examples. */
  warmupEpochs: z.int().min(1).default(40), // the authors, for CIFAR-10, of 120
  /** Epochs from one pruning to the next. */
  pruneEvery: z.int().min(1).default(10), // the authors
  /** k: an example is kept while the probability of its label is above it. */
  threshold: z.number().gt(0).lt(1).default(0.5), // the authors
  /** Share of the training examples that are held out to find the best network. */
  heldOut: z.number().gt(0).lt(1).default(0.1), // ours: the authors hold out a validation set too
});

type Options = z.output<typeof schema>;

export const pruning = defineMethod({
  schema,
  extraPasses: 1, // all examples at each epoch's start
  conflicts: ({ warmupEpochs }, { epochs, mixupAlpha, loss }) => [
    ...(warmupEpochs >= epochs
      ? [`method.warmupEpochs = ${warmupEpochs}: expected fewer than epochs = ${epochs}, or nothing is pruned`]
      : []),
    ...(mixupAlpha > 0 ? [`mixupAlpha = ${mixupAlpha}: pruning leaves out single examples, which mixup does not have`] : []),
    ...(loss.name.startsWith("truncated") ? [`loss.name = "${loss.name}": pruning truncates the loss already`] : []),
  ],
  create: (options, setting) => {
    const isHeldOut = heldOutExamples(setting, options);
    const kept = Float32Array.from(isHeldOut, (out) => (out ? 0 : 1));
    const candidates = kept.slice();
    const leastError = Float32Array.of(Infinity);
    const selection = countSelection(setting);
    return {
      memory: { kept, candidates, leastError, selection: selection.counts },
      startEpoch: async ({ epoch, model, states, dataset }: EpochContext) => {
        selection.reset();
        if (epoch === 1) return;
        const evaluated = await evaluateAny(model, states[0]!, dataset);
        const error = Math.fround(errorRateOf(evaluated, dataset.labels, isHeldOut));
        if (error < leastError[0]!) {
          leastError[0] = error;
          candidates.set(keptBy(evaluated.losses, isHeldOut, options));
        }
        if (prunesBefore(epoch, options)) kept.set(candidates);
      },
      losses: (batch, _, { loss }) => {
        const weights = weightsOf(batch, kept, isHeldOut);
        selection.add(batch, (i) => weights[i]! > 0);
        return [weighted(loss, weights)];
      },
      report: () => selection.report(),
    };
  },
});

/** (size) true for the examples that are held out; the same for the same seed. */
export function heldOutExamples({ config, dataset: { size } }: MethodSetting, { heldOut }: Pick<Options, "heldOut">): boolean[] {
  const count = Math.max(1, Math.floor(heldOut * size));
  const chosen = new Set(new Rng(config.seed).split("pruning").permutation(size).subarray(0, count));
  return Array.from({ length: size }, (_, i) => chosen.has(i));
}

/** True if the examples are chosen anew before this epoch; epochs count from 1. */
export function prunesBefore(epoch: number, { warmupEpochs, pruneEvery }: Pick<Options, "warmupEpochs" | "pruneEvery">): boolean {
  return epoch > warmupEpochs && (epoch - warmupEpochs - 1) % pruneEvery === 0;
}

/** (size) 1 for the examples that are trained on, else 0, from −log p of each label. */
export function keptBy(
  losses: ArrayLike<number>,
  isHeldOut: readonly boolean[],
  { threshold }: Pick<Options, "threshold">,
): Float32Array {
  return Float32Array.from(losses, (loss, i) => (!isHeldOut[i] && loss < -Math.log(threshold) ? 1 : 0));
}

function errorRateOf({ predictions }: Evaluated, labels: ArrayLike<number>, isHeldOut: readonly boolean[]): number {
  let [count, wrong] = [0, 0];
  isHeldOut.forEach((out, i) => {
    if (!out) return;
    count++;
    if (predictions[i] !== labels[i]) wrong++;
  });
  return wrong / count;
}

/** (n) weights in the loss: the mean over the batch is one over the examples that are not held out; pruned ones count with loss 0. */
export function weightsOf({ indices }: Pick<Batch, "indices">, kept: Float32Array, isHeldOut: readonly boolean[]): Float32Array {
  const trained = indices.filter((i) => !isHeldOut[i]).length;
  return Float32Array.from(indices, (i) => (kept[i]! * indices.length) / Math.max(trained, 1));
}
