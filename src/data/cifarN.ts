/**
 * CIFAR-10N and CIFAR-100N, human labels (Wei et al. 2022): read, never shipped (CC BY-NC 4.0). The .pt files follow the order of
 * CIFAR's Python version, the _ordered.npy files that of its binary version; which one fits is checked against the clean labels.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import { checkOptions } from "../engine";
import type { Dataset } from "./dataset";
import { cacheFolder, inFile, readBounded } from "./files";
import { compareLabels, type NoisyLabels } from "./labelNoise";
import { parseNpy } from "./npy";
import { NumpyArray, readPickle, type PickleValue } from "./pickle";
import { zipEntries } from "./zip";

/**
 * Sets of human labels by their names in the paper, and what the files call them. CIFAR-10N has three annotators per image: each one's
 * labels, their majority, and a wrong one if there is any. CIFAR-100N has one annotator, "fine".
 */
export const humanLabelSets = {
  aggregate: "aggre_label",
  random1: "random_label1",
  random2: "random_label2",
  random3: "random_label3",
  worst: "worse_label",
  fine: "noisy_label",
} as const;

/** Names of the published sets of human labels. */
export type HumanLabelSet = keyof typeof humanLabelSets;

/** Options of `loadCifarN`. */
export interface CifarNOptions {
  /** which human labels; CIFAR-10N: "aggregate", "random1" … "random3", "worst"; CIFAR-100N: "fine" */
  annotators: HumanLabelSet;
  /**
   * a .pt or _ordered.npy file; by default CIFAR-10_human.pt or CIFAR-10_human_ordered.npy in data/cache/cifar-10n, the one in the
   * order of the images; for CIFAR-100 their namesakes in data/cache/cifar-100n
   */
  file?: string;
  /** image_order_c10.npy: entry i is the position in the .pt file of the image that is i-th in the other order; applied to a .pt file */
  imageOrder?: string;
}

/** Ours; the files have a few MB. */
const MAX_BYTES = 2 ** 25;

/**
 * The human labels of CIFAR's training set, or of its first images.
 * @param dataset the training set with its clean labels, as `loadCifar10` and `loadCifar100` read it
 * @throws if the file is missing (the message tells where to get it), is malformed, has no such set, or is about other images: its clean labels must
 * equal those of the data set, one by one
 */
export async function loadCifarN(dataset: Pick<Dataset, "labels" | "numClasses">, options: CifarNOptions): Promise<NoisyLabels> {
  checkOptions(options, cifarNKinds, "loadCifarN");
  const { annotators, file, imageOrder } = options;
  const { labels, numClasses } = dataset;
  const order = imageOrder === undefined ? undefined : await readOrder(imageOrder);
  const wrong: string[] = [];
  for (const candidate of file === undefined ? publishedFiles(numClasses) : [file]) {
    const name = path.basename(candidate);
    const content = await readLabelSets(candidate, name);
    const [clean, noisy] = ["clean_label", humanLabelSets[annotators]].map((key) =>
      reorder(labelSet(content, key, name), order, name).slice(0, labels.length),
    );
    const problem = mismatch(clean!, labels);
    const about = { numClasses, noiseType: `cifar-${numClasses}n ${annotators}` };
    if (!problem) return inFile(name, () => compareLabels(clean!, noisy!, about));
    wrong.push(`${name}: ${problem}`);
  }
  throw new Error(
    `${wrong.join("; ")}. The file follows another order of the images (.pt: CIFAR's Python version; _ordered.npy: its binary version)`,
  );
}

const cifarNKinds = {
  annotators: { values: Object.keys(humanLabelSets) },
  file: "string",
  imageOrder: "string",
} as const;

