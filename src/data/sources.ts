/** Sources of the published data sets, and the messages for missing ones. */
import path from "node:path";
import { cacheFolder } from "./files";

/** A published file: its name, its addresses and its checksum. */
export interface DatasetSourceFile {
  readonly url: string;
  readonly sha256: string;
  readonly bytes?: number;
}

/** Where a data set is published: its files, its license and its citation. */
export interface DatasetSource {
  readonly title: string;
  readonly files: readonly DatasetSourceFile[];
  /** true: the files are archives, to be unpacked */
  readonly unpack: boolean;
}

const kriz = "https://www.cs.toronto.edu/~kriz/";
const svhn = "http://ufldl.stanford.edu/housenumbers/";
const mnist = "https://storage.googleapis.com/cvdf-datasets/mnist/";

/** Data sets that `fetchDataset` can download, by the name of their folder in data/cache. */
export const datasetSources = {
  "cifar-10": {
    title: "CIFAR-10",
    unpack: true,
    files: [
      {
        url: `${kriz}cifar-10-binary.tar.gz`,
        sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        bytes: 170052171,
      },
    ],
  },
  "cifar-100": {
    title: "CIFAR-100",
    unpack: true,
    files: [
      {
        url: `${kriz}cifar-100-binary.tar.gz`,
        sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        bytes: 168513733,
      },
    ],
  },
  svhn: {
    title: "SVHN",
    unpack: false,
    files: [
      {
        url: `${svhn}train_32x32.mat`,
        sha256: "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
        bytes: 182040794,
      },
      {
        url: `${svhn}test_32x32.mat`,
        sha256: "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
        bytes: 64275384,
      },
      {
        url: `${svhn}extra_32x32.mat`,
        sha256: "a133a4beb38a00fcdda90c9489e0c04f900b660ce8a316a5e854838379a71eb3",
        bytes: 1329278602,
      },
    ],
  },
  mnist: {
    title: "MNIST",
    unpack: false,
    files: [
      {
        url: `${mnist}train-images-idx3-ubyte.gz`,
        sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        bytes: 9912422,
      },
      {
        url: `${mnist}train-labels-idx1-ubyte.gz`,
        sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        bytes: 28881,
      },
      {
        url: `${mnist}t10k-images-idx3-ubyte.gz`,
        sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        bytes: 1648877,
      },
      {
        url: `${mnist}t10k-labels-idx1-ubyte.gz`,
        sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        bytes: 4542,
      },
    ],
  },
} as const satisfies Record<string, DatasetSource>;

/** Names of the data sets that can be downloaded. */
export type DatasetSourceName = keyof typeof datasetSources;

/** A data set that has to be downloaded and laid out by hand: one folder of images per class. */
export interface ImageFolderSource {
  readonly title: string;
  readonly files: readonly { readonly url: string; readonly bytes?: number; readonly sha256?: string }[];
  /** Layout of its folder in data/cache. */
  readonly layout: "train.txt and test.txt" | "train and val";
  /** Further condition or hint for getting it. */
  readonly note?: string;
}

const oxford = "https://www.robots.ox.ac.uk/~vgg/data/";
const stanford = "http://ai.stanford.edu/~jkrause/";
const lists = "train.txt and test.txt";

