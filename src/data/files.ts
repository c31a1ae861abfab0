/** Files in and out: found from the project's root, bounded when read, checked by SHA-256, never half-written. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import zlib from "node:zlib";
import { writeFileWhole } from "../engine/atomicFile";

/** Default bound on the size of a file: 2 GiB, ours. */
export const maxFileBytes = 2 ** 31;

/** The folder of this kit's package.json, both from the sources and from the build. */
export function projectRoot(): string {
  for (let folder = __dirname; ; folder = path.dirname(folder)) {
    const manifest = path.join(folder, "package.json");
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).name === "sharpness-lab") return folder;
    if (path.dirname(folder) === folder) throw new Error(`No package.json of sharpness-lab above ${__dirname}`);
  }
}

/** Where the data set of that name is kept: data/cache/<name>. */
export function cacheFolder(name: string): string {
  return path.join(projectRoot(), "data", "cache", name);
}

/** Lower-case hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * Writes a file whole or not at all, and makes its folder.
 * @throws if the disk is full or the folder cannot be written to; an earlier file stays as it was
 */
export async function writeFileAtomic(file: string, content: string | Uint8Array): Promise<void> {
  try {
    writeFileWhole(file, content);
  } catch (error) {
    throw new Error(`Cannot write ${file}: ${(error as Error).message}`);
  }
}

/** @throws if the file is missing, unreadable, or larger than `maxBytes` */
export async function readBounded(file: string, { maxBytes = maxFileBytes }: { maxBytes?: number } = {}): Promise<Buffer> {
  const info = await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw new Error(error.code === "ENOENT" ? `${file}: no such file` : `${file}: ${error.message}`);
  });
  if (!info.isFile()) throw new Error(`${file}: not a file`);
  if (info.size > maxBytes) throw new Error(`${file}: ${info.size} bytes, expected at most ${maxBytes}`);
  return readFile(file);
}

/**
 * Unpacks one gzip file.
 * @throws if it is not gzip, is cut short, is damaged, has bytes after its end, or unpacks to more than `maxBytes`
 */
export async function gunzip(
  bytes: Uint8Array,
  { name, maxBytes = maxFileBytes }: { name: string; maxBytes?: number },
): Promise<Buffer> {
  if (!isGzip(bytes)) throw new Error(`${name}: not a gzip file: starts with ${hex(bytes, 2)}, expected 1f 8b`);
  const options = { maxOutputLength: maxBytes, info: true };
  const result = await promisify<Uint8Array, object, unknown>(zlib.gunzip)(bytes, options).catch((error: Error) => {
    throw new Error(`${name}: ${explain(error, maxBytes)}`);
  });
  const { buffer, engine } = result as { buffer: Buffer; engine: zlib.Gunzip };
  const extra = bytes.length - engine.bytesWritten;
  if (extra > 0) throw new Error(`${name}: ${extra} bytes follow the end of the gzip stream, expected none`);
  return buffer;
}

/** The first unpacked bytes of a gzip file, about a megabyte at most; as many as there are if it is cut short. */
export function gunzipStart(bytes: Uint8Array, { name }: { name: string }): Buffer {
  if (!isGzip(bytes)) throw new Error(`${name}: not a gzip file: starts with ${hex(bytes, 2)}, expected 1f 8b`);
  try {
    return zlib.gunzipSync(bytes.subarray(0, 1024), { finishFlush: zlib.constants.Z_SYNC_FLUSH });
  } catch (error) {
    throw new Error(`${name}: damaged gzip stream (${(error as Error).message})`);
  }
}

/** Runs a check whose errors do not name the file, and names it. */
export function inFile<T>(file: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`);
  }
}

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** The first bytes in hexadecimal, such as "1f 8b", for error messages. */
export function hex(bytes: Uint8Array, count: number): string {
  return bytes.length === 0 ? "nothing" : Array.from(bytes.subarray(0, count), (b) => b.toString(16).padStart(2, "0")).join(" ");
}

function explain(error: Error & { code?: string }, maxBytes: number): string {
  if (error.code === "Z_BUF_ERROR") return "the gzip stream is cut short";
  if (error.code === "ERR_BUFFER_TOO_LARGE") return `unpacks to more than the ${maxBytes} bytes expected at most`;
  return `damaged gzip stream (${error.message})`;
}
