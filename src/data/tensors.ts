/** Converts data sets to tensors. */
import { tf } from "../engine";
import { normalizeImages, oneHot, subset, type Dataset } from "./dataset";

/**
 * Normalized images, (x/255 − mean)/std, and one-hot labels, of all examples or of those at `indices`. The caller disposes of both.
 */
export function toTensors(dataset: Dataset, indices?: ArrayLike<number>): { images: tf.Tensor4D; labels: tf.Tensor2D } {
  const chosen = indices === undefined ? dataset : subset(dataset, indices);
  return {
    images: tf.tensor4d(normalizeImages(chosen.images, chosen), [chosen.size, ...chosen.shape]),
    labels: tf.tensor2d(oneHot(chosen.labels, chosen.numClasses), [chosen.size, chosen.numClasses]),
  };
}
