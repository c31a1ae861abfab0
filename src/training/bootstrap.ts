/**
 * The paper's bootstrap against wrong labels (Sec. 3.3 and App. C; not Reed et al.'s loss): train, relabel the training set with the
 * network's own predictions, train from scratch on those labels.
 */
import { shareOfFlipped, withLabels } from "../data";
import { tf } from "../engine";
import type { Model, Variables } from "../models";
import type { TrainOptions } from "./config";
import { evaluateAny } from "./evaluate";
import { withInterrupt } from "./interrupt";
import { callbacksOf } from "./parts";
import type { TrainMetrics } from "./history";
import { train, type TrainCallbacks, type TrainData, type TrainResult } from "./train";

/** Result of `trainBootstrapped`. */
export interface BootstrapResult extends TrainResult {
  /** Metrics of the first training; absent if it was stopped or diverged, so that there was no second. */
  readonly firstMetrics?: TrainMetrics;
  /** Share of the predicted labels that are wrong, if the true ones are known. */
  readonly relabeledNoiseRate?: number;
}

/**
 * Trains twice with one config; the second training has its own start, order and augmentation. History, metrics and variables are those
 * of the second. Steps are counted over both; only the second calls `measure`, and its memorization refers to the predicted labels.
 * If it is stopped in either training, it resumes from the files of `checkpointsOf`; the caller deletes them.
 * @throws as `train` does
 */
export async function trainBootstrapped(
  model: Model,
  data: TrainData,
  config: TrainOptions,
  callbacks: TrainCallbacks = {},
): Promise<BootstrapResult> {
  return withInterrupt(callbacks, async (own) => {
    const first = await train(model, data, config, callbacksOf(own, { index: 0, count: 2, suffix: "first" }));
    if (first.outcome !== "finished") return first;
    const relabeled = await withPredictions(model, data, first.variables);
    const second = await train(model, relabeled, config, callbacksOf(own, { index: 1, count: 2, stream: "bootstrap" }));
    return { ...second, firstMetrics: first.metrics, ...noiseRateOf(relabeled) };
  });
}

// Inference mode, without augmentation. The variables are not needed afterwards.
async function withPredictions(model: Model, data: TrainData, variables: Variables): Promise<TrainData> {
  try {
    const { predictions } = await evaluateAny(model, variables, data.train);
    return { ...data, train: withLabels(data.train, predictions) };
  } finally {
    tf.dispose([variables.weights, variables.stats]);
  }
}

function noiseRateOf({ train: { labels }, cleanLabels }: TrainData): Pick<BootstrapResult, "relabeledNoiseRate"> {
  if (!cleanLabels) return {};
  return { relabeledNoiseRate: shareOfFlipped(labels, cleanLabels) };
}
