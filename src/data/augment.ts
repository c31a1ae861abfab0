/** Augmentations are functions on a batch. Each image has its own random stream, so the result depends only on seed and position. */
import type { OptionKinds, Rng } from "../engine";
import { checkOptions } from "../engine/options"; // not the engine itself: worker threads need no TensorFlow
import { imageLength, type ImageShape } from "./shape";

/** Pixels of one image or of a batch, as bytes or as normalized floats. */
export type Pixels = Uint8Array | Float32Array;

/** Changes one image, (height·width·channels), in place. */
export type ImageOp<P extends Pixels = Pixels> = (image: P, shape: ImageShape, rng: Rng) => void;

/** Which batch of which epoch is augmented, and the random stream of it. */
export interface BatchPlace {
  shape: ImageShape;
  /** the stream of the epoch; image i uses `rng.split(firstIndex + i)` */
  rng: Rng;
  /** position of the batch's first image in the epoch */
  firstIndex: number;
}

/** Changes to a training batch, in place: on bytes before normalization, on pixels after it. */
export interface Augmentation {
  readonly name: string;
  /** Changes the bytes before they are normalized. */
  readonly bytes?: (images: Uint8Array, place: BatchPlace) => void;
  /** Changes the normalized pixels. */
  readonly pixels?: (images: Float32Array, place: BatchPlace) => void;
}

/** Options of `reflectCrop`. */
export interface CropOptions {
  /** pixels of reflection on each side; 4: official code */
  pad?: number;
}

/** Options of `cutout`. */
export interface CutoutOptions {
  /** side of the box in pixels; 16: official code, on 32 and on 28 pixels alike. `scaledCutoutSize` keeps the share of the image */
  size?: number;
  /** value that fills the box; 0 after normalization: official code */
  fill?: number;
}

/** Mirrors the image left to right with probability ½. */
export function horizontalFlip(): ImageOp {
  return (image, shape, rng) => {
    if (rng.uniform() < 0.5) mirror(image, shape);
  };
}

/** Pads by reflection (the edge itself is not repeated) and crops to the image's size at a random place. */
export function reflectCrop(options: CropOptions = {}): ImageOp {
  checkOptions(options, { pad: "number" }, "reflectCrop");
  const { pad = 4 } = options;
  if (!Number.isInteger(pad) || pad < 0) throw new Error(`reflectCrop: pad = ${pad}: expected an integer from 0`);
  return (image, shape, rng) => {
    const top = rng.int(2 * pad + 1) - pad;
    const left = rng.int(2 * pad + 1) - pad;
    shiftReflected(image, shape, top, left);
  };
}

/** One box per image, its center uniform over the pixels, clipped at the borders (DeVries and Taylor 2017). */
export function cutout(options: CutoutOptions = {}): ImageOp {
  const { size, fill } = checkCutout(options, "cutout");
  return (image, shape, rng) => fillBox(image, shape, drawBox(shape, size, rng), fill);
}

/** Cutout as in the official code: one box for all images of the batch. */
export function cutoutPerBatch(options: CutoutOptions = {}): NonNullable<Augmentation["pixels"]> {
  const { size, fill } = checkCutout(options, "cutoutPerBatch");
  return (images, { shape, rng, firstIndex }) => {
    const box = drawBox(shape, size, rng.split("batch").split(firstIndex));
    forEachImage(images, shape, (image) => fillBox(image, shape, box, fill));
  };
}

function checkCutout(options: CutoutOptions, what: string): Required<CutoutOptions> {
  checkOptions(options, { size: "number", fill: "number" }, what);
  const { size = 16, fill = 0 } = options;
  if (!Number.isInteger(size) || size < 0) throw new Error(`${what}: size = ${size}: expected an integer from 0`);
  return { size, fill };
}

/** The box that covers as much of this image's height as 16 of 32 pixels. */
export function scaledCutoutSize([height]: ImageShape): number {
  return Math.max(2, 2 * Math.round(height / 4));
}

/** Applies operations on one image to each image of a batch, in order; they share the image's stream. */
export function perImage<P extends Pixels>(...ops: ImageOp<P>[]): (images: P, place: BatchPlace) => void {
  return (images, { shape, rng, firstIndex }) =>
    forEachImage(images, shape, (image, i) => {
      const stream = rng.split(firstIndex + i);
      for (const op of ops) op(image, shape, stream);
    });
}

/** Options of `mixup`. */
export interface MixupOptions {
  numClasses: number;
  /** λ ~ Beta(α, α); 1: official code. The paper's label-noise runs chose from {1, 8, 16, 32} */
  alpha?: number;
  rng: Rng;
  /**
   * "batch": one λ ← max(λ, 1−λ) for all examples, partners by reversal (official code; one λ is Zhang et al.'s way too).
   * "example": each example draws its own λ and a random partner
   */
  pairing?: "example" | "batch";
}

const mixupKinds: OptionKinds<MixupOptions> = {
  numClasses: "number",
  alpha: "number",
  rng: "object",
  pairing: { values: ["batch", "example"] },
};

/**
 * x̃ = λx + (1−λ)x', ỹ = λy + (1−λ)y' (Zhang et al. 2018) on images (n·h·w·c) and one-hot labels (n·numClasses); new arrays.
 * @returns the partner and λ of each example too
 */
