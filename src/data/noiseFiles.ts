/** Noisy labels in files: our own JSON, so that two methods or two tools see the same ones, and a user's CSV of index and label. */
import { inFile, readBounded, sha256, writeFileAtomic } from "./files";
import { compareLabels, type NoisyLabels } from "./labelNoise";

const format = "sharpness-lab noisy labels, version 1";
const maxBytes = 2 ** 28; // ours: 256 MiB hold some 30 million labels

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

/** Writes the labels, clean and noisy, with how they were made and their checksums, as one JSON file. Never leaves half a file. */
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

/**
 * Reads what `saveNoise` wrote. Where the data set's clean `labels` are given, the file must be about the same ones.
 * @throws where the file is missing, torn, altered, or about other labels
 */
export async function loadNoise(file: string, { labels }: { labels?: ArrayLike<number> } = {}): Promise<NoisyLabels> {
  const content = parseNoise((await readBounded(file, { maxBytes })).toString("utf8"), file);
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

export interface CsvOptions {
  /** the data set's clean labels, one for each line */
  labels: ArrayLike<number>;
  numClasses: number;
  /** what errors call the text */
  name?: string;
}

/** `noisyLabelsFromCsv` on a file, for a data set's labels and classes. Errors name the file. */
export async function readNoisyLabelsCsv(file: string, { labels, numClasses }: Omit<CsvOptions, "name">): Promise<NoisyLabels> {
  return noisyLabelsFromCsv((await readBounded(file, { maxBytes })).toString("utf8"), { labels, numClasses, name: file });
}

/**
 * Labels from lines of `index,label`, in any order, after an optional heading that names the two columns.
 * @throws the line and what is wrong: not two integers, an index or class out of range, an index twice, or one that is missing
 */
export function noisyLabelsFromCsv(text: string, { labels, numClasses, name = "CSV" }: CsvOptions): NoisyLabels {
  const { rows, columns } = splitCsv(text);
  const noisy = new Array<number | undefined>(labels.length).fill(undefined);
  for (const { line, fields } of rows) {
    const where = `${name}, line ${line}`;
    if (fields.length !== 2) throw new Error(`${where}: ${fields.length} fields, expected 2: index and label`);
    const index = integer(fields[columns.index]!, where, "index", labels.length);
    if (noisy[index] !== undefined) throw new Error(`${where}: index ${index} comes a second time`);
    noisy[index] = integer(fields[columns.label]!, where, "label", numClasses);
  }
  const missing = noisy.indexOf(undefined);
  if (missing >= 0) throw new Error(`${name}: ${rows.length} labels, expected ${labels.length}; index ${missing} is missing`);
  return inFile(name, () => compareLabels(labels, noisy as number[], { numClasses, noiseType: "csv" }));
}

function splitCsv(text: string) {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const rows = lines.map((line, i) => ({ line: i + 1, fields: line.split(",").map((field) => field.trim()) }));
  const filled = rows.filter(({ fields }) => fields.some((field) => field !== ""));
  const heading = (filled[0]?.fields ?? []).map((field) => field.replace(/^"|"$/g, "").toLowerCase());
  if (heading.includes("index") && heading.includes("label"))
    return { rows: filled.slice(1), columns: { index: heading.indexOf("index"), label: heading.indexOf("label") } };
  return { rows: filled, columns: { index: 0, label: 1 } };
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
  const { cleanLabels, noisyLabels, numClasses, noiseType } = content;
  if (
    !Array.isArray(cleanLabels) ||
    !Array.isArray(noisyLabels) ||
    typeof numClasses !== "number" ||
    typeof noiseType !== "string"
  )
    throw new Error(`${file}: expected noiseType, numClasses and the arrays cleanLabels and noisyLabels`);
  return content as NoiseFile;
}
