/** An item's runs and its table on the command line, for `npm start` and `npm run reproduce`. */
import fs from "node:fs";
import path from "node:path";
import type { RunRecord } from "..";
import type { Budget, PaperItem } from "../paper";
import { missingRuns } from "../experiments/plan";
import { runCost } from "../experiments/runCost";
import { itemRecords } from "../paper/item";
import { completeRecords, type ItemReport } from "../paper/reproduce";
import { runSummary } from "../paper/runSummary";
import { toText } from "../tables";
import { stopSignal, terminal, usableJobs } from "./command";
import { progressBar } from "./progress";

export interface MakeOptions {
  readonly budget: Budget;
  readonly jobs: number;
  /** A folder for event files and a summary of each run that is made. */
  readonly log?: string;
  /** Stops the runs when it is aborted, as Ctrl-C and SIGTERM do. */
  readonly timeUp?: AbortSignal;
}

/**
 * `completeRecords` with a progress bar.
 * @throws as `completeRecords` does, also if it was stopped
 */
export async function makeMissing(item: PaperItem, { budget, jobs, log, timeUp }: MakeOptions): Promise<RunRecord[]> {
  const { signal, release } = stopSignal(timeUp);
  const bar = progressBar(`${item.id} ${budget}`);
  const onWarning = (message: string) => console.error(message);
  try {
    const progress = { onProgress: bar.update, onWarning };
    return await completeRecords(item, { budget, jobs: usableJobs(jobs), tensorBoard: log, signal, ...progress });
  } finally {
    bar.stop();
    if (log !== undefined) writeSummaries(log, itemRecords(item));
    release();
  }
}

/** As `makeMissing`, for so many hours; then it prints what is left, and there are no complete records. */
export async function makeMissingFor(
  hours: number,
  item: PaperItem,
  options: Omit<MakeOptions, "timeUp">,
): Promise<RunRecord[] | undefined> {
  const before = workLeft(item, options.budget);
  const timeUp = AbortSignal.timeout(hours * 3_600_000);
  try {
    return await makeMissing(item, { ...options, timeUp });
  } catch (error) {
    if (!timeUp.aborted) throw error;
    console.log(`${item.id}: ${describeLeft(hours, { before, after: workLeft(item, options.budget) })}`);
    return undefined;
  }
}

interface WorkLeft {
  readonly runs: number;
  readonly cost: number;
}

/** Runs that have no record, of those that the plan names so far; those of an item's parts included. */
function workLeft(item: PaperItem, budget: Budget): WorkLeft {
  const records = itemRecords(item);
  const missing = missingRuns(item.plan(budget, records), records);
  const own = { runs: missing.length, cost: missing.reduce((sum, { config }) => sum + runCost(config), 0) };
  const parts = (item.parts ?? []).map((part) => workLeft(part, budget));
  return parts.reduce((a, b) => ({ runs: a.runs + b.runs, cost: a.cost + b.cost }), own);
}

/** "stopped after 2.0 hours; at least 45 runs are left, about 3.1 hours at this pace; the same command goes on". */
export function describeLeft(hours: number, { before, after }: { before: WorkLeft; after: WorkLeft }): string {
  const done = before.cost - after.cost;
  const pace = done > 0 ? `, about ${((hours * after.cost) / done).toPrecision(2)} hours at this pace` : "";
  // At least: runs at a tuned setting are planned when their tuning is done.
  const runs = `at least ${after.runs} ${after.runs === 1 ? "run is" : "runs are"} left`;
  return `stopped after ${hours.toPrecision(2)} hours; ${runs}${pace}; the same command goes on`;
}

/** A summary beside the curves of each finished run. */
function writeSummaries(log: string, records: readonly RunRecord[]): void {
  for (const record of records) {
    const folder = path.join(log, record.key);
    if (fs.existsSync(folder)) fs.writeFileSync(path.join(folder, "summary.md"), `${runSummary(record)}\n`);
  }
}

/** The table as wide as the terminal, then what it says about the paper's claim. */
export function printReport({ rows, table, conclusions }: ItemReport): void {
  console.log(`\n${toText(rows, { ...table, ...terminal() })}`);
  for (const sentence of conclusions) console.log(sentence);
}
