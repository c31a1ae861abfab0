/** Files that are there whole or not at all, for code that cannot wait: checkpoints and weights. */
import fs from "node:fs";
import path from "node:path";

/** Writes beside the place, to the disk, and renames; where anything fails, the temporary file goes and the old one stays. */
export function writeFileWhole(file: string, parts: Iterable<Uint8Array>): void {
  const temporary = `${file}.${process.pid}.part`;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const descriptor = fs.openSync(temporary, "w");
  try {
    try {
      // writeFileSync goes on after a short write, which a nearly full disk gives without an error.
      for (const part of parts) fs.writeFileSync(descriptor, part);
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
    fs.renameSync(temporary, file);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
}
