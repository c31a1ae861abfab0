/** Records of runs: one JSON line each in data/results/<item>.jsonl (committed) or data/cache/results (demo and smoke). */
import fs from "node:fs";
import path from "node:path";
import { z } from "zod";
import { projectRoot } from "../data/files";
import { checkOptions } from "../engine/options";
import type { EpochRecord, TrainMetrics } from "../training";
import { configKey, recordedConfig, type RunConfig } from "./config";
import { waitForLock } from "./locks";

/** The result of one run. No clock, host or path: the same run gives the same line. */
export interface RunRecord {
  readonly key: string;
  readonly config: RunConfig;
  readonly metrics: RunMetrics;
  readonly history: readonly EpochRecord[];
  readonly versions: Versions;
}

/** Numbers of a finished run. */
export interface RunMetrics extends TrainMetrics {
  /** "finished" or "diverged"; "aborted" in what `runOne` returns of a stopped run, which is never recorded. */
  readonly outcome: string;
  /** Trainable numbers of the network. */
  readonly parameters: number;
  /** Test error in [0, 1] of the network that was finetuned, after its own training; absent if it came from a file. */
  readonly pretrainedErrorRate?: number;
  /** Share of training labels that differ from the true ones; present if there is noise. */
  readonly actualNoiseRate?: number;
  /** Test error of a bootstrapped run's first training, after its last epoch. */
  readonly firstTestErrorRate?: number;
  /** 1 − mean(diag T) of the estimated transition matrix T. */
  readonly estimatedNoiseRate?: number;
  /** Share of a bootstrapped run's predicted labels that differ from the true ones. */
  readonly relabeledNoiseRate?: number;
  /** m → m-sharpness of the finished network, as its config asks for. */
  readonly mSharpness?: Readonly<Record<string, number>>;
}

/** What computed a record. */
export interface Versions {
  readonly lab: string;
  readonly tfjs: string;
  /** Engine and its version, such as "native 2.21.0". */
  readonly engine: string;
  readonly threads: number;
  /** Present where steps or evaluations were replayed as graphs: their numbers differ from eager ones by float32's rounding. */
  readonly graph?: true;
}

/** Committed results. */
export const resultsFolder = path.join(projectRoot(), "data/results");

/** Results of the demo and smoke budgets: this machine's own, not committed. */
export const localResultsFolder = path.join(projectRoot(), "data/cache/results");

/** Options of `readRecords`. */
export interface ReadOptions {
  /** Default: the committed results, this machine's own, then the folder results of the working directory. */
  readonly folders?: readonly string[];
  /** Receives a sentence for each torn line that was left out; default: no one does. */
  readonly onWarning?: (message: string) => void;
}

/**
 * All records of an item, such as "table-5"; of two with the same key the first counts. [] if there are none.
 * A torn line, left by a process that was killed or met a full disk while writing, is skipped with a warning.
 * @throws if a whole line is no record, or its key does not belong to its config
 */
export function readRecords(item: string, options: ReadOptions = {}): RunRecord[] {
  checkOptions(options, { folders: "array", onWarning: "function" }, "readRecords");
  const { folders = [resultsFolder, localResultsFolder, path.resolve("results")], onWarning = () => {} } = options;
  const byKey = new Map<string, RunRecord>();
  for (const folder of folders) {
    for (const record of readFile(recordsFile(item, folder), onWarning))
      if (!byKey.has(record.key)) byKey.set(record.key, record);
  }
  return [...byKey.values()];
}

/** @throws if `item` is not the plain name of a file */
export function recordsFile(item: string, folder: string): string {
  if (!/^\w[\w.-]{0,99}$/.test(item))
    throw new Error(
      `item = ${JSON.stringify(item)}: expected a name such as "table-5", of at most 100 letters, digits, "-", "_" and "."`,
    );
  return path.join(folder, `${item}.jsonl`);
}

function readFile(file: string, onWarning: (message: string) => void): RunRecord[] {
  if (!fs.existsSync(file)) return [];
  const lines = fs.readFileSync(file, "utf8").split("\n");
  return lines.flatMap((line, index) => {
    const where = `${file}:${index + 1}`;
    const json = parseJson(line);
    if (json !== undefined) return [parseRecord(json, where)];
    // Two processes that write at once may leave an empty line.
    if (line.trim() !== "")
      onWarning(`${where}: this line is torn (a run was killed while writing it) and was left out; its run counts as missing`);
    return [];
  });
}

// British spelling in records written before it became American everywhere.
const renamedFields = { memorisation: "memorization", relabelledNoiseRate: "relabeledNoiseRate" } as const;

function inTodaysSpelling(line: string): string {
  return Object.entries(renamedFields).reduce((text, [old, name]) => text.replaceAll(`"${old}":`, `"${name}":`), line);
}

/** Undefined if the line is torn. */
function parseJson(line: string): unknown {
  try {
    return JSON.parse(inTodaysSpelling(line));
  } catch {
    return undefined;
  }
}

const rate = z.number().min(0).max(1).optional();

