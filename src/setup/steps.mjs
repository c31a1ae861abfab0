/** Runs the steps of set-up: what is there is left alone, each step that works prints one line, one set-up at a time. */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { readJson, writeJson } from "./files.mjs";

/** Ours: after a failed download, commands other than `npm run setup` do not try again for this long. */
const retryAfterMs = 60 * 60 * 1000;

/** What a step throws where it cannot work here. The kit goes on without it, unless `fatal`. */
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
  if (before === undefined && earlier === undefined) lock.take();
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

/** One set-up at a time; the lock of a dead process, or one of more than an hour, does not count. */
class Lock {
  constructor(root, print) {
    this.file = path.join(root, ".setup", "lock");
    this.print = print;
    this.held = false;
  }

  take() {
    if (this.held) return;
    mkdirSync(path.dirname(this.file), { recursive: true });
    for (let told = false; !this.tryTake(); ) {
      const owner = this.owner();
      // Without a number it is being written at this moment, or its writer was killed at that one.
      const dead = owner === 0 ? this.age() > 2000 : !isAlive(owner);
      if (dead || this.age() > retryAfterMs) {
        rmSync(this.file, { force: true });
        continue;
      }
      if (!told && owner !== 0)
        this.print(`  another set-up (process ${owner}) is at work here; waiting for it (else delete .setup/lock) …\n`);
      told ||= owner !== 0;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    }
    this.held = true;
  }

  tryTake() {
    try {
      writeFileSync(this.file, String(process.pid), { flag: "wx" });
      return true;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      return false;
    }
  }

  owner() {
    try {
      return Number(readFileSync(this.file, "utf8"));
    } catch {
      return 0;
    }
  }

  age() {
    return Date.now() - (statSync(this.file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  }

  release() {
    if (this.held) rmSync(this.file, { force: true });
    this.held = false;
  }
}

function isAlive(pid) {
  if (!pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
