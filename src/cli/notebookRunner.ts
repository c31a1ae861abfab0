/** Executes notebooks without a browser: nbconvert drives the tslab kernel, each cell in turn, in the notebook's own folder. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { writeFileAtomic } from "../data/files";
import { notebookFailures, parseNotebook, type CellFailure, type Notebook } from "./notebookFile";

const root = path.join(__dirname, "../..");
export const notebooksFolder = path.join(root, "notebooks");

export interface ExecuteOptions {
  /** SHARPNESS_BUDGET for the notebook: runs without a record are made first; without one it shows the largest that has records */
  readonly budget?: string;
  /** seconds that a cell may take */
  readonly timeout?: number; // 3600: a lab item's hour
  readonly signal?: AbortSignal;
}

export interface ExecutedNotebook {
  /** as executed: with counters and times */
  readonly notebook: Notebook;
  readonly failures: readonly CellFailure[];
}

/** Executes a notebook and reads the result; the file itself stays as it is. @throws where Jupyter or the kernel cannot start */
export async function executeNotebook(
  file: string,
  { budget, timeout = 3600, signal }: ExecuteOptions = {},
): Promise<ExecutedNotebook> {
  const source = parseNotebook(await readFile(file, "utf8"), file);
  if (source.cells.length === 0) return { notebook: source, failures: [] };
  return inTemporaryFolder(async (folder) => {
    const env = { ...jupyterEnvironment(), ...(budget ? { SHARPNESS_BUDGET: budget } : {}) };
    // tslab ends a failed cell without an error output, and nbconvert then says nothing: let it go on, and look at the outputs.
    const args = ["nbconvert", "--to", "notebook", "--execute", "--allow-errors", "--output-dir", folder, "--output", "executed"];
    // A busy machine: by default a kernel that starts slowly is given up, and late output is lost.
    const patience = { timeout, startup_timeout: 300, iopub_timeout: 120 };
    const settings = Object.entries({ ...patience, kernel_name: "tslab" }).map(
      ([key, value]) => `--ExecutePreprocessor.${key}=${value}`,
    );
    await jupyter([...args, ...settings, file], { env, signal });
    const notebook = parseNotebook(await readFile(path.join(folder, "executed.ipynb"), "utf8"), file);
    return { notebook, failures: notebookFailures(notebook) };
  });
}

/** Writes a notebook as one HTML page that needs no kernel. */
export async function notebookToHtml(notebook: Notebook, target: string): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    const name = path.basename(target, ".html");
    const source = path.join(folder, `${name}.ipynb`);
    await writeFile(source, JSON.stringify(notebook));
    await jupyter(["nbconvert", "--to", "html", "--output-dir", folder, source], { env: jupyterEnvironment() });
    await mkdir(path.dirname(target), { recursive: true });
    await writeFileAtomic(target, await readFile(path.join(folder, `${name}.html`)));
  });
}

/** All notebooks below a folder, sorted by path; Jupyter's own copies are left out. */
export async function findNotebooks(folder = notebooksFolder): Promise<string[]> {
  const names = existsSync(folder) ? await readdir(folder, { recursive: true }) : [];
  const wanted = names.filter((name) => name.endsWith(".ipynb") && !name.includes(".ipynb_checkpoints"));
  return wanted.sort().map((name) => path.join(folder, name));
}

/** `.venv`'s Jupyter, else one on PATH; undefined where there is none. */
export function findJupyter(): string | undefined {
  const folders = [
    path.join(root, ".venv/bin"),
    path.join(root, ".venv/Scripts"),
    ...(process.env.PATH ?? "").split(path.delimiter),
  ];
  const names = process.platform === "win32" ? ["jupyter.exe", "jupyter"] : ["jupyter"];
  return folders.flatMap((folder) => names.map((name) => path.join(folder, name))).find((file) => existsSync(file));
}

/** Any Jupyter finds the kernel of `.venv`, has tslab on PATH, and ignores the user's configuration. */
function jupyterEnvironment(): NodeJS.ProcessEnv {
  const PATH = [path.join(root, "node_modules/.bin"), process.env.PATH ?? ""].join(path.delimiter);
  const JUPYTER_PATH = path.join(root, ".venv/share/jupyter");
  return { ...process.env, PATH, JUPYTER_PATH, JUPYTER_NO_CONFIG: "1", JUPYTER_PLATFORM_DIRS: "1", PYTHONWARNINGS: "ignore" };
}

async function jupyter(
  args: string[],
  { env, signal }: Pick<ExecuteOptions, "signal"> & { env: NodeJS.ProcessEnv },
): Promise<void> {
  const program = findJupyter();
  if (!program) throw new Error("Jupyter is missing: `npm run setup` installs it into .venv");
  const { code, stderr } = await run(program, args, { env, signal });
  if (code !== 0) throw new Error(`jupyter ${args[0]} failed: ${tellingLines(stderr)}`);
}

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

function run(program: string, args: string[], { env, signal }: { env: NodeJS.ProcessEnv; signal?: AbortSignal }): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, signal, killSignal: "SIGINT", stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (piece) => (stderr += piece));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stderr }));
  });
}

/** A Python program's error line, without its traceback. */
function tellingLines(stderr: string): string {
  const lines = stderr.trimEnd().split("\n");
  const named = lines.filter((line) => /^\S*(Error|Exception|NoSuchKernel)\b/.test(line));
  return named.at(-1) ?? (lines.slice(-3).join("\n").trim() || "without a message");
}

async function inTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), "sharpness-lab-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
