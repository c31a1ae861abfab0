/**
 * Checkpoints: one file with a JSON line (what it is, names and shapes), the float32 values, and a SHA-256 of all before it.
 * Written beside its place and renamed, so that whatever is found under the name is whole.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import { tf, writeFileWhole, type Weights } from "../engine";
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

interface Header extends Progress {
  readonly format: string;
  readonly step: number;
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

/** Writes the state; an earlier checkpoint under the name stays until the new one is complete and on disk. */
export function saveCheckpoint(file: string, state: TrainState, progress: Progress): void {
  const tensors = Object.entries(flatten(state));
  const header: Header = {
    format: FORMAT,
    ...progress,
    step: state.step,
    tensors: tensors.map(([name, { shape }]) => ({ name, shape })),
  };
  const values = tensors.map(([, tensor]) => {
    const data = tensor.dataSync() as Float32Array;
    return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  });
  const body = Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), ...values]);
  write(file, [body, createHash("sha256").update(body).digest()]);
}

/**
 * Reads a checkpoint; the caller owns the state's tensors. Undefined where there is none.
 * @throws where the file is damaged, or belongs to another run than `key`
 */
export function loadCheckpoint(file: string, { key }: { key: string }): { state: TrainState; progress: Progress } | undefined {
  if (!fs.existsSync(file)) return undefined;
  const bytes = fs.readFileSync(file);
  const body = bytes.subarray(0, -DIGEST_BYTES);
  if (!createHash("sha256").update(body).digest().equals(bytes.subarray(-DIGEST_BYTES))) {
    throw new Error(`${file}: not a whole checkpoint (its checksum differs); delete it to start the run anew`);
  }
  const end = body.indexOf("\n");
  const header = JSON.parse(body.toString("utf8", 0, end)) as Header;
  if (header.format !== FORMAT) throw new Error(`${file}: format "${header.format}", expected "${FORMAT}"`);
  if (header.key !== key)
    throw new Error(`${file}: belongs to run ${header.key}, expected ${key}; delete it or give another path`);
  return { state: unflatten(readTensors(body.subarray(end + 1), header), header.step), progress: header };
}

function readTensors(body: Buffer, { tensors }: Header): Weights {
  let offset = 0;
  const entries = tensors.map(({ name, shape }) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const values = new Float32Array(size);
    Buffer.from(values.buffer).set(body.subarray(offset, offset + 4 * size));
    offset += 4 * size;
    return [name, tf.tensor(values, [...shape], "float32")] as const;
  });
  return Object.fromEntries(entries);
}

const PARTS = ["weights", "stats", "slots", "ema"] as const;

function flatten(state: TrainState): Weights {
  return Object.fromEntries(
    PARTS.flatMap((part) => Object.entries(state[part] ?? {}).map(([name, tensor]) => [`${part}:${name}`, tensor])),
  );
}

function unflatten(tensors: Weights, step: number): TrainState {
  const part = (wanted: string): Weights =>
    Object.fromEntries(
      Object.entries(tensors)
        .filter(([name]) => name.startsWith(`${wanted}:`))
        .map(([name, tensor]) => [name.slice(wanted.length + 1), tensor]),
    );
  const ema = part("ema");
  return {
    weights: part("weights"),
    stats: part("stats"),
    slots: part("slots"),
    ema: Object.keys(ema).length > 0 ? ema : undefined,
    step,
  };
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
