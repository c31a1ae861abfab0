/** Everything that runs need and that may not be on this machine: files of their data sets, and networks brought from elsewhere. */
import { existsSync } from "node:fs";
import path from "node:path";
import { cacheFolder } from "../data/files";
import { runConfig, type RunConfig, type RunOptions } from "./config";
import { datasetFacts, datasetFiles, type DatasetName } from "./datasets";
import { weightsFolder } from "./finetune";

export interface Need {
  readonly title: string;
  readonly here: boolean;
  /** Its place in data/cache. */
  readonly target: string;
  readonly files: readonly { readonly url: string; readonly bytes?: number }[];
  /** Anything else one has to know to get it. */
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
  const source = datasetFiles(name);
  if (!source) return [];
  const { isHere, ...files } = source;
  return [{ title: datasetFacts[name].title, target: cacheFolder(name), here: isHere(), ...files }];
}

function weightsNeed(file: string): Need {
  const target = path.join(weightsFolder, file);
  return {
    title: `the network ${file}`,
    target,
    here: existsSync(target),
    files: [],
    note: "src/models/WEIGHTS.md says how to get it",
  };
}

/** Whether a data set's files are in data/cache, as far as their names tell. */
export function hasDataset(name: DatasetName): boolean {
  return datasetFiles(name)?.isHere() ?? true;
}
