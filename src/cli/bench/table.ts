/** The benchmark's numbers as text: times, ratios, and each aim with what was reached. */
import type { BenchReport, BenchResult } from "./measure";
import type { NetworkRow } from "./networks";
import type { Profile } from "./profile";

type Time = number | null;

export interface Aim {
  readonly about: string;
  /** Null where one of the two times is missing. */
  readonly ratio: number | null;
  readonly atMost: number;
}

/** What the kit sets out to reach on any machine, as ratios of times measured in the same run. */
export function aims({ sgdStep, samStep, hvp, inputPipeline }: BenchResult): Aim[] {
  return [
    { about: "SAM step ÷ SGD step, ours", ratio: quotient(samStep.ours, sgdStep.ours), atMost: 2.1 },
    { about: "SGD step, ours ÷ stock gradients", ratio: quotient(sgdStep.ours, sgdStep.stock), atMost: 0.4 },
    { about: "SAM step, ours ÷ stock gradients", ratio: quotient(samStep.ours, samStep.stock), atMost: 0.4 },
    { about: "SGD step, ours ÷ PyTorch", ratio: quotient(sgdStep.ours, sgdStep.torch), atMost: 1 },
    { about: "SAM step, ours ÷ PyTorch", ratio: quotient(samStep.ours, samStep.torch), atMost: 1 },
    { about: "Hessian-vector product, ours ÷ PyTorch", ratio: quotient(hvp.ours, hvp.torch), atMost: 0.7 },
    { about: "Hessian-vector product ÷ gradient, ours", ratio: quotient(hvp.ours, hvp.gradient), atMost: 5 },
    {
      about: "SGD step, batches from the pipeline ÷ prepared",
      ratio: quotient(inputPipeline.pipeline, inputPipeline.prepared),
      atMost: 1.05,
    },
  ];
}

function quotient(a: Time, b: Time): number | null {
  return a === null || b === null ? null : a / b;
}

/** The whole report, for a terminal. */
export function benchTable({ result, about }: BenchReport): string {
  const { sgdStep, samStep, hvp, inputPipeline } = result;
  const torch = about.torch ? `PyTorch ${about.torch}` : "PyTorch";
  const rows = [
    ["", "ours", "stock gradients", torch],
    ["SGD step", ...[sgdStep.ours, sgdStep.stock, sgdStep.torch].map(milliseconds)],
    ["SAM step", ...[samStep.ours, samStep.stock, samStep.torch].map(milliseconds)],
    ["Hessian-vector product", milliseconds(hvp.ours), "wrong at second order", milliseconds(hvp.torch)],
    ["gradient, inference mode", milliseconds(hvp.gradient), "–", "–"],
    ["SGD step, augmented batches: prepared", milliseconds(inputPipeline.prepared), "–", "–"],
    ["  … from a worker thread", milliseconds(inputPipeline.pipeline), "–", "–"],
    ["  … made in the main thread", milliseconds(inputPipeline.mainThread), "–", "–"],
  ];
  const head = `WRN-10-2, 28×28×1, batch ${about.batchSize} of ${about.data}; ${result.engine}, threads: ${result.threads}; medians`;
  return [head, "", ...aligned(rows), "", ...aligned(aims(result).map(aimRow)), "", ...lambdaMaxLines({ result, about })].join(
    "\n",
  );
}

function milliseconds(time: Time): string {
  return time === null ? "not measured" : `${time.toFixed(1)} ms`;
}

function aimRow({ about, ratio, atMost }: Aim): string[] {
  const verdict = ratio === null ? "" : ratio <= atMost ? "reached" : "MISSED";
  return [
    about,
    ratio === null ? "not measured" : ratio.toFixed(2),
    `aim: at most ${atMost.toLocaleString("en", { minimumFractionDigits: 1 })}`,
    verdict,
  ];
}

function lambdaMaxLines({ result: { lambdaMax }, about }: BenchReport): string[] {
  if (!lambdaMax) return ["λmax: not measured"];
  const { lanczos, powerIteration } = lambdaMax;
  const row = (name: string, { products, ms, value }: typeof lanczos) => [
    name,
    `${products} products`,
    `${(ms / 1000).toFixed(1)} s`,
    `λmax = ${value.toFixed(4)}`,
  ];
  return [
    `λmax over ${about.numImages} images, after a few steps of training`,
    ...aligned([row("Lanczos to 1e-3", lanczos), row("power iteration", powerIteration)]),
  ];
}

const TASK_NAMES: Record<NetworkRow["task"], string> = { sgdStep: "SGD step", samStep: "SAM step", evaluate: "evaluation" };

/** Times of each network, and the ratios of processor time: below 1, ours is faster. */
export function networksTable(
  rows: readonly NetworkRow[],
  { threads, batchSize }: { threads: number; batchSize: number },
): string {
  const head = ["", "", "ours", "eager", "PyTorch", "ours ÷ eager", "ours ÷ PyTorch"];
  const ratio = (a: number, b: number | undefined) => (b === undefined ? "not measured" : (a / b).toFixed(2));
  const body = rows.map(({ network, task, ours, eager, torch }) => [
    ...[network, TASK_NAMES[task], ...[ours.ms, eager.ms, torch?.ms ?? null].map(milliseconds)],
    ...[ratio(ours.cpu, eager.cpu), ratio(ours.cpu, torch?.cpu)],
  ]);
  const title = `28×28×1, batch ${batchSize}, threads: ${threads}; medians of time, ratios of processor time`;
  return [title, "", ...aligned([head, ...body])].join("\n");
}

/** The dearest kernels of a step, and what is outside of kernels. */
export function profileTable({ network, stepMs, kernels, outside }: Profile, { most = 20 } = {}): string {
  const row = (name: string, count: string, { ms, share }: { ms: number; share: number }) => [
    ...[name, count, milliseconds(ms), `${(100 * share).toFixed(1)} %`],
  ];
  const rows = [
    ["kernel", "calls", "time", "share"],
    ...kernels.slice(0, most).map((kernel) => row(kernel.kernel, String(kernel.count), kernel)),
    row("outside of kernels", "", outside),
  ];
  return [`SAM step of ${network}, eager: ${milliseconds(stepMs)}`, "", ...aligned(rows)].join("\n");
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const pad = (cell: string, column: number) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!));
  return rows.map((row) => `  ${row.map(pad).join("   ")}`.trimEnd());
}
