/** Runs what has no record yet, in worker processes of one thread each; nothing that was finished is lost by stopping. */
import { fork, type ChildProcess } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { projectRoot } from "../data/files";
import { checkpointsOf, updateCost } from "../training";
import { runConfig, runKey, type RunOptions } from "./config";
import { factsOf } from "./datasets";
import { appendRecord, localResultsFolder, readRecords, resultsFolder, type RunRecord } from "./records";

export type ToWorker = { kind: "run"; config: RunOptions; files: RunFiles } | { kind: "stop" };

/** What a run writes as it goes. */
export interface RunFiles {
  readonly checkpoint: string;
  /** A folder of event files. */
  readonly tensorBoard?: string;
}

export type FromWorker =
  | { kind: "progress"; fraction: number }
  | { kind: "record"; record: RunRecord }
  | { kind: "stopped" }
  | { kind: "error"; message: string };

export interface RunMissingOptions {
  /** Name of the records' file: an item of the paper such as "table-5", or any name of your own. */
  readonly item: string;
  /** Worker processes; default 1. More than cores gains nothing. */
  readonly jobs?: number;
  /** Where records are kept; default data/cache/results, this machine's own. Committed ones are read in any case. */
  readonly folder?: string;
  /** Where to write event files for TensorBoard, in a folder for each run, named by its key; default: nowhere. */
  readonly tensorBoard?: string;
  /** Stops after the current steps; unfinished runs keep a checkpoint and go on from it next time. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RunProgress) => void;
  readonly onWarning?: (message: string) => void;
}

export interface RunProgress {
  /** Runs that needed doing. */
  readonly total: number;
  readonly done: number;
  /** Share of all the work that is done, in [0, 1], weighted by cost. */
  readonly fraction: number;
}

/**
 * Records of all `configs`, in their order; those that had none are run and appended, one line each, as they finish.
 * Where the signal stopped it, the records that there are.
 * @throws the first error of a run, after the others have stopped; what had finished stays recorded
 */
export async function runMissing(configs: readonly RunOptions[], options: RunMissingOptions): Promise<RunRecord[]> {
  const { item, jobs = 1, folder = localResultsFolder, signal } = options;
  if (!Number.isInteger(jobs) || jobs < 1) throw new Error(`jobs = ${jobs}: expected a whole number of at least 1`);
  configs.forEach((config) => runConfig(config));
  const read = () => byKey(readRecords(item, { folders: [resultsFolder, folder], onWarning: options.onWarning ?? (() => {}) }));
  const known = read();
  const missing = [...new Map(configs.map((config) => [runKey(config), config])).entries()].filter(([key]) => !known.has(key));
  if (missing.length > 0 && !signal?.aborted) await new Pool(missing, { ...options, jobs, folder }).run(signal);
  const records = missing.length > 0 ? read() : known;
  return configs.map((config) => records.get(runKey(config))!).filter((record) => record !== undefined);
}

function byKey(records: readonly RunRecord[]): Map<string, RunRecord> {
  return new Map(records.map((record) => [record.key, record]));
}

/** Gradients that a run takes, times examples: what its duration is proportional to, for one network. A forward pass alone is a third. */
export function runCost(options: RunOptions): number {
  const { dataset, training, bootstrap } = runConfig(options);
  const { loss, method, rho, ascentSteps, samInterval, epochs } = training;
  const gradients = rho > 0 ? 1 + ascentSteps / samInterval : 1;
  const update = updateCost(method, gradients);
  const estimate = "transitionMatrix" in loss && loss.transitionMatrix === "estimated" ? gradients : 0;
  return epochs * factsOf(dataset).trainSize * ((bootstrap ? 2 : 1) * update + estimate);
}

class Pool {
  private readonly queue: [key: string, config: RunOptions][];
  private readonly running = new Map<Worker, { cost: number; fraction: number }>();
  private readonly totalCost: number;
  private doneCost = 0;
  private done = 0;
  private failure: Error | undefined;
  private stopping = false;

  constructor(
    private readonly missing: readonly [string, RunOptions][],
    private readonly options: RunMissingOptions & { jobs: number; folder: string },
  ) {
    this.queue = [...missing];
    this.totalCost = missing.reduce((sum, [, config]) => sum + runCost(config), 0);
  }

