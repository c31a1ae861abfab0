/**
 * CIFAR-10N and CIFAR-100N, human labels (Wei et al. 2022): read, never shipped (CC BY-NC 4.0). The .pt files follow the order of CIFAR's
 * Python version, the _ordered.npy files that of TensorFlow Datasets; which one fits is checked against the clean labels.
 */
import path from "node:path";
import { buffer } from "node:stream/consumers";
import { readBounded } from "./files";
import { compareLabels, type NoisyLabels } from "./labelNoise";
import { parseNpy } from "./npy";
import { NumpyArray, readPickle, type PickleValue } from "./pickle";
import { zipEntries } from "./zip";

/** Names of the label sets as the files have them. */
export type CifarNSet = "aggre_label" | "worse_label" | "random_label1" | "random_label2" | "random_label3" | "noisy_label";

export interface CifarNOptions {
  /** clean labels of the training set, in the order of the images at hand */
  labels: ArrayLike<number>;
  /** which human labels; CIFAR-10N: aggre, worse, random 1 … 3; CIFAR-100N: noisy */
  set: CifarNSet;
  /** 10 or 100 */
  numClasses: number;
  /** image_order_c10.npy: entry i is the position in the .pt file of the image that is i-th in the other order; applied to a .pt file */
  imageOrder?: string;
}

/** Ours; the files have a few MB. */
const MAX_BYTES = 2 ** 25;

/**
 * Human labels from CIFAR-10_human.pt, CIFAR-10_human_ordered.npy or their CIFAR-100 kin.
 * @throws where the file is malformed, has no such set, or its clean labels are not those given (the other order)
 */
export async function loadCifarN(file: string, { labels, set, numClasses, imageOrder }: CifarNOptions): Promise<NoisyLabels> {
  const name = path.basename(file);
  const bytes = await readBounded(file, { maxBytes: MAX_BYTES });
  const content = file.endsWith(".npy") ? singleObject(parseNpy(bytes, { name }), name) : await readTorch(bytes, name);
  if (!(content instanceof Map)) throw new Error(`${name}: holds no dict of label sets`);
  const order =
    imageOrder === undefined
      ? undefined
      : integers(parseNpy(await readBounded(imageOrder, { maxBytes: MAX_BYTES }), { name: imageOrder }), imageOrder);
  const [clean, noisy] = ["clean_label", set].map((key) => reorder(labelSet(content, key, name), order, name));
  checkSameImages(clean!, labels, name);
  return compareLabels(clean!, noisy!, { numClasses, noiseType: `cifar-${numClasses}n ${set}` });
}

function checkSameImages(clean: number[], labels: ArrayLike<number>, name: string): void {
  if (clean.length !== labels.length) throw new Error(`${name}: ${clean.length} labels, expected ${labels.length}`);
  const agreeing = clean.filter((label, i) => label === labels[i]).length;
  if (agreeing < labels.length)
    throw new Error(
      `${name}: its clean labels agree with ${agreeing} of the ${labels.length} given, expected all: ` +
        "the file follows another order of the images (.pt: CIFAR's Python version; _ordered.npy: TensorFlow Datasets)",
    );
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
  if (values === null || typeof values !== "object" || !("length" in values)) throw new Error(`${name} is no array`);
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
