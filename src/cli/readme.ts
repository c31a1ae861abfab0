/** `npm run readme`: writes the results table of README.md anew from the committed records; with --check only compares. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { Command } from "commander";
import { writeFileAtomic } from "../data/files";
import { readRecords, resultsFolder } from "../experiments/records";
import { catalog } from "../paper/catalog";
import { insertTable, readmeTable } from "../paper/readmeTable";

const file = path.join(__dirname, "../../README.md");

/** The README as its records want it. */
export function updatedReadme(readme: string): string {
  return insertTable(
    readme,
    readmeTable(catalog, (id) => readRecords(id, { folders: [resultsFolder] })),
  );
}

async function main({ check }: { check?: boolean }): Promise<void> {
  const readme = await readFile(file, "utf8");
  const updated = updatedReadme(readme);
  if (updated === readme) return console.log("README.md is in step with the records.");
  if (check) throw new Error("README.md does not show the committed records: npm run readme");
  await writeFileAtomic(file, updated);
  console.log("README.md now shows the committed records.");
}

if (require.main === module) {
  const program = new Command("readme")
    .description("Writes the results table of README.md from data/results.")
    .option("--check", "write nothing; fail where the table is out of date")
    .action(main);
  program.parseAsync().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
