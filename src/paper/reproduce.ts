/** From an item's name to its table and figure: makes the runs that have no record yet, then reports those that there are. */
import { checkOptions, type OptionKinds } from "../engine";
import { missingRuns } from "../experiments/plan";
import { localResultsFolder, resultsFolder, type RunRecord } from "../experiments/records";
import { runMissing, type RunMissingOptions } from "../experiments/runMissing";
import type { FigureSpec } from "../plots";
import { toHtml, toMarkdown, type TableOptions, type TableRow } from "../tables";
import { findItem } from "./catalog";
import {
  budgets,
  conclusionsOf,
  isComplete,
  itemRecords,
  largestBudget,
  recordsNames,
  type Budget,
  type PaperItem,
} from "./item";

/** Options of `completeRecords`. */
export interface CompleteOptions extends Pick<RunMissingOptions, "jobs" | "signal" | "tensorBoard" | "onProgress" | "onWarning"> {
  readonly budget: Budget;
}

/**
 * All records of an item once those of the budget are complete: smoke and demo in data/cache/results, lab and paper in data/results.
 * Runs stage by stage, until the plan names nothing new.
 * @throws the first error of a run, or if the signal stopped it. What had finished stays recorded, and the same call goes on from there
 */
export async function completeRecords(item: PaperItem, { budget, ...options }: CompleteOptions): Promise<RunRecord[]> {
  for (const part of item.parts ?? []) await completeRecords(part, { budget, ...options });
  const folder = budget === "lab" || budget === "paper" ? resultsFolder : localResultsFolder;
  for (;;) {
    const records = itemRecords(item, { onWarning: options.onWarning });
    const missing = missingRuns(item.plan(budget, records), records);
    if (missing.length === 0) return records;
    const configs = missing.map(({ config }) => config);
    await runMissing(configs, { ...options, item: recordsNames(item)[0]!, folder });
    if (options.signal?.aborted) throw new Error("stopped; the same command goes on from here");
  }
}

/** A finished table and figure of one item at one budget. */
export interface ItemReport {
  readonly id: string;
  readonly title: string;
  readonly budget: Budget;
  /** What was trained, on what, how often. */
  readonly description: string;
  readonly rows: readonly TableRow[];
  /** Title, columns, footnotes and bold cells of the table, for `toText`, `toCsv` and `toLatex`. */
  readonly table: TableOptions;
  readonly markdown: string;
  readonly html: string;
  readonly figure: FigureSpec;
  /** What our records say about the paper's claims. */
  readonly conclusions: readonly string[];
}

/** Options of `itemReport`. */
export interface ReportOptions {
  /** Default: the largest budget whose runs all have records. */
  readonly budget?: Budget;
  /** Default: the committed records and this machine's own. */
  readonly records?: readonly RunRecord[];
}

/**
 * Table, figure and conclusions of an item, such as "table-5", from records that exist.
 * @throws if there is no such item, or no complete set of its records yet
 */
export function itemReport(id: string, options: ReportOptions = {}): ItemReport {
  checkOptions(options, { budget: { values: budgets }, records: "array" }, "itemReport");
  const { records = itemRecords(findItem(id)), budget } = options;
  const item = findItem(id);
  const chosen = budget ?? largestBudget(item, records);
  if (!chosen) throw new Error(`${id} has no complete records yet; make some with: npm run reproduce -- ${id} --budget demo`);
  if (!isComplete(item, chosen, records))
    throw new Error(`${id} lacks records of budget ${chosen}; make them with: npm run reproduce -- ${id} --budget ${chosen}`);
  return reportOf(item, chosen, records);
}

function reportOf(item: PaperItem, budget: Budget, records: readonly RunRecord[]): ItemReport {
  const measured = item.rows(budget, records);
  const { rows, ...table } = item.table(measured, budget);
  return {
    id: item.id,
    title: item.title,
    budget,
    description: item.describe(budget),
    rows,
    table,
    markdown: toMarkdown(rows, table),
    html: toHtml(rows, table),
    figure: item.figure(measured, budget),
    conclusions: conclusionsOf(item, measured, budget),
  };
}

/** Options of `reproduceItem`. */
export interface ReproduceOptions extends Omit<CompleteOptions, "budget"> {
  /** One of `budgets`. Default: the largest whose runs all have records, so that nothing is run. */
  readonly budget?: string;
}

const reproduceOptionKinds: OptionKinds<ReproduceOptions> = {
  ...{ budget: "string", jobs: "number", signal: "object", tensorBoard: "string" },
  ...{ onProgress: "function", onWarning: "function" },
};

/**
 * The report of an item at a budget; runs that have no record yet are made first, in worker processes.
 * @throws if there is no such item or budget, or a run fails
 */
export async function reproduceItem(id: string, reproduceOptions: ReproduceOptions = {}): Promise<ItemReport> {
  checkOptions(reproduceOptions, reproduceOptionKinds, "reproduceItem");
  const { budget, ...options } = reproduceOptions;
  const item = findItem(id);
  if (budget === undefined) return itemReport(id);
  if (!isBudget(budget)) throw new Error(`budget = "${budget}": expected one of ${budgets.join(", ")}`);
  return itemReport(id, { budget, records: await completeRecords(item, { ...options, budget }) });
}

function isBudget(name: string): name is Budget {
  return (budgets as readonly string[]).includes(name);
}
