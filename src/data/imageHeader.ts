/** Checks the header of a PNG or JPEG file against bounds before anything is decoded. */
import { inflateSync } from "node:zlib";

export interface ImageHeader {
  readonly format: "png" | "jpeg";
  readonly height: number;
  readonly width: number;
  /** color components of a JPEG, 4: CMYK; 4 for a PNG */
  readonly components: number;
}

/** Ours: 64 megapixels, 256 MB once decoded. */
export const MAX_PIXELS = 2 ** 26;
/** Bytes of a PNG's unfiltered rows; ours: 64 megapixels of 4 bytes. */
const MAX_PNG_BYTES = 2 ** 28;
/** Ours: the decoder for CMYK needs some 25 bytes a pixel, and is slow. */
const MAX_CMYK_PIXELS = 2 ** 23;
/** Pixels times scans: each scan of a progressive JPEG visits all pixels. Ours; encoders write about 10 scans. */
const MAX_SCANNED_PIXELS = { color: 2 ** 31, cmyk: 2 ** 27 };
/** Deflate's best: 258 bytes for 2 bits. */
const DEFLATE_RATIO = 1032;
/** A block of 8×8 pixels takes one bit at least. */
const JPEG_PIXELS_PER_BYTE = 512;
/** A palette's 256 colors of 3 bytes. */
const MAX_PALETTE_BYTES = 768;

/** The header of a PNG or JPEG file; undefined for any other file. */
export function readImageHeader(file: Buffer): ImageHeader | undefined {
  if (file.length >= 33 && file.toString("latin1", 0, 8) === "\x89PNG\r\n\x1a\n")
    return { format: "png", width: file.readUInt32BE(16), height: file.readUInt32BE(20), components: 4 };
  return file[0] === 0xff && file[1] === 0xd8 ? readJpegHeader(file) : undefined;
}

// Segments up to the start of frame, which holds the size.
function readJpegHeader(file: Buffer): ImageHeader | undefined {
  for (let at = 2; at + 9 < file.length; ) {
    if (file[at] !== 0xff) return undefined;
    const marker = file[at + 1]!;
    if (marker === 0xff) at++;
    else if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker))
      return {
        format: "jpeg",
        height: file.readUInt16BE(at + 5),
        width: file.readUInt16BE(at + 7),
        components: file[at + 9]!,
      };
    else at += 2 + Math.max(2, file.readUInt16BE(at + 2));
  }
  return undefined;
}

/** @throws if decoding the file would need more memory or time than its size can justify */
export function checkImageSize(file: Buffer, header: ImageHeader, maxPixels: number): void {
  const { height, width, format, components } = header;
  const limit = components === 4 && format === "jpeg" ? Math.min(maxPixels, MAX_CMYK_PIXELS) : maxPixels;
  if (height < 1 || width < 1 || height * width > limit)
    throw new Error(`${height}×${width} pixels, expected 1 to ${limit} in all`);
  if (format === "png") checkPng(file, header);
  else checkJpeg(file, header);
}

function checkJpeg(file: Buffer, { height, width, components }: ImageHeader): void {
  const pixels = height * width;
  if (pixels > JPEG_PIXELS_PER_BYTE * file.length)
    throw new Error(`cut short: ${file.length} bytes cannot hold the ${height}×${width} pixels of its header`);
  const scans = countScans(file);
  const most = components === 4 ? MAX_SCANNED_PIXELS.cmyk : MAX_SCANNED_PIXELS.color;
  if (pixels * scans > most)
    throw new Error(`${scans} scans of ${height}×${width} pixels, expected at most ${Math.floor(most / pixels)}`);
}

function countScans(file: Buffer): number {
  let count = 0;
  for (let at = file.indexOf("\xff\xda", 0, "latin1"); at >= 0; at = file.indexOf("\xff\xda", at + 2, "latin1")) count++;
  return count;
}

// The decoder itself takes a second header, palettes without end, and interlaced rows of any length.
function checkPng(file: Buffer, { height, width }: ImageHeader): void {
  const { packed, headers, palettes } = readChunks(file);
  if (headers !== 1) throw new Error(`${headers} IHDR chunks, expected 1`);
  if (palettes > MAX_PALETTE_BYTES) throw new Error(`a palette of ${palettes} bytes, expected at most ${MAX_PALETTE_BYTES}`);
  const [depth, colorType, interlaced] = [file[24]!, file[25]!, file[28] === 1];
  const channels = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[colorType] ?? 4;
  const bytes = height * (Math.ceil((width * channels * depth) / 8) + 1);
  if (bytes > MAX_PNG_BYTES) throw new Error(`${bytes} bytes of pixels, expected at most ${MAX_PNG_BYTES}`);
  const packedBytes = packed.reduce((sum, part) => sum + part.length, 0);
  if (bytes > DEFLATE_RATIO * packedBytes)
    throw new Error(`cut short: ${packedBytes} packed bytes cannot hold the ${height}×${width} pixels of its header`);
  // Seven passes have fewer than 2·height + 7 rows, each with a filter byte and a byte that may be half empty.
  if (interlaced && !unpacksWithin(Buffer.concat(packed), bytes + 2 * (2 * height + 7)))
    throw new Error(`damaged PNG (its interlaced rows cannot be unpacked to ${height}×${width} pixels)`);
}

function unpacksWithin(packed: Buffer, maxOutputLength: number): boolean {
  try {
    return inflateSync(packed, { maxOutputLength }).length > 0;
  } catch {
    return false;
  }
}

/** The pieces of packed pixels, the number of headers, and the bytes of palettes. */
function readChunks(file: Buffer): { packed: Buffer[]; headers: number; palettes: number } {
  const found = { packed: [] as Buffer[], headers: 0, palettes: 0 };
  for (let at = 8; at + 12 <= file.length; at += 12 + file.readUInt32BE(at)) {
    const length = file.readUInt32BE(at);
    const type = file.toString("latin1", at + 4, at + 8);
    if (type === "IHDR") found.headers++;
    if (type === "PLTE") found.palettes += length;
    if (type === "IDAT") found.packed.push(file.subarray(at + 8, at + 8 + length));
    if (type === "IEND") break;
  }
  return found;
}
