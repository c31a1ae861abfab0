/**
 * Checkpoints: one file with a JSON line (what it is, names and shapes), the float32 values, and a SHA-256 of all before it.
 * Written beside its place and renamed, so that whatever is found under the name is whole.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import { tf, writeFileWhole, type Weights } from "../engine";
import type { Variables } from "../models";
import type { TrainState } from "./step";

const FORMAT = "sharpness-lab checkpoint 1";
const DIGEST_BYTES = 32;

/** What a run needs, beside its tensors, to go on as if it had never stopped. */
export interface Progress {
  /** The run this belongs to: a hash of its config. */
  readonly key: string;
  readonly epoch: number;
  /** Batches of that epoch already made. */
  readonly batch: number;
  /** Whatever the loop has summed and recorded so far; must survive JSON. */
  readonly record: unknown;
}

/** What some methods have beside one network. */
export interface Companions {
  /** States of further networks; each has made as many updates as the first. */
  readonly peers: readonly TrainState[];
  /** What the method remembers, by name. */
  readonly memory: Readonly<Record<string, Float32Array>>;
}

interface Checkpoint extends Companions {
  readonly state: TrainState;
  readonly progress: Progress;
}

interface Header extends Progress {
  readonly format: string;
  readonly step: number;
  /** Networks beside the first; absent: none. */
  readonly peers?: number;
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

/** Writes the state; an earlier checkpoint under the name stays until the new one is complete and on disk. */
export function saveCheckpoint(file: string, state: TrainState, progress: Progress, companions: Partial<Companions> = {}): void {
  const { peers = [], memory = {} } = companions;
  const tensors = [state, ...peers].flatMap((each, network) => Object.entries(flatten(each, network)));
  const arrays = Object.entries(memory).map(([name, values]) => ({ name: `memory:${name}`, shape: [values.length], values }));
  const parts = [...tensors.map(([name, t]) => ({ name, shape: t.shape, values: t.dataSync() as Float32Array })), ...arrays];
  const header: Header = {
    format: FORMAT,
    ...progress,
    step: state.step,
    ...(peers.length > 0 ? { peers: peers.length } : {}),
    tensors: parts.map(({ name, shape }) => ({ name, shape })),
  };
  const values = parts.map(({ values: { buffer, byteOffset, byteLength } }) => Buffer.from(buffer, byteOffset, byteLength));
  const body = Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), ...values]);
  write(file, [body, createHash("sha256").update(body).digest()]);
}

/**
 * Reads a checkpoint; the caller owns the states' tensors. Undefined where there is none.
 * @throws where the file is damaged, or belongs to another run than `key`
 */
export function loadCheckpoint(file: string, { key }: { key: string }): Checkpoint | undefined {
  if (!fs.existsSync(file)) return undefined;
  const { header, parts } = readWhole(file);
  if (header.key !== key)
    throw new Error(`${file}: belongs to run ${header.key}, expected ${key}; delete it or give another path`);
  const networks = Array.from({ length: 1 + (header.peers ?? 0) }, (_, network) => unflatten(parts, network, header.step));
  const memory = Object.fromEntries(partOf("memory", parts).map(([name, { values }]) => [name, values]));
  return { state: networks[0]!, peers: networks.slice(1), memory, progress: header };
}

/**
 * The network of a checkpoint as it would be evaluated, whichever run it belongs to: averaged where the run averages its weights.
 * The caller owns the tensors.
 * @throws where there is no such file, or it is damaged
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
  const bytes = fs.readFileSync(file);
  const body = bytes.subarray(0, -DIGEST_BYTES);
  if (!createHash("sha256").update(body).digest().equals(bytes.subarray(-DIGEST_BYTES))) {
    throw new Error(`${file}: not a whole checkpoint (its checksum differs); delete it to start the run anew`);
  }
  const end = body.indexOf("\n");
  const header = JSON.parse(body.toString("utf8", 0, end)) as Header;
  if (header.format !== FORMAT) throw new Error(`${file}: format "${header.format}", expected "${FORMAT}"`);
  return { header, parts: readParts(body.subarray(end + 1), header) };
}

interface Part {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

function tensorOf({ values, shape }: Part): tf.Tensor {
  return tf.tensor(values, [...shape], "float32");
}

function readParts(body: Buffer, { tensors }: Header): Part[] {
  let offset = 0;
  return tensors.map(({ name, shape }) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const values = new Float32Array(size);
    Buffer.from(values.buffer).set(body.subarray(offset, offset + 4 * size));
    offset += 4 * size;
    return { name, shape, values };
  });
}

function partOf(wanted: string, parts: readonly Part[]): [name: string, part: Part][] {
  const prefix = `${wanted}:`;
  return parts.filter(({ name }) => name.startsWith(prefix)).map((part) => [part.name.slice(prefix.length), part]);
}

const PARTS = ["weights", "stats", "slots", "ema"] as const;

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
  const [weights, stats, slots, ema] = PARTS.map(tensorsOf) as [Weights, Weights, Weights, Weights];
  return { weights, stats, slots, ema: Object.keys(ema).length > 0 ? ema : undefined, step };
}

function write(file: string, parts: readonly Buffer[]): void {
  try {
    writeFileWhole(file, parts);
  } catch (error) {
    throw new Error(
      `${file}: the checkpoint could not be written (${(error as Error).message}); the earlier one, if any, is whole`,
    );
  }
}
