/** CIFAR-10 and CIFAR-100 (Krizhevsky 2009), binary and Python versions. */
import { existsSync } from "node:fs";
import path from "node:path";
import { checkOptions, showValue } from "../engine";
import { makeDataset, type Dataset } from "./dataset";
import { loadKinds, type LoadOptions } from "./fashionMnist";
import { cacheFolder, readBounded } from "./files";
import { NumpyArray, readPickle, type PickleValue } from "./pickle";
import { missingMessage } from "./sources";

/** Options of `loadCifar100`. */
export interface Cifar100Options extends LoadOptions {
  /** 100 fine classes or their 20 superclasses */
  labels?: "fine" | "coarse";
}

const pixels = 32 * 32 * 3;
/** Ours; the largest file has 154 MB. */
const MAX_BYTES = 2 ** 28;

const cifar10Classes = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

// Official code, dataset_source.py.
const cifar10Statistics = { mean: [0.49139968, 0.48215841, 0.44653091], std: [0.24703223, 0.24348513, 0.26158784] };
const cifar100Statistics = { mean: [0.50707516, 0.48654887, 0.44091784], std: [0.26733429, 0.25643846, 0.27615047] };

interface Layout {
  /** folder inside the archive */
  folder: string;
  files: Readonly<Record<"train" | "test", readonly string[]>>;
  read: (file: string) => Promise<Part>;
}

/** images: (n·3·32·32), plane by plane */
interface Part {
  planes: Uint8Array;
  labels: number[];
}

/**
 * CIFAR-10: 50 000 training and 10 000 test images, 32×32×3. The binary version is preferred if both are there.
 * @throws if the files are missing (the message tells what to get and where to put it) or malformed
 */
