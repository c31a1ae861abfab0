/** Small trainings on images of three classes, to be compared bit by bit. */
import { symmetricNoise, withLabels } from "../../src/data";
import { tf } from "../../src/engine";
import { mlp } from "../../src/models";
import type { TrainCallbacks, TrainData, TrainResult } from "../../src/training";
import { tinyImages, valuesOf } from "./training";

/** A network without batch norm for `tinyImages`. */
export const tinyMlp = (hidden: readonly number[] = [8]) => mlp({ inputShape: [8, 8, 1], numClasses: 3, hidden: [...hidden] });

/** `tinyImages` with a share of their labels flipped. */
export function noisyImages({ size = 40, noiseRate = 0.3 } = {}): TrainData & { readonly cleanLabels: Int32Array } {
  const clean = tinyImages(size, "train");
  const { noisyLabels } = symmetricNoise(clean.labels, { noiseRate, numClasses: 3, seed: 1 });
  return { train: withLabels(clean, noisyLabels), test: tinyImages(21, "test"), cleanLabels: clean.labels };
}

/** What a training found, with its weights as numbers; its tensors are freed. */
export function found<R extends TrainResult>({ variables, ...rest }: R) {
  const values = { ...valuesOf(variables.weights), ...valuesOf(variables.stats) };
  tf.dispose([variables.weights, variables.stats]);
  return { ...rest, values };
}

/** Aborts after the given step. */
export function abortAfter(step: number): TrainCallbacks {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    onStep: (progress) => {
      if (progress.step === step) controller.abort();
    },
  };
}
