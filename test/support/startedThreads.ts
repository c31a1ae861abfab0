/** Watches the worker threads that a test starts. */
import assert from "node:assert/strict";
import type { Worker } from "node:worker_threads";

/** Those that are started while a test of this suite runs; after it, each has to have ended. */
export function watchThreads(): { readonly started: readonly Worker[] } {
  const started: Worker[] = [];
  const onWorker = (worker: Worker) => void started.push(worker);
  beforeEach(() => void process.on("worker", onWorker));
  afterEach(() => {
    process.removeListener("worker", onWorker);
    const running = started.splice(0).filter(({ threadId }) => threadId !== -1); // node:worker_threads: −1 once it has ended
    assert.equal(running.length, 0, "worker threads left behind");
  });
  return { started };
}
