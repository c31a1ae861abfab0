/**
 * Attacks the readers of src/data with mutated files: npx tsx test/attack/readers.ts [inputs per reader, 2000] [reader …]
 *
 * Each reader works in a process of its own, with a bound on its memory and on the time of each input, and prints one row. "unclear" is a
 * refusal whose message is not ours: a TypeError, a RangeError, or one that does not name the file.
 */
import { fork } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { deflateSync, gzipSync, inflateSync } from "node:zlib";
import { buf as crc32 } from "crc-32";
import { zipSync } from "fflate";
import jpegJs from "jpeg-js";
import tar from "tar";
import * as data from "../../src/data";
import { parseMat } from "../../src/data/mat";
import { parseNpy } from "../../src/data/npy";
import { readPickle } from "../../src/data/pickle";
import { Rng } from "../../src/engine";
import { cmykJpeg, grayJpeg, progressiveJpeg } from "../data/jpegFiles";
import { chunk, png, pngHeader, pngOf } from "../data/pngFiles";
import { humanLegacy, humanOrderedNpy, humanZip, npyDict, npyFortran, npyIntegers, pickles } from "../data/pythonFiles";
import { plainMat, svhnMat } from "../data/scipyFiles";
import { idxBytes } from "../data/support";

/** Ours: seconds for one input, megabytes of JavaScript objects, megabytes in all. */
const MAX_SECONDS = 20;
const MAX_HEAP_MB = 512;
const MAX_MB = 1536;

interface Reader {
  readonly samples: () => Buffer[];
  /** reads a file of these bytes; a function on bytes ignores `file` */
  readonly read: (bytes: Buffer, file: string) => unknown;
  readonly ending?: string;
  /** makes the checksums of a mutated file right again, so that it reaches the code behind them */
  readonly mend?: (bytes: Buffer) => Buffer;
}

const decoded = (base64: string) => Buffer.from(base64, "base64");
const name = "input";
const labels = Array.from({ length: 40 }, (_, i) => i % 4);
const human = { labels: Int32Array.of(0, 1, 2, 1, 0), numClasses: 3 };
const images = idxBytes(
  [4, 3, 3],
  Array.from({ length: 36 }, (_, i) => i),
);

const extract = async (_: Buffer, file: string) => {
  const out = `${file}-out`;
  try {
    await data.extractArchive(file, out, { maxBytes: 1e8, maxFiles: 1000 });
  } finally {
    fs.rmSync(out, { recursive: true, force: true });
  }
};
const decode = (bytes: Buffer) => data.decodeImage(bytes, { name });

const readers: Readonly<Record<string, Reader>> = {
  tar: { samples: () => [tarFile()], read: extract },
  "tar.gz": { samples: () => [gzipSync(tarFile())], read: extract },
  zip: { samples: () => [0, 6].map((level) => zipFile(level as 0 | 6)), read: extract },
  idx: { samples: () => [images], read: (_, file) => data.readIdx(file, { rank: 3 }) },
  "idx.gz": { samples: () => [gzipSync(images)], read: (_, file) => data.readIdx(file, { rank: 3 }), ending: ".gz" },
  png: { samples: pngFiles, read: decode },
  "png, CRCs mended": { samples: pngFiles, read: decode, mend: withCrcs },
  jpeg: { samples: () => [colorJpeg(), decoded(grayJpeg), decoded(progressiveJpeg)], read: decode },
  "jpeg, CMYK": { samples: () => [decoded(cmykJpeg)], read: decode },
  pickle: { samples: () => pickles.map(decoded), read: (bytes) => readPickle(bytes, { name }) },
  npy: { samples: () => [npyDict, npyIntegers, npyFortran].map(decoded), read: (bytes) => parseNpy(bytes, { name }) },
  "CIFAR-N, pt": { samples: () => [humanZip, humanLegacy].map(decoded), read: readHuman, ending: ".pt" },
  "CIFAR-N, npy": { samples: () => [decoded(humanOrderedNpy)], read: readHuman, ending: ".npy" },
  mat: {
    samples: () => [decoded(svhnMat), inflateSync(decoded(plainMat))],
    read: (bytes) => parseMat(bytes, { name, maxBytes: 2 ** 27 }),
  },
  "noise, JSON": { samples: noiseFiles, read: (_, file) => data.loadNoise(file), ending: ".json" },
  "noise, CSV": {
    samples: () => [Buffer.from("index,label\n" + labels.map((label, i) => `${i},${label}\n`).join(""))],
    read: (_, file) => data.readNoisyLabelsCsv(file, { labels, numClasses: 4 }),
  },
};

function readHuman(_: Buffer, file: string): Promise<data.NoisyLabels> {
  return data.loadCifarN(human, { annotators: "worst", file });
}

function tarFile(): Buffer {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "attack-tar-"));
  fs.mkdirSync(path.join(folder, "in/deep"), { recursive: true });
  fs.writeFileSync(path.join(folder, "in/a.txt"), "one");
  fs.writeFileSync(path.join(folder, "in/deep/b.bin"), Buffer.alloc(3000, 7));
  const file = path.join(folder, "archive.tar");
  tar.create({ cwd: folder, file, sync: true }, ["in"]);
  const bytes = fs.readFileSync(file);
  fs.rmSync(folder, { recursive: true });
  return bytes;
}

