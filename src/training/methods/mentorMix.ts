/**
 * MentorMix (Jiang et al. 2020) with the simplest mentor of the authors' code, a threshold: an example has weight 1 if its loss is
 * at most a moving average of a percentile of the batches' losses, else 0. Partners for mixup are drawn by these weights, an example
 * of weight 1 dominates its mixture, and the mixed examples are weighted once more.
 */
import { z } from "zod";
import { mixRows } from "../../data";
import { tf, type Rng } from "../../engine";
import { percentileOf } from "../../losses";
import { firstPassLosses, type StepBatch } from "../step";
import { defineMethod, labeled, toStepBatch, type MethodContext } from "./method";
import { countSelection, weighted } from "./selection";

const mentorMixSchema = z.strictObject({
  name: z.literal("mentorMix"),
  /** α of the Beta(α, α) distribution of the mixing share. */
  alpha: z.number().gt(0).finite().default(8), // the authors' flag; for CIFAR-10 they take 2, 8, 8 and 4 at 20, 40, 60 and 80 %
  /** Share of a batch's losses at or below the threshold that the batch suggests. */
  percentile: z.number().gt(0).lte(1).default(0.7), // the authors' flag; for CIFAR-10 0.8, 0.6, 0.6 and 0.2
  /** Share of the threshold's moving average that each update keeps. */
  decay: z.number().min(0).lt(1).default(0.5), // the authors' code
  /** Share of the epochs, at the start, in which every weight is 1. */
  burnIn: z.number().min(0).lt(1).default(0.1), // the authors' scripts
  /** True: mixed examples are weighted once more. */
  secondReweight: z.boolean().default(true), // the authors' flag; for CIFAR-10 off at 20 and 40 %
});

type Options = z.output<typeof mentorMixSchema>;

export const mentorMix = defineMethod({
  schema: mentorMixSchema,
  extraPasses: 2, // losses before and after the mixing
  conflicts: (_, { mixupAlpha }) => (mixupAlpha > 0 ? [`mixupAlpha = ${mixupAlpha}: mentorMix mixes up by its own alpha`] : []),
  create: (options, setting) => {
    const [single, mixed] = [new Float32Array(1).fill(NaN), new Float32Array(1).fill(NaN)];
    const selection = countSelection(setting);
    const weigh = (average: Float32Array, stepBatch: StepBatch, context: MethodContext) => {
      const weights = thresholdWeights(firstPassLosses(context.states[0]!, stepBatch, context), average, options);
      return context.epoch <= options.burnIn * context.config.epochs ? weights.fill(1) : weights;
    };
    return {
      memory: { single, mixed, selection: selection.counts },
      startEpoch: () => selection.reset(),
      prepare: (batch, context) => {
        const plain = labeled(batch, context.dataset);
        const weights = withTensors(toStepBatch(plain, context.dataset), (stepBatch) => weigh(single, stepBatch, context));
        selection.add(batch, (i) => weights[i]! > 0);
        const { partners, lambdas } = mentoredPairs(weights, { ...options, rng: context.rng.split("mixup") });
        return { images: mixRows(plain.images, partners, lambdas), targets: mixRows(plain.targets, partners, lambdas) };
      },
      losses: (_, stepBatch, context) => {
        if (!options.secondReweight) return [() => context.loss];
        return [weighted(context.loss, weigh(mixed, stepBatch, context))];
      },
      report: () => selection.report(),
    };
  },
});

/**
 * (n) 1 for each loss at or below the average, else 0; the average moves toward the losses' percentile first.
 * @param average (1), NaN before the first batch; changed in place
 */
export function thresholdWeights(
  losses: Float32Array,
  average: Float32Array,
  { percentile, decay }: Pick<Options, "percentile" | "decay">,
): Float32Array {
  const now = percentileOf(losses, 100 * percentile);
  // Ours: the authors' average starts at 0, which excludes nearly all of the first batches.
  average[0] = Number.isNaN(average[0]) ? now : decay * average[0]! + (1 - decay) * now;
  return losses.map((loss) => (loss <= average[0]! ? 1 : 0));
}

/** Each example's partner, drawn with probability softmax(weights), and its own share: above one half if its weight is 1, else below. */
export function mentoredPairs(
  weights: Float32Array,
  { alpha, rng }: Pick<Options, "alpha"> & { rng: Rng },
): { readonly partners: Int32Array; readonly lambdas: Float32Array } {
  const odds = weights.map((weight) => Math.exp(weight));
  const total = odds.reduce((sum, each) => sum + each, 0);
  const [draws, shares] = [rng.split("partners"), rng.split("lambdas")];
  const partners = Int32Array.from(weights, () => indexAt(odds, draws.uniform() * total));
  const lambdas = weights.map((weight) => {
    const share = shares.beta(alpha, alpha);
    return weight >= 0.5 ? Math.max(share, 1 - share) : Math.min(share, 1 - share);
  });
  return { partners, lambdas };
}

/** The first index up to which the odds sum to more than `mass`. */
function indexAt(odds: Float32Array, mass: number): number {
  let rest = mass;
  for (let i = 0; i < odds.length - 1; i++) if ((rest -= odds[i]!) < 0) return i;
  return odds.length - 1;
}

function withTensors<T>(stepBatch: StepBatch, use: (stepBatch: StepBatch) => T): T {
  try {
    return use(stepBatch);
  } finally {
    tf.dispose([stepBatch.images, stepBatch.targets]);
  }
}
