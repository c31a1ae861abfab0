/**
 * AutoAugment and RandAugment (Cubuk et al. 2019, 2020) on bytes, one image at a time. Arithmetic, level scales and interpolation are
 * those of the SAM paper's code, a fork of the TPU EfficientNet's; `reference: "autoaugment"` takes the scales of AutoAugment's own code.
 */
import type { Rng } from "../engine";
import { checkOptions } from "../engine/options"; // not the engine itself: worker threads need no TensorFlow
import type { ImageOp } from "./augment";
import { cifar10Policy, imagenetPolicy, svhnPolicy } from "./autoAugmentPolicies";
import type { ImageShape } from "./shape";

/** Names of the published AutoAugment policies. */
export type PolicyName = "cifar10" | "svhn" | "imagenet";

/** Options of `autoAugment`. */
export interface AutoAugmentOptions {
  policy: PolicyName;
  /**
   * "official" (SAM's code): shifts reach 250 pixels and boxes 2·100 at level 10, at any image size, so that level 9
   * erases images of 32 pixels; Posterize keeps more bits and Solarize inverts less as the level grows.
   * "autoaugment" (AutoAugment's own code): shifts reach 10 and boxes 20 of 32 pixels, and both scales run the other way.
   */
  reference?: "official" | "autoaugment";
}

/** Options of `randAugment`. */
export interface RandAugmentOptions {
  /** operations per image; 2: official code */
  numLayers?: number;
  /** level of each, 0 to 10 and beyond; 9: official code */
  magnitude?: number;
}

/** Names of the operations of AutoAugment and RandAugment. */
export type OperationName =
  | "AutoContrast"
  | "Equalize"
  | "Invert"
  | "Rotate"
  | "Posterize"
  | "Solarize"
  | "SolarizeAdd"
  | "Color"
  | "Contrast"
  | "Brightness"
  | "Sharpness"
  | "ShearX"
  | "ShearY"
  | "TranslateX"
  | "TranslateY"
  | "Cutout";

type Bytes = Uint8Array;
/** Changes the image in place; `level` from 0 to 10. */
type Operation = (image: Bytes, shape: ImageShape, level: number, rng: Rng, scales: Scales) => void;

interface Scales {
  /** pixels at level 10 */
  translate: (shape: ImageShape) => number;
  /** half a box at level 10 */
  cutout: (shape: ImageShape) => number;
  posterizeBits: (level: number) => number;
  solarizeThreshold: (level: number) => number;
  /** gray that Contrast blends with; the official code divides the number of pixels, not their sum, by 256 */
  contrastGray: (gray: Bytes) => number;
}

const officialScales: Scales = {
  translate: () => 250,
  cutout: () => 100,
  posterizeBits: (level) => Math.trunc((level / 10) * 4),
  solarizeThreshold: (level) => Math.trunc((level / 10) * 256),
  contrastGray: (gray) => Math.min(255, Math.trunc(gray.length / 256)),
};

const randAugmentScales: Scales = { ...officialScales, translate: () => 100, cutout: () => 40 };

const autoAugmentScales: Scales = {
  translate: ([height]) => (10 * height) / 32,
  cutout: ([height]) => (10 * height) / 32,
  posterizeBits: (level) => 8 - Math.trunc((level / 10) * 4),
  solarizeThreshold: (level) => 256 - Math.trunc((level / 10) * 256),
  contrastGray: (gray) => Math.trunc(gray.reduce((sum, value) => sum + value, 0) / gray.length + 0.5),
};

const fill = 128; // fills the gaps that shifts, rotations and boxes leave: official code

const policies: Readonly<Record<PolicyName, readonly (readonly Step[])[]>> = {
  cifar10: parsePolicy(cifar10Policy),
  svhn: parsePolicy(svhnPolicy),
  imagenet: parsePolicy(imagenetPolicy),
};

interface Step {
  name: OperationName;
  probability: number;
  level: number;
}

const referenceKind = { values: ["official", "autoaugment"] } as const;

/** Draws one of the policy's pairs of operations and applies each with its probability. */
export function autoAugment(options: AutoAugmentOptions): ImageOp<Uint8Array> {
  checkOptions(options, { policy: "string", reference: referenceKind }, "autoAugment");
  const { policy, reference = "official" } = options;
  const pairs = policies[policy];
  if (!pairs) throw new Error(`policy = "${policy}": expected one of ${Object.keys(policies).join(", ")}`);
  const scales = reference === "official" ? officialScales : autoAugmentScales;
  return (image, shape, rng) => {
    for (const { name, probability, level } of pairs[rng.int(pairs.length)]!)
      if (rng.uniform() < probability) operations[name](image, shape, level, rng, scales);
  };
}

