/** Folders of PNG and JPEG files, one folder a class: read into memory, or decoded in worker threads ahead of training. */
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { checkOptions, type OptionKinds, type Rng } from "../engine";
import { safePath } from "./archive";
import type { RandAugmentOptions } from "./autoAugment";
import { numBatches, type Batch } from "./batches";
import { makeDataset, makeOnDiskDataset, normalizeImages, stratifiedOrder, type Dataset, type OnDiskDataset } from "./dataset";
import { DecodePool, type ImageJob } from "./decodePool";
import { readBounded } from "./files";

/** The images of a folder, listed but not decoded. */
export interface ImageFolder {
  readonly name: string;
  readonly classNames: readonly string[];
  /** (size) absolute paths */
  readonly files: readonly string[];
  /** (size) */
  readonly labels: Int32Array;
}

/** Options of `scanImageFolder`. */
export interface ImageFolderOptions {
  /** name of the dataset; default: the folder's own name */
  name?: string;
  /** file that lists the images of this split, one path per line, relative to the folder, such as dogs/1.jpg; absent: all images */
  splitFile?: string;
  /** folders in class order; by default all, sorted */
  classNames?: readonly string[];
  /** largest number of images: the first of each class, in proportion to its size; absent: all images */
  limit?: number;
}

const folderKinds: OptionKinds<ImageFolderOptions> = {
  name: "string",
  splitFile: "string",
  classNames: "array",
  limit: "number",
};

/**
 * Lists the images under `folder`/<class>/, deeper folders included, sorted by name.
 * @throws if there is no class, no image, or the split file lists an image that is missing
 */
export async function scanImageFolder(folder: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
  checkOptions(options, folderKinds, "scanImageFolder");
  const { splitFile, classNames, limit, name: title = path.basename(path.resolve(folder)) } = options;
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1))
    throw new Error(`limit = ${limit}: expected an integer from 1`);
  const classes = classNames ?? (await subfolders(folder));
  if (classes.length === 0) throw new Error(`${folder}: has no folders, expected one for each class`);
  const found = await Promise.all(classes.map((name) => imagesUnder(path.join(folder, name), name)));
  const all = found.flatMap((names, label) => names.map((name) => ({ name, label })));
  const chosen = splitFile === undefined ? all : pick(all, await readBounded(splitFile, { maxBytes: 2 ** 28 }), splitFile);
  if (chosen.length === 0) throw new Error(`${folder}: has no .png, .jpg or .jpeg files in ${classes.length} class folders`);
  const kept = limit === undefined ? chosen : firstOfEachClass(chosen, { limit, numClasses: classes.length });
  return {
    name: title,
    classNames: classes,
    files: kept.map(({ name }) => path.join(folder, name)),
    labels: Int32Array.from(kept, ({ label }) => label),
  };
}

/** Options of `loadImageFolder`. */
export interface LoadImageFolderOptions extends ImageFolderOptions {
  /** side of the square images in pixels, or height and width */
  size: number | readonly [number, number];
  /** 3 colors or 1 gray */
  channels?: 1 | 3;
  /** "center": the official evaluation crop, a square of size/(size + 32) of the shorter side; "stretch": the whole image */
  fit?: "center" | "stretch";
  /** per channel; ImageNet's: the paper's preprocessing for its finetuning sets */
  mean?: readonly number[];
  std?: readonly number[];
  /** number of worker threads; default: one less than the number of processors */
  threads?: number;
}

/** Options of `openImageFolder`. */
export type OpenImageFolderOptions = Omit<LoadImageFolderOptions, "channels" | "fit" | "threads">;

const openKinds: OptionKinds<OpenImageFolderOptions> = {
  ...folderKinds,
  size: { types: ["number", "array"] },
  mean: "array",
  std: "array",
};
const loadKinds: OptionKinds<LoadImageFolderOptions> = {
  ...openKinds,
  channels: { values: [1, 3] },
  fit: { values: ["center", "stretch"] },
  threads: "number",
};

// Official code, dataset_source_imagenet.py; gray: their mean.
const imageNet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const gray = { mean: [0.449], std: [0.226] };

