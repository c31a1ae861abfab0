/** npm run reproduce: makes the runs of a table or figure that have no record yet, then prints the table and draws the figure. */
import fs from "node:fs";
import path from "node:path";
import { Command, Option } from "commander";
import { budgets, catalog, completeRecords, findItem, PaperItem, Budget } from "../paper";
import { ready } from "..";
import { itemRecords } from "../paper/item";
import type { RunRecord } from "..";
import { itemReport } from "../paper/reproduce";
import { saveFigure } from "../plots";
import { runSummary } from "../paper/runSummary";
import { DEFAULT_GFLOPS, dryRun } from "./dryRun";
import { positiveInteger } from "./options";
import { progressBar } from "./progress";

interface Options {
  readonly budget: Budget;
  readonly jobs: number;
  readonly dryRun?: boolean;
  readonly gflops: number;
  readonly figures: boolean;
  readonly log?: string;
}

const program = new Command("npm run reproduce --")
  .description("Reproduces a table or figure of the SAM paper: runs what has no record yet, prints the table, draws the figure.")
  .argument("[items...]", `what to reproduce: ${catalog.map(({ id }) => id).join(", ")}, or all`)
  .addOption(new Option("--budget <name>", "how much to spend").choices([...budgets]).default("demo"))
  .option("--jobs <n>", "runs side by side, one processor core each", positiveInteger, 1)
  .option(
    "--dry-run",
    "only say what would be run, with which settings, what it would cost, what it needs and what is missing here",
  )
  .option(
    "--gflops <n>",
    "rate that --dry-run counts hours by: 40 % of a V100's 15700 in float32",
    positiveInteger,
    DEFAULT_GFLOPS,
  )
  .option("--no-figures", "print the table, write no files under figures/")
  .option(
    "--log <folder>",
    "of each run made: event files for TensorBoard, and a summary.md in the end, in a folder named by its key",
  )
  .addHelpText(
    "after",
    `
Budgets:
  smoke   seconds: the whole path on a few hundred images; its numbers mean nothing
  demo    minutes: the effect is visible, few seeds; kept in data/cache/results, on this machine only
  lab     about an hour on 2 cores for each item, at most: the committed results in data/results
  paper   the paper's exact settings: for a GPU, for days

Examples:
  npm run reproduce -- table-5                          the demo of Table 5
  npm run reproduce -- table-5 --budget lab --jobs 2    our committed numbers again (delete data/results/table-5.jsonl first)
  npm run reproduce -- table-5 --log logs               with curves: tensorboard --logdir logs
  npm run reproduce -- all --budget paper --dry-run     what the paper's own settings would cost

Ctrl-C stops cleanly: finished runs are kept, the others go on from their checkpoint next time.`,
  )
  .action(main);

async function main(ids: string[], options: Options): Promise<void> {
  if (ids.length === 0) return program.help();
  await ready();
  const items = ids.includes("all") ? catalog : ids.map(findItem);
  for (const item of items) await (options.dryRun ? dryRun(item, options) : reproduce(item, options));
}

async function reproduce(item: PaperItem, { budget, jobs, figures, log }: Options): Promise<void> {
  console.log(`\n${item.title}, budget ${budget}: ${item.describe(budget)}`);
  const records = await makeMissing(item, { budget, jobs, log });
  const report = itemReport(item.id, { budget, records });
  console.log(`\n${report.markdown}\n`);
  for (const sentence of report.conclusions) console.log(sentence);
  if (!figures || budget === "smoke") return;
  const { png } = await saveFigure(
    item.withoutRuns || budget === "lab" || budget === "paper" ? item.id : `${item.id}-${budget}`,
    report.figure,
  );
  console.log(`Figure: ${png} (and .svg)`);
}

/** `completeRecords` with a progress bar; Ctrl-C stops it cleanly. */
export async function makeMissing(item: PaperItem, { budget, jobs, log }: MakeOptions): Promise<RunRecord[]> {
  const stop = new AbortController();
  const onInterrupt = () => stop.abort();
  // Not once: npm passes a Ctrl-C on that the terminal has sent already.
  process.on("SIGINT", onInterrupt);
  const bar = progressBar(`${item.id} ${budget}`);
  const onWarning = (message: string) => console.error(message);
  try {
    const progress = { onProgress: bar.update, onWarning };
    return await completeRecords(item, { budget, jobs, tensorBoard: log, signal: stop.signal, ...progress });
  } finally {
    bar.stop();
    if (log !== undefined) writeSummaries(log, itemRecords(item));
    process.off("SIGINT", onInterrupt);
  }
}

interface MakeOptions {
  readonly budget: Budget;
  readonly jobs: number;
  /** A folder for logs of the runs that are made. */
  readonly log?: string;
}

/** A summary beside the curves of each finished run. */
function writeSummaries(log: string, records: readonly RunRecord[]): void {
  for (const record of records) {
    const folder = path.join(log, record.key);
    if (fs.existsSync(folder)) fs.writeFileSync(path.join(folder, "summary.md"), `${runSummary(record)}\n`);
  }
}

if (require.main === module) {
  program.parseAsync().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
