/**
 * Files that are there whole or not at all. Not by a package: write-file-atomic 6 and atomically 2 ignore short writes, so
 * on a nearly full disk they rename a truncated file over a good one.
 */
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

type Content = string | Uint8Array | Iterable<Uint8Array>;

/**
 * Writes beside the target, to the disk, and renames; makes the folder. Where anything fails, the temporary file goes and an
 * earlier file stays as it was.
 *
 * @param content text, bytes, or the parts of a file that need not fit into memory at once
 */
export function writeFileWhole(file: string, content: Content): void {
  writeFilesWhole({ [file]: content });
}

/** Writes files that belong together: all of them under temporary names first, so that a full disk leaves every earlier one. */
export function writeFilesWhole(contents: Readonly<Record<string, Content>>): void {
  const files = Object.entries(contents).map(([file, content]) => ({ file, partial: partialName(file), content }));
  try {
    for (const { file, partial, content } of files) {
      fs.mkdirSync(path.dirname(file), { recursive: true });
      removeAbandoned(file);
      writeToDisk(partial, typeof content === "string" || content instanceof Uint8Array ? [content] : content);
    }
    for (const { file, partial } of files) fs.renameSync(partial, file);
  } finally {
    for (const { partial } of files) fs.rmSync(partial, { force: true });
  }
}

function writeToDisk(file: string, parts: Iterable<string | Uint8Array>): void {
  const descriptor = fs.openSync(file, "w");
  try {
    // writeFileSync goes on after a short write, as writeSync does not.
    for (const part of parts) fs.writeFileSync(descriptor, part);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** A hidden name beside `target`, not used before, that tells which process of which machine it belongs to. */
export function partialName(target: string): string {
  const { dir, base } = path.parse(path.resolve(target));
  return path.join(dir, `.${base}-${os.hostname()}-${process.pid}-${randomBytes(4).toString("hex")}.part`);
}

/** Removes what processes of this machine that are no longer alive left half-written under a `partialName` of `target`. */
export function removeAbandoned(target: string): void {
  const { dir, base } = path.parse(path.resolve(target));
  const prefix = `.${base}-${os.hostname()}-`;
  for (const name of fs.readdirSync(dir)) {
    const pid = name.startsWith(prefix) ? /^(\d+)-[0-9a-f]{8}\.part$/.exec(name.slice(prefix.length))?.[1] : undefined;
    if (pid !== undefined && !isAlive(Number(pid))) fs.rmSync(path.join(dir, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // alive, but another user's
  }
}
