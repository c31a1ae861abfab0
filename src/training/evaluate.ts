/** Evaluation in inference mode: error, mean loss, and what a network made of noisy labels. */
import { batchesInOrder, imageLength, normalizeImages, oneHot, type Batch, type Dataset } from "../data";
import { checkOptions, pause, tf, type GraphCache, type TensorGroups } from "../engine";
import { crossEntropy } from "../losses";
import type { Model, Variables } from "../models";
import type { StepBatch } from "./step";

/** A network's predictions and losses on a data set. */
export interface Evaluated {
  /** Share of examples whose prediction differs from `dataset.labels`, in [0, 1]. */
  readonly errorRate: number;
  /** Mean cross-entropy against `dataset.labels`, without smoothing or L2. */
  readonly loss: number;
  /** (size) predicted classes. */
  readonly predictions: Int32Array;
  /** (size) the cross-entropy of each example. */
  readonly losses: Float32Array;
}

/** Options of `evaluate`. */
export interface EvaluateOptions {
  /** Default 500: a matter of memory only, the result does not depend on it. */
  readonly batchSize?: number;
}

/** Options of `evaluateAny`. */
export interface EvaluateAnyOptions extends EvaluateOptions {
  /** Once it is aborted, the evaluation ends before its next batch and throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** Replays the network as a graph: the same numbers but for float32's rounding. Absent: eager. */
  readonly graphs?: GraphCache;
}

const BATCH_SIZE = 500; // ours

/**
 * Error and mean loss over a whole data set, the last ragged batch included.
 * @throws if `batchSize` is not a whole number of at least 1
 */
export function evaluate(model: Model, variables: Variables, dataset: Dataset, options: EvaluateOptions = {}): Evaluated {
  checkOptions(options, { batchSize: "number" }, "evaluate");
  const { batchSize = BATCH_SIZE } = options;
  checkBatchSize(batchSize);
  return evaluatedOf([...partsInMemory(model, variables, dataset, batchSize)], dataset);
}

/**
 * `evaluate` with a pause after each batch, also for an on-disk dataset, which worker threads decode batch by batch.
 * @throws if `batchSize` is not a whole number of at least 1, or a file cannot be decoded
 */
export async function evaluateAny(
  model: Model,
  variables: Variables,
  dataset: Dataset,
  options: EvaluateAnyOptions = {},
): Promise<Evaluated> {
  checkOptions(options, { batchSize: "number", signal: "object", graphs: "object" }, "evaluateAny");
  const { batchSize = BATCH_SIZE, signal, graphs } = options;
  checkBatchSize(batchSize);
  const parts: EvaluatedPart[] = [];
  for await (const batch of batchesInOrder(dataset, { batchSize })) {
    parts.push(evaluatePixels(model, variables, batch, { dataset, graphs }));
    await pause();
    signal?.throwIfAborted();
  }
  return evaluatedOf(parts, dataset);
}

function* partsInMemory(model: Model, variables: Variables, dataset: Dataset, batchSize: number): Generator<EvaluatedPart> {
  for (const range of rangesOf(dataset.size, batchSize)) yield evaluateRange(model, variables, dataset, range);
}

function evaluatePixels(
  model: Model,
  variables: Variables,
  { images, labels }: Batch,
  { dataset: { shape, numClasses }, graphs }: { dataset: Dataset; graphs?: GraphCache },
): EvaluatedPart {
  const pixels = () => tf.tensor4d(images, [labels.length, ...shape]);
  return tf.tidy(() => evaluateBatch(model, variables, stepBatch(pixels(), labels, numClasses), graphs));
}

function checkBatchSize(batchSize: number): void {
  if (!Number.isInteger(batchSize) || batchSize < 1)
    throw new Error(`batchSize = ${batchSize}: expected a whole number of at least 1`);
}

/** Results for one batch. */
type EvaluatedPart = {
  readonly classes: Int32Array;
  readonly losses: Float32Array;
};

function evaluatedOf(parts: readonly EvaluatedPart[], { size, labels }: Dataset): Evaluated {
  const [predictions, losses] = [new Int32Array(size), new Float32Array(size)];
  let start = 0;
  for (const part of parts) {
    predictions.set(part.classes, start);
    losses.set(part.losses, start);
    start += part.classes.length;
  }
  const wrong = predictions.reduce((count, predicted, i) => count + (predicted === labels[i] ? 0 : 1), 0);
  return { errorRate: wrong / size, loss: losses.reduce((sum, loss) => sum + loss, 0) / size, predictions, losses };
}

