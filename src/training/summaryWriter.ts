/**
 * TensorBoard's event files: records of TFRecord framing (length, masked CRC-32C, bytes, masked CRC-32C), each a protocol buffer
 * `Event` of tensorflow/core/util/event.proto. Each start writes a new file, so that a torn end of an earlier one does no harm.
 */
import fs from "node:fs";
import path from "node:path";
import { checkOptions } from "../engine";

/** Options of `SummaryWriter`. */
export interface SummaryWriterOptions {
  /** Milliseconds since 1970, for the axis "wall time"; default: the clock. */
  readonly now?: () => number;
}

/** Writes scalars over steps into a folder that `tensorboard --logdir` reads. The first of them creates the file. */
export class SummaryWriter {
  private descriptor: number | undefined;
  private readonly now: () => number;

  constructor(
    readonly folder: string,
    options: SummaryWriterOptions = {},
  ) {
    checkOptions(options, { now: "function" }, "SummaryWriter");
    this.now = options.now ?? Date.now;
  }

  /** A run begins, or resumes, with `firstStep`: events of an earlier start for that step and later ones become void. */
  start(firstStep: number): void {
    this.write({ step: firstStep, body: [key(7, LENGTH_DELIMITED), ...delimited([key(1, VARINT), STARTED])] });
  }

  /** Values under their tags, such as `{ "loss/train": 0.5 }`: tags with a common first part share a section. */
  scalars(step: number, values: Readonly<Record<string, number>>): void {
    const summary = Object.entries(values).flatMap(([tag, value]) => [
      key(1, LENGTH_DELIMITED),
      ...delimited(scalar(tag, value)),
    ]);
    if (summary.length > 0) this.write({ step, body: [key(5, LENGTH_DELIMITED), ...delimited(summary)] });
  }

  /** Ends the file. */
  close(): void {
    if (this.descriptor !== undefined) fs.closeSync(this.descriptor);
    this.descriptor = undefined;
  }

  private write({ step, body }: { step: number; body: number[] }): void {
    try {
      this.descriptor ??= this.open();
      append(this.descriptor, this.event(step, body));
    } catch (error) {
      throw new Error(`${this.folder}: TensorBoard's events could not be written (${(error as Error).message})`);
    }
  }

  private event(step: number, body: number[]): Buffer {
    const wallTime = [key(1, FIXED_64), ...bytesOf(8, (view) => view.setFloat64(0, this.now() / 1000, true))];
    // proto3 leaves out what is zero.
    return frame(Uint8Array.from([...wallTime, ...(step === 0 ? [] : [key(2, VARINT), ...varint(step)]), ...body]));
  }

  // TensorBoard reads a folder's files in the order of their names: the time, then a number.
  private open(): number {
    fs.mkdirSync(this.folder, { recursive: true });
    const seconds = String(Math.floor(this.now() / 1000)).padStart(10, "0");
    const number = fs.readdirSync(this.folder).filter((name) => name.startsWith(PREFIX)).length;
    const file = path.join(this.folder, `${PREFIX}${seconds}.${String(number).padStart(6, "0")}.sharpness-lab`);
    const descriptor = fs.openSync(file, "ax");
    append(descriptor, this.event(0, [key(3, LENGTH_DELIMITED), ...delimited([...Buffer.from(FILE_VERSION)])]));
    return descriptor;
  }
}

const PREFIX = "events.out.tfevents.";
const FILE_VERSION = "brain.Event:2";

// A record that does not fit on the disk is removed again, so that the next one does not follow half of it.
function append(descriptor: number, record: Uint8Array): void {
  const { size } = fs.fstatSync(descriptor);
  try {
    fs.writeFileSync(descriptor, record);
  } catch (error) {
    fs.ftruncateSync(descriptor, size);
    throw error;
  }
}

// Protocol buffers, as far as events need them.

const [VARINT, FIXED_64, LENGTH_DELIMITED, FIXED_32] = [0, 1, 2, 5] as const;
/** SessionLog.START */
const STARTED = 1;

function key(field: number, wireType: number): number {
  return (field << 3) | wireType;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return [...bytes, value];
}

function delimited(bytes: readonly number[]): number[] {
  return [...varint(bytes.length), ...bytes];
}

function bytesOf(length: number, fill: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length);
  fill(new DataView(bytes.buffer));
  return bytes;
}

/** Summary.Value: tag and simple_value. */
function scalar(tag: string, value: number): number[] {
  const name = [key(1, LENGTH_DELIMITED), ...delimited([...Buffer.from(tag)])];
  return [...name, key(2, FIXED_32), ...bytesOf(4, (view) => view.setFloat32(0, value, true))];
}

// TFRecord

function frame(data: Uint8Array): Buffer {
  const length = bytesOf(8, (view) => view.setBigUint64(0, BigInt(data.length), true));
  return Buffer.concat([length, maskedCrc(length), data, maskedCrc(data)]);
}

/** TFRecord rotates checksums by 15 bits and adds a constant, since a checksum of data that contains checksums is weak. */
function maskedCrc(data: Uint8Array): Uint8Array {
  const crc = crc32c(data);
  const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
  return bytesOf(4, (view) => view.setUint32(0, masked, true));
}

/** CRC-32C (Castagnoli), RFC 3720: the remainder by 0x1EDC6F41, bits reflected. */
export function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ byte) & 255]!;
  return ~crc >>> 0;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});
