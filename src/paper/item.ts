/** A table or figure of the paper: its claim, its runs at each budget, and what their records become. An item owns all of this. */
import { runKey } from "../experiments/config";
import type { PlannedRun } from "../experiments/plan";
import { readRecords, type ReadOptions, type RunRecord } from "../experiments/records";
import type { FigureSpec } from "../plots";
import type { TableOptions, TableRow } from "../tables";
import { claimSentences, type Claim } from "./claims";

/**
 * - smoke: the whole path in seconds, for tests
 * - demo: the effect in minutes, few seeds, for `npm start` and classrooms
 * - lab: the committed results, at least 3 seeds, about an hour on 2 cores
 * - paper: the paper's exact settings, on a GPU with the paper's data
 */
export const budgets = ["smoke", "demo", "lab", "paper"] as const;
/** How much is spent on an item, see `budgets`. */
export type Budget = (typeof budgets)[number];

/** A printed table: its rows, headings and footnotes. */
export interface ItemTable extends TableOptions {
  readonly rows: readonly TableRow[];
}

/** An item's line in the README. */
export interface ItemSummary {
  /** The paper's central numbers, one short line. */
  readonly paper: string;
  /** Ours, in the same order. */
  readonly ours: string;
  /** Seeds behind each of our numbers; absent if nothing is trained. */
  readonly seeds?: number;
  /** The claims that the line counts; [] if the paper claims nothing. */
  readonly claims: readonly Claim[];
  /** Claims of this item whose runs another item's line counts: "counted elsewhere: 2 in Table 5". */
  readonly elsewhere?: string;
}

/** Records become rows; claims, table, figure and summary are made of rows alone. */
export interface PaperItem<Row = unknown> {
  /** Its name everywhere: "table-5", "figure-3-middle". */
  readonly id: string;
  /** "Table 5". */
  readonly title: string;
  /** The paper's claim, one sentence. */
  readonly claim: string;
  /** The item whose records it shares; default: its own. */
  readonly recordsIn?: string;
  /** The items whose runs it shows; absent if it has runs of its own. */
  readonly parts?: readonly PaperItem[];
  /** True for settings rather than runs: the plan is empty, and the item is complete without a record. */
  readonly withoutRuns?: true;
  /** What this budget trains, on which data, how often: one sentence without a period. */
  describe(budget: Budget): string;
  /** The runs that are known so far. Later stages, such as the runs at a tuned ρ, appear once the first has its records. */
  plan(budget: Budget, records: readonly RunRecord[]): readonly PlannedRun[];
  /** The measurements, from the records that there are; [] without records. */
  rows(budget: Budget, records: readonly RunRecord[]): readonly Row[];
  /** The paper's claims with our verdict on each; [] without rows. */
  claims(rows: readonly Row[], budget: Budget): readonly Claim[];
  /** Sentences with numbers that belong to no claim. */
  remarks?(rows: readonly Row[], budget: Budget): readonly string[];
  /** The table of these rows. */
  table(rows: readonly Row[], budget: Budget): ItemTable;
  /** The figure of these rows. */
  figure(rows: readonly Row[], budget: Budget): FigureSpec;
  /** The item's line in the table of results. */
  summary(rows: readonly Row[], budget: Budget): ItemSummary;
}

/** What the rows say about the paper's claims, in sentences with numbers; [] without rows. */
export function conclusionsOf(item: PaperItem, rows: readonly unknown[], budget: Budget): string[] {
  if (rows.length === 0) return [];
  return [...claimSentences(item.claims(rows, budget)), ...(item.remarks?.(rows, budget) ?? [])];
}

/** Files of an item's records in data/results, without extension. */
export function recordsNames({ id, recordsIn = id, parts, withoutRuns }: PaperItem): string[] {
  if (withoutRuns) return [];
  return parts ? [...new Set(parts.flatMap(recordsNames))] : [recordsIn];
}

/** All records of an item, committed and this machine's own. */
export function itemRecords(item: PaperItem, options?: ReadOptions): RunRecord[] {
  return recordsNames(item).flatMap((name) => readRecords(name, options));
}

/** Whether every run that the plan names has a record. A plan whose later stages are not named yet is not complete. */
export function isComplete(item: PaperItem, budget: Budget, records: readonly RunRecord[]): boolean {
  if (item.withoutRuns) return true;
  const keys = new Set(records.map(({ key }) => key));
  const plan = item.plan(budget, records);
  return plan.length > 0 && plan.every(({ config }) => keys.has(runKey(config)));
}

/** The largest budget whose runs are all recorded; undefined if there is none. */
export function largestBudget(item: PaperItem, records: readonly RunRecord[]): Budget | undefined {
  return [...budgets].reverse().find((budget) => isComplete(item, budget, records));
}