/**
 * Opens a folder of images too large for memory, such as ImageNet. `train` and `evaluateAny` decode them in worker threads, batch by
 * batch. Augmentation is "random-resized-crop", "randaugment" or "none", applied to the files' own pixels.
 * @param folder its path, or the result of `scanImageFolder`
 * @throws if nothing is found
 */
export async function openImageFolder(folder: string | ImageFolder, options: OpenImageFolderOptions): Promise<OnDiskDataset> {
  checkOptions(options, openKinds, "openImageFolder");
  const { size, mean = imageNet.mean, std = imageNet.std, ...which } = options;
  const { classNames, ...found } = await scanned(folder, which);
  return makeOnDiskDataset({ ...found, classNames, shape: [...dimensions(size), 3], numClasses: classNames.length, mean, std });
}

/**
 * Reads a folder of images into memory, all at one size.
 * @param folder its path, or the result of `scanImageFolder`
 * @throws if nothing is found, or a file cannot be decoded (the message names it)
 */
export async function loadImageFolder(folder: string | ImageFolder, options: LoadImageFolderOptions): Promise<Dataset> {
  checkOptions(options, loadKinds, "loadImageFolder");
  const { size, channels = 3, fit = "center", mean, std, threads, ...which } = options;
  const { files, labels, name, classNames } = await scanned(folder, which);
  const [height, width] = dimensions(size);
  const length = height * width * channels;
  const images = new Uint8Array(files.length * length);
  const pool = new DecodePool(threads);
  try {
    const jobs = files.map((file): ImageJob => ({ file, size: [height, width], channels, fit }));
    await decodeInOrder(pool, jobs, (bytes, i) => images.set(bytes, i * length));
  } finally {
    await pool.close();
  }
  const statistics = channels === 1 ? gray : imageNet;
  return makeDataset({
    name,
    shape: [height, width, channels],
    numClasses: classNames.length,
    classNames,
    images,
    labels,
    mean: mean ?? statistics.mean,
    std: std ?? statistics.std,
  });
}

function firstOfEachClass<T extends { label: number }>(
  listed: T[],
  { limit, numClasses }: { limit: number; numClasses: number },
): T[] {
  const labels = Int32Array.from(listed, ({ label }) => label);
  const order = stratifiedOrder({ labels, numClasses }, Int32Array.from(listed.keys()));
  return Array.from(order.slice(0, limit).sort(), (i) => listed[i]!);
}

async function scanned(folder: string | ImageFolder, which: ImageFolderOptions): Promise<ImageFolder> {
  return typeof folder === "string" ? scanImageFolder(folder, which) : folder;
}

/** Options of `imageBatches`. */
export interface ImageBatchOptions {
  batchSize: number;
  /** side of the square images, or height and width; 224: ImageNet's */
  size?: number | readonly [number, number];
  /** random stream of this epoch; required if anything is drawn from it */
  rng?: Rng;
  /** true: random box of 8 … 100 % and flip, shuffled; false: center crop, in order */
  training?: boolean;
  /** default: "random" in training, else "center" */
  fit?: "random" | "center";
  /** after the random box; absent: none */
  randAugment?: RandAugmentOptions;
  /** true in training, else false */
  dropLast?: boolean;
  firstBatch?: number;
  /** number of batches decoded ahead; 2: ours */
  prefetch?: number;
  mean?: readonly number[];
  std?: readonly number[];
  /** pool to share between epochs; default: a new one for this epoch */
  pool?: DecodePool;
}

const imageBatchKinds: OptionKinds<ImageBatchOptions> = {
  batchSize: "number",
  size: { types: ["number", "array"] },
  rng: "object",
  training: "boolean",
  fit: { values: ["random", "center"] },
  randAugment: "object",
  dropLast: "boolean",
  firstBatch: "number",
  prefetch: "number",
  mean: "array",
  std: "array",
  pool: "object",
};

/**
 * Batches of a folder too large for memory, such as ImageNet. Worker threads decode the next batches while one is trained on. The
 * batches depend on the stream alone, not on the number of threads.
 */
