/** Where the published data sets come from, and what to say when they are not here. */
import path from "node:path";
import { cacheFolder } from "./files";

export interface SourceFile {
  readonly url: string;
  readonly sha256: string;
  readonly bytes?: number;
}

export interface Source {
  readonly title: string;
  readonly files: readonly SourceFile[];
  /** true: the files are archives, to be unpacked */
  readonly unpack: boolean;
}

const kriz = "https://www.cs.toronto.edu/~kriz/";
const svhn = "http://ufldl.stanford.edu/housenumbers/";
const mnist = "https://storage.googleapis.com/cvdf-datasets/mnist/";

/** The sets that `fetchDataset` can get, by the name of their folder in data/cache. */
export const sources = {
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
    files: [{ url: `${kriz}cifar-100-binary.tar.gz`, sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec" }],
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
      { url: `${svhn}test_32x32.mat`, sha256: "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b", bytes: 64275384 },
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
      { url: `${mnist}train-images-idx3-ubyte.gz`, sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609" },
      { url: `${mnist}train-labels-idx1-ubyte.gz`, sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c" },
      { url: `${mnist}t10k-images-idx3-ubyte.gz`, sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6" },
      { url: `${mnist}t10k-labels-idx1-ubyte.gz`, sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6" },
    ],
  },
} as const satisfies Record<string, Source>;

export type SourceName = keyof typeof sources;

/** One sentence that says what is missing where, and how to get it with and without a network. */
export function missingMessage(name: SourceName, folder: string = cacheFolder(name)): string {
  const { title, files, unpack }: Source = sources[name];
  const list = files.map(({ url, sha256 }) => `  ${url}\n    SHA-256 ${sha256}`).join("\n");
  const how = unpack ? "unpack it into" : "put them into";
  return `${title} is not in ${folder}. With a network: fetchDataset("${name}"). Without one: get\n${list}\n  elsewhere and ${how} ${folder}${path.sep}`;
}
