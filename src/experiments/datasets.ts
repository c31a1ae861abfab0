/** The data sets that a run can name: what each holds, and how its training and test images are read. */
import { existsSync } from "node:fs";
import path from "node:path";
import {
  imageFolderSources,
  loadCifar10,
  loadCifar100,
  loadFashionMnist,
  loadImageFolder,
  loadMnist,
  loadSvhn,
  missingFolderMessage,
  openImageFolder,
  scanImageFolder,
  syntheticImages,
  takeClasses,
  takeFirst,
  type Dataset,
  type ImageFolderName,
  type ImageShape,
} from "../data";
import { cacheFolder } from "../data/files";

/** In the spelling of data/paper. */
export const datasetNames = [
  ...(["fashion-mnist", "generated", "mnist", "cifar-10", "cifar-100", "svhn", "imagenet"] as const),
  ...(["fgvc_aircraft", "flowers", "oxford_iiit_pets", "stanford_cars", "birdsnap", "food101"] as const),
] as const;

export type DatasetName = (typeof datasetNames)[number];

/** "first-half" of ten classes is 0 … 4, "second-half" 5 … 9, which are numbered 0 … 4 then; of an odd number the second has one more. */
export const classChoices = ["all", "first-half", "second-half"] as const;

/** The part of a run's config that says which images. */
export interface ChosenData {
  readonly name: DatasetName;
  readonly trainSize: number;
  readonly testSize: number;
  readonly validationSize: number;
  readonly classes: (typeof classChoices)[number];
  readonly imageSize: number;
}

export interface DatasetFacts {
  readonly title: string;
  /** height, width, channels, as they are read where a config names no size */
  readonly shape: ImageShape;
  readonly numClasses: number;
  readonly trainSize: number;
  readonly testSize: number;
}

const gray: ImageShape = [28, 28, 1];
const small: ImageShape = [32, 32, 3];
const photo: ImageShape = [224, 224, 3]; // official code: ImageNet

/** What is known of each set before it is read. Sizes of the finetuning sets: Kornblith et al. 2019, whose splits the paper's authors use. */
export const datasetFacts: Readonly<Record<DatasetName, DatasetFacts>> = {
  "fashion-mnist": { title: "Fashion-MNIST", shape: gray, numClasses: 10, trainSize: 60_000, testSize: 10_000 },
  generated: { title: "generated", shape: gray, numClasses: 10, trainSize: 1000, testSize: 1000 },
  mnist: { title: "MNIST", shape: gray, numClasses: 10, trainSize: 60_000, testSize: 10_000 },
  "cifar-10": { title: "CIFAR-10", shape: small, numClasses: 10, trainSize: 50_000, testSize: 10_000 },
  "cifar-100": { title: "CIFAR-100", shape: small, numClasses: 100, trainSize: 50_000, testSize: 10_000 },
  svhn: { title: "SVHN", shape: small, numClasses: 10, trainSize: 604_388, testSize: 26_032 },
  imagenet: { title: "ImageNet", shape: photo, numClasses: 1000, trainSize: 1_281_167, testSize: 50_000 },
  fgvc_aircraft: { title: "FGVC-Aircraft", shape: photo, numClasses: 100, trainSize: 6667, testSize: 3333 },
  flowers: { title: "Oxford Flowers-102", shape: photo, numClasses: 102, trainSize: 2040, testSize: 6149 },
  oxford_iiit_pets: { title: "Oxford-IIIT Pets", shape: photo, numClasses: 37, trainSize: 3680, testSize: 3669 },
  stanford_cars: { title: "Stanford Cars", shape: photo, numClasses: 196, trainSize: 8144, testSize: 8041 },
  birdsnap: { title: "Birdsnap", shape: photo, numClasses: 500, trainSize: 47_386, testSize: 2443 },
  food101: { title: "Food-101", shape: photo, numClasses: 101, trainSize: 75_750, testSize: 25_250 },
};

