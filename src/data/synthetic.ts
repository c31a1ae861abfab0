/** Generated images, for quick tests and for use without real data. Each class is a few soft blobs, shifted, dimmed and noised. */
import { checkOptions, Rng, type OptionKinds } from "../engine";
import { imageLength, makeDataset, type Dataset, type ImageShape } from "./dataset";

/** Options of `syntheticImages`. */
export interface SyntheticOptions {
  size: number;
  /** seed of the examples. Classes look the same for every seed, so two seeds make a training and a test set */
  seed?: number | string;
  shape?: ImageShape;
  numClasses?: number;
  /** standard deviation of the noise on each value, of images / 255; ours */
  noise?: number;
}

interface Blob {
  y: number;
  x: number;
  radius: number;
  /** (channels) */
  color: Float32Array;
}

const syntheticKinds: OptionKinds<SyntheticOptions> = {
  size: "number",
  seed: { types: ["number", "string"] },
  shape: "array",
  numClasses: "number",
  noise: "number",
};

/** A balanced, learnable set named "generated". Errors on it say nothing about real images. */
export function syntheticImages(options: SyntheticOptions): Dataset {
  checkOptions(options, syntheticKinds, "syntheticImages");
  const { size, seed = 0, shape = [28, 28, 1], numClasses = 10, noise = 0.15 } = options;
  if (!Number.isInteger(size) || size < 1) throw new Error(`size = ${size}: expected an integer from 1`);
  if (!Number.isInteger(numClasses) || numClasses < 1) throw new Error(`numClasses = ${numClasses}: expected an integer from 1`);
  if (!(noise >= 0)) throw new Error(`noise = ${noise}: expected a number from 0`);
  const prototypes = Array.from({ length: numClasses }, (_, k) => prototype(new Rng("generated").split(k), shape));
  const rng = new Rng(seed).split("generated");
  const labels = rng
    .split("labels")
    .permutation(size)
    .map((i) => i % numClasses);
  const images = new Uint8Array(size * imageLength(shape));
  labels.forEach((label, i) => images.set(draw(prototypes[label]!, shape, noise, rng.split(i)), i * imageLength(shape)));
  const channels = shape[2];
  return makeDataset({
    name: "generated",
    shape,
    numClasses,
    images,
    labels,
    mean: new Array<number>(channels).fill(0.35), // ours: near the measured values, and the same for every seed and size
    std: new Array<number>(channels).fill(0.25),
  });
}

function prototype(rng: Rng, [, , channels]: ImageShape): Blob[] {
  return Array.from({ length: 4 }, () => ({
    y: 0.15 + 0.7 * rng.uniform(),
    x: 0.15 + 0.7 * rng.uniform(),
    radius: 0.06 + 0.1 * rng.uniform(),
    color: Float32Array.from({ length: channels }, () => 0.3 + 0.7 * rng.uniform()),
  }));
}

function draw(blobs: Blob[], shape: ImageShape, noise: number, rng: Rng): Uint8ClampedArray {
  const [height, width, channels] = shape;
  const values = new Float32Array(imageLength(shape)).fill(0.2);
  const dy = 0.2 * (rng.uniform() - 0.5);
  const dx = 0.2 * (rng.uniform() - 0.5);
  const contrast = 0.4 + 0.6 * rng.uniform();
  for (const { y, x, radius, color } of blobs) {
    const rows = bell(height, y + dy, radius);
    const columns = bell(width, x + dx, radius);
    for (let i = 0; i < values.length; i++) {
      const pixel = Math.floor(i / channels);
      values[i]! += contrast * color[i % channels]! * rows[Math.floor(pixel / width)]! * columns[pixel % width]!;
    }
  }
  return Uint8ClampedArray.from(values, (value) => 255 * (value + noise * rng.normal()));
}

function bell(size: number, center: number, radius: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => Math.exp(-0.5 * (((i + 0.5) / size - center) / radius) ** 2));
}
