/** PNG files, chunk by chunk, so that their headers can claim anything. */
import { deflateSync } from "node:zlib";

/** A PNG by hand: header, one IDAT of unfiltered rows, end. */
export function png(height: number, width: number, rgb: (y: number, x: number) => number[]): Buffer {
  const rows = Array.from({ length: height }, (_, y) => [0, ...Array.from({ length: width }, (__, x) => rgb(y, x)).flat()]);
  return pngOf(pngHeader(height, width), chunk("IDAT", deflateSync(Uint8Array.from(rows.flat()))));
}

export function pngOf(...chunks: Buffer[]): Buffer {
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...chunks, chunk("IEND", Buffer.alloc(0))]);
}

export function pngHeader(height: number, width: number, { colorType = 2, interlaced = false } = {}): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, colorType, 0, 0, Number(interlaced)], 8);
  return chunk("IHDR", header);
}

export function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc(body));
  return Buffer.concat([length, body, sum]);
}

// PNG specification, appendix D.
function crc(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return (value ^ 0xffffffff) >>> 0;
}
