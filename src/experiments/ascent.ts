/** SAM's ascent measured along a run's training, on batches as it trains on them: the error found around w, the second-order term's effect. */
import { batchStream, numBatches, type Dataset } from "../data";
import { pause, Rng, tf } from "../engine";
import type { Model, Variables } from "../models";
import { ascentErrors, secondOrderCosine, type BatchAscent } from "../training/ascent";
import { lossOfEpoch } from "../training/train";
import { labeled, toStepBatch } from "../training/methods/method";
import type { TrainConfig } from "../training";
import type { AscentConfig } from "./ascentConfig";
import type { RunRecord } from "./records";

/** Means over the measured batches, in training mode. */
export interface MeasuredAscent {
  readonly epoch: number;
  /** Updates before it. */
  readonly step: number;
  /** Batch error at w, in [0, 1]. */
  readonly errorRate: number;
  /** Batch error at w + ε, by number of ascent steps. */
  readonly found: readonly { readonly ascentSteps: number; readonly errorRate: number }[];
  /** Mean cosine between the SAM gradients with and without the second-order term. */
  readonly cosine?: number;
}

interface AscentPlace {
  readonly epoch: number;
  readonly training: TrainConfig;
  readonly model: Model;
  readonly dataset: Dataset;
  /** Stops between two batches. */
  readonly signal?: AbortSignal;
}

/** The measurement that the config asks for after this epoch; undefined if there is none. */
export async function measureAscent(
  variables: Variables,
  { epochs, ...config }: AscentConfig,
  place: AscentPlace,
): Promise<MeasuredAscent | undefined> {
  const { epoch, training, dataset, signal } = place;
  if (!epochs.includes(epoch)) return undefined;
  const step = epoch * numBatches(dataset.size, training);
  const rng = new Rng(config.orderSeed).split("ascent").split(epoch);
  const { batchSize, augment } = training;
  const found: BatchMeasure[] = [];
  for await (const batch of batchStream(dataset, { batchSize, augment, epochs: [rng], thread: false })) {
    signal?.throwIfAborted();
    const stepBatch = toStepBatch(labeled(batch, dataset), dataset);
    found.push(measureBatch(variables, stepBatch, { ...config, ...place, step, rng: rng.split("step").split(found.length) }));
    tf.dispose([stepBatch.images, stepBatch.targets]);
    await pause();
    if (found.length === config.batches) break;
  }
  return { epoch, step, ...meanOf(found, ascentStepsOf(config, training)) };
}

interface BatchMeasure extends BatchAscent {
  readonly cosine?: number;
}

function ascentStepsOf({ ascentSteps }: Pick<AscentConfig, "ascentSteps">, training: TrainConfig): readonly number[] {
  return ascentSteps.length > 0 ? ascentSteps : [training.ascentSteps];
}

type BatchPlace = AscentPlace & Omit<AscentConfig, "epochs"> & { readonly step: number; readonly rng: Rng };

function measureBatch(variables: Variables, batch: ReturnType<typeof toStepBatch>, place: BatchPlace): BatchMeasure {
  const { model, training: config, epoch, dataset, step, rng, cosine } = place;
  const totalSteps = config.epochs * numBatches(dataset.size, config);
  const context = { model, config, loss: lossOfEpoch(config, epoch), totalSteps, rng };
  const errors = ascentErrors(variables, batch, context, { step, ascentSteps: ascentStepsOf(place, config) });
  return cosine ? { ...errors, cosine: secondOrderCosine(variables, batch, context, { step }) } : errors;
}

function meanOf(measures: readonly BatchMeasure[], ascentSteps: readonly number[]): Omit<MeasuredAscent, "epoch" | "step"> {
  const mean = (valueOf: (each: BatchMeasure) => number) =>
    Number((measures.reduce((sum, each) => sum + valueOf(each), 0) / measures.length).toPrecision(6));
  const found = ascentSteps.map((count, i) => ({ ascentSteps: count, errorRate: mean((each) => each.perturbedErrorRates[i]!) }));
  const cosine = measures[0]!.cosine === undefined ? {} : { cosine: mean((each) => each.cosine!) };
  return { errorRate: mean((each) => each.errorRate), found, ...cosine };
}

/** The measurements in a record, in the order of their epochs. */
export function ascentsOf(record: RunRecord): MeasuredAscent[] {
  return record.history.flatMap(({ measures }) => (measures as { ascent?: MeasuredAscent } | undefined)?.ascent ?? []);
}
