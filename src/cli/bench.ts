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
  readonly networks?: boolean;
  readonly profile?: boolean;
}

const program = new Command("npm run bench --")
  .description("Times an SGD step, a SAM step and an exact Hessian-vector product of WRN-10-2 on 28×28×1 images, batch 128.")
  .option("--rounds <n>", "turns of each contender", positiveInteger, 5)
  .option("--threads <n>", "of each contender; default: one for each core", positiveInteger)
  .option("--images <n>", "for λmax; default: 128", positiveInteger)
  .option("--json", "print the medians as one JSON object on one line, the only one on standard output")
  .option("--networks", "instead: training steps and evaluation of networks of several sizes, beside PyTorch")
  .option("--profile", "instead: kernels of an eager SAM step by time and count, and the share outside of kernels")
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

"Ours" replays its steps as graphs, as trainings of 100 steps and more do. In the JSON, times are milliseconds; what cannot be
measured here is null. Takes about three minutes on two cores; other programs that compute meanwhile spoil the times.`,
  )
  .action(main);

const onNote = (note: string) => console.error(note);

async function main({ rounds, threads, images, json = false, quick = false, networks, profile }: Options): Promise<void> {
  if (networks && profile) throw new Error("--networks and --profile: choose one");
  if (threads !== undefined) process.env.SHARPNESS_THREADS = String(threads);
  if (networks) return printNetworks({ rounds, quick, json });
  if (profile) return printProfile({ rounds, quick, json });
  const { bench } = await import("./bench/measure");
  await print(await bench({ rounds, quick, numImages: images, onNote }), json);
}

type Printed = Required<Pick<Options, "rounds" | "quick" | "json">>;

async function printNetworks({ rounds, quick, json }: Printed): Promise<void> {
  const { benchNetworks, NETWORKS } = await import("./bench/networks");
  const { networksTable } = await import("./bench/table");
  const { ready } = await import("../engine");
  const batchSize = quick ? 8 : 128;
  const rows = await benchNetworks({ rounds, batchSize, networks: quick ? NETWORKS.slice(0, 2) : NETWORKS, onNote });
  const { threads } = await ready();
  console.log(json ? JSON.stringify({ threads, batchSize, rows }) : networksTable(rows, { threads, batchSize }));
}

async function printProfile({ rounds, quick, json }: Printed): Promise<void> {
  const { profileStep } = await import("./bench/profile");
  const { profileTable } = await import("./bench/table");
  const profile = await profileStep({ steps: rounds, batchSize: quick ? 8 : 128 });
  console.log(json ? JSON.stringify(profile) : profileTable(profile));
}

async function print(report: BenchReport, json: boolean): Promise<void> {
  const { benchTable } = await import("./bench/table");
  console.log(json ? JSON.stringify(report.result) : benchTable(report));
}

program.parseAsync().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
