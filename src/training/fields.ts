/** Hyper-parameters of one update and of the loop around it: everything in a training's config but the method against wrong labels. */
import { z } from "zod";
import { augmentNames } from "../data";
import { lossConfigSchema } from "../losses/lossConfig";
import { variantConfigSchema } from "../optim/family";

const rate = z.number().min(0).finite();
export const DEFAULT_ETA = 0.01; // ASAM, as published

export const stepFields = z.strictObject({
  epochs: z.int().min(1),
  batchSize: z.int().min(1).default(128), // official code; the paper's CIFAR runs use 256
  seed: z.int().min(0).default(0),

  optimizer: z.enum(["sgd", "adamW"]).default("sgd"),
  learningRate: rate.default(0.1), // official code
  schedule: z.enum(["cosine", "constant", "step"]).default("cosine"), // official code: per step, no warm-up
  momentum: z.number().min(0).lt(1).default(0.9), // official code
  nesterov: z.boolean().default(true), // official code

  /** λ of ½λ‖w‖² inside the loss, so in both of SAM's gradients. */
  weightDecay: rate.default(0.0005), // paper Tables 6 and 7, most rows
  /** False: the decay is added to the final gradient only, taken at w, as most ports do. */
  decayInAscent: z.boolean().default(true), // official code
  /** False: no decay on batch norm's gains and offsets. */
  decayOnNorm: z.boolean().default(true), // official code
  /** Decay outside the loss, w ← w − η·decay·w (AdamW's). */
  decoupledWeightDecay: rate.default(0),
  /** Global norm of the final gradient; 0 is off. */
  clipNorm: rate.default(5), // official code

  /** 0 is the base optimizer alone. */
  rho: rate.default(0),
  rhoSchedule: z.enum(["constant", "cosine", "step"]).default("constant"),
  normP: z.union([z.number().min(1), z.literal("infinity")]).default(2),
  /** Examples that share one ε̂; 0 is the whole batch. */
  m: z.int().min(0).default(0),
  ascentSteps: z.int().min(1).default(1),
  /** Length of one of several ascent steps; 0 is ρ. */
  ascentStepSize: rate.default(0),
  normalize: z.boolean().default(true),
  adaptive: z.union([z.literal(false), z.enum(["weights", "all"])]).default(false),
  eta: rate.default(DEFAULT_ETA),
  /** True: the exact gradient of w ↦ L(w + ε̂(w)), with the term that the paper drops: one Hessian-vector product more a step. */
  secondOrder: z.boolean().default(false), // paper: dropped everywhere but in Figures 4 and 5
  /** SAM on every n-th step only. */
  samInterval: z.int().min(1).default(1),
  /** What is done with the gradients of a step, see src/optim/family; it needs ρ > 0. */
  variant: variantConfigSchema.default({ name: "sam" }),
  freshMasks: z.boolean().default(false), // official code: the same masks in both passes

  /** Batch norm by its moving averages, which stay as they are; for finetuning. */
  freezeBatchNorm: z.boolean().default(false), // paper section 3.2 finetunes so

  augment: z.enum(augmentNames).default("none"),
  mixupAlpha: rate.default(0),
  /** "batch": all examples of a batch are mixed by one λ; "example": each by its own. */
  mixupPairing: z.enum(["batch", "example"]).default("batch"), // Zhang et al. 2018, official code
  /** Loss of the training; evaluations measure cross-entropy. Mixup and label smoothing make its targets. */
  loss: lossConfigSchema.default({ name: "crossEntropy" }),
  labelSmoothing: z.number().min(0).lt(1).default(0),
  /** Decay of the moving average of the weights that is evaluated; 0 is off. */
  emaDecay: z.number().min(0).lt(1).default(0),
  /**
   * Share of the epochs, the last ones, whose final weights are averaged with equal weight and then evaluated, with batch norm's statistics
   * computed anew (SWA, Izmailov et al. 2018; with SAM it is WASAM, Kaddour et al. 2022, whose share is about 0.25); 0 is off.
   */
  averageLast: z.number().min(0).max(1).default(0),

  /** Test every n epochs, and after the last. */
  evaluateEvery: z.int().min(1).default(1),
  /** Also evaluate on the training set: error, and the shares of flipped and of clean labels that are fitted. */
  trackTraining: z.boolean().default(false),
});

/** Values that trainings had before the field was there; see formerOptions.ts. */
export const formerFields = { mixupPairing: "example" } as const satisfies Partial<StepConfig>;

/** The hyper-parameters that an update reads, whichever the method. */
export interface StepConfig extends Readonly<z.output<typeof stepFields>> {}
