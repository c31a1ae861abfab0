/** Data, networks and training of Tables 1, 2, 5 and 9 below the budget "paper". They share runs, and the records of Table 5. */
import { comparisonMethods, type Comparison, type Condition } from "./comparison";
import type { RunOptions } from "../../experiments/config";
import { describeModel, quickDataset } from "../../experiments/plan";
import type { Budget } from "../item";

export type Augment = NonNullable<RunOptions["training"]["augment"]>;
export type QuickBudget = Exclude<Budget, "paper">;

export interface ComparisonScale {
  readonly dataset: RunOptions["dataset"];
  /** Shared by all networks; augmentation, ρ and seed are the tables' own. */
  readonly training: RunOptions["training"];
  readonly seeds: number;
  readonly rhos: readonly number[];
  readonly validationSize?: number;
  /** Stands for the paper's WRN-28-10 in every table. */
  readonly network: RunOptions["model"];
  /** Table 1's others. */
  readonly otherNetworks?: readonly OtherNetwork[];
  /** What was tried and dropped before these settings, one sentence. */
  readonly dropped?: string;
}

export interface OtherNetwork {
  readonly model: RunOptions["model"];
  readonly augments: readonly Augment[];
  readonly epochs: number;
  readonly seeds: number;
  /** Its name in the paper's Table 1; default "WRN-28-10". */
  readonly standsFor?: string;
}

export const comparisonScales: Readonly<Record<QuickBudget, ComparisonScale>> = {
  smoke: {
    dataset: quickDataset({ trainSize: 256, testSize: 200 }),
    training: { epochs: 1, batchSize: 64 },
    seeds: 2,
    rhos: [0.05],
    network: { name: "convNet", widths: [4, 8] },
  },
  demo: {
    dataset: quickDataset({ trainSize: 1000, testSize: 2000 }),
    training: { epochs: 20, batchSize: 64, evaluateEvery: 5 },
    seeds: 3,
    rhos: [0.1], // ours: found on other seeds
    network: { name: "convNet", widths: [16, 32, 64] },
  },
  // Ours: few images, trained until the training loss is near 0. Batches of 32 are the paper's m.
  lab: {
    dataset: { name: "fashion-mnist", trainSize: 200 },
    training: { epochs: 400, batchSize: 32, evaluateEvery: 100 },
    seeds: 5,
    rhos: [0.05, 0.1, 0.2],
    validationSize: 4000,
    network: { name: "wideResNet", depth: 10, widen: 1 },
    dropped:
      "Tried and dropped: 1000 images for 100 epochs, and augmentation beyond flips and crops. These networks underfit there, and twice the epochs helped SGD more than SAM did.",
    otherNetworks: [
      { model: { name: "convNet" }, augments: ["basic", "cutout", "autoaugment-scaled"], epochs: 200, seeds: 5 },
      {
        ...{ model: { name: "shakeShake", depth: 8, width: 16 }, augments: ["basic"], epochs: 100, seeds: 3 },
        standsFor: "Shake-Shake (26 2x96d)",
      },
    ],
  },
};

/** Footnotes on how the settings of a budget were found. */
export function settingsNotes(budget: Budget): string[] {
  const dropped = budget === "paper" ? undefined : comparisonScales[budget].dropped;
  return dropped === undefined ? [] : [dropped];
}

export interface QuickCondition {
  readonly model: RunOptions["model"];
  readonly augment: Augment;
  /** The paper's row that it stands for. */
  readonly paper: Condition["paper"];
  /** Default: the scale's. */
  readonly epochs?: number;
  readonly seeds?: number;
}

/** A table's conditions at one of these budgets, each trained with SGD, SGD at twice the epochs and SAM. */
export function quickComparison(budget: QuickBudget, conditions: readonly QuickCondition[]): Comparison {
  const { seeds, validationSize } = comparisonScales[budget];
  return {
    conditions: conditions.map((each) => quickCondition(budget, each)),
    methods: comparisonMethods,
    seeds,
    validationSize,
  };
}

export function quickCondition(budget: QuickBudget, { model, augment, paper, epochs, seeds }: QuickCondition): Condition {
  const { dataset, training, rhos } = comparisonScales[budget];
  const config = { dataset, model, training: { ...training, augment, ...(epochs === undefined ? {} : { epochs }) } };
  const labels = { model: describeModel(model), augment };
  return { labels, config, rhos, paper, seeds };
}
