/** PNG and JPEG to bytes, resized and cropped as the official ImageNet input is. Needs no TensorFlow, so that worker threads can run it. */
import { decode as decodeTurbo } from "@cwasm/jpeg-turbo";
import jpegJs from "jpeg-js";
import { PNG } from "pngjs";
import type { Rng } from "../engine";
import type { ImageOp } from "./augment";

export interface RawImage {
  readonly height: number;
  readonly width: number;
  /** 1 or 3 */
  readonly channels: number;
  /** (height·width·channels), 0 … 255 */
  readonly data: Uint8Array;
}

export interface CropBox {
  top: number;
  left: number;
  height: number;
  width: number;
}

/** Ours: 64 megapixels, 256 MB while decoding. */
const defaultMaxPixels = 2 ** 26;

/**
 * Decodes a PNG or JPEG, told apart by its first bytes, to three channels; transparency is dropped.
 * @throws where it is neither, is damaged, or has more than `maxPixels`, which its header tells before anything is unpacked
 */
export function decodeImage(
  bytes: Uint8Array,
  { name, maxPixels = defaultMaxPixels }: { name: string; maxPixels?: number },
): RawImage {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const header = readHeader(buffer);
  if (!header) throw new Error(`${name}: neither a PNG nor a JPEG file`);
  const { height, width } = header;
  if (height < 1 || width < 1 || height * width > maxPixels)
    throw new Error(`${name}: ${height}×${width} pixels, expected 1 to ${maxPixels} in all`);
  try {
    const decoded = header.format === "png" ? PNG.sync.read(buffer) : decodeJpeg(buffer, header.components);
    return { height: decoded.height, width: decoded.width, channels: 3, data: dropAlpha(decoded.data) };
  } catch (error) {
    throw new Error(`${name}: damaged ${header.format.toUpperCase()} (${(error as Error).message})`);
  }
}

// libjpeg-turbo makes no colors of CMYK, which some of ImageNet's files have.
function decodeJpeg(buffer: Buffer, components: number): { height: number; width: number; data: ArrayLike<number> } {
  return components === 4 ? jpegJs.decode(buffer, { useTArray: true, maxMemoryUsageInMB: 1024 }) : decodeTurbo(buffer);
}

interface Header {
  format: "png" | "jpeg";
  height: number;
  width: number;
  components: number;
}

function readHeader(buffer: Buffer): Header | undefined {
  if (buffer.length >= 24 && buffer.toString("latin1", 0, 8) === "\x89PNG\r\n\x1a\n")
    return { format: "png", width: buffer.readUInt32BE(16), height: buffer.readUInt32BE(20), components: 4 };
  return buffer[0] === 0xff && buffer[1] === 0xd8 ? readJpegHeader(buffer) : undefined;
}

// Segments up to the start of frame, which holds the size.
function readJpegHeader(buffer: Buffer): Header | undefined {
  for (let at = 2; at + 9 < buffer.length; ) {
    if (buffer[at] !== 0xff) return undefined;
    const marker = buffer[at + 1]!;
    if (marker === 0xff) at++;
    else if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker))
      return {
        format: "jpeg",
        height: buffer.readUInt16BE(at + 5),
        width: buffer.readUInt16BE(at + 7),
        components: buffer[at + 9]!,
      };
    else at += 2 + Math.max(2, buffer.readUInt16BE(at + 2));
  }
  return undefined;
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

/** One channel by ITU-R BT.601's weights, rounded. */
export function toGray({ height, width, channels, data }: RawImage): RawImage {
  if (channels === 1) return { height, width, channels, data };
  const gray = new Uint8Array(height * width);
  for (let i = 0; i < gray.length; i++)
    gray[i] = Math.round(0.299 * data[3 * i]! + 0.587 * data[3 * i + 1]! + 0.114 * data[3 * i + 2]!);
  return { height, width, channels: 1, data: gray };
}

/**
 * A box of the image, resized to (height, width) by bicubic interpolation as TensorFlow 1 has it (Keys' kernel with a = −0.75, no
 * antialiasing, corners not aligned), which the official code uses; rounded to bytes.
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

// Four neighbors of i·from/to and their weights; neighbors outside are the border's.
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

export interface RandomBoxOptions {
  /** share of the image; 0.08 … 1: official code */
  area?: readonly [number, number];
  /** width / height; 3/4 … 4/3: official code */
  aspect?: readonly [number, number];
  /** tries before `undefined`; 10: official code */
  attempts?: number;
}

/** A random box of random area and aspect (Inception's crop); undefined where none fitted. */
export function randomBox(
  { height, width }: Pick<RawImage, "height" | "width">,
  rng: Rng,
  { area = [0.08, 1], aspect = [3 / 4, 4 / 3], attempts = 10 }: RandomBoxOptions = {},
): CropBox | undefined {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const target = height * width * (area[0] + rng.uniform() * (area[1] - area[0]));
    const ratio = aspect[0] + rng.uniform() * (aspect[1] - aspect[0]);
    const box = { height: Math.round(Math.sqrt(target / ratio)), width: Math.round(Math.sqrt(target * ratio)) };
    if (box.height >= 1 && box.width >= 1 && box.height <= height && box.width <= width)
      return { ...box, top: rng.int(height - box.height + 1), left: rng.int(width - box.width + 1) };
  }
  return undefined;
}

/** A random box of the image, resized to the image's own size; the centered square where no box fitted, as the official code has it. */
export function randomResizedCrop(options: RandomBoxOptions = {}): ImageOp<Uint8Array> {
  return (image, [height, width, channels], rng) => {
    const raw = { height, width, channels, data: image };
    const box = randomBox(raw, rng, options) ?? centerBox(raw, Math.min(height, width));
    image.set(cropAndResize(raw, box, [height, width]));
  };
}