function zipFile(level: 0 | 6): Buffer {
  return Buffer.from(zipSync({ "in/a.txt": Buffer.from("one"), "in/deep/b.bin": Buffer.alloc(3000, 7) }, { level }));
}

function pngFiles(): Buffer[] {
  const rows = Uint8Array.from([0, 1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9, 10, 11, 12]);
  const interlaced = pngOf(pngHeader(2, 2, { interlaced: true }), chunk("IDAT", deflateSync(rows)));
  const palette = chunk("PLTE", Buffer.alloc(768, 3));
  const indexed = pngOf(pngHeader(2, 2, { colorType: 3 }), palette, chunk("IDAT", deflateSync(Buffer.alloc(6))));
  return [png(6, 5, (y, x) => [10 * y, 10 * x, 100]), interlaced, indexed];
}

function withCrcs(bytes: Buffer): Buffer {
  for (let at = 8; at + 12 <= bytes.length; ) {
    const end = at + 8 + bytes.readUInt32BE(at);
    if (end + 4 > bytes.length) break;
    bytes.writeInt32BE(crc32(bytes.subarray(at + 4, end)), end);
    at = end + 4;
  }
  return bytes;
}

function colorJpeg(): Buffer {
  return jpegJs.encode({ data: Buffer.alloc(16 * 24 * 4, 99), width: 24, height: 16 }, 90).data;
}

function noiseFiles(): Buffer[] {
  const file = path.join(os.tmpdir(), `attack-noise-${process.pid}.json`);
  const { noisyLabels, ...noise } = data.symmetricNoise(labels, { noiseRate: 0.4, numClasses: 4 });
  const sum = data.labelsSha256;
  const content = { format: "sharpness-lab noisy labels, version 1", ...noise, noisyLabels };
  fs.rmSync(file, { force: true });
  return [Buffer.from(JSON.stringify({ ...content, cleanSha256: sum(labels), noisySha256: sum(noisyLabels) }))];
}

/** One to six changes of a sample: bits, bytes, numbers, pieces lost, repeated, moved in from elsewhere. */
function mutate(samples: Buffer[], rng: Rng): Buffer {
  let bytes: Buffer = Buffer.from(samples[rng.int(samples.length)]!);
  for (let changes = 1 + rng.int(6); changes > 0 && bytes.length > 0; changes--)
    bytes = mutations[rng.int(mutations.length)]!(bytes, rng, samples);
  return bytes;
}

const extremes = [0, 1, 0x7f, 0x80, 0xff];
const numbers = [0, 1, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 20000];

const mutations: ((bytes: Buffer, rng: Rng, samples: Buffer[]) => Buffer)[] = [
  (bytes, rng) => written(bytes, (at) => (bytes[at]! ^= 1 << rng.int(8)), rng),
  (bytes, rng) => written(bytes, (at) => (bytes[at] = extremes[rng.int(extremes.length)]!), rng),
  (bytes, rng) => written(bytes, (at) => (bytes[at] = rng.int(256)), rng),
  (bytes, rng) => withNumber(bytes, rng),
  (bytes, rng) => bytes.subarray(0, rng.int(bytes.length)),
  (bytes, rng) => without(bytes, pieceOf(bytes, rng)),
  (bytes, rng) => inserted(bytes, bytes.subarray(...pieceOf(bytes, rng)), rng),
  (bytes, rng) => inserted(bytes, Buffer.alloc(1 + rng.int(2000), extremes[rng.int(extremes.length)]), rng),
  (bytes, rng, samples) => {
    const other = samples[rng.int(samples.length)]!;
    return inserted(bytes, other.subarray(...pieceOf(other, rng)), rng);
  },
];

function written(bytes: Buffer, write: (at: number) => void, rng: Rng): Buffer {
  write(rng.int(bytes.length));
  return bytes;
}

function withNumber(bytes: Buffer, rng: Rng): Buffer {
  if (bytes.length < 4) return bytes;
  const [at, value] = [rng.int(bytes.length - 3), numbers[rng.int(numbers.length)]!];
  if (rng.int(2) === 0) bytes.writeUInt32LE(value, at);
  else bytes.writeUInt32BE(value, at);
  return bytes;
}

function pieceOf(bytes: Buffer, rng: Rng): [from: number, to: number] {
  const from = rng.int(bytes.length);
  return [from, Math.min(bytes.length, from + 1 + rng.int(64))];
}

const without = (bytes: Buffer, [from, to]: [number, number]) => Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);

