/**
 * Locks between processes, also on several machines that share a disk. Each claimant creates a file of its own, named after itself, and
 * then looks for the files of others: of two that overlap, at least one sees the other and withdraws. No file is ever taken over, so a
 * holder that was killed at any moment leaves nothing worse than a file that the next claimant recognizes as stale and deletes.
 */
import { createHash, randomInt } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

/** Who holds a lock. */
export interface Holder {
  readonly host: string;
  readonly pid: number;
}

export interface Lock {
  release(): void;
}

/** A holder on another machine that has not renewed its file for so long is gone; ours. */
const STALE_AFTER_MS = 10 * 60_000;
const RENEW_EVERY_MS = 60_000;

/** Tells one process from all others: its machine since the last boot, its id there, and its start. */
interface Identity extends Holder {
  readonly machine: string;
  /** Clock ticks between boot and start, which tell a reused process id from the old one; 0 where unknown. */
  readonly started: number;
}

const self: Identity = { host: hostName(), machine: machineId(), pid: process.pid, started: startOf(process.pid) };
let count = 0;

/**
 * Takes the lock called `place`, a path that the names of its files begin with; or says who has it.
 * @throws where no file can be created there
 */
export function tryLock(place: string): Lock | Holder {
  try {
    return tryToLock(place);
  } catch (error) {
    throw new Error(`${place}: cannot be locked (${(error as Error).message})`);
  }
}

function tryToLock(place: string): Lock | Holder {
  const own = [`${place}.lock`, self.host, self.machine, self.pid, self.started, count++].join("~");
  fs.mkdirSync(path.dirname(place), { recursive: true });
  // Claimants that only try withdraw within a millisecond.
  for (let tries = 1; ; tries++) {
    fs.writeFileSync(own, "");
    const other = liveHolders(place, own)[0];
    if (!other) return held(own);
    fs.rmSync(own, { force: true });
    if (tries === 4) return other;
    sleep(randomInt(1, 5));
  }
}

export function isLock(result: Lock | Holder): result is Lock {
  return "release" in result;
}

/** Takes the lock as soon as it is free, and blocks until then; undefined after `timeoutMs`. */
export function waitForLock(place: string, { timeoutMs }: { readonly timeoutMs: number }): Lock | undefined {
  const end = Date.now() + timeoutMs;
  while (Date.now() < end) {
    const lock = tryLock(place);
    if (isLock(lock)) return lock;
    sleep(randomInt(1, 20));
  }
  return undefined;
}

/** "process 4242", and the machine if it is another one. */
export function describeHolder({ host, pid }: Holder): string {
  return host === self.host ? `process ${pid}` : `process ${pid} on ${host}`;
}

function held(own: string): Lock {
  const renewal = setInterval(() => renew(own), RENEW_EVERY_MS).unref();
  const release = () => {
    clearInterval(renewal);
    fs.rmSync(own, { force: true });
  };
  return { release };
}

// By a write, whose time the file server sets: machines' clocks differ. A lock that cannot be renewed now may be next time.
function renew(own: string): void {
  try {
    fs.writeFileSync(own, "renewed", { flag: "r+" });
  } catch {
    return;
  }
}

function liveHolders(place: string, own: string): Holder[] {
  const folder = path.dirname(place);
  const prefix = `${path.basename(place)}.lock~`;
  const names = fs.readdirSync(folder).filter((name) => name.startsWith(prefix) && name !== path.basename(own));
  return names.flatMap((name) => {
    const holder = identityIn(name.slice(prefix.length));
    if (!holder) return [];
    if (!isGone(path.join(folder, name), holder, own)) return [holder];
    fs.rmSync(path.join(folder, name), { force: true });
    return [];
  });
}

function identityIn(rest: string): Identity | undefined {
  const [, host, machine, pid, started] = /^([^~]*)~(\w+)~(\d+)~(\d+)~\d+$/.exec(rest) ?? [];
  return host === undefined ? undefined : { host, machine: machine!, pid: Number(pid), started: Number(started) };
}

function isGone(file: string, { machine, pid, started }: Identity, own: string): boolean {
  if (machine === self.machine) return !isRunning(pid) || startOf(pid) !== started;
  const [theirs, ours] = [file, own].map((each) => fs.statSync(each, { throwIfNoEntry: false })?.mtimeMs);
  return theirs === undefined || (ours !== undefined && ours - theirs > STALE_AFTER_MS);
}

/** Whether a process of this machine exists, whoever owns it. */
export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function startOf(pid: number): number {
  try {
    // Fields 3 and 22 of proc(5); the command in field 2 may hold spaces and parentheses.
    const fields = fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(")").at(-1)!.split(" ");
    const isZombie = fields[1] === "Z";
    return isZombie ? -1 : Number(fields[20]);
  } catch {
    return 0;
  }
}

function hostName(): string {
  return os.hostname().replace(/[^\w.-]/g, "_").slice(0, 64); // prettier-ignore
}

// Process ids mean something within one boot and one namespace of processes; two machines may share a name.
function machineId(): string {
  const parts = [os.hostname(), bootId(), pidNamespace()];
  return createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 12);
}

function bootId(): string {
  try {
    return fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8");
  } catch {
    return "";
  }
}

function pidNamespace(): string {
  try {
    return fs.readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