export async function* imageBatches(folder: ImageFolder, options: ImageBatchOptions): AsyncGenerator<Batch> {
  checkOptions(options, imageBatchKinds, "imageBatches");
  const { batchSize, size = 224, rng, training = true, randAugment, firstBatch = 0, prefetch = 2, pool: given } = options;
  const { fit = training ? "random" : "center", dropLast = training, mean = imageNet.mean, std = imageNet.std } = options;
  const count = folder.files.length;
  const total = numBatches(count, { batchSize, dropLast });
  if (total === 0)
    throw new Error(`batchSize = ${batchSize} exceeds the ${count} images of ${folder.name}: an epoch would have no full batch`);
  if (!rng && (training || fit === "random"))
    throw new Error(`${folder.name}: training draws from a random stream, but rng is missing`);
  const [height, width] = dimensions(size);
  const pool = given ?? new DecodePool();
  const order = training ? rng!.split("order").permutation(count) : Int32Array.from(folder.labels.keys());
  const seeds = rng?.split("augment");
  const start = (b: number) => {
    const indices = order.slice(b * batchSize, (b + 1) * batchSize);
    const jobs = Array.from(indices, (index, i): ImageJob => {
      const seed = fit === "random" ? seeds!.split(b * batchSize + i).next() : 0;
      return { file: folder.files[index]!, size: [height, width], channels: 3, fit, seed, randAugment };
    });
    return { indices, images: Promise.all(jobs.map((job) => pool.decode(job))) };
  };
  const ahead: ReturnType<typeof start>[] = [];
  try {
    for (let b = firstBatch; b < total; b++) {
      while (ahead.length <= prefetch && b + ahead.length < total) {
        const next = start(b + ahead.length);
        next.images.catch(() => undefined); // reported when its turn comes
        ahead.push(next);
      }
      const { indices, images } = ahead.shift()!;
      yield toBatch(folder, indices, await images, { mean, std });
    }
  } finally {
    if (!given) await pool.close();
  }
}

function toBatch(
  folder: ImageFolder,
  indices: Int32Array,
  images: Uint8Array[],
  statistics: Pick<Dataset, "mean" | "std">,
): Batch {
  const bytes = Uint8Array.from(Buffer.concat(images));
  return { images: normalizeImages(bytes, statistics), labels: indices.map((i) => folder.labels[i]!), indices };
}

// Hands out enough jobs at once to keep the threads busy, few enough to hold in memory.
async function decodeInOrder(pool: DecodePool, jobs: ImageJob[], store: (bytes: Uint8Array, i: number) => void): Promise<void> {
  for (let from = 0; from < jobs.length; from += 256) {
    const part = await Promise.all(jobs.slice(from, from + 256).map((job) => pool.decode(job)));
    part.forEach((bytes, i) => store(bytes, from + i));
  }
}

function pick<T extends { name: string }>(all: T[], list: Buffer, splitFile: string): T[] {
  const byName = new Map(all.map((each) => [each.name, each]));
  const lines = list
    .toString("utf8")
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "");
  return lines.map((line, i) => {
    const found = byName.get(safePath(line.trim()) ?? "");
    if (!found)
      throw new Error(`${splitFile}, line ${i + 1}: "${line.slice(0, 200)}" is not among the ${all.length} images of the folder`);
    return found;
  });
}

async function subfolders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new Error(error.code === "ENOENT" ? `${folder}: no such folder` : `${folder}: ${error.message}`);
  });
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map((entry) => entry.name)
    .sort();
}

async function imagesUnder(folder: string, prefix: string): Promise<string[]> {
  await stat(folder).catch(() => {
    throw new Error(`${folder}: no such folder, though it is named as a class`);
  });
  const names = await readdir(folder, { recursive: true });
  return names
    .filter((name) => /\.(png|jpe?g)$/i.test(name) && !path.basename(name).startsWith("."))
    .map((name) => `${prefix}/${name.split(path.sep).join("/")}`)
    .sort();
}

function dimensions(size: number | readonly [number, number]): readonly [number, number] {
  const [height, width] = typeof size === "number" ? [size, size] : size;
  if (![height, width].every((side) => Number.isInteger(side) && side >= 1))
    throw new Error(`size = ${String(size)}: expected integers from 1`);
  return [height, width];
}
