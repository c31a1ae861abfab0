/** The compiled library in dist/: TypeScript runs only where a source has changed, which is seen from times and sizes. */
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { readJson, sha256, writeJson } from "./files.mjs";
import { runLong } from "./shell.mjs";
import { StepFailure } from "./steps.mjs";

export function buildStep(root) {
  const stamp = path.join(root, "dist", ".built.json");
  const describe = () => `${sourceFiles(root).length} source files in dist`;
  return {
    name: "build",
    doing: "compiling TypeScript",
    there: () => (readJson(stamp)?.key === buildKey(root) && missingOutputs(root).length === 0 ? describe() : undefined),
    make: async () => {
      const key = buildKey(root);
      await compile(root);
      writeJson(stamp, { key });
      return describe();
    },
  };
}

async function compile(root) {
  removeStale(root);
  // tsc believes its record of what it wrote, also where the files were deleted since.
  if (missingOutputs(root).length > 0) rmSync(path.join(root, "dist/.tsbuildinfo"), { force: true });
  const { ok, stdout, stderr } = await runLong(
    process.execPath,
    [path.join(root, "node_modules/typescript/bin/tsc"), "-p", "."],
    {
      cwd: root,
    },
  );
  if (!ok) throw new StepFailure(`the sources have type errors\n${(stdout + stderr).trimEnd()}`, { fatal: true });
}

/** Paths below src without ".ts". */
function sourceFiles(root) {
  return filesBelow(path.join(root, "src"))
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .map((name) => name.slice(0, -3));
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true }).map(String).sort();
}

function buildKey(root) {
  const files = [...sourceFiles(root).map((name) => `src/${name}.ts`), "tsconfig.json", "package-lock.json"];
  return sha256(...files.map((name) => `${name} ${describeFile(path.join(root, name))}`));
}

function describeFile(file) {
  const info = statSync(file, { throwIfNoEntry: false });
  return info ? `${info.size} ${info.mtimeMs}` : "missing";
}

function missingOutputs(root) {
  return sourceFiles(root).filter((name) => !existsSync(path.join(root, "dist", `${name}.js`)));
}

// Outputs of deleted sources would still be importable.
function removeStale(root) {
  const dist = path.join(root, "dist");
  if (!existsSync(dist)) return;
  const current = new Set(sourceFiles(root));
  for (const name of filesBelow(dist)) {
    if (name.startsWith(`docs${path.sep}`)) continue; // the site of `npm run docs`
    const source = /^(.*?)(\.d\.ts|\.js)$/.exec(name)?.[1];
    if (source !== undefined && !current.has(source)) rmSync(path.join(dist, name), { force: true });
  }
}
