/**
 * Dynamic bootstrapping (Arazo et al. 2019, "M-correction"): a mixture of two components on the losses of all examples gives each the
 * probability w that its label is wrong; its target is (1 − w)·label + w·prediction. Made for mixup, which is then of these targets.
 */
import { z } from "zod";
import type { Batch } from "../../data";
import { tf } from "../../engine";
import { betaMixture, gaussianMixture, noisyPosterior, normalizeLosses } from "../../losses";
import { evaluateAny } from "../evaluate";
import { defineMethod, labeled, mixedUp, type MethodContext, type MethodSetting } from "./method";

const mixtureCorrectionSchema = z.strictObject({
  name: z.literal("mixtureCorrection"),
  /** Epochs on the labels as they are. No default: the authors take 105 of 300. */
  warmupEpochs: z.int().min(1),
  /** Beta: Arazo et al.; Gaussian: that of DivideMix (Li et al. 2020). */
  mixture: z.enum(["beta", "gaussian"]).default("beta"),
});

export type MixtureName = z.output<typeof mixtureCorrectionSchema>["mixture"];

export const mixtureCorrection = defineMethod({
  schema: mixtureCorrectionSchema,
  extraPasses: 2, // losses of all examples at each epoch's start, predictions for each batch
  conflicts: ({ warmupEpochs }, { epochs }) =>
    warmupEpochs >= epochs
      ? [`method.warmupEpochs = ${warmupEpochs}: expected fewer than epochs = ${epochs}, or nothing is corrected`]
      : [],
  create: ({ warmupEpochs, mixture }, setting) => {
    const posteriors = new Float32Array(setting.dataset.size);
    return {
      memory: { posteriors },
      startEpoch: async ({ epoch, model, states, dataset }) => {
        if (epoch <= warmupEpochs) return;
        const { losses } = await evaluateAny(model, states[0]!, dataset);
        posteriors.set(posteriorsOf(losses, mixture) ?? posteriors);
      },
      prepare: (batch, context) => {
        const plain = labeled(batch, context.dataset);
        if (context.epoch <= warmupEpochs) return mixedUp(plain, context);
        const w = Float32Array.from(batch.indices, (i) => posteriors[i]!);
        const targets = correctedTargets(plain.targets, predictedClasses(batch, context), w);
        return mixedUp({ ...plain, targets }, context);
      },
      report: () => meansOf(posteriors, setting),
    };
  },
});

/**
 * (n) probability that each label is wrong. Undefined where the losses cannot be told apart, or are not finite, as those of a network
 * that went astray, which its next loss will show.
 */
export function posteriorsOf(losses: Float32Array, mixture: MixtureName): Float64Array | undefined {
  try {
    if (mixture === "beta") {
      const { scaled, inner } = normalizeLosses(losses);
      return noisyPosterior(betaMixture(inner), scaled);
    }
    const { scaled } = normalizeLosses(losses, { lowest: 0, highest: 100, margin: 0 }); // as DivideMix
    return noisyPosterior(gaussianMixture(scaled), scaled);
  } catch {
    return undefined;
  }
}

/**
 * (1 − w)·t + w·z, row by row.
 * @param targets (n·numClasses) @param predicted (n) classes @param w (n)
 */
export function correctedTargets(targets: Float32Array, predicted: ArrayLike<number>, w: Float32Array): Float32Array {
  const numClasses = targets.length / w.length;
  return targets.map((t, at) => {
    const [row, label] = [Math.floor(at / numClasses), at % numClasses];
    return (1 - w[row]!) * t + (predicted[row] === label ? w[row]! : 0);
  });
}

// Of the images before they are mixed up, as the authors; in inference mode (ours: they take batch statistics).
function predictedClasses({ images, labels }: Batch, { model, states, dataset: { shape } }: MethodContext): Int32Array {
  const { weights, stats } = states[0]!;
  return tf.tidy(() => {
    const x = tf.tensor4d(images, [labels.length, ...shape]);
    return tf.argMax(model.apply(weights, x, { stats }).logits, 1).dataSync() as Int32Array;
  });
}

function meansOf(posteriors: Float32Array, { dataset, cleanLabels }: MethodSetting): Record<string, number> | undefined {
  if (!cleanLabels) return undefined;
  const isFlipped = (i: number) => dataset.labels[i] !== cleanLabels[i];
  const means = {
    posteriorOfFlipped: meanWhere(posteriors, isFlipped),
    posteriorOfClean: meanWhere(posteriors, (i) => !isFlipped(i)),
  };
  return Object.fromEntries(Object.entries(means).filter((each): each is [string, number] => each[1] !== undefined));
}

function meanWhere(values: Float32Array, isMeant: (i: number) => boolean): number | undefined {
  const chosen = values.filter((_, i) => isMeant(i));
  return chosen.length === 0 ? undefined : chosen.reduce((sum, value) => sum + value, 0) / chosen.length;
}
