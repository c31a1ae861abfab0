/** Makes the runs that have no record yet, in worker processes of one thread each; nothing that was finished is lost by stopping. */
import os from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { checkOptions, showValue, type OptionKinds } from "../engine";
import { configKey, runConfig, type RunConfig, type RunOptions } from "./config";
import { describeHolder, isLock, type Holder, type Lock } from "./locks";
import { appendRecord, keysAfter, localResultsFolder, readRecords, resultsFolder, type RunRecord } from "./records";
import { configCost } from "./runCost";
import { checkpointOf, claimRun, removeCheckpoints, sweepCheckpoints } from "./runFiles";
import { WorkerProcess } from "./workerProcess";

/** Options of `runMissing`. */
export interface RunMissingOptions {
  /** Name of the records' file: an item of the paper such as "table-5", or any name of your own. */
  readonly item: string;
  /** Worker processes; default 1. More than the machine has cores gains nothing. */
  readonly jobs?: number;
  /** Folder of the records; default data/cache/results, this machine's own. Committed ones are read in any case. */
  readonly folder?: string;
  /** Folder for TensorBoard's event files, with a folder for each run, named by its key; default: none are written. */
  readonly tensorBoard?: string;
  /** Stops after the current steps; unfinished runs keep a checkpoint and go on from it next time. */
  readonly signal?: AbortSignal;
  /** False: Ctrl-C, a notebook's interrupt and SIGTERM are left to the caller. Default true: they stop the runs as the signal does. */
  readonly stopOnInterrupt?: boolean;
  /** Called whenever a run has made progress. */
  readonly onProgress?: (progress: RunProgress) => void;
  /** Receives a sentence on torn lines, and on other processes that make some of these runs; default: no one does. */
  readonly onWarning?: (message: string) => void;
}

/** How far `runMissing` is. */
export interface RunProgress {
  /** Runs that had no record. */
  readonly total: number;
  readonly done: number;
  /** Share of all the work that is done, in [0, 1], weighted by cost. */
  readonly fraction: number;
}

/** Ours: far more than any machine gains from, far less than brings one down. */
const MAX_JOBS = Math.max(32, 2 * os.availableParallelism());

/**
 * Records of all `configs`, in their order; those that had none are run and appended, one line each, as they finish.
 * If the signal stopped it: the records that there are. Processes that are asked for the same runs at once share them, also on several
 * machines with one disk: each run is made by one of them, and all wait for its record.
 * @throws the first error of a run, after the others have stopped, or an error if it was interrupted; what had finished stays recorded
 */
export async function runMissing(configs: readonly RunOptions[], options: RunMissingOptions): Promise<RunRecord[]> {
  checkOptions(options, OPTIONS, "runMissing");
  if (!Array.isArray(configs)) throw new Error(`configs = ${showValue(configs)}: expected an array of run configs`);
  const { item, jobs = 1, folder = localResultsFolder, signal, onWarning = () => {} } = options;
  if (!Number.isInteger(jobs) || jobs < 1 || jobs > MAX_JOBS)
    throw new Error(`jobs = ${jobs}: expected a whole number from 1 to ${MAX_JOBS}`);
  const plan = configs.map((each) => runConfig(each)).map((config) => ({ key: configKey(config), config }));
  const read = () => new Map(readRecords(item, { folders: [resultsFolder, folder], onWarning }).map((each) => [each.key, each]));
  const known = read();
  sweepCheckpoints(item, (key) => known.has(key));
  const missing = [...new Map(plan.map((run) => [run.key, run])).values()].filter(({ key }) => !known.has(key));
  if (missing.length > 0 && !signal?.aborted)
    await untilInterrupted(new Pool(missing, { ...options, jobs, folder, onWarning }), options);
  const records = missing.length > 0 ? read() : known;
  return plan.flatMap(({ key }) => records.get(key) ?? []);
}

const OPTIONS: OptionKinds<RunMissingOptions> = {
  item: "string",
  jobs: "number",
  folder: "string",
  tensorBoard: "string",
  signal: "object",
  stopOnInterrupt: "boolean",
  onProgress: "function",
  onWarning: "function",
};

/** Runs the pool; its signal, Ctrl-C, a notebook's interrupt and SIGTERM stop it. */
async function untilInterrupted(pool: Pool, { signal, stopOnInterrupt = true }: RunMissingOptions): Promise<void> {
  let interrupt: NodeJS.Signals | undefined;
  const onAbort = () => pool.stop();
  const onInterrupt = (name: NodeJS.Signals) => {
    interrupt = name;
    pool.stop();
  };
  const names = stopOnInterrupt ? (["SIGINT", "SIGTERM"] as const) : [];
  // A notebook's cell would lose handlers that are added before its first pause: see withInterrupt.
  await undefined;
  signal?.addEventListener("abort", onAbort);
  // Not once: npm passes a Ctrl-C on that the terminal has sent already.
  for (const name of names) process.on(name, onInterrupt);
  try {
    await pool.run();
  } finally {
    signal?.removeEventListener("abort", onAbort);
    for (const name of names) process.off(name, onInterrupt);
  }
  // It came to end this process; no one else has taken care of it.
  if (interrupt === "SIGTERM" && process.listenerCount("SIGTERM") === 0) process.kill(process.pid, "SIGTERM");
  if (interrupt && !signal?.aborted) throw new Error("interrupted; finished runs are kept, and the same call goes on from here");
}

