/**
 * Signals to `reproduce` while its workers train: npx tsx test/attack/signals.ts [rounds]
 *
 * No process may be left after ten seconds, every record must be whole, and the same command must finish the table.
 */
import fs from "node:fs";
import path from "node:path";
import { readRecords } from "../../src/experiments/records";
import { runScript } from "../support/children";
import { projectCopy } from "../support/projectCopy";
import { attempts, countFrom, finish } from "./report";

const args = ["table-5", "--budget", "smoke", "--no-figures", "--jobs", "2"];

async function strike(project: string, signal: NodeJS.Signals): Promise<string | undefined> {
  const results = path.join(project, "data/cache/results");
  fs.rmSync(results, { recursive: true, force: true });
  const script = path.join(project, "src/cli/reproduce.ts");
  let group = 0;
  await runScript(script, args, {
    cwd: project,
    onLine: (line, child) => {
      if (group !== 0 || !/\d+ of 12 runs/.test(line)) return;
      group = child.pid!;
      child.kill(signal);
    },
  });
  if (group === 0) return "it ended before the signal";
  if (await groupStays(group)) return `a process stays after ${signal}`;
  const before = readRecords("table-5", { folders: [results] }).length;
  const { code, stderr } = await runScript(script, args, { cwd: project });
  const after = readRecords("table-5", { folders: [results] }).length;
  return code === 0 && after === 12
    ? undefined
    : `${before}, then ${after} of 12 records, exit code ${code}: ${stderr.slice(-200)}`;
}

async function groupStays(group: number): Promise<boolean> {
  for (let i = 0; i < 100; i++) {
    try {
      process.kill(-group, 0);
    } catch {
      return false;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return true;
}

async function main(rounds: number): Promise<void> {
  const project = projectCopy();
  try {
    const outcomes = [];
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"] as const)
      outcomes.push(await attempts(`${signal} to reproduce with two workers`, rounds, () => strike(project, signal)));
    finish(outcomes);
  } finally {
    fs.rmSync(project, { recursive: true });
  }
}

void main(countFrom(process.argv[2], 3));
