/**
 * Dynamic bootstrapping (Arazo et al. 2019, "M-correction"): a mixture of two components on the losses of all examples gives each the
 * probability w that its label is wrong; its target is (1 − w)·label + w·prediction. It is meant for mixup, which then mixes these targets.
 */
import { z } from "zod";
import type { Batch } from "../../data";
import { tf } from "../../engine";
import { betaMixture, crossEntropy, gaussianMixture, noisyPosterior, normalizeLosses, percentileOf } from "../../losses";
import type { BetaMixture, GaussianMixture } from "../../losses";
import { evaluateAny } from "../evaluate";
import type { BatchLoss } from "../step";
import { defineMethod, labeled, mixedUp, type LossAt, type MethodContext, type MethodSetting } from "./method";

const schema = z.strictObject({
  name: z.literal("mixtureCorrection"),
  /** Epochs on the labels as they are. No default: the authors take 105 of 300. */
  warmupEpochs: z.int().min(1),
  /** Beta: Arazo et al.; Gaussian: that of DivideMix (Li et al. 2020). */
  mixture: z.enum(["beta", "gaussian"]).default("beta"),
  /** "batch": w of a batch comes from its losses just before its update; "epoch": every w comes from the losses at the epoch's start. */
  posteriors: z.enum(["batch", "epoch"]).default("batch"), // the authors' code
  /** Mode of the network whose predictions correct the targets; "training" takes batch statistics and dropout. */
  predictions: z.enum(["training", "inference"]).default("training"), // the authors' code
  /** Weight of Σ_c (1/C)·log((1/C)/h_c), h the mean prediction for a batch: it keeps all examples from one class. 0 is off. */
  priorWeight: z.number().min(0).finite().default(1), // the authors' scripts
});

type Options = z.output<typeof schema>;
export type MixtureName = Options["mixture"];

export const mixtureCorrection = defineMethod({
  schema,
  formerly: { posteriors: "epoch", predictions: "inference", priorWeight: 0 },
  extraPasses: 3, // all examples at each epoch's start; losses and predictions of each batch
  conflicts: ({ warmupEpochs }, { epochs }) =>
    warmupEpochs >= epochs
      ? [`method.warmupEpochs = ${warmupEpochs}: expected fewer than epochs = ${epochs}, or nothing is corrected`]
      : [],
  create: (options, setting) => {
    const posteriors = new Float32Array(setting.dataset.size);
    const fit = new Float32Array(FIT_LENGTH);
    const isWarmup = (epoch: number) => epoch <= options.warmupEpochs;
    return {
      memory: { posteriors, fit },
      startEpoch: async ({ epoch, model, states, dataset }) => {
        if (isWarmup(epoch)) return;
        const { losses } = await evaluateAny(model, states[0]!, dataset);
        if (options.posteriors === "batch") fit.set(fitOf(losses, options.mixture) ?? fit);
        else posteriors.set(posteriorsOf(losses, options.mixture) ?? posteriors);
      },
      prepare: (batch, context) => {
        const plain = labeled(batch, context.dataset);
        if (isWarmup(context.epoch)) return mixedUp(plain, context);
        if (options.posteriors === "batch") updatePosteriors(posteriors, batch, lossesOf(batch, context), { fit, ...options });
        const w = Float32Array.from(batch.indices, (i) => posteriors[i]!);
        const targets = correctedTargets(plain.targets, predictedClasses(batch, context, options), w);
        return mixedUp({ ...plain, targets }, context);
      },
      losses: (_, __, { epoch, loss }) => (isWarmup(epoch) || options.priorWeight === 0 ? undefined : [withPrior(loss, options)]),
      report: () => meansOf(posteriors, setting),
    };
  },
});

const SCALES = {
  beta: {},
  gaussian: { lowest: 0, highest: 100, margin: 0 }, // as DivideMix
} as const;

function mixtureOf(losses: Float32Array, name: MixtureName): BetaMixture | GaussianMixture {
  const { scaled, inner } = normalizeLosses(losses, SCALES[name]);
  return name === "beta" ? betaMixture(inner) : gaussianMixture(scaled);
}

// Equal losses have no mixture, nor have the non-finite ones of a network that diverged, which its next loss will show.
function orNothing<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}

/** (n) probability that each label is wrong; undefined if the losses cannot be told apart, or are not finite. */
export function posteriorsOf(losses: Float32Array, name: MixtureName): Float64Array | undefined {
  return orNothing(() => noisyPosterior(mixtureOf(losses, name), normalizeLosses(losses, SCALES[name]).scaled));
}

// A mixture as plain numbers, for the method's memory: the losses that become 0 and 1, then weight and two numbers of each component.
const FIT_LENGTH = 8;

