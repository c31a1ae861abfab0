/** Unpacks tar, tar.gz and zip files of unknown origin: nothing leaves the folder, sizes are bounded, links are refused. */
import { createReadStream, type ReadStream } from "node:fs";
import { mkdir, open, rename, rm, writeFile, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { createGunzip } from "node:zlib";
import { Parse, type ReadEntry } from "tar";
import { checkOptions } from "../engine/options";
import { partialName, removeAbandoned } from "../engine/atomicFile";
import { isGzip } from "./files";
import { zipEntries } from "./zip";

/** Options of `extractArchive`: bounds on what an archive may hold. */
export interface ExtractOptions {
  /** bound on the unpacked bytes in all; ours: 8 GiB */
  maxBytes?: number;
  /** bound on the number of files; ours */
  maxFiles?: number;
}

/**
 * Unpacks an archive into `folder`, which must not exist yet. The folder appears once everything is unpacked, never half-filled.
 * What a killed process left half-unpacked beside it is removed.
 * @returns the paths of the files in it
 * @throws if an entry would leave the folder, is a link or a device, comes twice, or exceeds a bound; if the archive is damaged or cut
 * short; if the disk is full
 */
export async function extractArchive(file: string, folder: string, options: ExtractOptions = {}): Promise<string[]> {
  checkOptions(options, { maxBytes: "number", maxFiles: "number" }, "extractArchive");
  const kind = kindOf(await firstBytes(file));
  const partial = partialName(folder);
  await mkdir(path.dirname(partial), { recursive: true });
  removeAbandoned(folder);
  try {
    await mkdir(partial);
    const target = new Target(file, partial, options);
    await (kind === "zip" ? extractZip(file, target) : extractTar(file, target, kind));
    await rename(partial, folder);
    return target.names;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    const message = (error as Error).message;
    throw new Error(message.startsWith(file) ? message : `${file}: cannot be unpacked: ${message}`);
  }
}

type Kind = "zip" | "tar.gz" | "tar";

function kindOf(start: Buffer): Kind {
  if (start.length === 4 && start.readUInt32LE() === 0x04034b50) return "zip";
  return isGzip(start) ? "tar.gz" : "tar";
}

async function firstBytes(file: string): Promise<Buffer> {
  const handle = await open(file, "r").catch((error: NodeJS.ErrnoException) => {
    throw new Error(error.code === "ENOENT" ? `${file}: no such file` : `${file}: ${error.message}`);
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Decides where entries are written, and counts them. */
class Target {
  readonly names: string[] = [];
  private readonly seen = new Set<string>();
  private readonly maxBytes: number;
  private readonly maxFiles: number;
  private bytes = 0;

  constructor(
    readonly archive: string,
    private readonly folder: string,
    { maxBytes = 2 ** 33, maxFiles = 2_000_000 }: ExtractOptions,
  ) {
    this.maxBytes = maxBytes;
    this.maxFiles = maxFiles;
  }

  /** The path of a new file, checked; its folder is made. */
  async admit(name: string): Promise<string> {
    const inside = safePath(name);
    if (inside === undefined)
      throw new Error(`${this.archive}: entry ${JSON.stringify(name.slice(0, 200))} would leave the folder`);
    if (this.seen.has(inside.toLowerCase())) throw new Error(`${this.archive}: entry ${JSON.stringify(name)} comes twice`);
    if (this.names.length >= this.maxFiles)
      throw new Error(`${this.archive}: more than the ${this.maxFiles} files expected at most`);
    this.seen.add(inside.toLowerCase());
    this.names.push(inside);
    const file = path.join(this.folder, inside);
    await mkdir(path.dirname(file), { recursive: true });
    return file;
  }

  count(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes > this.maxBytes)
      throw new Error(`${this.archive}: unpacks to more than the ${this.maxBytes} bytes expected at most`);
  }
}

/** The entry's path with forward slashes and no dots; undefined if it is absolute, climbs, or is empty. */
export function safePath(name: string): string | undefined {
  if (name === "" || name.length > 4096 || /[\\\0:]/.test(name) || name.startsWith("/")) return undefined;
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  return parts.length === 0 || parts.includes("..") ? undefined : parts.join("/");
}

async function extractTar(file: string, target: Target, kind: "tar" | "tar.gz"): Promise<void> {
  const input = createReadStream(file);
  try {
    await new TarUnpacker(target).run(kind === "tar.gz" ? unzipped(input) : input);
  } finally {
    input.destroy();
  }
  if (target.names.length === 0) throw new Error("it holds no files; expected a tar, tar.gz or zip archive");
}

function unzipped(input: ReadStream): AsyncIterable<Buffer> {
  const output = createGunzip();
  input.on("error", (error) => output.destroy(error)); // pipe hands on data, not errors
  return input.pipe(output);
}

/** Writes what the parser finds in one piece of the archive before it is given the next. */
class TarUnpacker {
  private readonly found: (ReadEntry | Buffer)[] = [];
  private readonly parser: NodeJS.WritableStream; // its types leave events out
  private failure: Error | undefined;
  private ended = false;
  private file: FileHandle | undefined;

  constructor(private readonly target: Target) {
    const onentry = (entry: ReadEntry) => {
      this.found.push(entry);
      entry.on("data", (chunk: Buffer) => this.found.push(chunk));
    };
    this.parser = new Parse({ strict: true, onentry }) as unknown as NodeJS.WritableStream;
    this.parser.on("ignoredEntry", (entry: ReadEntry) => (this.failure ??= wrongType(target, entry)));
    this.parser.on("error", (error: Error) => (this.failure ??= error));
    this.parser.on("eof", () => (this.ended = true));
  }

  async run(chunks: AsyncIterable<Buffer>): Promise<void> {
    try {
      for await (const chunk of chunks) {
        this.parser.write(chunk);
        await this.writeFound();
      }
      this.parser.end();
      await this.writeFound();
    } finally {
      await this.file?.close();
    }
    if (!this.ended) throw new Error("it is cut short: the two blocks of zeros that end a tar archive are missing");
  }

  private async writeFound(): Promise<void> {
    for (const item of this.found.splice(0)) {
      // write() may write less than it is given, as on a nearly full disk, and only its result shows that.
      if (Buffer.isBuffer(item)) await this.file?.writeFile(item);
      else await this.begin(item);
    }
    if (this.failure) throw this.failure;
  }

  private async begin(entry: ReadEntry): Promise<void> {
    await this.file?.close();
    this.file = undefined;
    if (entry.type === "Directory") return;
    if (entry.type !== "File" && entry.type !== "OldFile") throw wrongType(this.target, entry);
    this.target.count(entry.size ?? 0);
    this.file = await open(await this.target.admit(entry.path), "wx");
  }
}

function wrongType({ archive }: Target, { path: name, type }: ReadEntry): Error {
  return new Error(`${archive}: entry ${JSON.stringify(name)} is a ${type}, expected files and folders only`);
}

async function extractZip(file: string, target: Target): Promise<void> {
  for await (const { name, size, isLink, content } of zipEntries(file)) {
    if (name.endsWith("/") && size === 0) continue;
    if (isLink) throw new Error(`${file}: entry ${JSON.stringify(name)} is a SymbolicLink, expected files and folders only`);
    await writeFile(await target.admit(name), counted(content(), target), { flag: "wx" });
  }
}

async function* counted(chunks: AsyncIterable<Buffer>, target: Target): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    target.count(chunk.length);
    yield chunk;
  }
}
