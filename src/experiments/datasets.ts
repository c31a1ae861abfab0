/** The data sets that a run can name. A new one is its reader in src/data, that folder's index, and an entry here. */
import { existsSync } from "node:fs";
import path from "node:path";
import {
  asymmetricMaps,
  hasFashionMnist,
  imageFolderSources,
  loadCifar10,
  loadCifar100,
  loadFashionMnist,
  loadMnist,
  loadSvhn,
  datasetSources,
  syntheticImages,
  takeClasses,
  takeFirst,
  type ClassMap,
  type Dataset,
  type ImageFolderName,
  type ImageShape,
  type DatasetSourceName,
} from "../data";
import { cacheFolder } from "../data/files";
import { hasFolderSet, readFolderSet } from "./folderSets";

/** "first-half" of ten classes is 0 … 4; "second-half" is 5 … 9, renumbered to 0 … 4. Of an odd number the second has one more. */
export const classChoices = ["all", "first-half", "second-half"] as const;

/** The part of a run's config that says which images. */
export interface ChosenData {
  readonly name: DatasetName;
  readonly trainSize: number;
  readonly testSize: number;
  readonly heldOutSize: number;
  readonly validationSize: number;
  readonly classes: (typeof classChoices)[number];
  readonly imageSize: number;
}

/** What is known of a data set before it is read. */
export interface DatasetFacts {
  readonly title: string;
  /** height, width, channels, as they are read if a config names no size */
  readonly shape: ImageShape;
  readonly numClasses: number;
  readonly trainSize: number;
  readonly testSize: number;
}

/** Files of a data set, which may not be on this machine. */
export interface DatasetFiles {
  readonly files: readonly { readonly url: string; readonly bytes?: number }[];
  readonly note?: string;
  /** Whether they are in data/cache, as far as their names tell. */
  isHere(): boolean;
}

export type Split = "train" | "test";

interface DatasetEntry extends DatasetFacts {
  /** The first `limit` images of a split; absent: all. */
  read(split: Split, options: { readonly limit?: number; readonly imageSize: number }): Promise<Dataset>;
  /** Absent: the images are generated. */
  readonly source?: DatasetFiles;
  /** The images are files to be decoded at any size, listed class by class. */
  readonly inFolders?: true;
  /** Classes that look alike, for asymmetric noise. */
  readonly lookalikes?: ClassMap;
}

const gray: ImageShape = [28, 28, 1];
const small: ImageShape = [32, 32, 3];
const photo: ImageShape = [224, 224, 3]; // official code: ImageNet

/** Names are spelled as in data/paper. Sizes of the finetuning sets: Kornblith et al. 2019, whose splits the paper's authors use. */
const datasets = {
  "fashion-mnist": {
    ...{ title: "Fashion-MNIST", shape: gray, numClasses: 10, trainSize: 60_000, testSize: 10_000 },
    read: (split, { limit }) => loadFashionMnist({ split, limit }),
    source: { files: [], note: "npm run setup gets it", isHere: () => hasFashionMnist() },
    lookalikes: asymmetricMaps.fashionMnist,
  },
  generated: {
    ...{ title: "generated", shape: gray, numClasses: 10, trainSize: 1000, testSize: 1000 },
    read: async (split, { limit = 1000 }) => syntheticImages({ seed: split, size: limit }),
    lookalikes: asymmetricMaps.cifar10, // none look alike: the literature's default
  },
  mnist: {
    ...{ title: "MNIST", shape: gray, numClasses: 10, trainSize: 60_000, testSize: 10_000 },
    read: (split, { limit }) => loadMnist({ split, limit }),
    source: downloads("mnist"),
    lookalikes: asymmetricMaps.mnist,
  },
  "cifar-10": {
    ...{ title: "CIFAR-10", shape: small, numClasses: 10, trainSize: 50_000, testSize: 10_000 },
    read: (split, { limit }) => loadCifar10({ split, limit }),
    source: downloads("cifar-10", [cifarFile("10", "data_batch_5"), cifarFile("10", "test_batch")]),
    lookalikes: asymmetricMaps.cifar10,
  },
  "cifar-100": {
    ...{ title: "CIFAR-100", shape: small, numClasses: 100, trainSize: 50_000, testSize: 10_000 },
    read: (split, { limit }) => loadCifar100({ split, limit }),
    source: downloads("cifar-100", [cifarFile("100", "train"), cifarFile("100", "test")]),
  },
  svhn: {
    ...{ title: "SVHN", shape: small, numClasses: 10, trainSize: 604_388, testSize: 26_032 },
    read: (split, { limit }) => loadSvhn({ split: split === "train" ? "train+extra" : "test", limit }), // paper: train and extra
    source: downloads("svhn"),
  },
  imagenet: photos("imagenet", { title: "ImageNet", numClasses: 1000, trainSize: 1_281_167, testSize: 50_000 }),
  fgvc_aircraft: photos("fgvc_aircraft", { title: "FGVC-Aircraft", numClasses: 100, trainSize: 6667, testSize: 3333 }),
  flowers: photos("flowers", { title: "Oxford Flowers-102", numClasses: 102, trainSize: 2040, testSize: 6149 }),
  oxford_iiit_pets: photos("oxford_iiit_pets", { title: "Oxford-IIIT Pets", numClasses: 37, trainSize: 3680, testSize: 3669 }),
  stanford_cars: photos("stanford_cars", { title: "Stanford Cars", numClasses: 196, trainSize: 8144, testSize: 8041 }),
  birdsnap: photos("birdsnap", { title: "Birdsnap", numClasses: 500, trainSize: 47_386, testSize: 2443 }),
  food101: photos("food101", { title: "Food-101", numClasses: 101, trainSize: 75_750, testSize: 25_250 }),
} satisfies Record<string, DatasetEntry>;