function publishedFiles(numClasses: number): string[] {
  if (numClasses !== 10 && numClasses !== 100)
    throw new Error(`human labels for ${numClasses} classes: expected CIFAR-10 or CIFAR-100, or their file`);
  const name = `cifar-${numClasses}n`;
  const names = ["human.pt", "human_ordered.npy"].map((ending) => `CIFAR-${numClasses}_${ending}`);
  const there = names.map((each) => path.join(cacheFolder(name), each)).filter((each) => existsSync(each));
  if (there.length === 0)
    throw new Error(
      `The human labels of CIFAR-${numClasses} are not in ${cacheFolder(name)}. Get ${names.join(" or ")} from ` +
        `https://github.com/UCSC-REAL/cifar-10-100n (CC BY-NC 4.0) and put it there`,
    );
  return there;
}

function mismatch(clean: number[], labels: ArrayLike<number>): string | undefined {
  if (clean.length !== labels.length) return `${clean.length} labels, expected ${labels.length}`;
  const agreeing = clean.filter((label, i) => label === labels[i]).length;
  if (agreeing < labels.length) return `its clean labels agree with ${agreeing} of the ${labels.length} given, expected all`;
  return undefined;
}

async function readOrder(file: string): Promise<number[]> {
  return integers(parseNpy(await readBounded(file, { maxBytes: MAX_BYTES }), { name: file }), file);
}

async function readLabelSets(file: string, name: string): Promise<Map<string, PickleValue>> {
  const bytes = await readBounded(file, { maxBytes: MAX_BYTES });
  const content = file.endsWith(".npy") ? singleObject(parseNpy(bytes, { name }), name) : await readTorch(bytes, name);
  if (!(content instanceof Map)) throw new Error(`${name}: holds no dict of label sets`);
  return content;
}

function singleObject(array: NumpyArray, name: string): PickleValue {
  if (array.dtype !== "|O" || array.values.length !== 1)
    throw new Error(`${name}: an array of "${array.dtype}", expected one dict`);
  return (array.values as readonly PickleValue[])[0]!;
}

// torch.save writes a zip with data.pkl since version 1.6. Before that it wrote a row of pickles, of which the fourth is the object.
async function readTorch(bytes: Buffer, name: string): Promise<PickleValue> {
  if (bytes.toString("latin1", 0, 2) === "PK") return readPickle(await dataPickle(bytes, name), { name }).value;
  let start = 0;
  for (let skipped = 0; skipped < 3; skipped++) start = readPickle(bytes, { name, start }).end;
  return readPickle(bytes, { name, start }).value;
}

async function dataPickle(bytes: Buffer, name: string): Promise<Buffer> {
  const pickles: Buffer[] = [];
  try {
    for await (const entry of zipEntries(bytes)) {
      if (!entry.name.endsWith("/data.pkl")) continue;
      if (entry.size > MAX_BYTES) throw new Error(`${entry.name} has ${entry.size} bytes, expected at most ${MAX_BYTES}`);
      pickles.push(await buffer(entry.content()));
    }
  } catch (error) {
    throw new Error(`${name}: not a zip as torch.save writes it: ${(error as Error).message}`);
  }
  if (pickles.length !== 1) throw new Error(`${name}: a zip with ${pickles.length} files named data.pkl, expected 1`);
  return pickles[0]!;
}

function labelSet(content: Map<string, PickleValue>, key: string, name: string): number[] {
  const value = content.get(key);
  if (value === undefined) throw new Error(`${name}: has no "${key}", expected one of ${[...content.keys()].join(", ")}`);
  return integers(value, `${name}: ${key}`);
}

function integers(value: PickleValue, name: string): number[] {
  const values = value instanceof NumpyArray ? value.values : value;
  if (values === null || typeof values !== "object" || !("length" in values)) throw new Error(`${name} is not an array`);
  return Array.from(values as ArrayLike<unknown>, (each, i) => {
    if (!Number.isInteger(each)) throw new Error(`${name}: entry ${i} is ${String(each)}, expected an integer`);
    return each as number;
  });
}

function reorder(values: number[], order: number[] | undefined, name: string): number[] {
  if (!order) return values;
  if (order.length !== values.length) throw new Error(`${name}: ${values.length} labels, but an image order of ${order.length}`);
  return order.map((from) => values[from] ?? NaN);
}
