/** `npm run readme`: writes the table of results in README.md from the committed records; --check only compares. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { Command } from "commander";
import { writeFileAtomic } from "../data/files";
import { readRecords, resultsFolder } from "../experiments/records";
import { catalog } from "../paper/catalog";
import { insertTable, readmeTable } from "../paper/readmeTable";
import { runCommand } from "./command";

const file = path.join(__dirname, "../../README.md");

/** The README with the table of results that the committed records give. */
export function updatedReadme(readme: string): string {
  return insertTable(
    readme,
    readmeTable(catalog, (id) => readRecords(id, { folders: [resultsFolder] })),
  );
}

async function main({ check }: { check?: boolean }): Promise<void> {
  const readme = await readFile(file, "utf8");
  const updated = updatedReadme(readme);
  if (updated === readme) return console.log("README.md is up to date.");
  if (check) throw new Error("README.md is out of date; run: npm run readme");
  await writeFileAtomic(file, updated);
  console.log("README.md was updated.");
}

if (require.main === module) {
  const program = new Command("npm run readme --")
    .description("Writes the table of results in README.md from data/results.")
    .option("--check", "write nothing; fail if the table is out of date")
    .action(main);
  runCommand(() => program.parseAsync());
}