/** Names of the data sets, as a run's config takes them. */
export type DatasetName = keyof typeof datasets;

/** All names of data sets. */
export const datasetNames = Object.keys(datasets) as DatasetName[];

/** Facts about each set that are known before it is read. */
export const datasetFacts: Readonly<Record<DatasetName, DatasetFacts>> = datasets;

/** The files that a set needs in data/cache; undefined for one that is generated. */
export function datasetFiles(name: DatasetName): DatasetFiles | undefined {
  return entryOf(name).source;
}

/** Classes of a set that look alike. @throws if none are known */
export function lookalikesOf(name: DatasetName): ClassMap {
  const { lookalikes } = entryOf(name);
  const known = datasetNames.filter((each) => entryOf(each).lookalikes);
  if (!lookalikes) throw new Error(`asymmetric noise has no map of classes for ${name}; there are maps for ${known.join(", ")}`);
  return lookalikes;
}

/** Whether a set's images are files of folders, listed class by class. */
export function isInFolders(name: DatasetName): boolean {
  return entryOf(name).inFolders ?? false;
}

function entryOf(name: DatasetName): DatasetEntry {
  return datasets[name];
}

/**
 * The first `size` images of a split, of the chosen classes; 0 is all.
 * @throws if files are missing (says which, from where, and where to put them), or there are fewer images
 */
export async function loadSplit({ name, classes, imageSize }: ChosenData, split: Split, size: number): Promise<Dataset> {
  const limit = size > 0 ? size : undefined;
  const { read } = entryOf(name);
  if (classes === "all") return read(split, { limit, imageSize });
  const whole = await read(split, { imageSize });
  const chosen = takeClasses(whole, chosenClasses(classes, whole.numClasses));
  return limit === undefined ? chosen : takeFirst(chosen, limit);
}

/** The original numbers of the classes that a run has. */
export function chosenClasses(classes: ChosenData["classes"], numClasses: number): number[] {
  const half = Math.floor(numClasses / 2);
  const [from, to] = { all: [0, numClasses], "first-half": [0, half], "second-half": [half, numClasses] }[classes] as [
    number,
    number,
  ];
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** Facts of a run's images, without reading them: after `classes`, `trainSize` and the like. */
export function factsOf(chosen: ChosenData): DatasetFacts {
  const { name, classes, imageSize, trainSize, testSize } = chosen;
  const held = chosen.heldOutSize + chosen.validationSize;
  const all = datasetFacts[name];
  const numClasses = chosenClasses(classes, all.numClasses).length;
  const ofClasses = (size: number) => Math.round((size * numClasses) / all.numClasses);
  const shape: ImageShape = imageSize > 0 && isInFolders(name) ? [imageSize, imageSize, all.shape[2]] : all.shape;
  return {
    title: all.title,
    shape,
    numClasses,
    trainSize: trainSize || ofClasses(all.trainSize) - held,
    testSize: held || testSize || ofClasses(all.testSize),
  };
}

/** A set of photographs: one folder for each class, in one of the layouts of the finetuning sets. */
function photos(name: ImageFolderName, about: Omit<DatasetFacts, "shape">): DatasetEntry {
  const { files, ...rest } = imageFolderSources[name];
  return {
    ...{ ...about, shape: photo, inFolders: true },
    read: (split, { limit, imageSize }) =>
      readFolderSet(name, split, { limit, imageSize: imageSize || photo[0], numClasses: about.numClasses }),
    source: { files, ...("note" in rest ? { note: rest.note } : {}), isHere: () => hasFolderSet(name) },
  };
}

/** Files that `fetchDataset` gets. Each of `marks` must be there, under one of its names; default: each file, unpacked or not. */
function downloads(name: DatasetSourceName, marks?: readonly (readonly string[])[]): DatasetFiles {
  const { files } = datasetSources[name];
  const names = marks ?? files.map(({ url }) => [path.basename(url), path.basename(url, ".gz")]);
  const isHere = () => names.every((alternatives) => alternatives.some((file) => existsSync(path.join(cacheFolder(name), file))));
  return { files, note: `fetchDataset("${name}") gets it`, isHere };
}

/** Places of one of CIFAR's files: as its archives unpack, or without their folder. */
function cifarFile(version: "10" | "100", file: string): string[] {
  const folders = ["batches-bin", "batches-py", "binary", "python"].map((kind) => `cifar-${version}-${kind}`);
  return [".", ...folders].flatMap((folder) => [path.join(folder, file), path.join(folder, `${file}.bin`)]);
}
