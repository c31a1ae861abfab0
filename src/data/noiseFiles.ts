/** Noisy labels in files: JSON, to share labels between methods and tools, and CSV with index and label. */
import { checkOptions, showValue } from "../engine";
import { inFile, readBounded, sha256, writeFileAtomic } from "./files";
import { compareLabels, type NoisyLabels } from "./labelNoise";

const format = "sharpness-lab noisy labels, version 1";
/** Ours: 64 MiB hold some 8 million labels, clean and noisy. */
const MAX_BYTES = 2 ** 26;
/** Ours, for an index, a label and spaces. */
const MAX_CSV_LINE = 64;

interface NoiseFile {
  format: string;
  noiseType: string;
  noiseRate?: number;
  seed?: number | string;
  numClasses: number;
  actualNoiseRate: number;
  /** of the labels as 32-bit little-endian integers; in Python: hashlib.sha256(numpy.asarray(labels, "<i4").tobytes()).hexdigest() */
  cleanSha256: string;
  noisySha256: string;
  cleanLabels: readonly number[];
  noisyLabels: readonly number[];
}

/** Writes clean and noisy labels, their origin and their checksums to one JSON file. Never leaves half a file. */
export async function saveNoise(file: string, noise: NoisyLabels): Promise<void> {
  const { noiseType, noiseRate, seed, numClasses, actualNoiseRate, cleanLabels, noisyLabels } = noise;
  const sums = { cleanSha256: labelsSha256(cleanLabels), noisySha256: labelsSha256(noisyLabels) };
  const content: NoiseFile = {
    format,
    noiseType,
    noiseRate,
    seed,
    numClasses,
    actualNoiseRate,
    ...sums,
    cleanLabels,
    noisyLabels,
  };
  await writeFileAtomic(file, JSON.stringify(content) + "\n");
}

/** Options of `loadNoise`. */
export interface LoadNoiseOptions {
  /** the data set's clean labels, which the file's must equal; absent: unchecked */
  labels?: ArrayLike<number>;
}

/**
 * Reads a file that `saveNoise` wrote. If the data set's clean `labels` are given, those of the file must equal them.
 * @throws if the file is missing, torn, altered, or about other labels
 */
export async function loadNoise(file: string, options: LoadNoiseOptions = {}): Promise<NoisyLabels> {
  checkOptions(options, { labels: "array" }, "loadNoise");
  const { labels } = options;
  const content = parseNoise((await readBounded(file, { maxBytes: MAX_BYTES })).toString("utf8"), file);
  const { noiseType, noiseRate, seed, numClasses, cleanLabels, noisyLabels, cleanSha256, noisySha256 } = content;
  const compared = inFile(file, () => compareLabels(cleanLabels, noisyLabels, { numClasses, noiseType }));
  for (const [name, sum, expected] of [
    ["clean", labelsSha256(cleanLabels), cleanSha256],
    ["noisy", labelsSha256(noisyLabels), noisySha256],
  ])
    if (sum !== expected)
      throw new Error(`${file}: the ${name} labels' SHA-256 is ${sum}, expected ${expected}: the file was altered`);
  if (labels && labelsSha256(labels) !== cleanSha256)
    throw new Error(`${file} is about ${cleanLabels.length} other clean labels than the ${labels.length} given`);
  return { ...compared, noiseRate, seed };
}

/** SHA-256 of the labels as 32-bit little-endian integers. */
export function labelsSha256(labels: ArrayLike<number>): string {
  const bytes = Buffer.alloc(4 * labels.length);
  for (let i = 0; i < labels.length; i++) bytes.writeInt32LE(labels[i]!, 4 * i);
  return sha256(bytes);
}

/** Options of `noisyLabelsFromCsv`. */
export interface CsvOptions {
  /** the data set's clean labels, one for each line */
  labels: ArrayLike<number>;
  numClasses: number;
  /** name of the text in error messages */
  name?: string;
}

