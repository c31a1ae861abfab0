/** What runs need that may not be on this machine: the files of their data sets, and networks to be finetuned that come from elsewhere. */
import { existsSync } from "node:fs";
import path from "node:path";
import { hasFashionMnist, imageFolderSources, sources, type SourceName } from "../data";
import { cacheFolder } from "../data/files";
import { runConfig, type RunConfig, type RunOptions } from "./config";
import { datasetFacts, folderOfSplit, isFolder, type DatasetName } from "./datasets";
import { weightsFolder } from "./finetune";

export interface Need {
  readonly title: string;
  readonly here: boolean;
  /** Where it belongs. */
  readonly target: string;
  readonly files: readonly { readonly url: string; readonly bytes?: number }[];
  /** What else one has to know to get it. */
  readonly note?: string;
}

/** Everything that these runs need, each once, in order of first use. */
export function needsOf(configs: readonly RunOptions[]): Need[] {
  const needs = configs.flatMap((options) => needsOfRun(runConfig(options)));
  return [...new Map(needs.map((need) => [need.target, need])).values()];
}

function needsOfRun({ dataset, finetune }: RunConfig): Need[] {
  const names = [dataset.name, ...(finetune?.from.dataset ? [finetune.from.dataset.name] : [])];
  return [...names.flatMap(dataNeed), ...(finetune?.from.file ? [weightsNeed(finetune.from.file)] : [])];
}

function dataNeed(name: DatasetName): Need[] {
  if (name === "generated") return [];
  const about = { title: datasetFacts[name].title, target: cacheFolder(name), here: hasDataset(name) };
  if (name === "fashion-mnist") return [{ ...about, files: [], note: "npm run setup gets it" }];
  if (!isFolder(name)) return [{ ...about, files: sources[name].files, note: `fetchDataset("${name}") gets it` }];
  const { files, ...rest } = imageFolderSources[name];
  return [{ ...about, files, ...("note" in rest ? { note: rest.note } : {}) }];
}

function weightsNeed(file: string): Need {
  const target = path.join(weightsFolder, file);
  return {
    title: `the network ${file}`,
    target,
    here: existsSync(target),
    files: [],
    note: "src/models/WEIGHTS.md says how to bring it",
  };
}

/** Whether a data set's files are in data/cache, as far as their names tell. */
export function hasDataset(name: DatasetName): boolean {
  if (name === "generated") return true;
  if (name === "fashion-mnist") return hasFashionMnist();
  if (isFolder(name)) return hasSplits(name);
  return marks(name).every((alternatives) => alternatives.some((file) => existsSync(path.join(cacheFolder(name), file))));
}

function hasSplits(name: Parameters<typeof folderOfSplit>[0]): boolean {
  try {
    return (["train", "test"] as const).every((split) => folderOfSplit(name, split));
  } catch {
    return false;
  }
}

/** Files that must be there, each under one of these names. */
function marks(name: SourceName): string[][] {
  const inFolders = (folders: string[], files: string[]) =>
    folders.flatMap((folder) => files.map((file) => path.join(folder, file)));
  const cifar = (version: string, file: string) => inFolders([".", `cifar-${version}-batches-bin`, `cifar-${version}-batches-py`, `cifar-${version}-binary`, `cifar-${version}-python`], [file, `${file}.bin`]); // prettier-ignore
  if (name === "cifar-10") return [cifar("10", "data_batch_5"), cifar("10", "test_batch")];
  if (name === "cifar-100") return [cifar("100", "train"), cifar("100", "test")];
  return sources[name].files.map(({ url }) => [path.basename(url), path.basename(url, ".gz")]);
}
