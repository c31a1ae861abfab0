/** A copy of the project with no records and no data of its own, so that commands write there and find nothing done. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const root = path.join(__dirname, "../..");

export function projectCopy(): string {
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), "project-"));
  for (const name of ["src", "package.json", "tsconfig.json"])
    fs.cpSync(path.join(root, name), path.join(copy, name), { recursive: true });
  fs.mkdirSync(path.join(copy, "data"));
  fs.symlinkSync(path.join(root, "node_modules"), path.join(copy, "node_modules"));
  fs.symlinkSync(path.join(root, "data/paper"), path.join(copy, "data/paper"));
  return copy;
}
