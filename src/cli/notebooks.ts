/** `npm run notebooks`: executes every notebook, fails on any error, and writes the outputs back, cleaned for a readable diff. */
import path from "node:path";
import { Command, Option } from "commander";
import { budgets } from "../paper/item";
import { writeFileAtomic } from "../data/files";
import { runCommand } from "./command";
import { cleanNotebook, notebookText, type CellFailure } from "./notebookFile";
import { executeNotebook, type ExecutedNotebook, findNotebooks, notebooksFolder, notebookToHtml } from "./notebookRunner";

interface Flags {
  readonly check?: boolean;
  readonly html?: string | true;
  readonly budget?: string;
  readonly timeout: string;
}

const program = new Command("npm run notebooks --")
  .description("Executes notebooks with the tslab kernel and writes their outputs back into them.")
  .argument("[names...]", "notebooks to run, such as table-5; default: all")
  .option("--check", "execute and report errors, but leave the notebooks as they are")
  .option("--html [folder]", "also write each notebook as an HTML page (default folder: data/cache/html)")
  .addOption(
    new Option(
      "--budget <name>",
      "make the runs that have no record at this budget; default: show the largest with records",
    ).choices([...budgets]),
  )
  .option("--timeout <seconds>", "longest that a cell may take", "3600")
  .action(main);

async function main(names: string[], flags: Flags): Promise<void> {
  if (!(Number(flags.timeout) > 0)) throw new Error(`--timeout ${flags.timeout}: expected seconds above 0`);
  const files = chosen(await findNotebooks(), names);
  let failed = 0;
  for (const file of files) failed += (await runOne(file, flags)) ? 0 : 1;
  console.log(`${files.length - failed} of ${files.length} notebooks ran without an error.`);
  if (failed > 0) process.exitCode = 1;
}

/** @throws where a name fits no notebook */
function chosen(files: string[], names: string[]): string[] {
  const bare = (file: string) => path.relative(notebooksFolder, file).replace(/\.ipynb$/, "");
  for (const name of names) {
    const fits = files.some((file) => fitsName(bare(file), name));
    if (!fits) throw new Error(`There is no notebook "${name}"; there are ${files.map(bare).join(", ") || "none"}`);
  }
  return names.length === 0 ? files : files.filter((file) => names.some((name) => fitsName(bare(file), name)));
}

/** "table-5", "table-5.ipynb", "notebooks/table-5.ipynb", and a folder such as "lessons". */
function fitsName(bare: string, name: string): boolean {
  const wanted = name.replace(/^(\.\/)?(notebooks\/)?/, "").replace(/(\.ipynb|\/)$/, "");
  return bare === wanted || bare.startsWith(`${wanted}/`) || path.basename(bare) === wanted;
}

async function runOne(file: string, { check, html, budget, timeout }: Flags): Promise<boolean> {
  const name = path.relative(notebooksFolder, file);
  const start = Date.now();
  const { notebook, failures } = await executeNotebook(file, { budget, timeout: Number(timeout) }).catch(brokenOff);
  const seconds = ((Date.now() - start) / 1000).toFixed(1);
  console.log(`${failures.length === 0 ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
  for (const failure of failures) console.error(describe(name, failure));
  if (!notebook || failures.length > 0) return false;
  const clean = cleanNotebook(notebook);
  if (!check) await writeFileAtomic(file, notebookText(clean));
  const folder = html === true ? path.join(notebooksFolder, "../data/cache/html") : html;
  if (folder) await notebookToHtml(clean, path.join(folder, name.replace(/\.ipynb$/, ".html")));
  return true;
}

/** After a dead kernel, a cell out of time or a missing Jupyter: the other notebooks may still run. */
function brokenOff(error: Error): Partial<ExecutedNotebook> & { failures: CellFailure[] } {
  return { failures: [{ cell: 0, message: error.message, source: "the notebook broke off" }] };
}

function describe(name: string, { cell, message, source }: CellFailure): string {
  return `${name}, ${cell ? `cell ${cell} (${source})` : source}:\n${message.replace(/^/gm, "  ")}`;
}

runCommand(() => program.parseAsync());