// Fields that are not named here, such as measures, pass unchecked. JSON turns NaN and infinity into null, which is refused.
const metrics = z.looseObject({
  outcome: z.enum(["finished", "diverged"]),
  parameters: z.int().min(0),
  testErrorRate: rate,
  bestTestErrorRate: rate,
  bestEpoch: z.int().min(1).optional(),
  trainLoss: z.number().optional(),
  trainErrorRate: rate,
  peerTestErrorRate: rate,
  divergedInEpoch: z.int().min(1).optional(),
  pretrainedErrorRate: rate,
  actualNoiseRate: rate,
  firstTestErrorRate: rate,
  estimatedNoiseRate: z.number().optional(),
  relabeledNoiseRate: rate,
  mSharpness: z.record(z.string(), z.number()).optional(),
});
const epoch = z.looseObject({ epoch: z.int().min(1), trainLoss: z.number(), perturbedLoss: z.number(), testErrorRate: rate });
const versions = z.looseObject({ lab: z.string(), tfjs: z.string(), engine: z.string(), threads: z.int() });
const line = z.looseObject({ key: z.string(), config: z.looseObject({}), metrics, history: z.array(epoch), versions });

function parseRecord(json: unknown, where: string): RunRecord {
  const { record, expected } = checked(json, where);
  if (record.key !== expected)
    throw new Error(`${where}: key ${record.key} does not belong to its config (${expected}); was it edited?`);
  return record;
}

function checked(json: unknown, where: string): { record: RunRecord; expected: string } {
  try {
    const parsed = line.safeParse(json);
    if (!parsed.success) throw new Error(describeIssue(parsed.error.issues[0]!));
    const config = recordedConfig((json as RunRecord).config);
    return { record: { ...(json as RunRecord), config }, expected: configKey(config) };
  } catch (error) {
    throw new Error(
      `${where}: not a record (${(error as Error).message}); restore the file, or delete this line to repeat its run`,
    );
  }
}

function describeIssue({ path: place, message }: z.core.$ZodIssue): string {
  return place.length === 0 ? message : `${place.join(".")}: ${message}`;
}

/** Keys of the whole lines after the first `start` bytes, and where they end: a quick look at what was added. */
export function keysAfter(
  item: string,
  { folder, start }: { readonly folder: string; readonly start: number },
): { readonly keys: readonly string[]; readonly end: number } {
  const file = recordsFile(item, folder);
  if (!fs.existsSync(file)) return { keys: [], end: 0 };
  const descriptor = fs.openSync(file, "r");
  try {
    const from = Math.min(start, fs.fstatSync(descriptor).size);
    const added = bytesFrom(descriptor, from);
    const whole = added.subarray(0, added.lastIndexOf("\n") + 1);
    const keys = whole.toString().split("\n").flatMap((each) => (parseJson(each) as Partial<RunRecord> | undefined)?.key ?? []); // prettier-ignore
    return { keys, end: from + whole.length };
  } finally {
    fs.closeSync(descriptor);
  }
}

/** A holder needs milliseconds; one that is gone on another machine is not waited for. */
const LOCK_TIMEOUT_MS = 10_000;

export interface AppendOptions {
  /** Default: the committed results. */
  readonly folder?: string;
}

/**
 * Adds one line. Several processes, also on several machines, may append to one file: none touches another's bytes.
 * @throws if the folder is read-only or the disk full, with the key of the run; the file is then as it was
 */
export function appendRecord(item: string, record: RunRecord, options: AppendOptions = {}): void {
  checkOptions(options, { folder: "string" }, "appendRecord");
  const { folder = resultsFolder } = options;
  const file = recordsFile(item, folder);
  const line = `${JSON.stringify(record)}\n`;
  try {
    fs.mkdirSync(folder, { recursive: true });
    const lock = waitForLock(file, { timeoutMs: LOCK_TIMEOUT_MS });
    try {
      appendLine(file, line, { locked: lock !== undefined });
    } finally {
      lock?.release();
    }
  } catch (error) {
    throw new Error(
      `${file}: the record of run ${record.key} could not be written (${(error as Error).message}); earlier records are whole`,
    );
  }
}

function appendLine(file: string, line: string, options: { locked: boolean }): void {
  const { O_RDWR, O_CREAT, O_APPEND } = fs.constants;
  const descriptor = fs.openSync(file, O_RDWR | O_CREAT | O_APPEND, 0o644);
  try {
    // A network disk may let two machines that hold no lock write to one place: whoever was overwritten writes again.
    for (let tries = 0; tries < 3; tries++) if (writeLine(descriptor, line, options)) return;
    throw new Error("other processes wrote over it three times");
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Whether the line is in the file then. One write, which appends as a whole on a local disk, also without a lock. */
function writeLine(descriptor: number, line: string, { locked }: { locked: boolean }): boolean {
  const { size } = fs.fstatSync(descriptor);
  // A torn line stays one of its own.
  const bytes = Buffer.from(endsInNewline(descriptor, size) ? line : `\n${line}`);
  let written = 0;
  try {
    written = fs.writeSync(descriptor, bytes);
    if (written < bytes.length) throw new Error(`${written} of ${bytes.length} bytes written: is the disk full?`);
    fs.fsyncSync(descriptor);
  } catch (error) {
    // Only our own bytes, and only while no one else appends; else a torn line stays, which readers skip.
    if (locked && written > 0 && fs.fstatSync(descriptor).size === size + written) fs.ftruncateSync(descriptor, size);
    throw error;
  }
  return bytesFrom(descriptor, size).includes(line);
}

function endsInNewline(descriptor: number, size: number): boolean {
  return size === 0 || bytesFrom(descriptor, size - 1)[0] === 10;
}

function bytesFrom(descriptor: number, start: number): Buffer {
  const bytes = Buffer.alloc(fs.fstatSync(descriptor).size - start);
  const read = fs.readSync(descriptor, bytes, 0, bytes.length, start);
  return bytes.subarray(0, read);
}
