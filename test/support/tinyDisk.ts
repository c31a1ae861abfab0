/** A disk of 64 kB, where one can be mounted; else undefined. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

export interface TinyDisk {
  readonly folder: string;
  unmount(): void;
}

export function tinyDisk(): TinyDisk | undefined {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "tiny-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], { stdio: "ignore" });
  } catch {
    fs.rmdirSync(folder);
    return undefined;
  }
  return {
    folder,
    unmount: () => {
      execFileSync("umount", [folder], { stdio: "ignore" });
      fs.rmdirSync(folder);
    },
  };
}
