/** The config of measurements of SAM's ascent along a training; ascent.ts makes them. */
import { z } from "zod";
import { checkSamOptions, secondOrderConflict, type SamOptions } from "../optim/sam";
import type { TrainConfig } from "../training";

export const ascentSchema = z.strictObject({
  /** Epochs after which it is measured; 0 is the start, which is not measured. */
  epochs: z.array(z.int().min(1)).min(1),
  /** Batches that each measurement is averaged over: the first of an epoch that is not trained on. */
  batches: z.int().min(1).default(8), // ours: the paper averages over neighboring steps instead
  /** Numbers of projected ascent steps whose error is measured at each of these epochs; [] is the training's own. */
  ascentSteps: z.array(z.int().min(1)).default([]),
  /** True: also the cosine between the SAM gradients with and without the second-order term. */
  cosine: z.boolean().default(false),
  /** Seed of the order of the images: the same for all runs of an item, so that they can be compared. */
  orderSeed: z.int().min(0).default(0),
});

export type AscentConfig = Readonly<z.output<typeof ascentSchema>>;

/** What keeps the ascent of such a training from being measured, one sentence each. */
export function ascentConflicts({ ascentSteps, cosine }: AscentConfig, training: TrainConfig): string[] {
  const { rho, variant, method, loss, normP } = training;
  const sam = {
    ...training,
    eta: undefined,
    ascentStepSize: training.ascentStepSize || rho,
    normP: normP === "infinity" ? Infinity : normP,
  };
  const secondOrder = cosine ? secondOrderConflict(sam) : undefined;
  return [
    ...(rho === 0 ? ["training.rho = 0 has no ascent"] : []),
    ...(variant.name === "sam" ? [] : [`training.variant.name = "${variant.name}": expected "sam", whose ascent is measured`]),
    ...(method.name === "standard"
      ? []
      : [`training.method.name = "${method.name}": expected "standard", whose loss the config names`]),
    ...("transitionMatrix" in loss && loss.transitionMatrix === "estimated"
      ? ["the transition matrix of the loss is not known"]
      : []),
    ...ascentSteps.flatMap((count) => refusalOf({ ...sam, ascentSteps: count }) ?? []),
    ...(secondOrder ? [`cosine = true: ${secondOrder}`] : []),
  ];
}

function refusalOf(options: SamOptions): string | undefined {
  try {
    checkSamOptions(options);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