/** ImageNet and the finetuning sets of Table 3, by the name of their folder in data/cache. Sizes and sums: TensorFlow Datasets. */
export const imageFolderSources = {
  imagenet: {
    title: "ImageNet",
    layout: "train and val",
    note: "its license asks for an account at https://image-net.org/download-images",
    files: [
      {
        url: "https://image-net.org/data/ILSVRC/2012/ILSVRC2012_img_train.tar",
        bytes: 147897477120,
        sha256: "b08200a27a8e34218a0e58fde36b0fe8f73bc377f4acea2d91602057c3ca45bb",
      },
      {
        url: "https://image-net.org/data/ILSVRC/2012/ILSVRC2012_img_val.tar",
        bytes: 6744924160,
        sha256: "c7e06a6c0baccf06d8dbeb6577d71efff84673a5dbdd50633ab44f8ea0456ae0",
      },
    ],
  },
  fgvc_aircraft: {
    title: "FGVC-Aircraft",
    layout: lists,
    files: [{ url: `${oxford}fgvc-aircraft/archives/fgvc-aircraft-2013b.tar.gz` }],
  },
  flowers: {
    title: "Oxford Flowers-102",
    layout: lists,
    files: [
      {
        url: `${oxford}flowers/102/102flowers.tgz`,
        bytes: 344862509,
        sha256: "2d01ecc807db462958cfe3d92f57a8c252b4abd240eb955770201e45f783b246",
      },
      {
        url: `${oxford}flowers/102/imagelabels.mat`,
        bytes: 502,
        sha256: "4903e94206bac23bf772aadf06451916df56b58fc483a62db32a97b82656651d",
      },
      {
        url: `${oxford}flowers/102/setid.mat`,
        bytes: 14989,
        sha256: "46b8678f91fd95d3c8f4feab80d271a6c834a1dd896fe29fd3e6ad9ce5c8dccd",
      },
    ],
  },
  oxford_iiit_pets: {
    title: "Oxford-IIIT Pets",
    layout: lists,
    files: [
      {
        url: `${oxford}pets/data/images.tar.gz`,
        bytes: 791918971,
        sha256: "67195c5e1c01f1ab5f9b6a5d22b8c27a580d896ece458917e61d459337fa318d",
      },
      {
        url: `${oxford}pets/data/annotations.tar.gz`,
        bytes: 19173078,
        sha256: "52425fb6de5c424942b7626b428656fcbd798db970a937df61750c0f1d358e91",
      },
    ],
  },
  stanford_cars: {
    title: "Stanford Cars",
    layout: lists,
    files: [
      {
        url: `${stanford}car196/cars_train.tgz`,
        bytes: 979269282,
        sha256: "512b227b30e2f0a8aab9e09485786ab4479582073a144998da74d64b801fd288",
      },
      {
        url: `${stanford}car196/cars_test.tgz`,
        bytes: 977350468,
        sha256: "bffea656d6f425cba3c91c6d83336e4c5f86c6cffd8975b0f375d3a10da8e243",
      },
      {
        url: `${stanford}car196/cars_test_annos_withlabels.mat`,
        bytes: 185758,
        sha256: "790f75be8ea34eeded134cc559332baf23e30e91367e9ddca97d26ed9b895f05",
      },
      {
        url: `${stanford}cars/car_devkit.tgz`,
        bytes: 330960,
        sha256: "b97deb463af7d58b6bfaa18b2a4de9829f0f79e8ce663dfa9261bf7810e9accd",
      },
    ],
  },
  birdsnap: {
    title: "Birdsnap",
    layout: lists,
    note: "the archive lists the images' own addresses, and its get_birdsnap.py gets them",
    files: [{ url: "http://thomasberg.org/datasets/birdsnap/1.1/birdsnap.tgz" }],
  },
  food101: {
    title: "Food-101",
    layout: lists,
    files: [
      {
        url: "http://data.vision.ee.ethz.ch/cvl/food-101.tar.gz",
        bytes: 4996278331,
        sha256: "d97d15e438b7f4498f96086a4f7e2fa42a32f2712e87d3295441b2b6314053a4",
      },
    ],
  },
} as const satisfies Record<string, ImageFolderSource>;

/** Names of the data sets that are folders of images. */
export type ImageFolderName = keyof typeof imageFolderSources;

/** Error message for a missing set of image folders: where to get it and how to lay it out. */
export function missingFolderMessage(name: ImageFolderName, folder: string = cacheFolder(name)): string {
  const { title, files, layout, note }: ImageFolderSource = imageFolderSources[name];
  const list = files.map(({ url, sha256 }) => `  ${url}${sha256 ? `\n    SHA-256 ${sha256}` : ""}`).join("\n");
  return `${title} is not in ${folder}. Get\n${list}\n  ${note ? `(${note}) ` : ""}and lay the images out as ${describeLayout(layout, folder)}`;
}

function describeLayout(layout: ImageFolderSource["layout"], folder: string): string {
  const at = (...parts: string[]) => path.join(folder, ...parts);
  if (layout === "train and val") return `${at("train", "<class>", "*.JPEG")} and ${at("val", "<class>", "*.JPEG")}`;
  return `${at("<class>", "*.jpg")}, with ${at("train.txt")} and ${at("test.txt")}, which list the files of each split: <class>/<file>.jpg, one a line`;
}

/** Error message for a missing data set: how to get it with and without a network. */
export function missingMessage(name: DatasetSourceName, folder: string = cacheFolder(name)): string {
  const { title, files, unpack }: DatasetSource = datasetSources[name];
  const list = files.map(({ url, sha256 }) => `  ${url}\n    SHA-256 ${sha256}`).join("\n");
  const how = unpack ? "unpack it into" : "put them into";
  return `${title} is not in ${folder}. With a network: fetchDataset("${name}"). Without one: get\n${list}\n  elsewhere and ${how} ${folder}${path.sep}`;
}
