/**
 * Checkpoints: one file with a JSON line (what it is, names and shapes), the float32 values, and a SHA-256 of all before it.
 * It is written under another name and then renamed, so that a file with its name is always whole.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import { tf, writeFileWhole, type Weights } from "../engine";
import type { Variables } from "../models";
import type { TrainState } from "./step";

/** A checkpoint that no run can go on from, such as one that another version of the kit wrote, or that another run did. */
export class UnusableCheckpoint extends Error {
  constructor(
    readonly file: string,
    readonly reason: string,
    advice = "delete it to start the run anew",
  ) {
    super(`${file}: ${reason}; ${advice}`);
    this.name = "UnusableCheckpoint";
  }
}

const FORMAT = "sharpness-lab checkpoint 1";
const DIGEST_BYTES = 32;

/** Data that a run needs besides its tensors to continue as if it had never stopped. */
export interface Progress {
  /** The run this belongs to: a hash of its config. */
  readonly key: string;
  readonly epoch: number;
  /** Batches of that epoch already made. */
  readonly batch: number;
  /** The loop's sums and history so far; must survive JSON. */
  readonly record: unknown;
}

/** State of methods that keep more than one network. */
export interface Companions {
  /** States of further networks; each has made as many updates as the first. */
  readonly peers: readonly TrainState[];
  /** The method's memory, by name. */
  readonly memory: Readonly<Record<string, Float32Array>>;
}

interface Checkpoint extends Companions {
  readonly state: TrainState;
  readonly progress: Progress;
}

interface Header extends Progress {
  readonly format: string;
  readonly step: number;
  /** Number of networks besides the first; absent: none. */
  readonly peers?: number;
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

/**
 * Writes the state; an earlier checkpoint under the name stays until the new one is complete and on disk.
 * @throws if the file cannot be written, for example on a full disk
 */
export function saveCheckpoint(file: string, state: TrainState, progress: Progress, companions: Partial<Companions> = {}): void {
  const { peers = [], memory = {} } = companions;
  const tensors = [state, ...peers].flatMap((each, network) => Object.entries(flatten(each, network)));
  const saved: Saved[] = tensors.map(([name, t]) => ({ name, shape: t.shape, values: () => t.dataSync() as Float32Array }));
  for (const [name, values] of Object.entries(memory))
    saved.push({ name: `memory:${name}`, shape: [values.length], values: () => values });
  const header: Header = {
    format: FORMAT,
    ...progress,
    step: state.step,
    ...(peers.length > 0 ? { peers: peers.length } : {}),
    tensors: saved.map(({ name, shape }) => ({ name, shape })),
  };
  write(file, withDigest(header, saved));
}

/** A tensor to be written; its values are fetched when their turn comes. */
interface Saved {
  readonly name: string;
  readonly shape: readonly number[];
  values(): Float32Array;
}

// Piece by piece: the state of a large network does not fit into one Buffer.
function* withDigest(header: Header, saved: readonly Saved[]): Generator<Uint8Array> {
  const hash = createHash("sha256");
  const hashed = (bytes: Uint8Array) => {
    hash.update(bytes);
    return bytes;
  };
  yield hashed(Buffer.from(`${JSON.stringify(header)}\n`));
  for (const { values } of saved) {
    const { buffer, byteOffset, byteLength } = values();
    yield hashed(new Uint8Array(buffer, byteOffset, byteLength));
  }
  yield hash.digest();
}

/**
 * Reads a checkpoint; the caller owns the states' tensors. Undefined if there is none.
 * @throws if the file is damaged, or belongs to another run than `key`
 */
export function loadCheckpoint(file: string, { key }: { key: string }): Checkpoint | undefined {
  if (!fs.existsSync(file)) return undefined;
  const { header, parts } = readWhole(file);
  if (header.key !== key)
    throw new UnusableCheckpoint(file, `belongs to run ${header.key}, expected ${key}`, "delete it or give another path");
  const networks = Array.from({ length: 1 + (header.peers ?? 0) }, (_, network) => unflatten(parts, network, header.step));
  const memory = Object.fromEntries(partOf("memory", parts).map(([name, { values }]) => [name, values]));
  return { state: networks[0]!, peers: networks.slice(1), memory, progress: header };
}

/**
 * The network of a checkpoint as an evaluation would see it, from any run: averaged if the run averages its weights.
 * The caller owns the tensors.
 * @throws if there is no such file, or it is damaged
 */
export function readCheckpoint(file: string): Variables {
  if (!fs.existsSync(file)) throw new Error(`${file}: no such file`);
  const { parts } = readWhole(file);
  const averages = new Map(partOf("ema", parts));
  const tensorsOf = (part: "weights" | "stats"): Weights =>
    Object.fromEntries(partOf(part, parts).map(([name, own]) => [name, tensorOf(averages.get(name) ?? own)]));
  return { weights: tensorsOf("weights"), stats: tensorsOf("stats") };
}

function readWhole(file: string): { header: Header; parts: Part[] } {
  const descriptor = openToRead(file);
  try {
    const end = fs.fstatSync(descriptor).size - DIGEST_BYTES;
    if (end < 0 || !digestOf(descriptor, end).equals(readAt(descriptor, end, DIGEST_BYTES)))
      throw new UnusableCheckpoint(file, "not a whole checkpoint (its checksum differs)");
    const line = readLine(descriptor, end);
    const header = JSON.parse(line.toString()) as Header;
    if (header.format !== FORMAT) throw new UnusableCheckpoint(file, `format "${header.format}", expected "${FORMAT}"`);
    return { header, parts: readParts(descriptor, line.length, header) };
  } finally {
    fs.closeSync(descriptor);
  }
}

function openToRead(file: string): number {
  try {
    if (fs.statSync(file).isDirectory()) throw new Error("it is a folder");
    return fs.openSync(file, "r");
  } catch (error) {
    throw new Error(`${file}: the checkpoint cannot be read (${(error as Error).message}); give the name of a file`);
  }
}

const CHUNK_BYTES = 2 ** 24;

/** The SHA-256 of the first `end` bytes. */
function digestOf(descriptor: number, end: number): Buffer {
  const hash = createHash("sha256");
  for (let at = 0; at < end; at += CHUNK_BYTES) hash.update(readAt(descriptor, at, Math.min(CHUNK_BYTES, end - at)));
  return hash.digest();
}

/** The first line, its end included. */
function readLine(descriptor: number, end: number): Buffer {
  for (let length = Math.min(CHUNK_BYTES, end); ; length = Math.min(2 * length, end)) {
    const bytes = readAt(descriptor, 0, length);
    const at = bytes.indexOf("\n");
    if (at >= 0 || length === end) return bytes.subarray(0, at + 1);
  }
}

function readAt(descriptor: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const count = fs.readSync(descriptor, bytes, done, Math.min(CHUNK_BYTES, length - done), position + done);
    if (count === 0) throw new Error("the file became shorter while it was read");
    done += count;
  }
  return bytes;
}

