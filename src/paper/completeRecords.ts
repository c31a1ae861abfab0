/** Makes the runs of a table or figure that have no record yet, stage by stage, until its plan names nothing new. */
import { runKey } from "../experiments/config";
import { itemRecords, recordsNames, type Budget, type PaperItem, type PlannedRun } from "./item";
import { localResultsFolder, resultsFolder, type RunRecord } from "../experiments/records";
import { runMissing, type RunMissingOptions } from "../experiments/runMissing";

export interface CompleteOptions extends Pick<RunMissingOptions, "jobs" | "signal" | "tensorBoard" | "onProgress" | "onWarning"> {
  readonly budget: Budget;
}

/**
 * All records of an item once those of the budget are complete: smoke and demo in data/cache/results, lab and paper in data/results.
 * @throws the first error of a run, or where the signal stopped it; what had finished stays recorded, and the same call goes on from there
 */
export async function completeRecords(item: PaperItem, { budget, ...options }: CompleteOptions): Promise<RunRecord[]> {
  for (const part of item.parts ?? []) await completeRecords(part, { budget, ...options });
  const folder = budget === "lab" || budget === "paper" ? resultsFolder : localResultsFolder;
  for (;;) {
    const records = itemRecords(item, options.onWarning ? { onWarning: options.onWarning } : {});
    const missing = missingRuns(item.plan(budget, records), records);
    if (missing.length === 0) return records;
    const configs = missing.map(({ config }) => config);
    await runMissing(configs, { ...options, item: recordsNames(item)[0]!, folder });
    if (options.signal?.aborted) throw new Error("stopped; the same command goes on from here");
  }
}

export function missingRuns(plan: readonly PlannedRun[], records: readonly RunRecord[]): PlannedRun[] {
  const known = new Set(records.map(({ key }) => key));
  return plan.filter(({ config }) => !known.has(runKey(config)));
}
