/** A worker process as its parent sees it: makes one run at a time, in one thread, and sends back records. */
import { fork, type ChildProcess } from "node:child_process";
import path from "node:path";
import { configKey, type RunConfig } from "./config";
import type { RunRecord } from "./records";

export type ToWorker = { kind: "run"; config: RunConfig; files: RunFiles } | { kind: "stop" };

/** The files that a run writes as it goes. */
export interface RunFiles {
  readonly checkpoint: string;
  /** A folder of event files. */
  readonly tensorBoard?: string;
}

export type FromWorker =
  | { kind: "progress"; fraction: number }
  | { kind: "notice"; message: string }
  | { kind: "record"; record: RunRecord }
  | { kind: "stopped" }
  | { kind: "error"; message: string };

export interface WorkerCallbacks {
  /** Receives the share of the run's steps that are made, in [0, 1]. */
  onProgress(fraction: number): void;
  onNotice(message: string): void;
}

/** A worker that is asked to stop is killed after this time: a spectrum may block it for minutes. Its last checkpoint stays. */
const STOP_GRACE_MS = 10_000;

export class WorkerProcess {
  private readonly child: ChildProcess;
  private grace: NodeJS.Timeout | undefined;

  constructor() {
    const extension = path.extname(__filename);
    this.child = fork(path.join(__dirname, `worker${extension}`), [String(process.pid)], {
      // The tests run from sources, so the child needs their loader too.
      execArgv: extension === ".ts" ? ["--require", "tsx/cjs"] : [],
      env: { ...process.env, SHARPNESS_THREADS: "1" },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
  }

  /** The record; undefined if the run was stopped. */
  run(config: RunConfig, files: RunFiles, { onProgress, onNotice }: WorkerCallbacks): Promise<RunRecord | undefined> {
    const { child } = this;
    const key = configKey(config);
    let stderr = "";
    return new Promise((resolve, reject) => {
      const fail = (message: string) => settle(() => reject(new Error(message)));
      const onStderr = (text: Buffer) => (stderr = (stderr + text.toString()).slice(-2000));
      const onExit = (code: number | null, signal: string | null) => {
        if (this.grace) return settle(() => resolve(undefined));
        fail(`the worker of run ${key} ended early (${signal ?? `exit code ${code}`})\n${stderr}`);
      };
      const onMessage = (message: FromWorker) => {
        if (message.kind === "progress") onProgress(message.fraction);
        if (message.kind === "notice") onNotice(message.message);
        if (message.kind === "record") settle(() => resolve(message.record));
        if (message.kind === "stopped") settle(() => resolve(undefined));
        if (message.kind === "error") fail(`run ${key}: ${message.message}`);
      };
      const onError = (error: Error) => fail(`the worker of run ${key} cannot be reached: ${error.message}`);
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
    this.grace ??= setTimeout(() => this.child.kill("SIGKILL"), STOP_GRACE_MS);
    this.send({ kind: "stop" });
  }

  close(): void {
    clearTimeout(this.grace);
    if (this.child.connected) this.child.disconnect();
  }

  private send(message: ToWorker): void {
    // A worker that dies meanwhile is noticed by its exit.
    if (this.child.connected) this.child.send(message, () => {});
  }
}
