/** Evaluation in inference mode: error, mean loss, and what a network made of noisy labels. */
import { normalize, oneHot, imageLength, type Dataset } from "../data";
import { tf } from "../engine";
import { crossEntropy } from "../losses";
import type { Model, Variables } from "../models";

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

export interface EvaluateOptions {
  /** Default 500: a matter of memory only, the result does not depend on it. */
  readonly batchSize?: number;
}

const BATCH_SIZE = 500; // ours

/**
 * Error and mean loss over a whole data set, the last ragged batch included.
 * @throws where `batchSize` is not a whole number of at least 1
 */
export function evaluate(
  model: Model,
  variables: Variables,
  dataset: Dataset,
  { batchSize = BATCH_SIZE }: EvaluateOptions = {},
): Evaluated {
  if (!Number.isInteger(batchSize) || batchSize < 1)
    throw new Error(`batchSize = ${batchSize}: expected a whole number of at least 1`);
  const predictions = new Int32Array(dataset.size);
  const allLosses = new Float32Array(dataset.size);
  let lossSum = 0;
  for (const range of rangesOf(dataset.size, batchSize)) {
    const { classes, losses } = evaluateRange(model, variables, dataset, range);
    predictions.set(classes, range.start);
    allLosses.set(losses, range.start);
    lossSum = losses.reduce((sum, loss) => sum + loss, lossSum);
  }
  const wrong = predictions.reduce((count, predicted, i) => count + (predicted === dataset.labels[i] ? 0 : 1), 0);
  return { errorRate: wrong / dataset.size, loss: lossSum / dataset.size, predictions, losses: allLosses };
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

function evaluateRange(model: Model, { weights, stats }: Variables, dataset: Dataset, { start, end }: Range) {
  const { labels, numClasses } = dataset;
  return tf.tidy(() => {
    const targets = tf.tensor2d(oneHot(labels.subarray(start, end), numClasses), [end - start, numClasses]);
    const { logits } = model.apply(weights, imagesOf(dataset, { start, end }), { stats });
    return {
      classes: tf.argMax(logits, 1).dataSync() as Int32Array,
      losses: crossEntropy(logits, targets).dataSync() as Float32Array,
    };
  });
}

function imagesOf(dataset: Dataset, { start, end }: Range): tf.Tensor4D {
  const { images, shape } = dataset;
  const bytes = images.subarray(start * imageLength(shape), end * imageLength(shape));
  return tf.tensor4d(normalize(bytes, dataset), [end - start, ...shape]);
}

/** How far a network has memorised wrong labels; every share is in [0, 1], and absent where there is no such example. */
export interface Memorisation {
  /** Of the flipped labels: the share that the network reproduces. */
  readonly flippedFitted?: number;
  /** Of the flipped labels: the share where it predicts the true class instead. */
  readonly flippedCorrected?: number;
  /** Of the untouched labels: the share that it reproduces. */
  readonly cleanFitted?: number;
}

/**
 * @param predictions (n) classes
 * @param labels (n) as trained on
 * @param cleanLabels (n) the true ones
 */
export function memorisation(predictions: Int32Array, labels: Int32Array, cleanLabels: Int32Array): Memorisation {
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
