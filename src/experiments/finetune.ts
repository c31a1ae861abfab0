/** The files that finetuning starts from: networks trained here, kept by the key of their run, and networks brought from elsewhere. */
import { cacheFolder } from "../data/files";
import { readSafetensorsMetadata, saveVariables, type Model, type Variables } from "../models";
import type { RunRecord } from "./records";

/** Where a run begins. */
export interface Start {
  readonly model: Model;
  /** See RunMetrics. */
  readonly pretrainedErrorRate?: number;
}

/** Where such files are kept. */
export const weightsFolder = cacheFolder("weights");

/** @throws where the training diverged: there is nothing to start from then */
export function savePretrained(file: string, variables: Variables, { key, metrics, versions }: RunRecord): void {
  const { divergedInEpoch, testErrorRate } = metrics;
  if (divergedInEpoch !== undefined || testErrorRate === undefined)
    throw new Error(`the training of the network to be finetuned (run ${key}) diverged in epoch ${divergedInEpoch}`);
  const { engine, threads } = versions;
  saveVariables(file, variables, { run: key, testErrorRate: String(testErrorRate), engine, threads: String(threads) });
}

/** What `savePretrained` wrote beside the weights; nothing where they come from elsewhere. */
export function pretrainedError(file: string): Pick<Start, "pretrainedErrorRate"> {
  const { testErrorRate } = readSafetensorsMetadata(file);
  return testErrorRate === undefined ? {} : { pretrainedErrorRate: Number(testErrorRate) };
}
