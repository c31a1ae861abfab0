/** `npm run lab`: opens JupyterLab on notebooks/, on this machine only and with its token; further arguments go to Jupyter. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { projectRoot } from "../data/files";
import { findJupyter } from "./notebookRunner";

function main(args: string[]): void {
  const jupyter = findJupyter();
  if (!jupyter) return fail("Jupyter is missing. `npm run setup` installs it, or says what it needs for that.");
  const env = { ...process.env, JUPYTER_PATH: path.join(projectRoot(), ".venv/share/jupyter") };
  trustOwnNotebooks(jupyter, env);
  const server = spawn(jupyter, [...labArguments(jupyter), ...args], { env, stdio: "inherit" });
  // Jupyter answers Ctrl-C: it asks whether to shut down.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => server.kill("SIGTERM"));
  server.on("error", (error) => fail(`${jupyter} does not start: ${error.message}`));
  server.on("close", (code) => (process.exitCode = code ?? 1));
}

/** JupyterLab hides the figures of notebooks that it does not trust. Only committed ones are trusted: others may come from anywhere. */
function trustOwnNotebooks(jupyter: string, env: NodeJS.ProcessEnv): void {
  const options = { cwd: projectRoot(), env, encoding: "utf8" } as const;
  const { stdout } = spawnSync("git", ["ls-files", "notebooks/*.ipynb"], options);
  const committed = stdout?.split("\n").filter((name) => name && existsSync(path.join(projectRoot(), name))) ?? [];
  if (committed.length > 0) spawnSync(jupyter, ["trust", ...committed], options);
}

function labArguments(jupyter: string): string[] {
  const installed = (name: string) => existsSync(path.join(path.dirname(jupyter), `${name}${path.extname(jupyter)}`));
  // Debian has the older notebook, without JupyterLab.
  const program = installed("jupyter-lab") || !installed("jupyter-notebook") ? "lab" : "notebook";
  // Containers have no other user; the server listens to this machine alone and asks for its token.
  const root = process.getuid?.() === 0 ? ["--allow-root"] : [];
  return [program, "--ip=127.0.0.1", ...root, path.join(projectRoot(), "notebooks")];
}

function fail(message: string): void {
  console.error(message);
  process.exitCode = 1;
}

main(process.argv.slice(2));
