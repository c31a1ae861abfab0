/** Child processes that run the sources, and can be struck at a given moment. */
import { spawn, type ChildProcess } from "node:child_process";
import path from "node:path";
import readline from "node:readline";

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lines: readonly string[];
  readonly stderr: string;
}

export interface ChildOptions {
  /** Sees each line of stdout as it comes. */
  readonly onLine?: (line: string, child: ChildProcess) => void;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

const loader = require.resolve("tsx/cjs");

/** Runs a TypeScript file in a process group of its own, as a terminal does. */
export function runScript(file: string, args: readonly string[], options: ChildOptions = {}): Promise<Ended> {
  const { onLine, cwd = path.join(__dirname, "../.."), env = {} } = options;
  const child = spawn(process.execPath, ["--require", loader, file, ...args], {
    ...{ cwd, detached: true, stdio: ["ignore", "pipe", "pipe"] },
    env: { ...process.env, SHARPNESS_THREADS: "1", ...env },
  });
  const lines: string[] = [];
  let stderr = "";
  child.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
  readline.createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    onLine?.(line, child);
  });
  return new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal, lines, stderr })));
}