type Split = "train" | "test";
type Reader = (split: Split, options: { limit: number | undefined; imageSize: number }) => Promise<Dataset>;

const readers: Readonly<Record<DatasetName, Reader>> = {
  "fashion-mnist": (split, { limit }) => loadFashionMnist({ split, limit }),
  generated: async (split, { limit = 1000 }) => syntheticImages({ seed: split, size: limit }),
  mnist: (split, { limit }) => loadMnist({ split, limit }),
  "cifar-10": (split, { limit }) => loadCifar10({ split, limit }),
  "cifar-100": (split, { limit }) => loadCifar100({ split, limit }),
  svhn: (split, { limit }) => loadSvhn({ split: split === "train" ? "train+extra" : "test", limit }), // paper: train and extra
  imagenet: folderReader("imagenet"),
  fgvc_aircraft: folderReader("fgvc_aircraft"),
  flowers: folderReader("flowers"),
  oxford_iiit_pets: folderReader("oxford_iiit_pets"),
  stanford_cars: folderReader("stanford_cars"),
  birdsnap: folderReader("birdsnap"),
  food101: folderReader("food101"),
};

/**
 * The first `size` images of a split, of the chosen classes; 0 is all.
 * @throws where files are missing (says which, from where, and where to put them), or there are fewer images
 */
export async function loadSplit({ name, classes, imageSize }: ChosenData, split: Split, size: number): Promise<Dataset> {
  const limit = size > 0 ? size : undefined;
  if (classes === "all") return readers[name](split, { limit, imageSize });
  const whole = await readers[name](split, { limit: undefined, imageSize });
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

/** What a run's images are, without reading them: after `classes`, `trainSize` and the like. */
export function factsOf({ name, classes, imageSize, trainSize, testSize, validationSize }: ChosenData): DatasetFacts {
  const all = datasetFacts[name];
  const numClasses = chosenClasses(classes, all.numClasses).length;
  const ofClasses = (size: number) => Math.round((size * numClasses) / all.numClasses);
  const shape: ImageShape = imageSize > 0 && isFolder(name) ? [imageSize, imageSize, all.shape[2]] : all.shape;
  return {
    title: all.title,
    shape,
    numClasses,
    trainSize: trainSize || ofClasses(all.trainSize) - validationSize,
    testSize: validationSize || testSize || ofClasses(all.testSize),
  };
}

/** Whether its images lie in folders, as files to be decoded at any size. */
export function isFolder(name: DatasetName): name is ImageFolderName {
  return name in imageFolderSources;
}

/** Ours: images of more bytes than these stay in their files. */
const MAX_BYTES = 2 ** 33;

function folderReader(name: ImageFolderName): Reader {
  return async (split, { limit, imageSize }) => {
    const [height, width, channels] = datasetFacts[name].shape;
    const size = [imageSize || height, imageSize || width] as const;
    const { folder, ...which } = folderOfSplit(name, split);
    const found = await scanImageFolder(folder, { ...which, limit, name });
    const { files, classNames } = found;
    if (classNames.length !== datasetFacts[name].numClasses)
      throw new Error(`${folder}: has ${classNames.length} class folders, expected ${datasetFacts[name].numClasses}`);
    const read = files.length * size[0] * size[1] * channels > MAX_BYTES ? openImageFolder : loadImageFolder;
    return read(found, { size });
  };
}

/** Where a split of a folder set lies. @throws where it is not there: says what to get and how to lay it out */
export function folderOfSplit(
  name: ImageFolderName,
  split: Split,
  root: string = cacheFolder(name),
): { folder: string; splitFile?: string } {
  const { layout } = imageFolderSources[name];
  const place =
    layout === "train and val"
      ? { folder: path.join(root, split === "train" ? "train" : "val") }
      : { folder: root, splitFile: path.join(root, `${split}.txt`) };
  if (!Object.values(place).every((each) => existsSync(each))) throw new Error(missingFolderMessage(name, root));
  return place;
}