/** Applies `numLayers` operations drawn from the sixteen, all at one magnitude. */
export function randAugment(options: RandAugmentOptions = {}): ImageOp<Uint8Array> {
  checkOptions(options, { numLayers: "number", magnitude: "number" }, "randAugment");
  const { numLayers = 2, magnitude = 9 } = options;
  if (!Number.isInteger(numLayers) || numLayers < 0)
    throw new Error(`randAugment: numLayers = ${numLayers}: expected an integer from 0`);
  if (!(magnitude >= 0)) throw new Error(`randAugment: magnitude = ${magnitude}: expected a number from 0`);
  const names = Object.keys(operations) as OperationName[];
  return (image, shape, rng) => {
    for (let layer = 0; layer < numLayers; layer++)
      operations[names[rng.int(names.length)]!](image, shape, magnitude, rng, randAugmentScales);
  };
}

/** Options of `applyOperation`. */
export interface OperationOptions {
  shape: ImageShape;
  /** 0 to 10 */
  level: number;
  rng: Rng;
  reference?: AutoAugmentOptions["reference"];
}

/** Applies one operation, chosen by name, for a picture or a test. */
export function applyOperation(name: OperationName, image: Uint8Array, options: OperationOptions): void {
  checkOptions(options, { shape: "array", level: "number", rng: "object", reference: referenceKind }, "applyOperation");
  const { shape, level, rng, reference = "official" } = options;
  const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
  if (!operation) throw new Error(`operation "${name}": expected one of ${Object.keys(operations).join(", ")}`);
  operation(image, shape, level, rng, reference === "official" ? officialScales : autoAugmentScales);
}

const operations: Readonly<Record<OperationName, Operation>> = {
  AutoContrast: (image, shape) => eachChannel(image, shape, autoContrastTable),
  Equalize: (image, shape) => eachChannel(image, shape, equalizeTable),
  Invert: (image) => mapBytes(image, (value) => 255 - value),
  Rotate: (image, shape, level, rng) => rotate(image, shape, (sign(rng) * level * 30 * Math.PI) / 1800),
  Posterize: (image, _, level, __, { posterizeBits }) => {
    const mask = (0xff00 >> posterizeBits(level)) & 0xff;
    mapBytes(image, (value) => value & mask);
  },
  Solarize: (image, _, level, __, { solarizeThreshold }) => {
    const threshold = solarizeThreshold(level);
    mapBytes(image, (value) => (value < threshold ? value : 255 - value));
  },
  SolarizeAdd: (image, _, level) => {
    const addition = Math.trunc((level / 10) * 110);
    mapBytes(image, (value) => (value < 128 ? Math.min(255, value + addition) : value));
  },
  Color: (image, shape, level) => {
    const gray = grayscale(image, shape);
    blend(image, (i) => gray[Math.floor(i / shape[2])]!, enhancement(level));
  },
  Contrast: (image, shape, level, _, { contrastGray }) => {
    const gray = contrastGray(grayscale(image, shape));
    blend(image, () => gray, enhancement(level));
  },
  Brightness: (image, _, level) => blend(image, () => 0, enhancement(level)),
  Sharpness: (image, shape, level) => {
    const smooth = smoothed(image, shape);
    blend(image, (i) => smooth[i]!, enhancement(level));
  },
  ShearX: (image, shape, level, rng) => transform(image, shape, [1, sign(rng) * level * 0.03, 0, 0, 1, 0]),
  ShearY: (image, shape, level, rng) => transform(image, shape, [1, 0, 0, sign(rng) * level * 0.03, 1, 0]),
  TranslateX: (image, shape, level, rng, { translate }) =>
    transform(image, shape, [1, 0, (sign(rng) * level * translate(shape)) / 10, 0, 1, 0]),
  TranslateY: (image, shape, level, rng, { translate }) =>
    transform(image, shape, [1, 0, 0, 0, 1, (sign(rng) * level * translate(shape)) / 10]),
  Cutout: (image, shape, level, rng, scales) => box(image, shape, Math.trunc((level / 10) * scales.cutout(shape)), rng),
};

function parsePolicy(text: string): Step[][] {
  return text
    .trim()
    .split("\n")
    .map((line) =>
      line.split(" + ").map((step) => {
        const [name, probability, level] = step.split(" ");
        return { name: name as OperationName, probability: Number(probability), level: Number(level) };
      }),
    );
}

function enhancement(level: number): number {
  return (level / 10) * 1.8 + 0.1;
}

function sign(rng: Rng): number {
  return rng.uniform() < 0.5 ? -1 : 1;
}

function mapBytes(image: Bytes, f: (value: number) => number): void {
  for (let i = 0; i < image.length; i++) image[i] = f(image[i]!);
}