export async function loadCifar10(options: LoadOptions = {}): Promise<Dataset> {
  checkOptions(options, loadKinds, "loadCifar10");
  const { split = "train", limit, folder = cacheFolder("cifar-10") } = options;
  const batches = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}`);
  const binary = (file: string) => readBinary(file, { labelBytes: 1, labelAt: 0, records: 10000 });
  const layouts: Layout[] = [
    {
      folder: "cifar-10-batches-bin",
      files: { train: batches.map((name) => `${name}.bin`), test: ["test_batch.bin"] },
      read: binary,
    },
    {
      folder: "cifar-10-batches-py",
      files: { train: batches, test: ["test_batch"] },
      read: (file) => readPython(file, "labels"),
    },
  ];
  const parts = await readParts(layouts, folder, split, missingMessage("cifar-10", folder));
  return assemble(parts, limit, { name: "cifar-10", numClasses: 10, classNames: cifar10Classes, ...cifar10Statistics });
}

/**
 * CIFAR-100: 50 000 training and 10 000 test images, 32×32×3.
 * @throws if the files are missing (the message tells what to get and where to put it) or malformed
 */
export async function loadCifar100(options: Cifar100Options = {}): Promise<Dataset> {
  checkOptions(options, { ...loadKinds, labels: { values: ["fine", "coarse"] } }, "loadCifar100");
  const { split = "train", limit, folder = cacheFolder("cifar-100"), labels = "fine" } = options;
  const records = split === "train" ? 50000 : 10000;
  const binary = (file: string) => readBinary(file, { labelBytes: 2, labelAt: labels === "fine" ? 1 : 0, records });
  const layouts: Layout[] = [
    { folder: "cifar-100-binary", files: { train: ["train.bin"], test: ["test.bin"] }, read: binary },
    {
      folder: "cifar-100-python",
      files: { train: ["train"], test: ["test"] },
      read: (file) => readPython(file, `${labels}_labels`),
    },
  ];
  const parts = await readParts(layouts, folder, split, missingMessage("cifar-100", folder));
  const numClasses = { fine: 100, coarse: 20 }[labels];
  return assemble(parts, limit, {
    name: labels === "fine" ? "cifar-100" : "cifar-100-coarse",
    numClasses,
    ...cifar100Statistics,
  });
}

async function readParts(layouts: Layout[], folder: string, split: "train" | "test", missing: string): Promise<Part[]> {
  for (const layout of layouts)
    for (const place of [folder, path.join(folder, layout.folder)]) {
      const files = layout.files[split].map((name) => path.join(place, name));
      if (files.every((file) => existsSync(file))) return Promise.all(files.map((file) => layout.read(file)));
    }
  throw new Error(missing);
}

// Each record: one or two label bytes, then 1024 red, 1024 green, 1024 blue.
async function readBinary(
  file: string,
  { labelBytes, labelAt, records }: { labelBytes: number; labelAt: number; records: number },
): Promise<Part> {
  const bytes = await readBounded(file, { maxBytes: MAX_BYTES });
  const length = labelBytes + pixels;
  if (bytes.length !== records * length)
    throw new Error(`${file}: ${bytes.length} bytes, expected ${records * length}: ${records} records of ${length}`);
  const planes = new Uint8Array(records * pixels);
  for (let i = 0; i < records; i++) planes.set(bytes.subarray(i * length + labelBytes, (i + 1) * length), i * pixels);
  return { planes, labels: Array.from({ length: records }, (_, i) => bytes[i * length + labelAt]!) };
}

// A dict of data, (n, 3072) bytes, and a list of labels.
async function readPython(file: string, labelsKey: string): Promise<Part> {
  const name = path.basename(file);
  const { value } = readPickle(await readBounded(file, { maxBytes: MAX_BYTES }), { name });
  if (!(value instanceof Map)) throw new Error(`${name}: holds no dict`);
  const data = value.get("data");
  if (
    !(data instanceof NumpyArray) ||
    !(data.values instanceof Uint8Array) ||
    data.shape[1] !== pixels ||
    data.shape.length !== 2
  )
    throw new Error(`${name}: data is not an array of bytes of (n, ${pixels})`);
  return { planes: rowMajor(data), labels: labelList(value.get(labelsKey), `${name}: ${labelsKey}`, data.shape[0]!) };
}

function rowMajor({ values, shape, fortranOrder }: NumpyArray): Uint8Array {
  const [rows, columns] = shape as [number, number];
  if (!fortranOrder) return values as Uint8Array;
  return Uint8Array.from(
    { length: rows * columns },
    (_, i) => (values as Uint8Array)[(i % columns) * rows + Math.floor(i / columns)]!,
  );
}

function labelList(value: PickleValue | undefined, name: string, count: number): number[] {
  const list = value instanceof NumpyArray ? Array.from(value.values as ArrayLike<PickleValue>) : value;
  if (!Array.isArray(list) || list.length !== count) throw new Error(`${name} is not a list of ${count} labels`);
  const wrong = list.findIndex((label) => !Number.isInteger(label));
  if (wrong >= 0) throw new Error(`${name}: label ${wrong} is ${showValue(list[wrong])}, expected an integer`);
  return list as number[];
}

function assemble(
  parts: Part[],
  limit: number | undefined,
  about: Omit<Dataset, "size" | "shape" | "images" | "labels">,
): Dataset {
  const labels = Int32Array.from(parts.flatMap((part) => part.labels));
  const count = limit ?? labels.length;
  if (!Number.isInteger(count) || count < 1 || count > labels.length)
    throw new Error(`limit = ${limit}: expected an integer from 1 to ${labels.length}, the size of ${about.name}`);
  const images = new Uint8Array(count * pixels);
  let at = 0;
  for (const { planes } of parts) at += interleave(planes, images, at);
  return makeDataset({ ...about, shape: [32, 32, 3], images, labels: labels.slice(0, count) });
}

// Converts planes of 1024 to pixels of 3, for as many images as fit; returns the number of bytes written.
function interleave(planes: Uint8Array, to: Uint8Array, at: number): number {
  const length = Math.min(planes.length, to.length - at);
  for (let image = 0; image < length; image += pixels)
    for (let c = 0; c < 3; c++) {
      const plane = image + 1024 * c;
      for (let i = 0, target = at + image + c; i < 1024; i++, target += 3) to[target] = planes[plane + i]!;
    }
  return length;
}
