/** The runs that Figure 7 and Table 11 share: SAM with 1, 2, 3 and 5 projected ascent steps, and what they find along training. */
import { ascentsOf } from "../../experiments/ascent";
import type { RunOptions } from "../../experiments/config";
import { countOf, describeDataset, describeModel, finishedRecords, quickDataset, type PlannedRun } from "../../experiments/plan";
import type { RunRecord } from "../../experiments/records";
import type { Budget } from "../item";
import { everyEpochs } from "./alongTraining";
import { LAB_RHO, labBase, labDropped } from "./labBase";

interface AscentScale {
  readonly bases: readonly RunOptions[];
  readonly seeds: number;
  /** Epochs between two measurements. */
  readonly every: number;
  /** Batches that a measurement is averaged over. */
  readonly batches: number;
}

const cifar: Pick<RunOptions, "model" | "training"> = {
  model: { name: "wideResNet", depth: 28, widen: 10 }, // the paper says WideResNet; Table 11's errors are those of Table 1's WRN-28-10
  training: { epochs: 200, batchSize: 256, augment: "basic" }, // 39 001 updates: Figure 7
};

const scales: Record<Budget, AscentScale> = {
  smoke: {
    bases: [
      {
        dataset: quickDataset({ trainSize: 128, testSize: 100 }),
        model: { name: "convNet", widths: [4, 4] },
        training: { epochs: 2, batchSize: 32, rho: 0.1 },
      },
    ],
    ...{ seeds: 1, every: 1, batches: 1 },
  },
  demo: {
    bases: [
      {
        dataset: { ...quickDataset({ trainSize: 200, testSize: 1000 }), imageSize: 14 },
        model: { name: "convNet", widths: [8, 16] },
        training: { epochs: 40, batchSize: 32, rho: 0.1 },
      },
    ],
    ...{ seeds: 1, every: 4, batches: 4 },
  },
  lab: {
    bases: [{ ...labBase, training: { ...labBase.training, rho: LAB_RHO } }],
    ...{ seeds: 5, every: 6, batches: 9 },
  },
  paper: {
    // ρ, learning rate and weight decay: Table 6's first row; the paper gives none for this table, and no step length. Ours is ρ.
    bases: [
      { ...cifar, dataset: { name: "cifar-10" }, training: { ...cifar.training, rho: 0.05 } },
      { ...cifar, dataset: { name: "cifar-100" }, training: { ...cifar.training, rho: 0.1 } },
    ],
    ...{ seeds: 20, every: 1, batches: 8 }, // 20 runs: Table 11
  },
};

export const stepCounts = [1, 2, 3, 5] as const;

/** All numbers of ascent steps from the same weights on the same batches, seed by seed. Each run is measured by as many steps as it trains with. */
export function ascentRuns(budget: Budget): PlannedRun[] {
  const { bases, seeds, every, batches } = scales[budget];
  return bases.flatMap((base) => {
    const ascent = { epochs: everyEpochs(base.training.epochs, every), batches };
    const training = { ...base.training, evaluateEvery: base.training.epochs };
    return Array.from({ length: seeds }, (_, seed) => seed).flatMap((seed) =>
      stepCounts.map((ascentSteps) => ({
        config: { ...base, ascent, training: { ...training, ascentSteps, seed } },
        labels: { dataset: base.dataset.name, ascentSteps },
      })),
    );
  });
}

/** "WRN-10-1, 300 training and 10000 test images of Fashion-MNIST at 14×14 pixels, batches of 32, 60 epochs, ρ = 0.1, 5 seeds". */
export function describeAscentRuns(budget: Budget): string {
  const { bases, seeds } = scales[budget];
  const { model, training } = bases[0]!;
  const data = bases.map(({ dataset }) => describeDataset(dataset)).join(" or ");
  const rhos = bases.map((base) => base.training.rho).join(" or ");
  const times = `batches of ${training.batchSize}, ${countOf(training.epochs, "epoch")}, ρ = ${rhos}, ${countOf(seeds, "seed")}`;
  return `${describeModel(model)}, ${data}, ${times}`;
}

/** One measurement along one run; rates in [0, 1]. */
export interface AscentRow {
  readonly dataset: string;
  readonly ascentSteps: number;
  readonly seed: number;
  readonly epoch: number;
  readonly step: number;
  /** Batch error at w + ε minus that at w: what this number of steps finds. */
  readonly sharpness: number;
  /** After the last epoch of the run. */
  readonly testErrorRate: number;
}

/** One row for each finished run and measured epoch. */
export function ascentRows(budget: Budget, records: readonly RunRecord[]): AscentRow[] {
  const finished = finishedRecords(ascentRuns(budget), records).filter(({ record }) => record.metrics.outcome === "finished");
  return finished.flatMap(({ record, labels }) =>
    ascentsOf(record).map(({ epoch, step, errorRate, found }) => ({
      ...{
        dataset: String(labels.dataset),
        ascentSteps: Number(labels.ascentSteps),
        seed: record.config.training.seed,
        epoch,
        step,
      },
      ...{ sharpness: found[0]!.errorRate - errorRate, testErrorRate: record.metrics.testErrorRate! },
    })),
  );
}

/** The data sets that have rows, in order. */
export function datasetsOf(rows: readonly AscentRow[]): string[] {
  return [...new Set(rows.map(({ dataset }) => dataset))];
}

/** Footnotes on how the settings of a budget were found. */
export function ascentNotes(budget: Budget): string[] {
  return budget === "lab" ? [labDropped] : [];
}
