/** `npm run docs`: builds the static site in dist/docs; it opens from the file system and loads nothing from elsewhere. */
import path from "node:path";
import { Command } from "commander";
import { projectRoot } from "../data/files";
import { buildSite } from "../site/build";
import { runCommand } from "./command";

interface Flags {
  readonly out: string;
  readonly api: boolean;
}

async function main(flags: Flags): Promise<void> {
  const { index, pages, warnings } = await buildSite(flags);
  for (const warning of warnings) console.error(warning);
  console.log(
    `${pages} pages${flags.api ? " and the API reference" : ""}: open ${path.relative(process.cwd(), index)} in a browser.`,
  );
}

if (require.main === module) {
  const program = new Command("npm run docs --")
    .description("Builds the site: guides, notebooks with their outputs, results, figures and the API reference.")
    .option("--out <folder>", "where to; the folder is emptied first", path.join(projectRoot(), "dist/docs"))
    .option("--no-api", "leave out the API reference, which takes most of the time")
    .action(main);
  runCommand(() => program.parseAsync());
}
