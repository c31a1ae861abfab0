/** The shape of an image, in a file of its own so that worker threads need no TensorFlow. */

/** Height, width, channels. */
export type ImageShape = readonly [number, number, number];

/** Values per image. */
export function imageLength([height, width, channels]: ImageShape): number {
  return height * width * channels;
}
