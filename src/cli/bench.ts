/** `npm run bench`: a training step and a Hessian-vector product of this kit beside stock TensorFlow.js and PyTorch, in one run. */
import { Command } from "commander";
// Types only: the engine reads its number of threads while it is loaded.
import type { BenchReport } from "./bench/measure";
import { positiveInteger } from "./options";

interface Options {
  readonly rounds: number;
  readonly threads?: number;
  readonly images?: number;
  readonly json?: boolean;
  readonly quick?: boolean;
}

const program = new Command("npm run bench --")
  .description("Times an SGD step, a SAM step and an exact Hessian-vector product of WRN-10-2 on 28×28×1 images, batch 128.")
  .option("--rounds <n>", "turns of each contender", positiveInteger, 5)
  .option("--threads <n>", "of each contender; default: one for each core", positiveInteger)
  .option("--images <n>", "for λmax; default: 128", positiveInteger)
  .option("--json", "print the medians as one JSON object on one line, the only one on standard output")
  .option("--quick", "tiny batches, to see that all of it runs: the times mean nothing")
  .addHelpText(
    "after",
    `
Contenders take turns, so that a machine that grows slower meanwhile is so for all of them:
  ours    this kit
  stock   the same engine with TensorFlow.js's own gradients and batch norm
  torch   PyTorch, eager, channels_last, with as many threads; where .venv's Python or python3 can import torch, or the
          Python that the environment variable SHARPNESS_PYTHON names
The input pipeline: ours again, the batches augmented by "autoaugment-scaled", either prepared beforehand, or from the worker
thread that makes them ahead, or made in the main thread before the step.

In the JSON, times are milliseconds; what cannot be measured here is null. Takes about three minutes on two cores; other
programs that compute meanwhile spoil the times.`,
  )
  .action(main);

async function main({ rounds, threads, images, json = false, quick = false }: Options): Promise<void> {
  if (threads !== undefined) process.env.SHARPNESS_THREADS = String(threads);
  const { bench } = await import("./bench/measure");
  const onNote = (note: string) => console.error(note);
  await print(await bench({ rounds, quick, numImages: images, onNote }), json);
}

async function print(report: BenchReport, json: boolean): Promise<void> {
  const { benchTable } = await import("./bench/table");
  console.log(json ? JSON.stringify(report.result) : benchTable(report));
}

program.parseAsync().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
