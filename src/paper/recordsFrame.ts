/** The recorded runs of an item as flat rows and as a danfojs DataFrame, to explore them in a notebook. */
import { finishedRecords, labeledRows } from "../experiments/plan";
import type { RunRecord } from "../experiments/records";
import { checkOptions } from "../engine";
import { dataFrame, type DataFrame, type TableRow } from "../tables";
import { findItem } from "./catalog";
import { budgets, itemRecords, largestBudget, type Budget } from "./item";

/** Options of `recordsRows` and `recordsFrame`. */
export interface RecordsOptions {
  /** Default: the largest budget whose runs all have records. */
  readonly budget?: Budget;
  /** "reported": the runs behind the table, errors on test images. "tuning": the runs that chose ρ, errors on held-out images. */
  readonly stage?: "reported" | "tuning";
  /** Default: the committed records and this machine's own. */
  readonly records?: readonly RunRecord[];
}

/**
 * One row for each recorded run of an item such as "table-5": its tags (method, model, noise rate …), ρ, seed, epochs, and its
 * metrics; rates in [0, 1]. A diverged run counts as guessing, as in the tables.
 * @throws if there is no such item, or it has no such record
 */
export function recordsRows(id: string, options: RecordsOptions = {}): TableRow[] {
  checkOptions(
    options,
    { budget: { values: budgets }, stage: { values: ["reported", "tuning"] }, records: "array" },
    "recordsRows",
  );
  const item = findItem(id);
  const { stage = "reported", records = itemRecords(item) } = options;
  const budget = options.budget ?? largestBudget(item, records);
  const plan = budget ? item.plan(budget, records) : [];
  const chosen = plan.filter(({ labels }) => (labels.stage === "tuning") === (stage === "tuning"));
  const errors = labeledRows(chosen, records);
  const rows = finishedRecords(chosen, records).map(({ record, labels: { stage: _, ...labels } }, i) => {
    const { rho, epochs } = record.config.training;
    const { testErrorRate, bestTestErrorRate, seed } = errors[i]!;
    const { mSharpness = {}, ...metrics } = record.metrics;
    const sharpness = Object.fromEntries(Object.entries(mSharpness).map(([m, value]) => [`mSharpness${m}`, value]));
    return { ...labels, rho, seed, epochs, ...metrics, ...sharpness, testErrorRate, bestTestErrorRate, key: record.key };
  });
  if (rows.length === 0) throw new Error(`${id} has no recorded ${stage} runs${budget ? ` at budget ${budget}` : ""}`);
  return rows;
}

/**
 * `recordsRows` as a danfojs DataFrame:
 *
 *     const runs = await lab.recordsFrame("figure-3-middle");
 *     runs.groupby(["m", "rho"]).col(["testErrorRate"]).mean().print();
 *     runs.describe().print();
 *     const wide = await lab.tables.pivotFrame(runs, { index: ["rho"], columns: "m", values: "testErrorRate" });
 *     display.html(lab.toHtml(lab.tables.frameRows(wide)));
 */
export async function recordsFrame(id: string, options: RecordsOptions = {}): Promise<DataFrame> {
  return dataFrame(recordsRows(id, options));
}
