/** What a table or figure of the paper is here: a title, the claim it carries, its runs at each budget, and rows made of their records. */
import { hasFashionMnist } from "../data";
import type { RunOptions } from "../experiments/config";
import { datasetConfig, runKey } from "../experiments/config";
import { factsOf } from "../experiments/datasets";
import { describeNetwork } from "../experiments/networks";
import { readRecords, type ReadOptions, type RunRecord } from "../experiments/records";

/**
 * - smoke: the whole path in seconds, for tests
 * - demo: the effect in minutes, few seeds, for `npm start` and classrooms
 * - lab: the committed results, at least 3 seeds, about an hour on 2 cores
 * - paper: the paper's exact settings, on a GPU with the paper's data
 */
export const budgets = ["smoke", "demo", "lab", "paper"] as const;
export type Budget = (typeof budgets)[number];

export type Labels = Readonly<Record<string, string | number>>;

/** A run and what it is in its table: `{ augment: "basic", method: "SAM", seed: 0 }`. */
export interface PlannedRun {
  readonly config: RunOptions;
  readonly labels: Labels;
}

/** One measured run with its labels. */
export interface LabeledRow {
  readonly seed: number;
  /** After the last epoch, in [0, 1]. */
  readonly testErrorRate: number;
  readonly bestTestErrorRate: number;
  readonly [label: string]: string | number;
}

export interface PaperItem {
  /** Its name everywhere: "table-5", "figure-3-middle". */
  readonly id: string;
  /** The item whose records it reads, where they are not its own: one run serves both. */
  readonly recordsIn?: string;
  /** The items whose runs it shows, where it has none of its own. */
  readonly parts?: readonly PaperItem[];
  /** True where it shows settings, not runs: its plan is empty, and it is complete without a record. */
  readonly withoutRuns?: true;
  /** "Table 5". */
  readonly title: string;
  /** The paper's claim, one sentence. */
  readonly claim: string;
  /** What this budget trains on, one sentence. */
  describe(budget: Budget): string;
  /** The runs that can be named so far; a later stage, such as the runs at a tuned ρ, appears once its first stage has records. */
  plan(budget: Budget, records: readonly RunRecord[]): readonly PlannedRun[];
  /** What our records say of the paper's claim, in sentences with numbers; [] where records are missing. */
  conclusions(budget: Budget, records: readonly RunRecord[]): readonly string[];
}

/** Names of the files of an item's records: one, but for an item made of others. */
export function recordsNames({ id, recordsIn = id, parts, withoutRuns }: PaperItem): string[] {
  if (withoutRuns) return [];
  return parts ? [...new Set(parts.flatMap(recordsNames))] : [recordsIn];
}

/** All records of an item, committed and this machine's own. */
export function itemRecords(item: PaperItem, options?: ReadOptions): RunRecord[] {
  return recordsNames(item).flatMap((name) => readRecords(name, options));
}

/** Planned runs that have a record, each with it. */
export function finishedRecords(
  plan: readonly PlannedRun[],
  records: readonly RunRecord[],
): { readonly record: RunRecord; readonly labels: Labels }[] {
  const byKey = new Map(records.map((record) => [record.key, record]));
  return plan.flatMap(({ config, labels }) => {
    const record = byKey.get(runKey(config));
    return record ? [{ record, labels }] : [];
  });
}

/** Planned runs that have a finished record, as rows; those that diverged count as chance level. */
export function labeledRows(plan: readonly PlannedRun[], records: readonly RunRecord[]): LabeledRow[] {
  return finishedRecords(plan, records).map(({ record, labels }) => {
    const chance = 1 - 1 / factsOf(datasetConfig(record.config.dataset)).numClasses;
    const { testErrorRate = chance, bestTestErrorRate = chance, divergedInEpoch } = record.metrics;
    const last = divergedInEpoch === undefined ? testErrorRate : chance;
    return { ...labels, seed: record.config.training.seed, testErrorRate: last, bestTestErrorRate };
  });
}

/** Of the runs that tune: none of the seeds that are reported. */
export const TUNING_SEED = 1000;

/** The run of a search with the lowest error, the first of equals; undefined until every one has a record. */
export function bestRun(search: readonly PlannedRun[], records: readonly RunRecord[]): LabeledRow | undefined {
  const rows = labeledRows(search, records);
  if (rows.length < search.length) return undefined;
  return rows.reduce((a, b) => (b.testErrorRate < a.testErrorRate ? b : a));
}

/** Whether every run that the plan names has a record; a plan whose later stages are not named yet is not complete. */
export function isComplete(item: PaperItem, budget: Budget, records: readonly RunRecord[]): boolean {
  if (item.withoutRuns) return true;
  const keys = new Set(records.map(({ key }) => key));
  const plan = item.plan(budget, records);
  return plan.length > 0 && plan.every(({ config }) => keys.has(runKey(config)));
}

/** The largest budget whose runs are all recorded; undefined where there is none. */
export function largestBudget(item: PaperItem, records: readonly RunRecord[]): Budget | undefined {
  return [...budgets].reverse().find((budget) => isComplete(item, budget, records));
}

/** Data of the quick budgets: the real images, or generated ones on a machine where they cannot be had. */
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
  return `${trainSize} training and ${testSize} test images ${source}`;
}

/** "WRN-10-1", "ConvNet 16-32-64", "ResNet-20 without skip connections". */
export function describeModel(model: RunOptions["model"]): string {
  return describeNetwork(model);
}
