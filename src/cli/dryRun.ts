/** `npm run reproduce -- … --dry-run`: every run with its settings and its cost, what it needs, and what is missing here. */
import { runConfig, runKey, type RunOptions } from "..";
import { runCost, type PlannedRun } from "../experiments";
import { multiplyAdds } from "../models";
import type { PaperItem } from "../paper";
import { pretrainingOf, trainingDifferences } from "../experiments/config";
import { factsOf } from "../experiments/datasets";
import { describeDataset, describeModel, missingRuns } from "../experiments/plan";
import { itemRecords, type Budget } from "../paper/item";
import { needsOf, type Need } from "../experiments/needs";
import { runModel } from "../experiments/run";
import { sustainedGflops } from "./yardstick";

export interface DryRunOptions {
  readonly budget: Budget;
  /** Sustained speed of the GPU whose hours are printed. */
  readonly gflops: number;
}

/** 40 % of a V100's 15.7 TFLOP/s in float32, ours: the paper's CIFAR runs had eight V100, and convolutions sustain about that share. */
export const DEFAULT_GFLOPS = 6000;

/** Prints the list. Networks are counted by running each once on one image. */
export async function dryRun(item: PaperItem, { budget, gflops }: DryRunOptions): Promise<void> {
  const records = itemRecords(item);
  const plan = item.plan(budget, records);
  console.log(`${item.title} (${item.id}), budget ${budget}: ${item.describe(budget)}`);
  const missing = missingRuns(plan, records);
  const toRun = new Set(missing);
  const costs = new Costs();
  for (const run of plan)
    console.log(`  ${describeRun(run, toRun.has(run))}; ${describeCost(await costs.of(run.config), gflops)}`);
  const pretraining = pretrainings(missing);
  for (const config of pretraining)
    console.log(`  ${runKey(config)}  once      ${describeSettings(config)}; ${describeCost(await costs.of(config), gflops)}`);
  for (const need of needsOf(plan.map(({ config }) => config))) describeNeed(need).forEach((line) => console.log(`  ${line}`));
  const configs = [...missing.map(({ config }) => config), ...pretraining];
  console.log(`  ${await total(configs, { costs, gflops, planned: plan.length, missing: missing.length })}`);
  const lacking = needsOf(configs).filter(({ here }) => !here);
  if (lacking.length > 0) console.log(`  Missing here: ${lacking.map(({ title }) => title).join(", ")}`);
}

/** Pretraining runs of the networks to be finetuned, each once. */
function pretrainings(runs: readonly PlannedRun[]): RunOptions[] {
  const all = runs.flatMap(({ config }) => pretrainingOf(runConfig(config)) ?? []);
  return [...new Map(all.map((config) => [runKey(config), config])).values()];
}

function describeRun({ config, labels }: PlannedRun, toRun: boolean): string {
  const words = Object.entries(labels).map(([name, value]) => `${name} ${value}`);
  return `${runKey(config)}  ${toRun ? "to run  " : "recorded"}  ${words.join(", ")}, seed ${config.training.seed ?? 0}; ${describeSettings(config)}`;
}

function describeSettings(options: RunOptions): string {
  const config = runConfig(options);
  const { noise, dataset } = config;
  const settings = Object.entries(trainingDifferences(config)).map(([name, value]) => `${name} ${text(value)}`);
  const noisy = noise ? [`${noise.noiseType} noise ${noise.noiseRate ?? noise.annotators}`] : [];
  const size = dataset.imageSize > 0 ? [`at ${dataset.imageSize} pixels`] : [];
  return [`${describeModel(options.model)} on ${describeDataset(options.dataset)}`, ...size, ...noisy, ...settings].join(", ");
}

function text(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** FLOP of runs: a gradient costs three forward passes, a multiply-add two operations. */
class Costs {
  private readonly counted = new Map<string, Promise<number>>();

  async of(options: RunOptions): Promise<number> {
    return 2 * 3 * runCost(options) * (await this.multiplyAdds(options));
  }

  private multiplyAdds(options: RunOptions): Promise<number> {
    const { model, dataset } = runConfig(options);
    const facts = factsOf(dataset);
    // The number of classes is left out: the last layer's share is below the digits that are printed.
    const name = JSON.stringify([model, dataset.imageSize || facts.shape.slice(0, 2), facts.shape[2]]);
    const found = this.counted.get(name) ?? multiplyAdds(runModel({ model, dataset }, facts));
    this.counted.set(name, found);
    return found;
  }
}

function describeCost(flop: number, gflops: number): string {
  return `${flop.toExponential(1)} FLOP, ${hours(flop, gflops)}`;
}

function hours(flop: number, gflops: number): string {
  const value = flop / (gflops * 1e9) / 3600;
  return `${value < 0.1 ? value.toPrecision(1) : value.toFixed(1)} GPU hours`;
}

function describeNeed({ title, here, target, files, note }: Need): string[] {
  if (here) return [`needs ${title}: here, ${target}`];
  const size = (bytes: number | undefined) => (bytes === undefined ? "size unknown" : `${bytes} bytes`);
  return [
    `needs ${title}: NOT here; belongs in ${target}${note ? ` (${note})` : ""}`,
    ...files.map(({ url, bytes }) => `  ${url} (${size(bytes)})`),
  ];
}

interface Total {
  readonly costs: Costs;
  readonly gflops: number;
  readonly planned: number;
  readonly missing: number;
}

async function total(configs: readonly RunOptions[], { costs, gflops, planned, missing }: Total): Promise<string> {
  if (configs.length === 0) return `0 of ${planned} runs to make`;
  let flop = 0;
  for (const config of configs) flop += await costs.of(config);
  const gradients = configs.reduce((sum, config) => sum + runCost(config), 0);
  const work = `${(gradients / 1e6).toFixed(2)} million gradients of one example, ${describeCost(flop, gflops)} at ${gflops} GFLOP/s`;
  return `${missing} of ${planned} runs to make: ${work}, ${await timeHere(flop)}`;
}

/** Data and evaluation come on top, and small networks are slower than the one that is timed: the order of magnitude is right. */
async function timeHere(flop: number): Promise<string> {
  const hours = flop / ((await speed()) * 1e9) / 3600;
  const [unit, size] = units.find(([, size]) => hours >= 2 * size) ?? ["minutes", 1 / 60];
  return `about ${Math.ceil(hours / size)} ${unit} on this machine`;
}

const units: readonly [string, number][] = [
  ["years", 24 * 365],
  ["days", 24],
  ["hours", 1],
];

let measured: Promise<number> | undefined;

function speed(): Promise<number> {
  return (measured ??= sustainedGflops());
}
