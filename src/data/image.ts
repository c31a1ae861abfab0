/** Decodes PNG and JPEG files, and resizes and crops them as the official ImageNet input does. Needs no TensorFlow, for worker threads. */
import { createRequire } from "node:module";
import jpegJs from "jpeg-js";
import { PNG } from "pngjs";
import type { Rng } from "../engine";
import { checkOptions, type OptionKinds } from "../engine/options"; // not the engine itself: a worker needs no TensorFlow
import type { ImageOp } from "./augment";
import { inFile } from "./files";
import { checkImageSize, MAX_PIXELS, readImageHeader } from "./imageHeader";

/** A decoded image. */
export interface RawImage {
  readonly height: number;
  readonly width: number;
  /** 1 or 3 */
  readonly channels: number;
  /** (height·width·channels), 0 … 255 */
  readonly data: Uint8Array;
}

/** A rectangle of an image, in pixels. */
export interface CropBox {
  top: number;
  left: number;
  height: number;
  width: number;
}

/** Options of `decodeImage`. */
export interface DecodeOptions {
  /** name of the file in error messages */
  name: string;
  /** bound on height·width; ours: 2²⁶, for CMYK 2²³ in any case */
  maxPixels?: number;
}

/**
 * Decodes a PNG or JPEG, told apart by its first bytes, to three channels; transparency is dropped.
 * @throws if it is neither, is damaged, or has more pixels than `maxPixels` or than its bytes can hold, which its header tells before
 * anything is unpacked
 */
export function decodeImage(bytes: Uint8Array, options: DecodeOptions): RawImage {
  checkOptions(options, { name: "string", maxPixels: "number" }, "decodeImage");
  const { name, maxPixels = MAX_PIXELS } = options;
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const header = readImageHeader(file);
  if (!header) throw new Error(`${name}: neither a PNG nor a JPEG file`);
  inFile(name, () => checkImageSize(file, header, maxPixels));
  try {
    const { height, width, data } = header.format === "png" ? PNG.sync.read(file) : decodeJpeg(file, header.components);
    return { height, width, channels: 3, data: dropAlpha(data) };
  } catch (error) {
    throw new Error(`${name}: damaged ${header.format.toUpperCase()}${reasonOf(error as Error)}`);
  }
}

// Some damage trips the decoder itself; "Cannot read properties of undefined" would not help anyone.
function reasonOf(error: Error): string {
  return error instanceof TypeError || error instanceof RangeError ? "" : ` (${error.message})`;
}

// libjpeg-turbo does not convert CMYK, which some of ImageNet's files use.
function decodeJpeg(file: Buffer, components: number): { height: number; width: number; data: ArrayLike<number> } {
  return components === 4
    ? jpegJs.decode(file, { useTArray: true, tolerantDecoding: false, maxMemoryUsageInMB: 512 })
    : decodeColor(file);
}

let turbo = loadTurbo();

// An image that fails leaves the decoder's WebAssembly memory in disorder, so that a later one could hang: the next gets a new decoder.
function decodeColor(file: Buffer): ReturnType<typeof turbo.decode> {
  try {
    return turbo.decode(file);
  } catch (error) {
    turbo = loadTurbo();
    throw error;
  }
}

function loadTurbo(): typeof import("@cwasm/jpeg-turbo") {
  const load = createRequire(__filename);
  const file = load.resolve("@cwasm/jpeg-turbo");
  delete load.cache[file];
  return load(file);
}

function dropAlpha(rgba: ArrayLike<number>): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    rgb[to] = rgba[from]!;
    rgb[to + 1] = rgba[from + 1]!;
    rgb[to + 2] = rgba[from + 2]!;
  }
  return rgb;
}

/** Converts to one channel by the weights of ITU-R BT.601, rounded. */
export function toGray({ height, width, channels, data }: RawImage): RawImage {
  if (channels === 1) return { height, width, channels, data };
  const gray = new Uint8Array(height * width);
  for (let i = 0; i < gray.length; i++)
    gray[i] = Math.round(0.299 * data[3 * i]! + 0.587 * data[3 * i + 1]! + 0.114 * data[3 * i + 2]!);
  return { height, width, channels: 1, data: gray };
}

/**
 * Resizes a box of the image to (height, width), rounded to bytes. Bicubic interpolation as in TensorFlow 1, which the official code
 * uses: Keys' kernel with a = −0.75, no antialiasing, corners not aligned.
 */
