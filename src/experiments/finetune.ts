/** The files that finetuning starts from: networks trained here, kept under the key of their run, and networks from elsewhere. */
import { cacheFolder } from "../data/files";
import { readSafetensorsMetadata, saveVariables, type Model, type Variables } from "../models";
import type { RunRecord } from "./records";

/** The network that a run starts with. */
export interface Start {
  readonly model: Model;
  /** See RunMetrics. */
  readonly pretrainedErrorRate?: number;
}

/** Folder of such files. */
export const weightsFolder = cacheFolder("weights");

/** Keeps a trained network for runs that start from it. @throws if its training diverged */
export function savePretrained(file: string, variables: Variables, { key, metrics, versions }: RunRecord): void {
  const { divergedInEpoch, testErrorRate } = metrics;
  if (divergedInEpoch !== undefined || testErrorRate === undefined)
    throw new Error(`the training of the network to be finetuned (run ${key}) diverged in epoch ${divergedInEpoch}`);
  const { engine, threads } = versions;
  saveVariables(file, variables, { run: key, testErrorRate: String(testErrorRate), engine, threads: String(threads) });
}

/** The test error that `savePretrained` wrote beside the weights; empty for weights from elsewhere. */
export function pretrainedError(file: string): Pick<Start, "pretrainedErrorRate"> {
  const { testErrorRate } = readSafetensorsMetadata(file);
  return testErrorRate === undefined ? {} : { pretrainedErrorRate: Number(testErrorRate) };
}
