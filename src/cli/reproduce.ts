/** `npm run reproduce`: makes the runs of a table or figure that have no record yet, prints the table and draws the figure. */
import { Command, Option } from "commander";
import { ready } from "..";
import { budgets, catalog, findItem, isComplete, type Budget, type PaperItem } from "../paper";
import { itemRecords } from "../paper/item";
import { itemReport } from "../paper/reproduce";
import { saveFigure } from "../plots";
import { toText } from "../tables";
import { runCommand, terminal } from "./command";
import { DEFAULT_GFLOPS, dryRun } from "./dryRun";
import { makeMissing, makeMissingFor, printReport } from "./itemRuns";
import { positiveInteger, positiveNumber } from "./options";

interface Options {
  readonly budget: Budget;
  readonly jobs: number;
  readonly list?: boolean;
  readonly dryRun?: boolean;
  readonly gflops: number;
  readonly figures: boolean;
  readonly log?: string;
  readonly hours?: number;
}

const program = new Command("npm run reproduce --")
  .description(
    "Reproduces tables and figures of the SAM paper: makes the runs that have no record yet, prints the table, draws the figure.",
  )
  .argument("[items...]", `tables and figures: ${catalog.map(({ id }) => id).join(", ")}, or all`)
  .addOption(new Option("--budget <name>", "how much to spend, see below").choices([...budgets]).default("demo"))
  .option("--jobs <n>", "runs side by side, one processor core and about 0.5 GB of memory each", positiveInteger, 1)
  .option("--hours <n>", "stop cleanly after this time and say what is left; the same command goes on", positiveNumber)
  .option("--list", "list all tables and figures and the budgets that have complete results here")
  .option("--dry-run", "list the runs with their settings and cost, and what they need that is missing here; run nothing")
  .option(
    "--gflops <n>",
    "speed of the GPU whose hours --dry-run counts: 40 % of a V100's float32 peak",
    positiveInteger,
    DEFAULT_GFLOPS,
  )
  .option("--no-figures", "print the table only; write no files to figures/")
  .option("--log <folder>", "write TensorBoard event files and a summary.md for each run, in a folder named by the run's key")
  .addHelpText(
    "after",
    `
Budgets:
  smoke   seconds: the whole path on a few hundred images; the numbers mean nothing
  demo    minutes: few seeds, but the effect is visible; kept in data/cache/results on this machine
  lab     up to an hour per item on 2 cores: the committed results in data/results
  paper   the paper's exact settings: days on a GPU

Examples:
  npm run reproduce -- --list                           what there is
  npm run reproduce -- table-5                          the demo of Table 5
  npm run reproduce -- table-5 --budget lab --jobs 2    our committed numbers again (delete data/results/table-5.jsonl first)
  npm run reproduce -- table-5 --log logs               with curves: tensorboard --logdir logs
  npm run reproduce -- all --budget paper --dry-run     what the paper's own settings would cost

Ctrl-C stops cleanly: finished runs are kept, and the same command resumes the others from their checkpoints.`,
  )
  .action(main);

async function main(ids: string[], options: Options): Promise<void> {
  const items = ids.includes("all") ? catalog : ids.map(findItem);
  if (options.list) return console.log(list(items.length > 0 ? items : catalog));
  if (items.length === 0) return program.help();
  await ready();
  const end = Date.now() + (options.hours ?? Infinity) * 3_600_000;
  for (const item of items) {
    if (options.dryRun) await dryRun(item, options);
    else if (Date.now() < end) await reproduce(item, { ...options, hours: options.hours && (end - Date.now()) / 3_600_000 });
  }
}

function list(items: readonly PaperItem[]): string {
  const rows = items.map((item) => {
    const records = itemRecords(item);
    const complete = item.withoutRuns ? ["needs no runs"] : budgets.filter((budget) => isComplete(item, budget, records));
    return { id: item.id, title: item.title, claim: item.claim, results: complete.join(", ") };
  });
  return toText(rows, { columns: { id: "name", title: "in the paper", claim: "claim", results: "results here" }, ...terminal() });
}

async function reproduce(item: PaperItem, { budget, jobs, figures, log, hours }: Options): Promise<void> {
  console.log(`\n${item.title}, budget ${budget}: ${item.describe(budget)}`);
  const make = { budget, jobs, log };
  const records = hours === undefined ? await makeMissing(item, make) : await makeMissingFor(hours, item, make);
  if (!records) return;
  const report = itemReport(item.id, { budget, records });
  printReport(report);
  if (!figures || budget === "smoke") return;
  const { png } = await saveFigure(
    item.withoutRuns || budget === "lab" || budget === "paper" ? item.id : `${item.id}-${budget}`,
    report.figure,
  );
  console.log(`Figure: ${png} (and .svg)`);
}

if (require.main === module) runCommand(() => program.parseAsync());
