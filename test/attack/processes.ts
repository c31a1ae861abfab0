/**
 * Several processes at the same work: records appended at once, one table reproduced twice at once, set-ups at once.
 *
 * npx tsx test/attack/processes.ts [rounds]
 */
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { readRecords } from "../../src/experiments/records";
import { runScript } from "../support/children";
import { projectCopy } from "../support/projectCopy";
import { attempts, countFrom, finish } from "./report";

const writers = 3;
const recordsEach = 60;

const appending = (project: string) => `
  const { appendRecord } = require(${JSON.stringify(path.join(project, "src/experiments"))});
  const { runConfig, runKey } = require(${JSON.stringify(path.join(project, "src/experiments/config"))});
  const [folder, first] = process.argv.slice(2);
  for (let i = 0; i < ${recordsEach}; i++) {
    const training = { epochs: 1, seed: Number(first) + i };
    const config = runConfig({ dataset: { name: "generated" }, model: { name: "mlp" }, training });
    const versions = { lab: "0", tfjs: "0", engine: "none", threads: 1 };
    const metrics = { outcome: "finished", parameters: 1 };
    appendRecord("attacked", { key: runKey(config), config, metrics, history: [], versions }, { folder });
  }`;

async function appendAtOnce(project: string): Promise<string | undefined> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "append-"));
  const file = path.join(folder, "append.cjs");
  try {
    fs.writeFileSync(file, appending(project));
    const ends = await Promise.all(
      Array.from({ length: writers }, (_, i) => runScript(file, [folder, String(1000 * i)], { cwd: project })),
    );
    const failed = ends.find(({ code }) => code !== 0);
    if (failed) return `a writer ended with ${failed.code}: ${failed.stderr.slice(-200)}`;
    const found = readRecords("attacked", { folders: [folder] }).length;
    return found === writers * recordsEach ? undefined : `${found} of ${writers * recordsEach} records`;
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

async function reproduceAtOnce(project: string): Promise<string | undefined> {
  const results = path.join(project, "data/cache/results");
  fs.rmSync(results, { recursive: true, force: true });
  const script = path.join(project, "src/cli/reproduce.ts");
  const args = ["table-5", "--budget", "smoke", "--no-figures"];
  const ends = await Promise.all([0, 1].map(() => runScript(script, args, { cwd: project })));
  const failed = ends.find(({ code }) => code !== 0);
  if (failed) return `reproduce ended with ${failed.code}: ${failed.stderr.slice(-200)}`;
  const lines = fs.readFileSync(path.join(results, "table-5.jsonl"), "utf8").trim().split("\n").length;
  return lines === 12 ? undefined : `${lines} lines for 12 runs`;
}

/** Eight set-ups whose one step notes that it was made; a stale lock file lies there. */
async function setUpAtOnce(): Promise<string | undefined> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "set-ups-"));
  try {
    fs.mkdirSync(path.join(folder, ".setup"));
    fs.writeFileSync(path.join(folder, ".setup/lock"), "1");
    const script = `
      import fs from "node:fs";
      import { runSteps } from ${JSON.stringify(pathToFileURL(path.join(__dirname, "../../src/setup/steps.mjs")).href)};
      const there = () => (fs.existsSync("done") ? "done" : undefined);
      const make = async () => {
        fs.appendFileSync("made", "x");
        await new Promise((resolve) => setTimeout(resolve, 100));
        fs.writeFileSync("done", "");
        return "done";
      };
      await runSteps([{ name: "step", doing: "making", there, make }], { root: ".", print: () => {} });`;
    const start = () =>
      new Promise((resolve) =>
        spawn(process.execPath, ["--input-type=module", "-e", script], { cwd: folder, stdio: "ignore" }).on("close", resolve),
      );
    await Promise.all(Array.from({ length: 8 }, start));
    const made = fs.readFileSync(path.join(folder, "made"), "utf8").length;
    return made === 1 ? undefined : `the step was made ${made} times`;
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

async function main(rounds: number): Promise<void> {
  const project = projectCopy();
  try {
    finish([
      await attempts(`${writers} processes append ${recordsEach} records each`, rounds, () => appendAtOnce(project)),
      await attempts("two reproduce one table", rounds, () => reproduceAtOnce(project)),
      await attempts("eight set-ups, and a lock that was left behind", rounds, setUpAtOnce),
    ]);
  } finally {
    fs.rmSync(project, { recursive: true });
  }
}

void main(countFrom(process.argv[2], 5));
