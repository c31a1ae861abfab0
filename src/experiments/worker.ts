/** A worker process: makes the runs that it is sent, one at a time, and sends back records. Its argument is the id of its parent. */
import { Worker as Thread } from "node:worker_threads";
import fs from "node:fs";
import { UnusableCheckpoint } from "../training/checkpoint";
import { runRecord, RunAborted } from "./run";
import type { RunConfig } from "./config";
import type { RunRecord } from "./records";
import type { FromWorker, RunFiles, ToWorker } from "./workerProcess";

function send(message: FromWorker): void {
  process.send?.(message);
}

const stop = new AbortController();
// Ctrl-C reaches the whole process group: the parent decides, and tells us.
process.on("SIGINT", () => {});
process.on("disconnect", () => process.exit(0));
process.on("message", (message: ToWorker) => {
  if (message.kind === "stop") stop.abort();
  else void runAndReport(message.config, message.files);
});
endWithParent(Number(process.argv[2]));

/** Ends this process within a second of its parent, also while its event loop is blocked: a spectrum takes minutes. */
function endWithParent(parent: number): void {
  const code = `
    const { parent, pid } = require("node:worker_threads").workerData;
    setInterval(() => process.ppid === parent || process.kill(pid, "SIGKILL"), 1000);`;
  new Thread(code, { eval: true, execArgv: [], workerData: { parent, pid: process.pid } }).unref();
}

/** The run's record. A checkpoint that cannot be resumed, such as an older version's, is deleted with a notice and the run starts anew. */
async function recordOf(config: RunConfig, files: RunFiles): Promise<RunRecord> {
  const onNotice = (message: string) => send({ kind: "notice", message });
  try {
    return await runRecord(config, {
      signal: stop.signal,
      stopOnInterrupt: false,
      ...files,
      onNotice,
      onStep: ({ step, totalSteps }) => {
        if (step % 5 === 0 || step === totalSteps) send({ kind: "progress", fraction: step / totalSteps });
      },
    });
  } catch (error) {
    if (!(error instanceof UnusableCheckpoint)) throw error;
    fs.rmSync(error.file);
    onNotice(`${error.file}: ${error.reason}; the run starts anew`);
    return recordOf(config, files);
  }
}

async function runAndReport(config: RunConfig, files: RunFiles): Promise<void> {
  try {
    send({ kind: "record", record: await recordOf(config, files) });
  } catch (error) {
    if (error instanceof RunAborted) send({ kind: "stopped" });
    else send({ kind: "error", message: (error as Error).message });
  }
}