/** `noisyLabelsFromCsv` on a file, for a data set's labels and classes. Errors name the file. */
export async function readNoisyLabelsCsv(file: string, { labels, numClasses }: Omit<CsvOptions, "name">): Promise<NoisyLabels> {
  const bytes = await readBounded(file, { maxBytes: MAX_CSV_LINE * (labels.length + 16) });
  return noisyLabelsFromCsv(bytes.toString("utf8"), { labels, numClasses, name: file });
}

/**
 * Labels from lines of `index,label`, in any order, after an optional heading that names the two columns.
 * @throws if a line does not hold two integers, an index or class is out of range, or an index is repeated or missing; names the line
 */
export function noisyLabelsFromCsv(text: string, options: CsvOptions): NoisyLabels {
  checkOptions(options, { labels: "array", numClasses: "number", name: "string" }, "noisyLabelsFromCsv");
  const { labels, numClasses, name = "CSV" } = options;
  const noisy = new Array<number | undefined>(labels.length).fill(undefined);
  let columns: { index: number; label: number } | undefined;
  let count = 0;
  for (const { line, fields } of csvLines(text)) {
    const heading = columns ? undefined : headingOf(fields);
    columns ??= heading ?? { index: 0, label: 1 };
    if (heading) continue;
    const where = `${name}, line ${line}`;
    if (fields.length !== 2) throw new Error(`${where}: ${fields.length} fields, expected 2: index and label`);
    const index = integer(fields[columns.index]!, where, "index", labels.length);
    if (noisy[index] !== undefined) throw new Error(`${where}: index ${index} comes a second time`);
    noisy[index] = integer(fields[columns.label]!, where, "label", numClasses);
    count++;
  }
  const missing = noisy.indexOf(undefined);
  if (missing >= 0) throw new Error(`${name}: ${count} labels, expected ${labels.length}; index ${missing} is missing`);
  return inFile(name, () => compareLabels(labels, noisy as number[], { numClasses, noiseType: "csv" }));
}

/** The lines that are not blank, one at a time: a file of nothing but line ends would fill the memory. */
function* csvLines(text: string): Generator<{ line: number; fields: string[] }> {
  for (let start = text.startsWith("\uFEFF") ? 1 : 0, line = 1; start < text.length; line++) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    const fields = text.slice(start, end).split(",", 4).map((field) => field.trim()); // prettier-ignore
    if (fields.some((field) => field !== "")) yield { line, fields };
    start = end + 1;
  }
}

/** The places of index and label, if the fields are a heading that names both. */
function headingOf(fields: readonly string[]): { index: number; label: number } | undefined {
  const names = fields.map((field) => field.replace(/^"|"$/g, "").toLowerCase());
  return names.includes("index") && names.includes("label")
    ? { index: names.indexOf("index"), label: names.indexOf("label") }
    : undefined;
}

function integer(field: string, where: string, name: string, bound: number): number {
  const value = /^[+-]?\d{1,15}$/.test(field) ? Number(field) : NaN;
  if (!(value >= 0 && value < bound)) throw new Error(`${where}: ${name} "${field}", expected an integer from 0 to ${bound - 1}`);
  return value;
}

function parseNoise(text: string, file: string): NoiseFile {
  let content: Partial<NoiseFile> | null;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new Error(`${file}: not JSON (${(error as Error).message})`);
  }
  if (content?.format !== format) throw new Error(`${file}: format is ${JSON.stringify(content?.format)}, expected "${format}"`);
  const { cleanLabels, noisyLabels, numClasses, noiseType, noiseRate, seed } = content;
  if (
    !Array.isArray(cleanLabels) ||
    !Array.isArray(noisyLabels) ||
    typeof numClasses !== "number" ||
    typeof noiseType !== "string"
  )
    throw new Error(`${file}: expected noiseType, numClasses and the arrays cleanLabels and noisyLabels`);
  if (noiseRate !== undefined && !(typeof noiseRate === "number" && noiseRate >= 0 && noiseRate <= 1))
    throw new Error(`${file}: noiseRate = ${showValue(noiseRate)}: expected a number from 0 to 1`);
  if (seed !== undefined && typeof seed !== "number" && typeof seed !== "string")
    throw new Error(`${file}: seed = ${showValue(seed)}: expected a number or a string`);
  return content as NoiseFile;
}
