/**
 * Bad arguments to every public function, flat or in a group: npx tsx test/attack/arguments.ts
 *
 * Each call happens in a process with bounds on time and memory, in a copy of the project: some functions write files. "unclear" is an error that JavaScript or TensorFlow raised further in,
 * such as "Cannot read properties of undefined"; "crashed" is a process that died, hung or outgrew its memory, and the only failure.
 */
import { fork } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import * as lab from "../../src";
import { toText } from "../../src/tables";
import { projectCopy } from "../support/projectCopy";

const SECONDS = 20; // ours
const HEAP_MB = 512; // ours

/** Functions that do what they are called for whatever they are given: no arguments to refuse, or work of minutes. */
const left = ["ready", "datasetFacts", "startEngine", "reproduceItem", "completeRecords"];

const functions = new Map<string, (...given: unknown[]) => unknown>();
for (const [group, members] of [["", lab] as const, ...Object.entries(lab).filter(([, value]) => isGroup(value))])
  for (const [name, value] of Object.entries(members as object))
    if (typeof value === "function" && !left.includes(name) && !/^class\b/.test(Function.prototype.toString.call(value)))
      if (group === "" || !(name in lab)) functions.set(group ? `${group}.${name}` : name, value as () => unknown);

function isGroup(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    value !== lab.tf &&
    Object.values(value).some((each) => typeof each === "function")
  );
}

/** Lists of arguments, from nothing to nonsense. Huge counts come as an option and as an operand. */
const lists: readonly (() => unknown[])[] = [
  () => [],
  () => [undefined, undefined],
  () => [null, null],
  () => ["x", "x"],
  () => [NaN, NaN],
  () => [-1, { size: -1, k: -1, seed: "x" }],
  () => [{}, {}],
  () => [{ unknownOption: 1 }, { unknownOption: 1 }],
  () => [[], []],
  () => [[], { rho: -1, epochs: 0, batchSize: 1e12 }],
  () => [
    { size: 1e12, trainSize: 1e12, numClasses: 1e12 },
    { numClasses: 1e12, noiseRate: 2, k: 1e12, jobs: 1e9 },
  ],
  () => [1e12, 1e12],
  () => ["../../x", { folder: "/proc/x", item: "../../x" }],
  () => [new Uint8Array(3), { name: "x" }],
  () => [lab.tf.tensor1d([1, 2]), lab.tf.tensor1d([1])],
  () => [() => NaN, {}, {}],
];

interface Report {
  readonly index: number;
  readonly verdict: Verdict;
  readonly message: string;
}

const verdicts = ["refused", "accepted", "unclear", "crashed"] as const;
type Verdict = (typeof verdicts)[number];

const calls = [...functions.keys()].flatMap((name) => lists.map((_, list) => ({ name, list })));

async function child(from: number): Promise<void> {
  await lab.ready();
  // Rejections that a call leaves behind belong to no later call.
  process.on("unhandledRejection", () => {});
  // Our own words come through the process's channel.
  console.log = console.error = console.warn = () => {};
  for (let index = from; index < calls.length; index++) {
    const { name, list } = calls[index]!;
    await send({ index, verdict: "crashed", message: "" });
    const report = await verdictOn(() => functions.get(name)!(...lists[list]!()));
    await send({ index, ...report });
  }
  process.exit(0);
}

function send(report: Report): Promise<void> {
  return new Promise((resolve) => process.send!(report, undefined, undefined, () => resolve()));
}

async function verdictOn(call: () => unknown): Promise<Omit<Report, "index">> {
  try {
    await call();
    return { verdict: "accepted", message: "" };
  } catch (error) {
    const { message = String(error), name } = error as Error;
    const inner =
      /is not (a function|iterable|defined)|Cannot (read|convert|destructure)|undefined|TF_Status|Invalid (array|typed array)|\[object/;
    return { verdict: inner.test(message) || name === "RangeError" ? "unclear" : "refused", message };
  }
}

/** Makes calls in a process from this one on; resolves to the next that is left to make. */
function runChild(project: string, from: number, reports: Map<number, Report>): Promise<number> {
  const worker = fork(path.join(project, "test/attack/arguments.ts"), ["--child", String(from)], {
    cwd: project,
    ...{ stdio: ["ignore", "ignore", "ignore", "ipc"], execArgv: ["--require", "tsx/cjs", `--max-old-space-size=${HEAP_MB}`] },
    env: { ...process.env, SHARPNESS_THREADS: "1" },
  });
  let last = from;
  return new Promise((resolve) => {
    const kill = () => worker.kill("SIGKILL");
    let timer = setTimeout(kill, 60_000);
    worker.on("message", (report: Report) => {
      clearTimeout(timer);
      timer = setTimeout(kill, SECONDS * 1000);
      last = report.index;
      reports.set(last, report);
    });
    worker.on("exit", (code, signal) => {
      clearTimeout(timer);
      const report = reports.get(last);
      const why = `ended with ${signal ?? code}`;
      if (report?.verdict === "crashed") reports.set(last, { ...report, message: why });
      resolve(last + 1);
    });
  });
}

async function main(): Promise<void> {
  const reports = new Map<number, Report>();
  const project = projectCopy();
  try {
    for (const name of ["attack", "support"])
      fs.cpSync(path.join(__dirname, "..", name), path.join(project, "test", name), { recursive: true });
    for (let next = 0; next < calls.length; ) next = await runChild(project, next, reports);
  } finally {
    fs.rmSync(project, { recursive: true });
  }
  const found = (verdict: Verdict) => calls.flatMap((call, i) => (reports.get(i)?.verdict === verdict ? [{ ...call, i }] : []));
  for (const verdict of ["crashed", "unclear"] as const)
    for (const { name, list, i } of found(verdict))
      console.log(`${verdict}: ${name}, list ${list}: ${reports.get(i)!.message.split("\n")[0]!.slice(0, 140)}`);
  const row = (functions: string, chosen: (name: string) => boolean) => ({
    functions,
    calls: calls.filter(({ name }) => chosen(name)).length,
    ...Object.fromEntries(verdicts.map((verdict) => [verdict, found(verdict).filter(({ name }) => chosen(name)).length])),
  });
  const inGroup = (name: string) => name.includes(".");
  console.log(toText([row("by their own name", (name) => !inGroup(name)), row("in a group", inGroup)]));
  if (found("crashed").length > 0) process.exitCode = 1;
}

if (process.argv[2] === "--child") void child(Number(process.argv[3]));
else void main();
