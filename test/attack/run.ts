/** `npm run attack`: every attack in turn, and one table of how they ended. Takes about half an hour. Names choose among them. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { toText } from "../../src/tables";

const notAttacks = ["run", "report"];
const known = fs
  .readdirSync(__dirname)
  .map((name) => path.basename(name, ".ts"))
  .filter((name) => !notAttacks.includes(name));

function attack(name: string): { name: string; result: string; minutes: string } {
  console.log(`\n${name}`);
  const start = Date.now();
  const { status } = spawnSync(process.execPath, ["--require", "tsx/cjs", path.join(__dirname, `${name}.ts`)], {
    stdio: "inherit",
  });
  return { name, result: status === 0 ? "held" : "FAILED", minutes: ((Date.now() - start) / 60_000).toFixed(1) };
}

function main(names: string[]): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`no attack "${unknown}"; there are ${known.join(", ")}`);
  const rows = (names.length > 0 ? names : known).map(attack);
  console.log(`\n${toText(rows, { columns: { name: "attack", result: "result", minutes: "minutes" } })}`);
  if (rows.some(({ result }) => result !== "held")) process.exitCode = 1;
}

main(process.argv.slice(2));
