/** Loss correction with an estimated matrix (Patrini et al. 2017): a first network is trained to find the matrix, a second with it. */
import { tf } from "../engine";
import { estimateTransition } from "../losses";
import type { Model } from "../models";
import { trainConfig, type TrainOptions } from "./config";
import { predictedProbabilities } from "./evaluate";
import { withInterrupt } from "./interrupt";
import { callbacksOf } from "./parts";
import { train, type TrainCallbacks, type TrainData, type TrainResult } from "./train";

/** Result of a training with an estimated transition matrix. */
export interface EstimatedTransitionResult extends TrainResult {
  /** (numClasses, numClasses); absent if the first training was stopped or diverged, so that there was no second. */
  readonly transitionMatrix?: readonly (readonly number[])[];
}

/**
 * Trains a network with plain cross-entropy, estimates the transition matrix from its probabilities on the training set, and trains from
 * scratch with the loss that has the matrix. The first training leaves out mixup, label smoothing and the method, which would distort
 * its probabilities; its other options are as given.
 * History, metrics and variables are those of the second training; for steps, checkpoints and curves see `trainBootstrapped`.
 * @throws if `config.loss` is no correction with `transitionMatrix: "estimated"`, the matrix cannot be inverted, and as `train` does
 */
export async function trainWithEstimatedTransition(
  model: Model,
  data: TrainData,
  config: TrainOptions,
  callbacks: TrainCallbacks = {},
): Promise<EstimatedTransitionResult> {
  const { loss } = trainConfig(config);
  if (!("transitionMatrix" in loss) || loss.transitionMatrix !== "estimated")
    throw new Error(`loss.name = "${loss.name}": expected a correction with transitionMatrix "estimated"`);
  return withInterrupt(callbacks, async (own) => {
    const part = { index: 0, count: 2, suffix: "estimate", stream: "estimate" } as const;
    const first = await train(model, data, plain(config), callbacksOf(own, part));
    if (first.outcome !== "finished") return first;
    const transitionMatrix = estimateOf(model, data, first);
    const second = { ...config, loss: { ...loss, transitionMatrix } };
    return { ...(await train(model, data, second, callbacksOf(own, { index: 1, count: 2 }))), transitionMatrix };
  });
}

function plain(config: TrainOptions): TrainOptions {
  return { ...config, loss: { name: "crossEntropy" }, labelSmoothing: 0, mixupAlpha: 0, method: { name: "standard" } };
}

// The first network's variables are not needed afterwards.
function estimateOf(model: Model, { train: dataset }: TrainData, { variables }: TrainResult): number[][] {
  try {
    return estimateTransition(predictedProbabilities(model, variables, dataset), { numClasses: dataset.numClasses });
  } finally {
    tf.dispose([variables.weights, variables.stats]);
  }
}
