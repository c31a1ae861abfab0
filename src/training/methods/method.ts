/**
 * The interface of a method against wrong labels: its memory, and its changes to a batch and to the loss before an update. Each method
 * is a file in this folder; its entry in index.ts makes it known to configs.
 */
import type { z } from "zod";
import { mixup, oneHot, type Batch, type Dataset } from "../../data";
import { tf, type Rng } from "../../engine";
import type { StepConfig } from "../fields";
import type { BatchLoss, LossPlace, StepBatch, StepContext, TrainState } from "../step";

/** The loss of one network for one batch, pass by pass and block by block. */
export type LossAt = (place: LossPlace) => BatchLoss;

/** A batch as plain numbers. */
export interface PlainBatch {
  /** (n·height·width·channels), normalized */
  readonly images: Float32Array;
  /** (n·numClasses), rows summing to 1 */
  readonly targets: Float32Array;
}

/** The run that a method is part of. */
export interface MethodSetting {
  readonly config: StepConfig;
  readonly dataset: Dataset;
  /** (dataset.size) true labels, if they are known; for reports only, never for training. */
  readonly cleanLabels?: Int32Array;
}

/** The update that comes next. */
export interface MethodContext extends StepContext {
  /** One for each network. */
  readonly states: readonly TrainState[];
  /** From 1. */
  readonly epoch: number;
  readonly dataset: Dataset;
}

/** The epoch that comes next. */
export type EpochContext = Pick<MethodContext, "model" | "config" | "states" | "epoch" | "dataset">;

export interface Method {
  /** Its memory from one update to the next, by name; changed in place and kept in checkpoints. */
  readonly memory: Readonly<Record<string, Float32Array>>;
  /** Runs before the first update of an epoch; again if a run was stopped at that point, with the same outcome. */
  startEpoch?(context: EpochContext): void | Promise<void>;
  /** The batch to train on; default: the images and their labels, with the mixup that the config asks for. */
  prepare?(batch: Batch, context: MethodContext): PlainBatch;
  /** The loss of each network for this batch; default, also if it returns undefined: the config's for all. */
  losses?(batch: Batch, stepBatch: StepBatch, context: MethodContext): readonly LossAt[] | undefined;
  /** After an epoch: numbers about it for the history. */
  report?(): Readonly<Record<string, number>> | undefined;
}

export interface MethodDefinition<Schema extends z.ZodType<{ name: string }> = z.ZodType<{ name: string }>> {
  /** `{ name, ...options }` in a config. */
  readonly schema: Schema;
  /** Options that came after the first records, with the values that trainings had before; see formerOptions.ts. */
  readonly formerly?: Partial<z.output<Schema>>;
  /** Networks trained side by side; default 1. */
  readonly networks?: number;
  /** Forward passes over a batch that each network makes in addition to its gradients; default 0. */
  readonly extraPasses?: number;
  /** Conflicts with the rest of the config, one sentence each; default: none. */
  conflicts?(options: z.output<Schema>, config: StepConfig): readonly string[];
  create(options: z.output<Schema>, setting: MethodSetting): Method;
}

/** A method, its options typed by its schema. */
export function defineMethod<Schema extends z.ZodType<{ name: string }>>(definition: MethodDefinition<Schema>) {
  return definition;
}

/** A network's own stream. The first network has the step's, so that a second one changes nothing for it. */
export function networkStream(step: Rng, network: number): Rng {
  return network === 0 ? step : step.split("network").split(network);
}

/** The batch's images with their labels, one-hot. */
export function labeled({ images, labels }: Batch, { numClasses }: Pick<Dataset, "numClasses">): PlainBatch {
  return { images, targets: oneHot(labels, numClasses) };
}

/** The batch with mixup by the step's stream, if `mixupAlpha` is above 0. */
export function mixedUp(
  batch: PlainBatch,
  { config, dataset, rng }: Pick<MethodContext, "config" | "dataset" | "rng">,
): PlainBatch {
  const { mixupAlpha: alpha, mixupPairing: pairing } = config;
  if (alpha === 0) return batch;
  const { numClasses } = dataset;
  const options = { numClasses, alpha, pairing, rng: rng.split("mixup") };
  const { images, oneHotLabels } = mixup(batch.images, batch.targets, options);
  return { images, targets: oneHotLabels };
}

/** The batch as tensors; the caller disposes of both. */
export function toStepBatch({ images, targets }: PlainBatch, { shape, numClasses }: Dataset): StepBatch {
  const n = targets.length / numClasses;
  return { images: tf.tensor4d(images, [n, ...shape]), targets: tf.tensor2d(targets, [n, numClasses]) };
}
