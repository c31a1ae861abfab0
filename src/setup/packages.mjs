/** Step 1: npm packages from the lock file, without install scripts (upstream's downloads TensorFlow 2.9.1 for CUDA 11.2). */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { readJson } from "./files.mjs";
import { runLong } from "./shell.mjs";
import { StepFailure } from "./steps.mjs";

export function packagesStep(root) {
  return {
    name: "npm packages",
    doing: "installing from package-lock.json",
    there: () => installedPackages(root),
    make: async () => install(root),
  };
}

/** "523 packages" where node_modules holds what the lock file asks for, else undefined. */
export function installedPackages(root) {
  const wanted = readJson(path.join(root, "package-lock.json"))?.packages;
  // npm writes this one last: after an interrupted install it is missing.
  const installed = readJson(path.join(root, "node_modules/.package-lock.json"))?.packages;
  if (!wanted || !installed || lockDifferences(wanted, installed).length > 0) return undefined;
  const names = Object.keys(installed);
  return names.every((name) => existsSync(path.join(root, name, "package.json"))) ? `${names.length} packages` : undefined;
}

/** The paths of packages that are missing or of another version; optional ones may be missing. */
export function lockDifferences(wanted, installed) {
  return Object.keys(wanted).filter((name) => {
    if (name === "" || (wanted[name].optional && !installed[name])) return false;
    return installed[name]?.version !== wanted[name].version;
  });
}

async function install(root) {
  const args = ["ci", "--ignore-scripts", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error", "--no-progress"];
  const { ok, stderr, stdout } = await npm(args, root);
  if (!ok) throw new StepFailure(`npm ci: ${npmError(stderr || stdout)}. Check the network, then run it again.`, { fatal: true });
  const detail = installedPackages(root);
  if (!detail) throw new StepFailure("node_modules differs from package-lock.json after npm ci", { fatal: true });
  return detail;
}

// Started by `npm start`, npm names itself; otherwise it is the one on PATH.
function npm(args, cwd) {
  const self = process.env.npm_execpath;
  if (self && path.basename(self) === "npm-cli.js") return runLong(process.execPath, [self, ...args], { cwd });
  return runLong(process.platform === "win32" ? "npm.cmd" : "npm", args, { cwd });
}

/** npm's first telling lines: "ENOTFOUND request to … failed". */
export function npmError(output) {
  const lines = output.split("\n").map((line) => line.replace(/^npm (error|ERR!) ?/, "").trim());
  const useful = lines.filter(
    (line) => line && !/^(A complete log|errno|syscall|Log files)/.test(line) && !line.includes("_logs"),
  );
  return (
    useful
      .slice(0, 2)
      .join(" ")
      .replace(/^code /, "") || "no message"
  );
}

/** "4.22.0" of an installed package. */
export function packageVersion(root, name) {
  return JSON.parse(readFileSync(path.join(root, "node_modules", name, "package.json"), "utf8")).version;
}
