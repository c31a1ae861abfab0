/** The runs that Figures 4 and 5 share: SAM without and with the second-order term, measured along training. */
import { ascentsOf } from "../../experiments/ascent";
import type { RunOptions } from "../../experiments/config";
import { countOf, describeDataset, describeModel, finishedRecords, quickDataset, type PlannedRun } from "../../experiments/plan";
import type { RunRecord } from "../../experiments/records";
import type { Budget } from "../item";
import { everyEpochs } from "./alongTraining";
import { LAB_RHO, labBase, labDropped } from "./labBase";

interface OrderScale {
  readonly base: RunOptions;
  readonly seeds: number;
  /** Epochs between two measurements. */
  readonly every: number;
  /** Batches that a measurement is averaged over. */
  readonly batches: number;
}

const scales: Record<Budget, OrderScale> = {
  smoke: {
    base: {
      dataset: quickDataset({ trainSize: 128, testSize: 100 }),
      model: { name: "convNet", widths: [4, 4] },
      training: { epochs: 4, batchSize: 32, rho: 0.1 },
    },
    ...{ seeds: 1, every: 1, batches: 1 },
  },
  demo: {
    base: {
      dataset: { ...quickDataset({ trainSize: 200, testSize: 1000 }), imageSize: 14 },
      model: { name: "convNet", widths: [8, 16] },
      training: { epochs: 40, batchSize: 32, rho: 0.1 },
    },
    ...{ seeds: 1, every: 4, batches: 4 },
  },
  lab: {
    base: {
      ...labBase,
      dataset: { ...labBase.dataset, testSize: 4000 }, // ours: tested twelve times along each run
      training: { ...labBase.training, rho: LAB_RHO },
    },
    ...{ seeds: 5, every: 5, batches: 4 },
  },
  paper: {
    base: {
      dataset: { name: "cifar-10" },
      model: { name: "wideResNet", depth: 40, widen: 2 },
      // Batches of 256, 39 001 steps: Figure 4. Learning rate, weight decay and ρ: Table 6's first row; the paper gives none for this figure.
      training: { epochs: 200, batchSize: 256, augment: "basic", rho: 0.05 },
    },
    ...{ seeds: 5, every: 1, batches: 8 }, // ours: the paper draws one run, averaged over 1400 steps
  },
};

export const orders = [1, 2] as const;
export type Order = (typeof orders)[number];

/** "first-order" or "second-order": the gradient that a run follows. */
export const orderNames: Readonly<Record<Order, string>> = { 1: "first-order", 2: "second-order" };

/** Both orders from the same weights on the same batches, seed by seed. */
export function orderRuns(budget: Budget): PlannedRun[] {
  const { base, seeds, every, batches } = scales[budget];
  const { epochs } = base.training;
  const measured = { ascent: { epochs: everyEpochs(epochs, every), batches, cosine: true } };
  return Array.from({ length: seeds }, (_, seed) => seed).flatMap((seed) =>
    orders.map((order) => ({
      config: { ...base, ...measured, training: { ...base.training, seed, evaluateEvery: every, secondOrder: order === 2 } },
      labels: { order },
    })),
  );
}

/** "WRN-10-1, 300 training and 4000 test images of Fashion-MNIST at 14×14 pixels, batches of 32, 60 epochs, ρ = 0.1, 5 seeds". */
export function describeOrderRuns(budget: Budget): string {
  const { base, seeds } = scales[budget];
  const { dataset, model, training } = base;
  const { epochs, batchSize, rho } = training;
  const times = `batches of ${batchSize}, ${countOf(epochs, "epoch")}, ρ = ${rho}, ${countOf(seeds, "seed")}`;
  return `${describeModel(model)}, ${describeDataset(dataset)}, ${times}`;
}

/** One measurement along one run; all rates in [0, 1]. */
export interface OrderRow {
  readonly order: Order;
  readonly seed: number;
  readonly epoch: number;
  readonly step: number;
  /** Batch error at w + ε̂. */
  readonly perturbedErrorRate: number;
  readonly testErrorRate: number;
  /** Cosine between the gradients with and without the second-order term. */
  readonly cosine: number;
}

/** One row for each finished run and measured epoch. */
export function orderRows(budget: Budget, records: readonly RunRecord[]): OrderRow[] {
  return finishedRecords(orderRuns(budget), records).flatMap(({ record, labels }) =>
    ascentsOf(record).map(({ epoch, step, found, cosine }) => ({
      ...{ order: labels.order as Order, seed: record.config.training.seed, epoch, step, cosine: cosine! },
      perturbedErrorRate: found[0]!.errorRate,
      testErrorRate: record.history.find((each) => each.epoch === epoch)!.testErrorRate!,
    })),
  );
}

/** Footnotes on how the settings of a budget were found. */
export function orderNotes(budget: Budget): string[] {
  return budget === "lab" ? [labDropped] : [];
}
