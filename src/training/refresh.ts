/**
 * Batch norm's statistics for averaged weights (Izmailov et al. 2018): means over the batches of the training set, since an average of
 * networks does not have the average of their statistics.
 */
import { batchesInOrder, type Dataset } from "../data";
import { disposeWeights, mapWeights, pause, tf, zerosLikeWeights, type Weights } from "../engine";
import type { Model, Variables } from "../models";

/** Statistics of these weights over `dataset`, without augmentation, each example counted once. The caller owns them. */
export async function refreshedStatistics(
  model: Model,
  { weights, stats }: Variables,
  dataset: Dataset,
  { batchSize }: { batchSize: number },
): Promise<Weights> {
  let sum = zerosLikeWeights(stats);
  for await (const { images, labels } of batchesInOrder(dataset, { batchSize })) {
    const found = tf.tidy(() => {
      const batch = statisticsOf(model, weights, tf.tensor4d(images, [labels.length, ...dataset.shape]), stats);
      return mapWeights(sum, (total, name) => tf.add(total, tf.mul(batch[name]!, labels.length / dataset.size)));
    });
    disposeWeights(sum);
    sum = found;
    await pause();
  }
  return sum;
}

// A layer returns m·old + (1 − m)·now; the same batch with old = 0 and old = 1 gives (1 − m)·now and m, whatever its momentum m.
function statisticsOf(model: Model, weights: Weights, images: tf.Tensor4D, like: Weights): Weights {
  const after = (stats: Weights) => model.apply(weights, images, { batchStatistics: true, stats }).stats;
  const fromZeros = after(zerosLikeWeights(like));
  const fromOnes = after(mapWeights(like, (each) => tf.onesLike(each)));
  return mapWeights(fromZeros, (each, name) => tf.div(each, tf.sub(1, tf.sub(fromOnes[name]!, each))));
}
