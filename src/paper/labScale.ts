/** What the lab budget trains on in Tables 1, 2, 5 and 9: one place, since they share runs, and the records of Table 5. */
import type { RunOptions } from "./config";

interface LabScale {
  readonly dataset: RunOptions["dataset"];
  /** Of every network; augmentation, ρ and seed are the tables' own. */
  readonly training: RunOptions["training"];
  readonly seeds: number;
  readonly rhos: readonly number[];
  readonly validationSize: number;
}

/**
 * Ours: few images, trained for long. With 1000 images and 100 epochs WRN-10-1 underfits: twice the epochs then help SGD more than
 * SAM does. Batches of 32 are the paper's m.
 */
export const labScale: LabScale = {
  dataset: { name: "fashion-mnist", trainSize: 200 },
  training: { epochs: 200, batchSize: 32, evaluateEvery: 100 },
  seeds: 3,
  rhos: [0.05, 0.1, 0.2],
  validationSize: 4000,
};

export const labNetworks = {
  wideResNet: { name: "wideResNet", depth: 10, widen: 1 },
  convNet: { name: "convNet" },
} as const satisfies Record<string, RunOptions["model"]>;