interface Part {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

function tensorOf({ values, shape }: Part): tf.Tensor {
  return tf.tensor(values, [...shape], "float32");
}

function readParts(descriptor: number, start: number, { tensors }: Header): Part[] {
  let position = start;
  return tensors.map(({ name, shape }) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const { buffer, byteOffset } = readAt(descriptor, position, 4 * size);
    position += 4 * size;
    return { name, shape, values: new Float32Array(buffer, byteOffset, size) };
  });
}

function partOf(wanted: string, parts: readonly Part[]): [name: string, part: Part][] {
  const prefix = `${wanted}:`;
  return parts.filter(({ name }) => name.startsWith(prefix)).map((part) => [part.name.slice(prefix.length), part]);
}

const PARTS = ["weights", "stats", "slots", "ema", "variantMemory"] as const;

const prefixOf = (network: number) => (network === 0 ? "" : `network ${network + 1} `);

function flatten(state: TrainState, network: number): Weights {
  const named = (part: (typeof PARTS)[number]) =>
    Object.entries(state[part] ?? {}).map(([name, tensor]) => [`${prefixOf(network)}${part}:${name}`, tensor]);
  return Object.fromEntries(PARTS.flatMap(named));
}

function unflatten(parts: readonly Part[], network: number, step: number): TrainState {
  const tensorsOf = (part: (typeof PARTS)[number]): Weights => {
    const entries = partOf(`${prefixOf(network)}${part}`, parts);
    return Object.fromEntries(entries.map(([name, part]) => [name, tensorOf(part)]));
  };
  const [weights, stats, slots, ema, variantMemory] = PARTS.map(tensorsOf) as [Weights, Weights, Weights, Weights, Weights];
  return { weights, stats, slots, ema: Object.keys(ema).length > 0 ? ema : undefined, variantMemory, step };
}

function write(file: string, parts: Iterable<Uint8Array>): void {
  try {
    writeFileWhole(file, parts);
  } catch (error) {
    throw new Error(
      `${file}: the checkpoint could not be written (${(error as Error).message}); the earlier one, if any, is whole: ` +
        "free space or give another place, and start again to go on from it",
    );
  }
}
