/** Resumable downloads, checked by SHA-256 before they are used. */
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, mkdir, open, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { checkOptions, showValue, type OptionKinds } from "../engine/options";
import { extractArchive } from "./archive";
import { cacheFolder, maxFileBytes } from "./files";
import { datasetSources, type DatasetSource, type DatasetSourceName } from "./sources";

/** Options of `download`. */
export interface DownloadOptions {
  /** of the whole file, 64 lower-case hexadecimal digits */
  sha256: string;
  /** bound on the size; ours: 2 GiB */
  maxBytes?: number;
  /** called after each piece with the bytes so far, and their total if the server states it */
  onProgress?: (received: number, total: number | undefined) => void;
  signal?: AbortSignal;
}

const downloadKinds: OptionKinds<DownloadOptions> = {
  sha256: "string",
  maxBytes: "number",
  onProgress: "function",
  signal: "object",
};

/**
 * Gets `url` into `target`, unless a file with that checksum is there already. A stopped download, kept as `target` + ".part", is
 * resumed by the next call.
 * @throws one message with the URL, the target path and the reason, so that the file can be brought by other means
 */
export async function download(url: string, target: string, options: DownloadOptions): Promise<void> {
  checkOptions(options, downloadKinds, "download");
  const { sha256 } = options;
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new Error(`download: sha256 = ${showValue(sha256)}: expected 64 hexadecimal digits`);
  const partial = `${target}.part`;
  if ((await exists(target)) && (await fileSha256(target)) === sha256) return rm(partial, { force: true });
  try {
    await mkdir(path.dirname(target), { recursive: true });
    await receive(url, partial, options);
  } catch (error) {
    if (error instanceof TooLarge) await rm(partial, { force: true }); // nothing to resume
    const reason = describe(error as Error);
    throw new Error(`Cannot download ${url}: ${reason}. Get it elsewhere (SHA-256 ${sha256}) and put it at ${target}`);
  }
  const actual = await fileSha256(partial);
  if (actual !== sha256) {
    await rm(partial, { force: true });
    throw new Error(`${url} has SHA-256 ${actual}, expected ${sha256}: not the published file; it was deleted`);
  }
  await rename(partial, target);
}

/** Options of `fetchDataset`. */
export interface FetchOptions extends Pick<DownloadOptions, "onProgress" | "signal"> {
  /** by default data/cache/<name> */
  folder?: string;
}

/**
 * Downloads and unpacks a published data set, so that its loader finds it. What is there already is not fetched again.
 * @returns the folder it is in
 */
export async function fetchDataset(name: DatasetSourceName, options: FetchOptions = {}): Promise<string> {
  const { sha256: _, maxBytes: __, ...kinds } = downloadKinds;
  checkOptions(options, { folder: "string", ...kinds }, "fetchDataset");
  const source: DatasetSource | undefined = Object.hasOwn(datasetSources, name) ? datasetSources[name] : undefined;
  if (!source) throw new Error(`data set "${name}": expected one of ${Object.keys(datasetSources).join(", ")}`);
  const { folder = cacheFolder(name), ...rest } = options;
  if (source.unpack && (await exists(folder))) return folder;
  for (const { url, sha256, bytes: maxBytes } of source.files) {
    const file = path.join(source.unpack ? path.dirname(folder) : folder, path.basename(new URL(url).pathname));
    await download(url, file, { sha256, maxBytes, ...rest });
    if (source.unpack) await extractArchive(file, folder);
  }
  return folder;
}

async function receive(
  url: string,
  partial: string,
  { maxBytes = maxFileBytes, onProgress, signal }: DownloadOptions,
): Promise<void> {
  const had = (await exists(partial)) ? (await stat(partial)).size : 0;
  const response = await fetch(url, { headers: had > 0 ? { range: `bytes=${had}-` } : {}, signal });
  if (response.status === 416) return void (await response.body?.cancel()); // all of it is here: the checksum will tell
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    throw new Error(`the server answers ${response.status} ${response.statusText}`);
  }
  const resumed = response.status === 206 && response.headers.get("content-range")?.startsWith(`bytes ${had}-`) === true;
  let received = resumed ? had : 0;
  const length = Number(response.headers.get("content-length") ?? NaN);
  const total = Number.isFinite(length) ? received + length : undefined;
  const file = await open(partial, resumed ? "a" : "w");
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      received += chunk.length;
      if (received > maxBytes) throw new TooLarge(maxBytes);
      await file.appendFile(chunk); // not write(), which may write less than it is given
      onProgress?.(received, total);
    }
    await file.sync();
    if ((await file.stat()).size !== received) throw new Error(`another process writes ${partial} too`);
  } finally {
    await file.close();
  }
}

class TooLarge extends Error {
  constructor(maxBytes: number) {
    super(`more than the ${maxBytes} bytes expected at most`);
  }
}

/** SHA-256 of a file of any size. */
export async function fileSha256(file: string): Promise<string> {
  const hash: Hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

// fetch says "fetch failed" and hides the reason in the cause.
function describe(error: Error): string {
  const cause = error.cause as Error | undefined;
  return cause?.message ? `${error.message} (${cause.message})` : error.message;
}
