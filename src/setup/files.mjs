/** Stamps and hashes: a step writes its stamp after it succeeded, so an interrupted step is done again. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of package.json. */
export const projectRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");

/** undefined where the file is missing or torn */
export function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

export function writeJson(file, value) {
  writeAtomic(file, JSON.stringify(value, null, 1) + "\n");
}

/** Writes beside the target and renames, so that nobody ever sees half a file. */
export function writeAtomic(file, content) {
  const partial = `${file}.${process.pid}.part`;
  mkdirSync(path.dirname(file), { recursive: true });
  try {
    writeFileSync(partial, content);
    renameSync(partial, file);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

export function sha256(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(typeof part === "string" ? `${part}\0` : part);
  return hash.digest("hex");
}