function inserted(bytes: Buffer, piece: Buffer, rng: Rng): Buffer {
  const at = rng.int(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
}

type Verdict = "accepted" | "refused" | "unclear";
interface Report {
  readonly input: number;
  readonly verdict: Verdict;
  readonly ms: number;
  readonly mb: number;
  readonly message?: string;
}

async function verdictOf(reader: Reader, bytes: Buffer, folder: string): Promise<{ verdict: Verdict; message?: string }> {
  const file = path.join(folder, `${name}${reader.ending ?? ""}`);
  fs.writeFileSync(file, bytes);
  try {
    await reader.read(bytes, file);
    return { verdict: "accepted" };
  } catch (error) {
    const { message } = error as Error;
    const clear =
      !(error instanceof TypeError || error instanceof RangeError) && message.includes(name) && !unclear.test(message);
    return clear ? { verdict: "refused" } : { verdict: "unclear", message: `${String(error)}` };
  }
}

/** How JavaScript words the faults of a program. */
const unclear = /Cannot read|is not a function|not iterable|Invalid array length|out of range|is not defined|circular/;

/** The part of the process that reads; each report is sent before the next input is begun. */
async function attack(reader: Reader, readerName: string, { from, to }: { from: number; to: number }): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "attack-"));
  const samples = reader.samples();
  try {
    for (const sample of samples) {
      const { verdict, message } = await verdictOf(reader, sample, folder);
      if (verdict !== "accepted") throw new Error(`an unchanged sample of ${readerName} is ${verdict}: ${message}`);
    }
    for (let input = from; input < to; input++) {
      const bytes = inputOf(reader, readerName, input, samples);
      const start = performance.now();
      const found = await verdictOf(reader, bytes, folder);
      const mb = process.resourceUsage().maxRSS / 1024;
      process.send!({ input, ...found, ms: performance.now() - start, mb } satisfies Report);
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Writes one mutated input to a file, to look at it: npx tsx test/attack/readers.ts --write jpeg 626 input.jpg */
function writeInput(readerName: string, input: number, file: string): void {
  fs.writeFileSync(file, inputOf(readers[readerName]!, readerName, input));
}

function inputOf(reader: Reader, readerName: string, input: number, samples = reader.samples()): Buffer {
  const bytes = mutate(samples, new Rng("readers").split(readerName).split(input));
  return reader.mend ? reader.mend(Buffer.from(bytes)) : bytes;
}

interface Row {
  accepted: number;
  refused: number;
  unclear: number;
  crashed: number;
  slowest: number;
  mb: number;
  readonly examples: string[];
}

/** Runs a child from input `from` on, until it has done all or has to be ended; resolves to the next input. */
function runChild(readerName: string, from: number, to: number, row: Row): Promise<number> {
  return new Promise((resolve) => {
    let next = from;
    let why = "";
    const child = fork(__filename, ["--child", readerName, String(from), String(to)], {
      execArgv: [...process.execArgv, `--max-old-space-size=${MAX_HEAP_MB}`],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    let stderr = "";
    child.stderr!.on("data", (text: Buffer) => (stderr = (stderr + text.toString()).slice(-2000)));
    const end = (reason: string) => {
      why = reason;
      child.kill("SIGKILL");
    };
    // The first input waits for the start of the process too.
    let timer = setTimeout(() => end("hung"), 60_000 + MAX_SECONDS * 1000);
    child.on("message", (report: Report) => {
      clearTimeout(timer);
      timer = setTimeout(() => end("hung"), MAX_SECONDS * 1000);
      next = report.input + 1;
      row[report.verdict]++;
      row.slowest = Math.max(row.slowest, report.ms);
      row.mb = Math.max(row.mb, report.mb);
      if (report.verdict === "unclear") row.examples.push(`input ${report.input}: ${report.message}`);
      if (report.mb > MAX_MB) end(`took ${Math.round(report.mb)} MB`);
    });
    child.on("exit", (code) => {
      clearTimeout(timer);
      if (next >= to) return resolve(to);
      row.crashed++;
      row.examples.push(`input ${next}: ${why || `ended with ${code}: ${stderr.trim().slice(-300)}`}`);
      resolve(next + 1);
    });
  });
}

async function main(count: number, names: string[]): Promise<void> {
  console.log("| reader | accepted | refused | unclear | crashed or hung | slowest, ms | memory, MB |");
  console.log("| --- | --- | --- | --- | --- | --- | --- |");
  const examples: string[] = [];
  for (const readerName of names) {
    const row: Row = { accepted: 0, refused: 0, unclear: 0, crashed: 0, slowest: 0, mb: 0, examples: [] };
    for (let next = 0; next < count && row.crashed < 10; ) next = await runChild(readerName, next, count, row);
    const numbers = [row.accepted, row.refused, row.unclear, row.crashed, Math.round(row.slowest), Math.round(row.mb)];
    console.log(`| ${readerName} | ${numbers.join(" | ")} |`);
    examples.push(...row.examples.slice(0, 5).map((example) => `${readerName}, ${example}`));
  }
  for (const example of examples) console.log(example);
  if (examples.length > 0) process.exitCode = 1;
}

const [first, ...rest] = process.argv.slice(2);
if (first === "--child") void attack(readers[rest[0]!]!, rest[0]!, { from: Number(rest[1]), to: Number(rest[2]) });
else if (first === "--write") writeInput(rest[0]!, Number(rest[1]), rest[2]!);
else void main(Number(first ?? 2000), rest.length > 0 ? rest : Object.keys(readers));