  async run(signal: AbortSignal | undefined): Promise<void> {
    const onAbort = () => this.stop();
    signal?.addEventListener("abort", onAbort);
    const count = Math.min(this.options.jobs, this.missing.length);
    try {
      await Promise.all(Array.from({ length: count }, () => this.work()));
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
    if (this.failure) throw this.failure;
  }

  private async work(): Promise<void> {
    const worker = new Worker();
    try {
      for (let next = this.next(); next; next = this.next()) await this.runOn(worker, ...next);
    } catch (error) {
      this.failure ??= error as Error;
      this.stop();
    } finally {
      worker.close();
    }
  }

  private next(): [string, RunOptions] | undefined {
    return this.stopping ? undefined : this.queue.shift();
  }

  private async runOn(worker: Worker, key: string, config: RunOptions): Promise<void> {
    const { item, tensorBoard } = this.options;
    const checkpoint = path.join(projectRoot(), "data/cache/checkpoints", `${item}-${key}.checkpoint`);
    const files = { checkpoint, ...(tensorBoard === undefined ? {} : { tensorBoard: path.resolve(tensorBoard, key) }) };
    const state = { cost: runCost(config), fraction: 0 };
    this.running.set(worker, state);
    const onProgress = (fraction: number) => {
      state.fraction = fraction;
      this.report();
    };
    const record = await worker.run(config, files, onProgress).finally(() => this.running.delete(worker));
    if (!record) return;
    appendRecord(this.options.item, record, { folder: this.options.folder });
    for (const file of checkpointsOf(checkpoint)) fs.rmSync(file, { force: true });
    this.done++;
    this.doneCost += state.cost;
    this.report();
  }

  private report(): void {
    const partial = [...this.running.values()].reduce((sum, { cost, fraction }) => sum + fraction * cost, 0);
    const fraction = (this.doneCost + partial) / this.totalCost;
    this.options.onProgress?.({ total: this.missing.length, done: this.done, fraction });
  }

  private stop(): void {
    this.stopping = true;
    for (const worker of this.running.keys()) worker.stop();
  }
}

/** One worker process and the run that it is busy with. */
class Worker {
  private readonly child: ChildProcess;

  constructor() {
    const extension = path.extname(__filename);
    this.child = fork(path.join(__dirname, `worker${extension}`), {
      // From sources, as the tests run, the child needs their loader too.
      execArgv: extension === ".ts" ? ["--require", "tsx/cjs"] : [],
      env: { ...process.env, SHARPNESS_THREADS: "1" },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
  }

  /** The record, or undefined where the run was stopped. */
  run(config: RunOptions, files: RunFiles, onProgress: (fraction: number) => void): Promise<RunRecord | undefined> {
    const { child } = this;
    let noise = "";
    return new Promise((resolve, reject) => {
      const onStderr = (text: Buffer) => (noise = (noise + text.toString()).slice(-2000));
      const onExit = (code: number | null, signal: string | null) =>
        settle(() =>
          reject(new Error(`the worker of run ${runKey(config)} ended early (${signal ?? `exit code ${code}`})\n${noise}`)),
        );
      const onMessage = (message: FromWorker) => {
        if (message.kind === "progress") onProgress(message.fraction);
        if (message.kind === "record") settle(() => resolve(message.record));
        if (message.kind === "stopped") settle(() => resolve(undefined));
        if (message.kind === "error") settle(() => reject(new Error(`run ${runKey(config)}: ${message.message}`)));
      };
      const onError = (error: Error) =>
        settle(() => reject(new Error(`the worker of run ${runKey(config)} cannot be reached: ${error.message}`)));
      const settle = (then: () => void) => {
        child.off("message", onMessage).off("exit", onExit).off("error", onError);
        child.stderr?.off("data", onStderr);
        then();
      };
      child.on("message", onMessage).on("exit", onExit).on("error", onError);
      child.stderr?.on("data", onStderr);
      this.send({ kind: "run", config, files });
    });
  }

  stop(): void {
    this.send({ kind: "stop" });
  }

  close(): void {
    if (this.child.connected) this.child.disconnect();
  }

  private send(message: ToWorker): void {
    // A worker that dies meanwhile tells by its exit.
    if (this.child.connected) this.child.send(message, () => {});
  }
}