/** (size·numClasses) softmax of the logits in inference mode, row by row. */
export function predictedProbabilities(model: Model, { weights, stats }: Variables, dataset: Dataset): Float32Array {
  const { size, numClasses } = dataset;
  const probabilities = new Float32Array(size * numClasses);
  for (const range of rangesOf(size, BATCH_SIZE)) {
    const rows = tf.tidy(() => tf.softmax(model.apply(weights, imagesOf(dataset, range), { stats }).logits).dataSync());
    probabilities.set(rows, range.start * numClasses);
  }
  return probabilities;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** Batch by batch, the last ragged one included. */
function rangesOf(size: number, batchSize: number): Range[] {
  const starts = Array.from({ length: Math.ceil(size / batchSize) }, (_, i) => i * batchSize);
  return starts.map((start) => ({ start, end: Math.min(start + batchSize, size) }));
}

function evaluateRange(model: Model, variables: Variables, dataset: Dataset, range: Range): EvaluatedPart {
  const labels = dataset.labels.subarray(range.start, range.end);
  return tf.tidy(() => evaluateBatch(model, variables, stepBatch(imagesOf(dataset, range), labels, dataset.numClasses)));
}

function stepBatch(images: tf.Tensor4D, labels: Int32Array, numClasses: number): StepBatch {
  return { images, targets: tf.tensor2d(oneHot(labels, numClasses), [labels.length, numClasses]) };
}

/** Predictions and losses of one batch; leaves its tensors to the caller's scope. */
export function evaluateBatch(
  model: Model,
  { weights, stats }: Variables,
  { images, targets }: StepBatch,
  graphs?: GraphCache,
): EvaluatedPart {
  const evaluated = ({ weights, stats, batch }: TensorGroups): TensorGroups => {
    const { logits } = model.apply(weights!, batch!.images as tf.Tensor4D, { stats });
    return { found: { classes: tf.argMax(logits, 1), losses: crossEntropy(logits, batch!.targets as tf.Tensor2D) } };
  };
  const tensors = { weights, stats, batch: { images, targets } };
  const { found } = graphs ? graphs.run(["evaluate", model], evaluated, tensors) : evaluated(tensors);
  return { classes: found!.classes!.dataSync() as Int32Array, losses: found!.losses!.dataSync() as Float32Array };
}

function imagesOf(dataset: Dataset, { start, end }: Range): tf.Tensor4D {
  const { images, shape } = dataset;
  const bytes = images.subarray(start * imageLength(shape), end * imageLength(shape));
  return tf.tensor4d(normalizeImages(bytes, dataset), [end - start, ...shape]);
}

/** Memorization of wrong labels. Every share is in [0, 1], and absent if there are no such examples. */
export interface Memorization {
  /** Share of the flipped labels that the network reproduces. */
  readonly flippedFitted?: number;
  /** Share of the flipped labels for which it predicts the true class instead. */
  readonly flippedCorrected?: number;
  /** Share of the untouched labels that it reproduces. */
  readonly cleanFitted?: number;
}

/**
 * How many of the right and of the wrong labels the predictions fit.
 * @param predictions (n) classes
 * @param labels (n) as trained on
 * @param cleanLabels (n) the true ones
 */
export function memorization(predictions: Int32Array, labels: Int32Array, cleanLabels: Int32Array): Memorization {
  let [flipped, fitted, corrected, clean, cleanFitted] = [0, 0, 0, 0, 0];
  predictions.forEach((predicted, i) => {
    if (labels[i] === cleanLabels[i]) {
      clean++;
      if (predicted === labels[i]) cleanFitted++;
      return;
    }
    flipped++;
    if (predicted === labels[i]) fitted++;
    if (predicted === cleanLabels[i]) corrected++;
  });
  return {
    ...(flipped > 0 ? { flippedFitted: fitted / flipped, flippedCorrected: corrected / flipped } : {}),
    ...(clean > 0 ? { cleanFitted: cleanFitted / clean } : {}),
  };
}
