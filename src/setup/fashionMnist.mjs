/** Step 5: Fashion-MNIST's four files in data/cache/fashion-mnist, each checked by the SHA-256 of its unpacked content. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { readJson, sha256, writeAtomic, writeJson } from "./files.mjs";
import { run, which } from "./shell.mjs";
import { StepFailure } from "./steps.mjs";

/** SHA-256 of the unpacked files: Debian and the authors pack them differently. */
export const checksums = {
  "train-images-idx3-ubyte.gz": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
  "train-labels-idx1-ubyte.gz": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
  "t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
  "t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
};
const names = Object.keys(checksums);
const urls = [
  "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
  "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
];
const debianFile = "pool/main/d/dataset-fashion-mnist/dataset-fashion-mnist_0.0~git20200523.55506a9-1_all.deb";
const debianFolder = "usr/share/datasets/fashion-mnist";
const description = "70 000 images";

export function fashionMnistStep(root) {
  const folder = path.join(root, "data/cache/fashion-mnist");
  return {
    name: "Fashion-MNIST",
    doing: "fetching 31 MB into data/cache",
    there: () => (missingFiles(folder).length === 0 ? description : undefined),
    make: () => fetchAll(folder),
  };
}

/** Files that have changed in size or time since their checksum was verified, or are missing. */
export function missingFiles(folder) {
  const checked = readJson(path.join(folder, "checked.json")) ?? {};
  return names.filter((name) => JSON.stringify(checked[name]) !== JSON.stringify(look(path.join(folder, name))));
}

function look(file) {
  const info = statSync(file, { throwIfNoEntry: false });
  return info ? { size: info.size, modified: info.mtimeMs } : null;
}

async function fetchAll(folder) {
  mkdirSync(folder, { recursive: true });
  const used = new Set();
  for (const source of sources(folder)) {
    const missing = missingFiles(folder);
    for (const name of missing) if (keep(folder, name, await source.read(name, missing))) used.add(source.name);
    source.end?.();
    if (missingFiles(folder).length === 0) return `${description} from ${[...used].join(" and ")}`;
  }
  const elsewhere = "Put its four .gz files there, or name their folder in SHARPNESS_DATA. Until then: generated images.";
  throw new StepFailure(`no source answers. ${elsewhere}`, { network: true });
}

/** Keeps a file whose content is the published one; false otherwise. */
function keep(folder, name, bytes) {
  if (!bytes || contentSum(bytes) !== checksums[name]) return false;
  const file = path.join(folder, name);
  writeAtomic(file, bytes);
  const stamp = path.join(folder, "checked.json");
  writeJson(stamp, { ...readJson(stamp), [name]: look(file) });
  return true;
}

/** undefined if the bytes are not gzip */
export function contentSum(bytes) {
  try {
    return sha256(gunzipSync(bytes));
  } catch {
    return undefined;
  }
}

/** [{ name, read(file): bytes or undefined, end?() }], nearest first. */
function sources(folder) {
  const given = process.env.SHARPNESS_DATA;
  const folders = [folder, ...(given ? [given, path.join(given, "fashion-mnist")] : []), `/${debianFolder}`];
  return [
    ...folders.map((from) => ({ name: from === folder ? "data/cache" : from, read: (name) => readFrom(from, name) })),
    ...urls.map((url) => ({ name: new URL(url).host, read: memoFailure((name) => download(url + name)) })),
    debianPackage(),
  ];
}

function readFrom(folder, name) {
  const file = path.join(folder, name);
  return existsSync(file) ? readFileSync(file) : undefined;
}

// A host that did not answer for one file is not asked for the next one.
function memoFailure(read) {
  let failed = false;
  return async (name) => {
    const bytes = failed ? undefined : await read(name);
    failed ||= bytes === undefined;
    return bytes;
  };
}

async function download(url) {
  const curl = process.env.http_proxy || process.env.https_proxy || process.env.HTTPS_PROXY ? which("curl") : undefined;
  if (curl) return downloadWithCurl(curl, url);
  try {
    const connected = new AbortController();
    const timer = setTimeout(() => connected.abort(), 15_000);
    const response = await fetch(url, { signal: connected.signal });
    clearTimeout(timer);
    return response.ok ? Buffer.from(await response.arrayBuffer()) : undefined;
  } catch {
    return undefined;
  }
}

// Node's fetch knows nothing of proxies.
function downloadWithCurl(curl, url) {
  const folder = mkdtempSync(path.join(tmpdir(), "fashion-mnist-"));
  try {
    const file = path.join(folder, "file");
    const { ok } = run(curl, ["-fsSL", "--connect-timeout", "15", "-o", file, url]);
    return ok ? readFileSync(file) : undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Debian's package, fetched by apt and unpacked without root. */
function debianPackage() {
  let folder;
  return {
    name: "Debian's dataset-fashion-mnist",
    read: (name) => {
      folder ??= unpackDebian(mkdtempSync(path.join(tmpdir(), "fashion-mnist-")));
      return readFrom(path.join(folder, debianFolder), name);
    },
    end: () => folder && rmSync(folder, { recursive: true, force: true }),
  };
}

function unpackDebian(folder) {
  if (!which("apt-get") || !which("dpkg-deb")) return folder;
  // With an index apt-get finds and checks it; without one (apt-get update needs root) its place in the archive is known.
  run("apt-get", ["download", "-q", "dataset-fashion-mnist"], { cwd: folder });
  for (const archive of debArchives()) if (!debIn(folder)) aptFile(archive + debianFile, path.join(folder, "dataset.deb"));
  const deb = debIn(folder);
  if (deb) run("dpkg-deb", ["-x", deb, folder]);
  return folder;
}

function debIn(folder) {
  const name = readdirSync(folder).find((each) => each.endsWith(".deb"));
  return name && path.join(folder, name);
}

function aptFile(url, file) {
  const { ok } = run("/usr/lib/apt/apt-helper", ["download-file", url, file], { timeout: 300_000 });
  if (!ok) rmSync(file, { force: true });
}

/** The archives in apt's configuration. */
function debArchives() {
  const folder = "/etc/apt/sources.list.d";
  const more = existsSync(folder) ? readdirSync(folder).map((name) => path.join(folder, name)) : [];
  const files = ["/etc/apt/sources.list", ...more].filter((file) => existsSync(file));
  return [...new Set(files.flatMap((file) => archivesIn(readFileSync(file, "utf8"))))];
}

/** The main archives in an apt source list, of either format, each ending in a slash. */
export function archivesIn(text) {
  const lines = text.split("\n").filter((line) => /^(deb |URIs:)/.test(line));
  const found = lines.flatMap((line) => line.match(/https?:\/\/\S+/g) ?? []);
  return found.map((url) => url.replace(/\/*$/, "/")).filter((url) => /\/(debian|ubuntu)\/$/.test(url));
}
