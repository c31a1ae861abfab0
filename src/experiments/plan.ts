/** Planned runs: configs with tags that say what each is in its table, joined with the records that there are. */
import { hasFashionMnist } from "../data";
import { datasetConfig, runKey, type RunOptions } from "./config";
import { factsOf } from "./datasets";
import { describeNetwork } from "./networks";
import type { RunRecord } from "./records";

/** What a run is in its table: `{ augment: "basic", method: "SAM" }`. */
export type RunTags = Readonly<Record<string, string | number>>;

/** A run of an item: its config, and the labels under which the table or figure finds it. */
export interface PlannedRun {
  readonly config: RunOptions;
  readonly labels: RunTags;
}

/** One measured run with its tags. */
export interface LabeledRow {
  readonly seed: number;
  /** After the last epoch, in [0, 1]. */
  readonly testErrorRate: number;
  readonly bestTestErrorRate: number;
  readonly [label: string]: string | number;
}

/** Seeds of tuning runs; never reported. */
export const TUNING_SEEDS: readonly number[] = [1000, 1001, 1002];

/**
 * A run as one of a search, once for each tuning seed: tested after its last epoch on `heldOutSize` training images that it is
 * not trained on. Each seed holds other images out, so that a choice depends less on them.
 * @throws if more images are held out than are trained on, or none
 */
export function tuningRuns(
  { config, labels }: PlannedRun,
  { heldOutSize, seeds = TUNING_SEEDS }: { heldOutSize: number; seeds?: readonly number[] },
): PlannedRun[] {
  const { dataset, training, noise } = config;
  const { trainSize } = factsOf(datasetConfig({ ...dataset, heldOutSize }));
  if (!(heldOutSize > 0 && heldOutSize <= trainSize))
    throw new Error(`heldOutSize = ${heldOutSize}: expected 1 to ${trainSize}, the number of images that are trained on`);
  return seeds.map((seed) => ({
    config: {
      ...config,
      dataset: { ...dataset, heldOutSize, heldOutSeed: seed },
      ...(noise ? { noise: { ...noise, noiseSeed: seed } } : {}),
      training: { ...training, evaluateEvery: training.epochs, seed },
    },
    labels,
  }));
}

/** Planned runs that have a record, each with it. */
export function finishedRecords(
  plan: readonly PlannedRun[],
  records: readonly RunRecord[],
): { readonly record: RunRecord; readonly labels: RunTags }[] {
  const byKey = new Map(records.map((record) => [record.key, record]));
  return plan.flatMap(({ config, labels }) => {
    const record = byKey.get(runKey(config));
    return record ? [{ record, labels }] : [];
  });
}

/** Planned runs that have no record yet. */
export function missingRuns(plan: readonly PlannedRun[], records: readonly RunRecord[]): PlannedRun[] {
  const known = new Set(records.map(({ key }) => key));
  return plan.filter(({ config }) => !known.has(runKey(config)));
}

/** One row for each planned run that has a record. A run that diverged counts as guessing: its error is that of chance. */
export function labeledRows(plan: readonly PlannedRun[], records: readonly RunRecord[]): LabeledRow[] {
  return finishedRecords(plan, records).map(({ record, labels }) => {
    const chance = 1 - 1 / factsOf(record.config.dataset).numClasses;
    const { testErrorRate = chance, bestTestErrorRate = chance, divergedInEpoch } = record.metrics;
    const last = divergedInEpoch === undefined ? testErrorRate : chance;
    return { ...labels, seed: record.config.training.seed, testErrorRate: last, bestTestErrorRate };
  });
}

/** The tags of a search with the lowest mean error over the seeds, the first among ties; undefined until every run has a record. */
export function bestTags(search: readonly PlannedRun[], records: readonly RunRecord[]): RunTags | undefined {
  const finished = finishedRecords(search, records);
  if (finished.length < search.length) return undefined;
  const errors = labeledRows(search, records).map(({ testErrorRate }) => testErrorRate);
  const tried = new Map<string, { labels: RunTags; sum: number }>();
  finished.forEach(({ labels }, i) => {
    const name = JSON.stringify(labels);
    tried.set(name, { labels, sum: (tried.get(name)?.sum ?? 0) + errors[i]! });
  });
  return [...tried.values()].reduce((a, b) => (b.sum < a.sum ? b : a)).labels;
}

/** Runs without repetition: the first of those that share a config. */
export function distinctRuns(runs: readonly PlannedRun[]): PlannedRun[] {
  // Compared as text, since a key costs a check of the whole config and the paper's tables have hundreds of runs.
  const byText = new Map<string, PlannedRun>();
  for (const run of runs) {
    const text = JSON.stringify(run.config);
    if (!byText.has(text)) byText.set(text, run);
  }
  return [...byText.values()];
}

/** Data of quick runs: Fashion-MNIST, or generated images on a machine that does not have it. */
export function quickDataset(sizes: { trainSize: number; testSize: number }): RunOptions["dataset"] {
  return { name: hasFashionMnist() ? "fashion-mnist" : "generated", ...sizes };
}

/** "1000 training and 2000 test images of Fashion-MNIST". */
export function describeDataset(options: RunOptions["dataset"]): string {
  const dataset = datasetConfig(options);
  const { trainSize, testSize, title } = factsOf(dataset);
  const classes =
    dataset.classes === "all" ? "" : `${dataset.classes === "first-half" ? "the first" : "the other"} half of the classes of `;
  const source = dataset.name === "generated" ? "that were generated, not real" : `of ${classes}${title}`;
  const size = dataset.imageSize > 0 ? ` at ${dataset.imageSize}×${dataset.imageSize} pixels` : "";
  return `${trainSize} training and ${testSize} test images ${source}${size}`;
}

/** "WRN-10-1", "ConvNet 16-32-64", "ResNet-20 without skip connections". */
export function describeModel(model: RunOptions["model"]): string {
  return describeNetwork(model);
}

/** "1 epoch", "3 seeds". */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