export function mixup(
  images: Float32Array,
  oneHotLabels: Float32Array,
  options: MixupOptions,
): { images: Float32Array; oneHotLabels: Float32Array; partners: Int32Array; lambdas: Float32Array } {
  checkOptions(options, mixupKinds, "mixup");
  const { numClasses, alpha = 1, rng, pairing = "batch" } = options;
  const n = oneHotLabels.length / numClasses;
  if (!(alpha > 0)) throw new Error(`mixup alpha = ${alpha}: expected a number above 0`);
  if (!Number.isInteger(n) || images.length % n !== 0)
    throw new Error(`mixup: ${oneHotLabels.length} label values and ${images.length} pixels do not fit ${numClasses} classes`);
  const { partners, lambdas } = pairing === "batch" ? reversedPairs(n, alpha, rng) : randomPairs(n, alpha, rng);
  return {
    images: mixRows(images, partners, lambdas),
    oneHotLabels: mixRows(oneHotLabels, partners, lambdas),
    partners,
    lambdas,
  };
}

function reversedPairs(n: number, alpha: number, rng: Rng) {
  const lambda = rng.beta(alpha, alpha);
  return {
    partners: Int32Array.from({ length: n }, (_, i) => n - 1 - i),
    lambdas: new Float32Array(n).fill(Math.max(lambda, 1 - lambda)),
  };
}

function randomPairs(n: number, alpha: number, rng: Rng) {
  return { partners: rng.permutation(n), lambdas: Float32Array.from({ length: n }, () => rng.beta(alpha, alpha)) };
}

/** λᵢ·row i + (1−λᵢ)·row partnerᵢ, for any rows of equal length. */
export function mixRows(rows: Float32Array, partners: Int32Array, lambdas: Float32Array): Float32Array {
  const length = rows.length / partners.length;
  const mixed = new Float32Array(rows.length);
  for (let i = 0; i < partners.length; i++) {
    const lambda = lambdas[i]!;
    const own = i * length;
    const other = partners[i]! * length;
    for (let j = 0; j < length; j++) mixed[own + j] = lambda * rows[own + j]! + (1 - lambda) * rows[other + j]!;
  }
  return mixed;
}

function forEachImage<P extends Pixels>(images: P, shape: ImageShape, visit: (image: P, i: number) => void): void {
  const length = imageLength(shape);
  for (let i = 0; i * length < images.length; i++) visit(images.subarray(i * length, (i + 1) * length) as P, i);
}

/** Flips left to right, in place. */
export function mirror(image: Pixels, [height, width, channels]: ImageShape): void {
  const row = width * channels;
  for (let start = 0; start < height * row; start += row)
    for (let left = start, right = start + row - channels; left < right; left += channels, right -= channels)
      for (let c = 0; c < channels; c++) {
        const kept = image[left + c]!;
        image[left + c] = image[right + c]!;
        image[right + c] = kept;
      }
}

/** out(y, x) = in(y + top, x + left), coordinates outside reflected; in place. */
export function shiftReflected(image: Pixels, [height, width, channels]: ImageShape, top: number, left: number): void {
  const row = width * channels;
  const source = copyToScratch(image);
  const columns = new Int32Array(row);
  for (let x = 0, j = 0; x < width; x++)
    for (let c = 0, from = reflect(x + left, width) * channels; c < channels; c++) columns[j++] = from + c;
  for (let y = 0, to = 0; y < height; y++) {
    const from = reflect(y + top, height) * row;
    for (let j = 0; j < row; j++) image[to++] = source[from + columns[j]!]!;
  }
}

// One buffer serves all images, since allocating one for each would cost more than the copy.
let scratchBytes = new Uint8Array(0);
let scratchFloats = new Float32Array(0);

function copyToScratch(image: Pixels): Pixels {
  if (image instanceof Uint8Array) {
    if (scratchBytes.length < image.length) scratchBytes = new Uint8Array(image.length);
    scratchBytes.set(image);
    return scratchBytes;
  }
  if (scratchFloats.length < image.length) scratchFloats = new Float32Array(image.length);
  scratchFloats.set(image);
  return scratchFloats;
}

/** Reflects a coordinate into [0, size): −1 → 1, size → size − 2, repeatedly if needed. */
export function reflect(position: number, size: number): number {
  if (size === 1) return 0;
  const period = 2 * (size - 1);
  const folded = ((position % period) + period) % period;
  return folded < size ? folded : period - folded;
}

interface Box {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

// Rows [center − size/2, center + size/2), as in the official code.
function drawBox([height, width]: ImageShape, size: number, rng: Rng): Box {
  const y = rng.int(height);
  const x = rng.int(width);
  const before = Math.floor(size / 2);
  const after = size - before;
  return {
    top: Math.max(0, y - before),
    bottom: Math.min(height, y + after),
    left: Math.max(0, x - before),
    right: Math.min(width, x + after),
  };
}

function fillBox(image: Pixels, [, width, channels]: ImageShape, { top, bottom, left, right }: Box, value: number): void {
  for (let y = top; y < bottom; y++) image.fill(value, (y * width + left) * channels, (y * width + right) * channels);
}
