/**
 * Co-teaching (Han et al. 2018): two networks see each batch. Each selects the examples of smallest loss, which are probably labeled
 * correctly, and its peer is trained on them. As in the authors' code, both see the whole batch, so that batch norm's statistics include
 * all of it.
 */
import { z } from "zod";
import { firstPassLosses } from "../step";
import { defineMethod, networkStream } from "./method";
import { countSelection, weighted } from "./selection";

const coTeachingSchema = z.strictObject({
  name: z.literal("coTeaching"),
  /** τ: final share of a batch that is left out. The authors take the noise rate, known or estimated; hence no default. */
  forgetRate: z.number().min(0).lt(1),
  /** Epochs until that share is reached, in equal steps; the first epoch makes the first of them. */
  rampEpochs: z.int().min(1).default(9), // the authors' code: its ramp of T_k = 10 begins with the untrained network
});

type Options = z.output<typeof coTeachingSchema>;

export const coTeaching = defineMethod({
  schema: coTeachingSchema,
  networks: 2,
  extraPasses: 1,
  conflicts: (_, { mixupAlpha }) =>
    mixupAlpha > 0
      ? [`mixupAlpha = ${mixupAlpha}: coTeaching selects by the loss of single examples, which mixup does not give`]
      : [],
  create: (options, setting) => {
    const selection = countSelection(setting);
    return {
      memory: { selection: selection.counts },
      startEpoch: () => selection.reset(),
      losses: (batch, stepBatch, context) => {
        const { states, rng, loss, epoch } = context;
        const count = keptExamples(batch.labels.length, epoch, options);
        const [byFirst, bySecond] = states.map((state, network) => {
          const losses = firstPassLosses(state, stepBatch, { ...context, rng: networkStream(rng, network) });
          return weightsOfSmallest(losses, count);
        }) as [Float32Array, Float32Array];
        selection.add(batch, (i) => bySecond[i]! > 0);
        return [weighted(loss, bySecond), weighted(loss, byFirst)];
      },
      report: () => selection.report(),
    };
  },
});

/** R·n, R = 1 − τ·min(e/rampEpochs, 1), rounded down as in the authors' code, and at least one. */
export function keptExamples(n: number, epoch: number, { forgetRate, rampEpochs }: Omit<Options, "name">): number {
  const share = 1 - forgetRate * Math.min(epoch / rampEpochs, 1);
  return Math.max(1, Math.floor(n * share + 1e-9)); // (1 − 0.9)·10 is 0.9999999999999998
}

/** Weights n/count for the `count` smallest losses (of ties, the first) and 0 for the others: the batch mean is the mean over the former. */
export function weightsOfSmallest(losses: Float32Array, count: number): Float32Array {
  const order = Array.from(losses.keys()).sort((a, b) => losses[a]! - losses[b]! || a - b);
  const weights = new Float32Array(losses.length);
  for (const i of order.slice(0, count)) weights[i] = losses.length / count;
  return weights;
}
