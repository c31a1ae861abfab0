/** An item's runs and its table on the command line, for `npm start` and `npm run reproduce`. */
import fs from "node:fs";
import path from "node:path";
import type { RunRecord } from "..";
import type { Budget, PaperItem } from "../paper";
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
}

/** `completeRecords` with a progress bar. Ctrl-C and SIGTERM stop it cleanly. */
export async function makeMissing(item: PaperItem, { budget, jobs, log }: MakeOptions): Promise<RunRecord[]> {
  const { signal, release } = stopSignal();
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
