/** Runs other programs: finds them on PATH, keeps their output for messages, and ends them when this process is told to end. */
import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants as fsConstants, statSync } from "node:fs";
import { constants } from "node:os";
import path from "node:path";

/** The full path of a program, or undefined. */
export function which(name, env = process.env) {
  const extensions = process.platform === "win32" ? [".exe", ".cmd", ".bat"] : [""];
  for (const folder of (env.PATH ?? env.Path ?? "").split(path.delimiter))
    for (const extension of extensions) {
      const file = path.join(folder, name + extension);
      if (folder && isExecutable(file)) return file;
    }
  return undefined;
}

function isExecutable(file) {
  try {
    accessSync(file, fsConstants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Runs a quick program to its end and keeps the output: { ok, stdout, stderr }. Nothing else happens meanwhile, not even Ctrl-C. */
export function run(command, args, { cwd, env = process.env, timeout } = {}) {
  const options = { cwd, env, timeout, encoding: "utf8", maxBuffer: 2 ** 28, stdio: ["ignore", "pipe", "pipe"] };
  const { status, stdout, stderr, error } = spawnSync(command, args, options);
  return { ok: status === 0, stdout: stdout ?? "", stderr: error ? error.message : stderr };
}

/** Thrown after a signal, or after npm's shell died of one, ended the program that this process waited for. */
export class Stopped extends Error {
  constructor(signal) {
    super("stopped; the same command goes on from here");
    Object.assign(this, { fatal: true, exitCode: 128 + constants.signals[signal] });
  }
}

const shared = [];

/** Programs that `runLong` starts from now on hold this descriptor too: a lock on it lasts until the last of them has ended. */
export function shareDescriptor(descriptor) {
  shared.push(descriptor);
}

export function unshareDescriptor(descriptor) {
  shared.splice(shared.indexOf(descriptor), 1);
}

/**
 * Runs a program to its end and keeps the output, as `run` does.
 * @throws {Stopped} where this process was told to end; the program and all that it started have ended by then
 */
export async function runLong(command, args, { cwd, env = process.env } = {}) {
  // A process group of its own: make, pip and compilers start programs that would outlive them.
  const options = { cwd, env, detached: process.platform !== "win32", stdio: ["ignore", "pipe", "pipe", ...shared] };
  const child = spawn(command, args, options);
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) child[name].setEncoding("utf8").on("data", (text) => (output[name] += text));
  let stoppedBy;
  const release = onStop((signal) => {
    stoppedBy = signal;
    killGroup(child);
  });
  try {
    const status = await ended(child);
    if (stoppedBy) throw new Stopped(stoppedBy);
    return { ok: status === 0, ...output };
  } catch (error) {
    if (error instanceof Stopped) throw error;
    return { ok: false, stdout: "", stderr: error.message };
  } finally {
    release();
  }
}

function killGroup({ pid }) {
  try {
    process.kill(process.platform === "win32" ? pid : -pid, "SIGTERM");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

/** The exit code of a program, 128 and more where a signal ended it. @throws where it cannot be started */
function ended(child) {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}

/**
 * Calls `stop` with the name of the signal that tells this process to end.
 * npm passes a SIGTERM on to its shell alone: a parent that changes says the same.
 * @returns what ends the watch
 */
function onStop(stop) {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    stop("SIGTERM");
  }, 500);
  // A shell that ends after `node … &` asks nothing of the kind.
  if (!process.env.npm_lifecycle_event) clearInterval(watch);
  for (const signal of endings) process.on(signal, stop);
  return () => {
    clearInterval(watch);
    for (const signal of endings) process.off(signal, stop);
  };
}

const endings = ["SIGINT", "SIGTERM", "SIGHUP"];

/** The most informative line of a program's output: its first error, else its last line. */
export function tellingLine(output) {
  const lines = output.split("\n").map((line) => line.trim());
  const error = lines.find((line) => /\berror\b[: ]|cannot find|No module named/i.test(line));
  return error ?? lines.filter(Boolean).at(-1) ?? "no message";
}

/** Runs with the terminal handed over; resolves to the exit code. */
export async function runInteractive(command, args, { cwd, env = process.env } = {}) {
  const child = spawn(command, args, { cwd, env, stdio: "inherit" });
  // Ctrl-C reaches both, and the program answers it; other signals reach this process alone.
  const release = onStop((signal) => signal === "SIGINT" || child.kill(signal));
  try {
    return await ended(child);
  } catch (error) {
    throw new Error(`cannot start ${command}: ${error.message}`, { cause: error });
  } finally {
    release();
  }
}