export function cropAndResize(image: RawImage, box: CropBox, [height, width]: readonly [number, number]): Uint8Array {
  const { channels } = image;
  const rows = cubicTaps(box.height, height);
  const columns = cubicTaps(box.width, width);
  const result = new Uint8ClampedArray(height * width * channels);
  const line = new Float64Array(box.width * channels);
  for (let y = 0; y < height; y++) {
    mixRowsInto(line, image, box, rows[y]!);
    for (let x = 0, to = y * width * channels; x < width; x++) {
      const { indices, weights } = columns[x]!;
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let k = 0; k < 4; k++) sum += weights[k]! * line[indices[k]! * channels + c]!;
        result[to++] = sum;
      }
    }
  }
  return new Uint8Array(result.buffer);
}

interface Taps {
  indices: number[];
  weights: number[];
}

function mixRowsInto(line: Float64Array, { width, channels, data }: RawImage, box: CropBox, { indices, weights }: Taps): void {
  line.fill(0);
  for (let k = 0; k < 4; k++) {
    if (weights[k] === 0) continue;
    const start = ((box.top + indices[k]!) * width + box.left) * channels;
    for (let i = 0; i < line.length; i++) line[i]! += weights[k]! * data[start + i]!;
  }
}

// Four neighbors of i·from/to and their weights; neighbors outside take the border's pixels.
function cubicTaps(from: number, to: number): Taps[] {
  return Array.from({ length: to }, (_, i) => {
    const position = (i * from) / to;
    const base = Math.floor(position);
    const offsets = [-1, 0, 1, 2];
    return {
      indices: offsets.map((offset) => Math.max(0, Math.min(from - 1, base + offset))),
      weights: offsets.map((offset) => cubic(Math.abs(base + offset - position))),
    };
  });
}

function cubic(x: number, a = -0.75): number {
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? a * (((x - 5) * x + 8) * x - 4) : 0;
}

/** The centered square of side min(height, width)·size/(size + 32): the official evaluation crop. */
export function centerBox({ height, width }: Pick<RawImage, "height" | "width">, size: number): CropBox {
  const side = Math.max(1, Math.trunc((size / (size + 32)) * Math.min(height, width)));
  return { top: Math.floor((height - side + 1) / 2), left: Math.floor((width - side + 1) / 2), height: side, width: side };
}

/** Options of `randomBox`. */
export interface RandomBoxOptions {
  /** share of the image; 0.08 … 1: official code */
  area?: readonly [number, number];
  /** width / height; 3/4 … 4/3: official code */
  aspect?: readonly [number, number];
  /** number of tries before giving up; 10: official code */
  attempts?: number;
}

const randomBoxKinds: OptionKinds<RandomBoxOptions> = { area: "array", aspect: "array", attempts: "number" };

/** Draws a box of random place, area and aspect ratio (Inception's crop); undefined if none fits. */
export function randomBox(
  { height, width }: Pick<RawImage, "height" | "width">,
  rng: Rng,
  options: RandomBoxOptions = {},
): CropBox | undefined {
  checkOptions(options, randomBoxKinds, "randomBox");
  const { area = [0.08, 1], aspect = [3 / 4, 4 / 3], attempts = 10 } = options;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const target = height * width * (area[0] + rng.uniform() * (area[1] - area[0]));
    const ratio = aspect[0] + rng.uniform() * (aspect[1] - aspect[0]);
    const box = { height: Math.round(Math.sqrt(target / ratio)), width: Math.round(Math.sqrt(target * ratio)) };
    if (box.height >= 1 && box.width >= 1 && box.height <= height && box.width <= width)
      return { ...box, top: rng.int(height - box.height + 1), left: rng.int(width - box.width + 1) };
  }
  return undefined;
}

/** Crops a random box and resizes it to the image's own size; takes the centered square if no box fits, as in the official code. */
export function randomResizedCrop(options: RandomBoxOptions = {}): ImageOp<Uint8Array> {
  checkOptions(options, randomBoxKinds, "randomResizedCrop");
  return (image, [height, width, channels], rng) => {
    const raw = { height, width, channels, data: image };
    const box = randomBox(raw, rng, options) ?? centerBox(raw, Math.min(height, width));
    image.set(cropAndResize(raw, box, [height, width]));
  };
}
