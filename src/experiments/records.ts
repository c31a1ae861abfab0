/** Records of runs: one JSON line each in data/results/<item>.jsonl (committed) or data/cache/results (demo and smoke). */
import fs from "node:fs";
import path from "node:path";
import { projectRoot } from "../data/files";
import type { EpochRecord, TrainMetrics } from "../training";
import { runKey, type RunConfig } from "./config";

/** What one run gave. No clock, host or path: the same run gives the same line. */
export interface RunRecord {
  readonly key: string;
  readonly config: RunConfig;
  readonly metrics: RunMetrics;
  readonly history: readonly EpochRecord[];
  readonly versions: Versions;
}

export interface RunMetrics extends TrainMetrics {
  /** "finished" or "diverged". */
  readonly outcome: string;
  /** Trainable numbers of the network. */
  readonly parameters: number;
  /** In [0, 1], of the network that was finetuned, on the test images of its own training; where it was trained here. */
  readonly pretrainedErrorRate?: number;
  /** Share of training labels that differ from the true ones, where there is noise. */
  readonly actualNoiseRate?: number;
  /** Of the first training of a bootstrapped run, after its last epoch. */
  readonly firstTestErrorRate?: number;
  /** One less the mean diagonal of the transition matrix that a first network estimated. */
  readonly estimatedNoiseRate?: number;
  /** Share of the labels of its second training, the first's predictions, that differ from the true ones. */
  readonly relabeledNoiseRate?: number;
}

export interface Versions {
  readonly lab: string;
  readonly tfjs: string;
  /** Engine and its version, such as "native 2.21.0". */
  readonly engine: string;
  readonly threads: number;
}

/** Committed results. */
export const resultsFolder = path.join(projectRoot(), "data/results");

/** Results of the demo and smoke budgets: this machine's own, not committed. */
export const localResultsFolder = path.join(projectRoot(), "data/cache/results");

export interface ReadOptions {
  /** Default: the committed results, then this machine's own. */
  readonly folders?: readonly string[];
  /** Told of a torn line that was left out; default: nobody. */
  readonly onWarning?: (message: string) => void;
}

/**
 * All records of an item, such as "table-5"; of two with the same key the first counts. [] where there is none.
 * A torn last line, of a run that was killed while writing, is left out with a warning.
 * @throws where a line before the last is damaged, or a record's key does not belong to its config
 */
export function readRecords(item: string, options: ReadOptions = {}): RunRecord[] {
  const { folders = [resultsFolder, localResultsFolder], onWarning = () => {} } = options;
  const byKey = new Map<string, RunRecord>();
  for (const folder of folders) {
    for (const record of readFile(recordsFile(item, folder), onWarning))
      if (!byKey.has(record.key)) byKey.set(record.key, record);
  }
  return [...byKey.values()];
}

export function recordsFile(item: string, folder: string): string {
  return path.join(folder, `${item}.jsonl`);
}

function readFile(file: string, onWarning: (message: string) => void): RunRecord[] {
  if (!fs.existsSync(file)) return [];
  const lines = fs.readFileSync(file, "utf8").split("\n");
  const torn = lines.pop()!;
  if (torn !== "") onWarning(`${file}: the last line is torn (a run was killed while writing it) and was left out`);
  return lines.map((line, index) => parseRecord(line, `${file}:${index + 1}`));
}

function parseRecord(line: string, where: string): RunRecord {
  const { record, expected } = parseLine(line, where);
  if (record.key !== expected)
    throw new Error(`${where}: key ${record.key} does not belong to its config (${expected}); was it edited?`);
  return record;
}

// British spelling in records written before it became American everywhere.
const renamedFields = { memorisation: "memorization", relabelledNoiseRate: "relabeledNoiseRate" } as const;

function inTodaysSpelling(line: string): string {
  return Object.entries(renamedFields).reduce((text, [old, name]) => text.replaceAll(`"${old}":`, `"${name}":`), line);
}

function parseLine(line: string, where: string): { record: RunRecord; expected: string } {
  try {
    const record = JSON.parse(inTodaysSpelling(line)) as RunRecord | null;
    if (!record?.config) throw new Error("it has no config");
    return { record, expected: runKey(record.config) };
  } catch (error) {
    throw new Error(
      `${where}: not a record (${(error as Error).message}); restore the file, or delete this line to repeat its run`,
    );
  }
}

/**
 * Adds one line, whole or not at all: a torn last line is cut off first, and a write that fails leaves the file as it was.
 * Several processes may append to one file.
 * @throws where the folder is read-only or the disk full
 */
export function appendRecord(item: string, record: RunRecord, { folder = resultsFolder } = {}): void {
  const file = recordsFile(item, folder);
  const line = Buffer.from(`${JSON.stringify(record)}\n`);
  try {
    fs.mkdirSync(folder, { recursive: true });
    const { O_RDWR, O_CREAT, O_APPEND } = fs.constants;
    const descriptor = fs.openSync(file, O_RDWR | O_CREAT | O_APPEND, 0o644);
    try {
      writeWhole(descriptor, line);
    } finally {
      fs.closeSync(descriptor);
    }
  } catch (error) {
    throw new Error(
      `${file}: the record of run ${record.key} could not be written (${(error as Error).message}); earlier records are whole`,
    );
  }
}

function writeWhole(descriptor: number, line: Buffer): void {
  const { size } = fs.fstatSync(descriptor);
  const end = endOfLastLine(descriptor, size);
  if (end < size) fs.ftruncateSync(descriptor, end);
  try {
    const written = fs.writeSync(descriptor, line);
    if (written < line.length) throw new Error(`${written} of ${line.length} bytes written: is the disk full?`);
    fs.fsyncSync(descriptor);
  } catch (error) {
    fs.ftruncateSync(descriptor, end);
    throw error;
  }
}

function endOfLastLine(descriptor: number, size: number): number {
  const content = Buffer.alloc(size);
  fs.readSync(descriptor, content, 0, content.length, 0);
  return content.lastIndexOf("\n") + 1;
}
