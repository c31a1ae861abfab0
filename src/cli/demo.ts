/** `npm start`, after set-up: reproduces a table and a figure of the paper at the demo budget and says where to look. */
import path from "node:path";
import { ready } from "..";
import { catalog, type PaperItem } from "../paper";
import { projectRoot } from "../data/files";
import { itemRecords } from "../paper/item";
import { itemReport } from "../paper/reproduce";
import { saveFigure } from "../plots";
import { runCommand } from "./command";
import { makeMissing, printReport } from "./itemRuns";

const demoItems = ["table-4", "figure-memorization"];
const figuresFolder = path.join(projectRoot(), "data/cache/figures");

async function main(): Promise<void> {
  const started = Date.now();
  const { backend, version, devices, note } = await ready();
  console.log("sharpness-lab: Sharpness-Aware Minimization (Foret et al. 2021). This demo reproduces a table and a figure here.");
  console.log(`Engine: ${backend} ${version} on ${devices.join(", ")}.${note ? ` ${note}` : ""}`);
  for (const item of catalog.filter(({ id }) => demoItems.includes(id))) await show(item);
  console.log(`\nDone in ${Math.round((Date.now() - started) / 1000)} s. Next:`);
  console.log("  npm run lab                     notebooks of every table and figure: change ρ and run a cell again");
  console.log("  npm run reproduce -- --list     every table and figure, and which results are there");
  console.log("  npm run doctor                  which engine runs here, and what would make it faster");
}

async function show(item: PaperItem): Promise<void> {
  console.log(`\n${item.title}. ${item.claim}`);
  console.log(`Budget demo: ${item.describe("demo")}.`);
  const before = itemRecords(item).length;
  const records = await makeMissing(item, { budget: "demo", jobs: 2 });
  if (records.length === before)
    console.log("All of its runs are recorded from an earlier start (delete data/cache/results to run them again).");
  const report = itemReport(item.id, { budget: "demo", records });
  printReport(report);
  const { png } = await saveFigure(`${item.id}-demo`, report.figure, { folder: figuresFolder });
  console.log(`Figure: ${path.relative(process.cwd(), png)}`);
}

runCommand(main);
