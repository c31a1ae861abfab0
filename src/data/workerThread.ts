/** Starts worker threads from the files beside this one. */
import path from "node:path";
import { Worker, type WorkerOptions } from "node:worker_threads";

/** Starts `name`.ts of this folder: from the build a plain file; from the sources, under tsx, a line that loads tsx first. */
export function startWorker(name: string, options: WorkerOptions = {}): Worker {
  const file = path.join(__dirname, `${name}${path.extname(__filename)}`);
  if (file.endsWith(".js")) return new Worker(file, options);
  return new Worker(`require("tsx/cjs"); require(${JSON.stringify(file)});`, { ...options, eval: true });
}
