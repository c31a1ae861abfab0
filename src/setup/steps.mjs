/** Runs the steps of set-up, one set-up at a time. Finished steps are skipped; every other step prints one line. */
import { spawnSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import path from "node:path";
import { readJson, writeJson } from "./files.mjs";
import { shareDescriptor, Stopped, unshareDescriptor } from "./shell.mjs";

/** Ours: after a failed download, commands other than `npm run setup` do not try again for this long. */
const retryAfterMs = 60 * 60 * 1000;

/** Thrown by a step that cannot work here. The kit goes on without it, unless `fatal`. */
export class StepFailure extends Error {
  /** @param network whether trying again later may help, and costs time */
  constructor(message, { fatal = false, network = false } = {}) {
    super(message);
    Object.assign(this, { fatal, network });
  }
}

/**
 * @param steps [{ name, doing, there(): string | undefined, make(): Promise<string> }]; both strings describe what is there
 * @param print writes to the user; a step's line begins before the work and ends after it
 * @param verbose also a line for each step that had nothing to do
 * @param retry try failed downloads again at once
 * @returns [{ name, status: "there" | "done" | "failed", detail }]
 */
export async function runSteps(steps, { root, print = write, verbose = false, retry = false }) {
  const results = [];
  const context = { root, print, verbose, failures: new Failures(root, retry), lock: new Lock(root, print) };
  try {
    for (const step of steps) results.push(await runStep(step, context));
  } finally {
    context.lock.release();
  }
  return results;
}

async function runStep(step, { print, verbose, failures, lock }) {
  const label = `  ${step.name.padEnd(15)} `;
  const before = step.there();
  const earlier = before === undefined ? failures.recent(step.name) : undefined;
  if (before === undefined && earlier === undefined) await lock.take();
  const detail = before ?? step.there();
  if (detail !== undefined) {
    if (verbose) print(`${label}${detail}, already there\n`);
    failures.forget(step.name);
    return { name: step.name, status: "there", detail };
  }
  if (earlier !== undefined) {
    print(`${label}${earlier} (npm run setup tries again)\n`);
    return { name: step.name, status: "failed", detail: earlier };
  }
  return makeStep(step, { print, label, failures });
}

async function makeStep(step, { print, label, failures }) {
  const start = Date.now();
  const seconds = () => `${((Date.now() - start) / 1000).toFixed(1)} s`;
  print(`${label}${step.doing} … `);
  try {
    const detail = await step.make();
    print(`${detail} (${seconds()})\n`);
    failures.forget(step.name);
    return { name: step.name, status: "done", detail };
  } catch (error) {
    if (error instanceof Stopped) print("\n");
    if (!(error instanceof StepFailure) && error.code === undefined) throw error;
    print(`${error.fatal ? "failed" : "not possible here"} (${seconds()}): ${error.message}\n`);
    if (error.fatal) throw error;
    if (error.network) failures.remember(step.name, error.message);
    return { name: step.name, status: "failed", detail: error.message };
  }
}

function write(text) {
  process.stdout.write(text);
}

class Failures {
  constructor(root, retry) {
    this.file = path.join(root, ".setup", "failures.json");
    this.all = retry ? {} : (readJson(this.file) ?? {});
  }

  /** The message of a failure within the last hour. */
  recent(name, now = Date.now()) {
    const failure = this.all[name];
    return failure && Math.abs(now - failure.at) < retryAfterMs ? failure.message : undefined;
  }

  remember(name, message) {
    this.all[name] = { at: Date.now(), message };
    writeJson(this.file, this.all);
  }

  forget(name) {
    if (!(name in this.all)) return;
    delete this.all[name];
    writeJson(this.file, this.all);
  }
}

/**
 * One set-up at a time. The kernel holds the lock, so it ends with this process, however that ends, and with the programs that
 * it started: a pip that outlives its killed set-up still keeps others out. The file stays, since removing it would let two in.
 */
class Lock {
  constructor(root, print) {
    this.file = path.join(root, ".setup", "lock");
    this.print = print;
  }

  async take() {
    if (this.descriptor !== undefined) return;
    mkdirSync(path.dirname(this.file), { recursive: true });
    this.descriptor = openSync(this.file, "a+");
    shareDescriptor(this.descriptor);
    for (let told = false; !tryLock(this.descriptor); told = true) {
      const owner = readFileSync(this.file, "utf8");
      if (!told) this.print(`  another set-up (process ${owner || "unknown"}) is at work here; waiting for it …\n`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    ftruncateSync(this.descriptor);
    writeSync(this.descriptor, String(process.pid));
  }

  release() {
    if (this.descriptor === undefined) return;
    unshareDescriptor(this.descriptor);
    closeSync(this.descriptor);
    this.descriptor = undefined;
  }
}

// Node cannot lock a file, but a lock belongs to the open file, which a program that it starts shares. Python is for macOS.
const fromPython = "import fcntl, sys\ntry: fcntl.flock(3, fcntl.LOCK_EX | fcntl.LOCK_NB)\nexcept BlockingIOError: sys.exit(75)";
const lockers = [
  { command: "flock", args: ["-n", "3"], busy: 1 },
  { command: "python3", args: ["-c", fromPython], busy: 75 },
];

/** False if another process has the lock. If no program can lock, as on Windows, set-ups are not kept apart. */
function tryLock(descriptor) {
  for (const { command, args, busy } of lockers) {
    const { status } = spawnSync(command, args, { stdio: ["ignore", "ignore", "ignore", descriptor] });
    if (status === 0 || status === busy) return status === 0;
  }
  return true;
}