interface PlannedRun {
  readonly key: string;
  readonly config: RunConfig;
}

interface PoolOptions extends RunMissingOptions {
  readonly jobs: number;
  readonly folder: string;
  readonly onWarning: (message: string) => void;
}

/** Time between two looks at runs that other processes are making. */
const LOOK_AGAIN_MS = 1000;

class Pool {
  /** Runs that this process neither makes nor has seen the record of. */
  private queue: readonly PlannedRun[];
  private readonly running = new Map<WorkerProcess, { cost: number; fraction: number }>();
  private readonly totalCost: number;
  private doneCost = 0;
  private done = 0;
  private failure: Error | undefined;
  private readonly stopping = new AbortController();
  private readonly others = new Set<string>();
  private readonly recorded = new Set<string>();
  private readUpTo = 0;

  constructor(
    private readonly missing: readonly PlannedRun[],
    private readonly options: PoolOptions,
  ) {
    this.queue = missing;
    this.totalCost = missing.reduce((sum, { config }) => sum + configCost(config), 0);
  }

  async run(): Promise<void> {
    const count = Math.min(this.options.jobs, this.missing.length);
    await Promise.all(Array.from({ length: count }, () => this.work()));
    if (this.failure) throw this.failure;
  }

  stop(): void {
    this.stopping.abort();
    for (const worker of this.running.keys()) worker.stop();
  }

  private async work(): Promise<void> {
    let worker: WorkerProcess | undefined;
    try {
      for (let next = await this.next(); next; next = await this.next())
        await this.runOn((worker ??= new WorkerProcess()), next.run).finally(next.claim.release);
    } catch (error) {
      this.failure ??= error as Error;
      this.stop();
    } finally {
      worker?.close();
    }
  }

  /** Claims the next run. While other processes make all that are left, waits for their records, or for runs that they give up. */
  private async next(): Promise<{ run: PlannedRun; claim: Lock } | undefined> {
    const { signal } = this.stopping;
    while (!signal.aborted && this.queue.length > 0) {
      for (const run of this.queue) {
        const claim = this.claim(run);
        if (claim) return { run, claim };
      }
      await pause(LOOK_AGAIN_MS, undefined, { signal }).catch(() => {});
    }
    return undefined;
  }

  private claim(run: PlannedRun): Lock | undefined {
    const claim = claimRun(this.options.item, run.key);
    if (!isLock(claim)) {
      this.tellOf(claim);
      return undefined;
    }
    this.queue = this.queue.filter((each) => each !== run);
    if (!this.isRecorded(run.key)) return claim;
    claim.release();
    this.finish(configCost(run.config));
    return undefined;
  }

  private tellOf(holder: Holder): void {
    const name = describeHolder(holder);
    if (!this.others.has(name))
      this.options.onWarning(
        `${this.options.item}: ${name} makes some of these runs; this process makes others and waits for those`,
      );
    this.others.add(name);
  }

  /** Whether the run has been recorded since the records were read, as by another process. */
  private isRecorded(key: string): boolean {
    const { item, folder } = this.options;
    const { keys, end } = keysAfter(item, { folder, start: this.readUpTo });
    for (const each of keys) this.recorded.add(each);
    this.readUpTo = end;
    return this.recorded.has(key);
  }

  private async runOn(worker: WorkerProcess, { key, config }: PlannedRun): Promise<void> {
    const { item, folder, tensorBoard, onWarning } = this.options;
    const board = tensorBoard === undefined ? {} : { tensorBoard: path.resolve(tensorBoard, key) };
    const state = { cost: configCost(config), fraction: 0 };
    this.running.set(worker, state);
    const onProgress = (fraction: number) => {
      state.fraction = fraction;
      this.report();
    };
    const files = { checkpoint: checkpointOf(item, key), ...board };
    const callbacks = { onProgress, onNotice: onWarning };
    const record = await worker.run(config, files, callbacks).finally(() => this.running.delete(worker));
    if (!record) return;
    appendRecord(item, record, { folder });
    removeCheckpoints(item, key);
    this.finish(state.cost);
  }

  private finish(cost: number): void {
    this.done++;
    this.doneCost += cost;
    this.report();
  }

  private report(): void {
    const partial = [...this.running.values()].reduce((sum, { cost, fraction }) => sum + fraction * cost, 0);
    const fraction = (this.doneCost + partial) / this.totalCost;
    this.options.onProgress?.({ total: this.missing.length, done: this.done, fraction });
  }
}
