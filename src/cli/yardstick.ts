/** A training step that is timed to compare machines: small enough for a slow engine, with convolutions and batch norm in it. */
import { Rng, tf } from "../engine";
import { crossEntropy } from "../losses";
import { multiplyAdds, wideResNet } from "../models";
import {
  disposeState,
  initialState,
  trainConfig,
  trainStep,
  type StepBatch,
  type StepContext,
  type TrainState,
} from "../training";

export const yardstick = "WRN-10-2, 28×28×1, batch 128";
const network = () => wideResNet({ depth: 10, widenFactor: 2, numClasses: 10, inputShape: [28, 28, 1] });
const batchSize = 128;
const timedSteps = 5;
const patience = 5_000; // ms: a slow engine shows itself in fewer steps

/** GFLOP/s that this machine sustains in training, all its threads together. A gradient is three passes of two operations for each multiply-add. */
export async function sustainedGflops(): Promise<number> {
  const flop = 2 * 3 * batchSize * (await multiplyAdds(network()));
  return flop / medianStepTime(0) / 1e6;
}

/** Median milliseconds of a training step with this ρ, after one step that warms up. */
export function medianStepTime(rho: number): number {
  const rng = new Rng(0);
  const model = network();
  const config = trainConfig({ epochs: 1, rho });
  const batch = yardstickBatch(rng);
  const times = stepTimes(initialState(model, config, rng), batch, {
    model,
    config,
    loss: crossEntropy,
    totalSteps: timedSteps + 1,
    rng,
  });
  tf.dispose([batch.images, batch.targets]);
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
}

/** Milliseconds of each of some steps, the first left out. Disposes of the state. */
function stepTimes(state: TrainState, batch: StepBatch, context: StepContext): number[] {
  const times: number[] = [];
  const started = performance.now();
  while (times.length < 2 || (times.length <= timedSteps && performance.now() - started < patience)) {
    const start = performance.now();
    const { state: next } = trainStep(state, batch, context);
    times.push(performance.now() - start);
    disposeState(state);
    state = next;
  }
  disposeState(state);
  return times.slice(1);
}

// Random pixels take as long as pictures.
function yardstickBatch(rng: Rng): StepBatch {
  const images = tf.tensor4d(rng.split("images").array(batchSize * 28 * 28), [batchSize, 28, 28, 1]);
  const labels = Array.from({ length: batchSize }, (_, i) => i % 10);
  const targets = tf.tidy(() => tf.oneHot(tf.tensor1d(labels, "int32"), 10).toFloat()) as tf.Tensor2D;
  return { images, targets };
}
