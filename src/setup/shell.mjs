/** Other programs: found on PATH, run to their end, their last words kept for the message. */
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

/** Runs to the end with the output kept: { ok, stdout, stderr }. */
export function run(command, args, { cwd, env = process.env, timeout } = {}) {
  const options = { cwd, env, timeout, encoding: "utf8", maxBuffer: 2 ** 28, stdio: ["ignore", "pipe", "pipe"] };
  const { status, stdout, stderr, error } = spawnSync(command, args, options);
  return { ok: status === 0, stdout: stdout ?? "", stderr: error ? error.message : stderr };
}

/** The line of a program's output that tells most: its first error, else its last line. */
export function tellingLine(output) {
  const lines = output.split("\n").map((line) => line.trim());
  const error = lines.find((line) => /\berror\b[: ]|cannot find|No module named/i.test(line));
  return error ?? lines.filter(Boolean).at(-1) ?? "no message";
}

/** Runs with the terminal handed over; resolves to the exit code. */
export function runInteractive(command, args, { cwd, env = process.env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: "inherit" });
    // Ctrl-C reaches both: what to do about it is the program's to say.
    const wait = () => undefined;
    const pass = (signal) => child.kill(signal);
    process.on("SIGINT", wait).on("SIGTERM", pass).on("SIGHUP", pass);
    child.on("error", (error) => reject(new Error(`cannot start ${command}: ${error.message}`)));
    child.on("close", (code, signal) => {
      process.off("SIGINT", wait).off("SIGTERM", pass).off("SIGHUP", pass);
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}
