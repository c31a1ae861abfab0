/** Unpacks tar, tar.gz and zip files that nobody vouches for: nothing leaves the folder, sizes are bounded, links are refused. */
import { createReadStream, type ReadStream } from "node:fs";
import { mkdir, mkdtemp, open, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { Writable } from "node:stream";
import { Unzip, UnzipInflate } from "fflate";
import { Parse, type ReadEntry } from "tar";

export interface ExtractOptions {
  /** bound on the unpacked bytes in all; ours: 8 GiB */
  maxBytes?: number;
  /** bound on the number of files; ours */
  maxFiles?: number;
}

/**
 * Unpacks an archive into `folder`, which must not exist yet. It appears when all is unpacked, never half-filled.
 * Gives back the paths of the files in it.
 * @throws where an entry would leave the folder, is a link or a device, comes twice, or exceeds a bound; where the archive is damaged
 */
export async function extractArchive(file: string, folder: string, options: ExtractOptions = {}): Promise<string[]> {
  const parent = path.dirname(path.resolve(folder));
  await mkdir(parent, { recursive: true });
  const partial = await mkdtemp(path.join(parent, `.${path.basename(folder)}-`));
  try {
    const target = new Target(file, partial, options);
    await ((await isZip(file)) ? extractZip(file, target) : extractTar(file, target));
    await rename(partial, folder);
    return target.names;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    const message = (error as Error).message;
    throw new Error(message.startsWith(file) ? message : `${file}: cannot be unpacked: ${message}`);
  }
}

/** What entries may be written where, and how much so far. */
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

/** The entry's path with forward slashes and no dots, or undefined where it is absolute, climbs, or is none. */
export function safePath(name: string): string | undefined {
  if (name === "" || name.length > 4096 || /[\\\0:]/.test(name) || name.startsWith("/")) return undefined;
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  return parts.length === 0 || parts.includes("..") ? undefined : parts.join("/");
}

async function extractTar(file: string, target: Target): Promise<void> {
  const queue: Promise<void>[] = [];
  let failure: Error | undefined;
  const parser = new Parse({
    strict: true,
    onentry: (entry: ReadEntry) => {
      const done = writeEntry(entry, target).catch((error: Error) => {
        failure ??= error;
        entry.resume();
      });
      queue.push(done);
    },
  });
  const stream = parser as unknown as NodeJS.ReadWriteStream; // its types leave errors out
  await new Promise<void>((resolve, reject) => {
    const input = createReadStream(file);
    input.on("error", reject);
    stream.on("error", reject);
    stream.on("end", resolve);
    input.on("data", () => failure && stop(input, failure, reject));
    input.pipe(stream);
  });
  await Promise.all(queue);
  if (failure) throw failure;
  if (target.names.length === 0) throw new Error("it holds no files; expected a tar, tar.gz or zip archive");
}

function stop(input: ReadStream, failure: Error, reject: (error: Error) => void): void {
  input.destroy();
  reject(failure);
}

async function writeEntry(entry: ReadEntry, target: Target): Promise<void> {
  if (entry.type === "Directory") return void entry.resume();
  if (entry.type !== "File" && entry.type !== "OldFile")
    throw new Error(`${target.archive}: entry ${JSON.stringify(entry.path)} is a ${entry.type}, expected files and folders only`);
  target.count(entry.size ?? 0);
  const handle = await open(await target.admit(entry.path), "wx");
  try {
    for await (const chunk of entry as unknown as AsyncIterable<Buffer>) await handle.write(chunk);
  } finally {
    await handle.close();
  }
}

async function isZip(file: string): Promise<boolean> {
  const handle = await open(file, "r").catch((error: NodeJS.ErrnoException) => {
    throw new Error(error.code === "ENOENT" ? `${file}: no such file` : `${file}: ${error.message}`);
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 && buffer.readUInt32LE() === 0x04034b50;
  } finally {
    await handle.close();
  }
}

async function extractZip(file: string, target: Target): Promise<void> {
  const entries: { name: string; chunks: Uint8Array[]; done: boolean }[] = [];
  const unzip = new Unzip((entry) => {
    const record = { name: entry.name, chunks: [] as Uint8Array[], done: false };
    entries.push(record);
    entry.ondata = (error, chunk, final) => {
      if (error) throw error;
      target.count(chunk.length);
      record.chunks.push(chunk);
      record.done = final;
    };
    entry.start();
  });
  unzip.register(UnzipInflate);
  const flush = async () => {
    while (entries[0]?.done) await writeZipEntry(entries.shift()!, target);
  };
  const sink = new Writable({
    write: (chunk: Buffer, _, next) =>
      attempt(() => unzip.push(chunk))
        .then(flush)
        .then(() => next(), next),
    final: (next) =>
      attempt(() => unzip.push(new Uint8Array(0), true))
        .then(flush)
        .then(() => next(), next),
  });
  await pipeline(createReadStream(file, { highWaterMark: 1 << 16 }), sink);
  if (entries.length > 0) throw new Error(`entry ${JSON.stringify(entries[0]!.name)} is cut short`);
}

async function writeZipEntry({ name, chunks }: { name: string; chunks: Uint8Array[] }, target: Target): Promise<void> {
  if (name.endsWith("/") && chunks.every((chunk) => chunk.length === 0)) return;
  await writeFile(await target.admit(name), Buffer.concat(chunks), { flag: "wx" });
}

async function attempt(action: () => void): Promise<void> {
  action();
}
