/** A worker process: runs the configs that it is sent, one at a time, and sends back records. */
import { runRecord, RunAborted } from "./run";
import type { RunOptions } from "./config";
import type { FromWorker, RunFiles, ToWorker } from "./runMissing";

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

async function runAndReport(config: RunOptions, files: RunFiles): Promise<void> {
  try {
    const record = await runRecord(config, {
      signal: stop.signal,
      stopOnInterrupt: false,
      ...files,
      onStep: ({ step, totalSteps }) => {
        if (step % 5 === 0 || step === totalSteps) send({ kind: "progress", fraction: step / totalSteps });
      },
    });
    send({ kind: "record", record });
  } catch (error) {
    if (error instanceof RunAborted) send({ kind: "stopped" });
    else send({ kind: "error", message: (error as Error).message });
  }
}