// Blends between the other image (factor 0) and this one (factor 1), or beyond; truncates, as a cast to bytes does.
function blend(image: Bytes, other: (i: number) => number, factor: number): void {
  if (factor === 1) return;
  for (let i = 0; i < image.length; i++) {
    const base = other(i);
    image[i] = Math.trunc(Math.max(0, Math.min(255, base + factor * (image[i]! - base))));
  }
}

// TensorFlow's rgb_to_grayscale, rounding included; an image of one channel is returned as it is.
function grayscale(image: Bytes, [height, width, channels]: ImageShape): Bytes {
  if (channels !== 3) return image.slice();
  const gray = new Uint8Array(height * width);
  for (let i = 0; i < gray.length; i++)
    gray[i] = Math.trunc(((0.2989 * image[3 * i]! + 0.587 * image[3 * i + 1]! + 0.114 * image[3 * i + 2]!) / 255) * 255.5);
  return gray;
}

function eachChannel(image: Bytes, [, , channels]: ImageShape, table: (histogram: Float64Array) => Bytes | undefined): void {
  for (let c = 0; c < channels; c++) {
    const histogram = new Float64Array(256);
    for (let i = c; i < image.length; i += channels) histogram[image[i]!]!++;
    const mapping = table(histogram);
    if (mapping) for (let i = c; i < image.length; i += channels) image[i] = mapping[image[i]!]!;
  }
}

function autoContrastTable(histogram: Float64Array): Bytes | undefined {
  const low = histogram.findIndex((count) => count > 0);
  const high = highest(histogram);
  if (high <= low) return undefined;
  const scale = Math.fround(255 / (high - low));
  return Uint8Array.from({ length: 256 }, (_, value) =>
    Math.trunc(Math.max(0, Math.min(255, Math.fround(Math.fround(value * scale) + Math.fround(-low * scale))))),
  );
}

function highest(histogram: Float64Array): number {
  let value = 255;
  while (value >= 0 && histogram[value] === 0) value--;
  return value;
}

function equalizeTable(histogram: Float64Array): Bytes | undefined {
  const total = histogram.reduce((sum, count) => sum + count, 0);
  const last = histogram[highest(histogram)]!;
  const step = Math.floor((total - last) / 255);
  if (step === 0) return undefined;
  const table = new Uint8Array(256);
  for (let value = 1, sum = 0; value < 256; value++) {
    sum += histogram[value - 1]!;
    table[value] = Math.min(255, Math.floor((sum + Math.floor(step / 2)) / step));
  }
  return table;
}

// PIL's SMOOTH kernel, 1 1 1 / 1 5 1 / 1 1 1 over 13; the border stays.
function smoothed(image: Bytes, [height, width, channels]: ImageShape): Bytes {
  const result = image.slice();
  const row = width * channels;
  for (let y = 1; y < height - 1; y++)
    for (let i = y * row + channels; i < (y + 1) * row - channels; i++) {
      let sum = 4 * image[i]!;
      for (const line of [i - row, i, i + row]) sum += image[line - channels]! + image[line]! + image[line + channels]!;
      result[i] = Math.trunc(Math.fround(sum / 13));
    }
  return result;
}

/** Output (x, y) takes the nearest pixel to (a·x + b·y + c, d·x + e·y + f) of the input, or the fill value outside it. */
function transform(
  image: Bytes,
  [height, width, channels]: ImageShape,
  [a, b, c, d, e, f]: [number, number, number, number, number, number],
): void {
  const source = image.slice();
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0; x < width; x++, to += channels) {
      const fromX = Math.round(a * x + b * y + c);
      const fromY = Math.round(d * x + e * y + f);
      const inside = fromX >= 0 && fromX < width && fromY >= 0 && fromY < height;
      const from = (fromY * width + fromX) * channels;
      for (let channel = 0; channel < channels; channel++) image[to + channel] = inside ? source[from + channel]! : fill;
    }
}

// Rotation about the center.
function rotate(image: Bytes, shape: ImageShape, radians: number): void {
  const [cos, sin] = [Math.cos(radians), Math.sin(radians)];
  const [bottom, right] = [shape[0] - 1, shape[1] - 1];
  const offsetX = (right - (cos * right - sin * bottom)) / 2;
  const offsetY = (bottom - (sin * right + cos * bottom)) / 2;
  transform(image, shape, [cos, -sin, offsetX, sin, cos, offsetY]);
}

function box(image: Bytes, [height, width, channels]: ImageShape, half: number, rng: Rng): void {
  const y = rng.int(height);
  const x = rng.int(width);
  const [left, right] = [Math.max(0, x - half), Math.min(width, x + half)];
  for (let row = Math.max(0, y - half); row < Math.min(height, y + half); row++)
    image.fill(fill, (row * width + left) * channels, (row * width + right) * channels);
}
