/** `npm run docs`: writes src/engine/SECOND-ORDER.md from the list of ops that the tests use; --check only compares. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { Command } from "commander";
import { writeFileAtomic } from "../data/files";
import { secondOrderTable, type SecondOrderRow } from "../engine/secondOrder";
import { toMarkdown } from "../tables";
import { runCommand } from "./command";

export const secondOrderFile = path.join(__dirname, "../../src/engine/SECOND-ORDER.md");

const introduction = `# Second derivatives, op by op

Written by \`npm run docs\` from \`secondOrder.ts\`: do not edit.

TensorFlow.js differentiates its gradients with terms missing, or not at all. Here a Hessian-vector product is right for every op
marked exact, alone and beside any other path, and an op that is not covered gives an error that names it: never a silent wrong
number. \`test/engine/secondOrder.test.ts\` goes through the same list on every engine named. Each op y is tested inside the loss
½Σ w·y², so that its first derivative counts too, with every input differentiated. The gradient is held against the slope of the
loss, the Hessian-vector product against

- **closed form**: the op's own φ, φ′ and φ″ in double precision, on both sides of a kink, within 0.002 %;
- **central differences**: of the gradient, away from kinks, within 0.15 %, which is what float32 differences can resolve.

Ops that are made of these alone are exact as well. native: TensorFlow through tfjs-node; wasm: WebAssembly; cpu: plain JavaScript.
`;

const columns = { op: "op", exact: "exact", tested: "how it is tested", engines: "engines" };

/** The page as the list wants it. */
export function secondOrderPage(rows: readonly SecondOrderRow[] = secondOrderTable()): string {
  const cells = rows.map((row) => ({ ...row, exact: row.exact ? "yes" : "no", engines: row.engines.join(", ") }));
  return `${introduction}\n${toMarkdown(cells, { columns }).trim()}\n`;
}

async function main({ check }: { check?: boolean }): Promise<void> {
  const page = secondOrderPage();
  const before = existsSync(secondOrderFile) ? await readFile(secondOrderFile, "utf8") : "";
  if (page === before) return console.log("SECOND-ORDER.md is up to date.");
  if (check) throw new Error("src/engine/SECOND-ORDER.md is out of date; run: npm run docs");
  await writeFileAtomic(secondOrderFile, page);
  console.log("SECOND-ORDER.md was updated.");
}

if (require.main === module) {
  const program = new Command("npm run docs --")
    .description("Writes the generated tables of the documentation.")
    .option("--check", "write nothing; fail if a table is out of date")
    .action(main);
  runCommand(() => program.parseAsync());
}