/** (8) the mixture of these losses; undefined if they cannot be told apart, or are not finite. */
export function fitOf(losses: Float32Array, name: MixtureName): number[] | undefined {
  const { lowest = 5, highest = 95 }: { lowest?: number; highest?: number } = SCALES[name]; // as normalizeLosses has them
  return orNothing(() => {
    const { components } = mixtureOf(losses, name);
    const numbers = components.flatMap((each) =>
      "alpha" in each ? [each.weight, each.alpha, each.beta] : [each.weight, each.mean, each.variance],
    );
    return [percentileOf(losses, lowest), percentileOf(losses, highest), ...numbers];
  });
}

// The authors' code keeps w in these bounds.
const [LEAST_W, MARGIN] = [1e-4, 1e-3];

/** (n) w of these losses by a mixture of `fitOf`, in [1e-4, 1 − 1e-4]; 0 for a mixture that was never fitted. */
export function posteriorsBy(fit: ArrayLike<number>, losses: ArrayLike<number>, name: MixtureName): Float64Array {
  const [low, high, ...numbers] = Array.from(fit) as [number, number, ...number[]];
  if (low === high) return new Float64Array(losses.length);
  const margin = name === "beta" ? MARGIN : 0;
  const scaled = Float64Array.from(losses, (loss) => Math.min(Math.max((loss - low) / (high - low), margin), 1 - margin));
  return noisyPosterior(mixtureFrom(numbers, name), scaled).map((w) => Math.min(Math.max(w, LEAST_W), 1 - LEAST_W));
}

function mixtureFrom(numbers: readonly number[], kind: MixtureName): BetaMixture | GaussianMixture {
  const component = (at: number) => {
    const [weight, a, b] = numbers.slice(at, at + 3);
    return kind === "beta" ? { weight, alpha: a, beta: b } : { weight, mean: a, variance: b };
  };
  return { kind, components: [component(0), component(3)] } as unknown as BetaMixture | GaussianMixture;
}

/** Cross-entropy of each image against its label in inference mode, as the authors' code has it. */
function lossesOf({ images, labels }: Batch, { model, states, dataset }: MethodContext): Float32Array {
  const { weights, stats } = states[0]!;
  const { targets } = labeled({ images, labels } as Batch, dataset);
  return tf.tidy(() => {
    const { logits } = model.apply(weights, tensorOf(images, labels.length, dataset), { stats });
    return crossEntropy(logits, tf.tensor2d(targets, logits.shape)).dataSync() as Float32Array;
  });
}

function tensorOf(images: Float32Array, n: number, { shape }: MethodContext["dataset"]): tf.Tensor4D {
  return tf.tensor4d(images, [n, ...shape]);
}

function updatePosteriors(
  posteriors: Float32Array,
  { indices }: Batch,
  losses: Float32Array,
  { fit, mixture }: { fit: Float32Array; mixture: MixtureName },
): void {
  if (!losses.every(Number.isFinite)) return; // the next update ends the run
  posteriorsBy(fit, losses, mixture).forEach((w, i) => (posteriors[indices[i]!] = w));
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

// Predictions for the images before they are mixed up, as the authors' code makes them.
function predictedClasses(batch: Batch, context: MethodContext, { predictions }: Pick<Options, "predictions">): Int32Array {
  const { model, states, dataset, config, rng } = context;
  const { weights, stats } = states[0]!;
  const training = { training: true, batchStatistics: !config.freezeBatchNorm, rng: rng.split("predictions") };
  const mode = predictions === "training" ? training : {};
  return tf.tidy(() => {
    const x = tensorOf(batch.images, batch.labels.length, dataset);
    return tf.argMax(model.apply(weights, x, { ...mode, stats }).logits, 1).dataSync() as Int32Array;
  });
}

function withPrior(loss: BatchLoss, { priorWeight }: Pick<Options, "priorWeight">): LossAt {
  return () => (logits, targets) => tf.add(loss(logits, targets), tf.mul(priorRegularizer(logits), priorWeight));
}

/** Σ_c (1/C)·log((1/C)/h_c) with h the mean of the rows' softmax: 0 where the mean prediction is uniform, else above. */
export function priorRegularizer(logits: tf.Tensor2D): tf.Scalar {
  const [n, numClasses] = logits.shape;
  return tf.tidy(() => {
    // log h from log p: a class that nobody predicts is no trouble.
    const logMean = tf.sub(tf.logSumExp(tf.logSoftmax(logits), 0), Math.log(n));
    return tf.sub(-Math.log(numClasses), tf.mean(logMean)) as tf.Scalar;
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
