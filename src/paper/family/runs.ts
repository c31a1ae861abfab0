/** The runs of the bench: each method tuned on held-out images under each condition, then trained with seeds that all methods share. */
import type { RunOptions } from "../../experiments/config";
import { finalLambdaMaxOf } from "../../experiments/curvature";
import {
  bestTags,
  countOf,
  describeDataset,
  describeModel,
  distinctRuns,
  finishedRecords,
  labeledRows,
  quickDataset,
  tuningRuns,
  type PlannedRun,
} from "../../experiments/plan";
import type { RunRecord } from "../../experiments/records";
import { expectedGradients } from "../../optim/family";
import type { Budget } from "../item";
import { familyMethods, type FamilyMethod, type Trial } from "./methods";

interface FamilyScale {
  readonly base: RunOptions;
  /** Whether the network has normalization layers. */
  readonly hasNorm: boolean;
  readonly seeds: number;
  /** Settings tried for each method; 1 tunes nothing. */
  readonly trials: number;
}

const scales: Record<Budget, FamilyScale> = {
  smoke: {
    base: {
      dataset: quickDataset({ trainSize: 200, testSize: 200 }),
      model: { name: "mlp", hidden: [16] },
      training: { epochs: 2, batchSize: 50, learningRate: 0.02 },
      curvature: { finalLambdaMax: true, lanczosSteps: 5 },
      mSharpness: { ms: [50] },
    },
    ...{ hasNorm: false, seeds: 1, trials: 1 },
  },
  demo: {
    base: {
      dataset: quickDataset({ trainSize: 1000, testSize: 2000 }),
      model: { name: "mlp", hidden: [256, 256] },
      training: { epochs: 40, batchSize: 128, learningRate: 0.02 },
      curvature: { finalLambdaMax: true, lanczosSteps: 30 },
      mSharpness: { ms: [128] },
    },
    ...{ hasNorm: false, seeds: 1, trials: 1 },
  },
  lab: {
    base: {
      dataset: { name: "fashion-mnist", trainSize: 2000, testSize: 5000 },
      model: { name: "mlp", hidden: [256, 256] }, // as in Table 4: it memorizes every wrong label
      training: { epochs: 40, batchSize: 128, learningRate: 0.02 },
      curvature: { finalLambdaMax: true, lanczosSteps: 30 },
      mSharpness: { ms: [128] },
    },
    ...{ hasNorm: false, seeds: 5, trials: 4 },
  },
  paper: {
    base: {
      dataset: { name: "cifar-10" }, // ours: the papers share no setting
      model: { name: "resNetCifar", depth: 20 },
      training: { epochs: 200, batchSize: 128, augment: "basic" },
      curvature: { finalLambdaMax: true, lanczosSteps: 30 },
      mSharpness: { ms: [128] },
    },
    ...{ hasNorm: true, seeds: 5, trials: 4 },
  },
};

/** The shares of flipped labels. */
export const noiseRates = [0, 0.4] as const;

/** "clean labels", "40 % noise". */
export function conditionName(noiseRate: number): string {
  return noiseRate === 0 ? "clean labels" : `${100 * noiseRate} % noise`;
}

/** "MLP 256-256, 2000 training and 5000 test images of Fashion-MNIST, clean and with 40 % symmetric noise, 40 epochs, 5 seeds". */
export function describeFamily(budget: Budget): string {
  const { base, seeds } = scales[budget];
  const { dataset, model, training } = base;
  const times = `${countOf(training.epochs, "epoch")}, ${countOf(seeds, "seed")}`;
  return `${describeModel(model)}, ${describeDataset(dataset)}, clean and with 40 % symmetric noise, ${times}`;
}

/** The methods that the budget's network can be trained with. */
export function methodsAt(budget: Budget): FamilyMethod[] {
  return familyMethods.filter(({ needsNorm }) => !needsNorm || scales[budget].hasNorm);
}

/** How many settings are tried for each method. */
export const trialsAt = (budget: Budget): number => scales[budget].trials;

/** Tuning runs of all methods and conditions, then the reported runs of those whose setting is chosen. */
export function familyPlan(budget: Budget, records: readonly RunRecord[]): PlannedRun[] {
  const cells = cellsOf(budget);
  const tuning = cells.flatMap((cell) => searchRuns(cell, budget));
  return distinctRuns([...tuning, ...cells.flatMap((cell) => reportedRuns(cell, budget, records))]);
}

/** A method under a condition. */
interface Cell {
  readonly method: FamilyMethod;
  readonly noiseRate: number;
}

function cellsOf(budget: Budget): Cell[] {
  return noiseRates.flatMap((noiseRate) => methodsAt(budget).map((method) => ({ method, noiseRate })));
}

function searchRuns(cell: Cell, budget: Budget): PlannedRun[] {
  const { base, trials } = scales[budget];
  if (trials === 1) return [];
  const { curvature: _, mSharpness: __, ...plain } = base;
  return cell.method.trials.slice(0, trials).flatMap((trial, index) => {
    const labels = { stage: "tuning", method: cell.method.name, noiseRate: cell.noiseRate, index };
    return tuningRuns({ config: configOf(plain, cell, trial), labels }, { heldOutSize: base.dataset.trainSize || 5000 });
  });
}

function reportedRuns(cell: Cell, budget: Budget, records: readonly RunRecord[]): PlannedRun[] {
  const { base, seeds } = scales[budget];
  const chosen = chosenTrial(cell, budget, records);
  if (!chosen) return [];
  const labels = { method: cell.method.name, noiseRate: cell.noiseRate, choice: chosen.text, atEdge: chosen.atEdge ? 1 : 0 };
  return Array.from({ length: seeds }, (_, seed) => ({ config: withSeed(configOf(base, cell, chosen), seed), labels }));
}

function chosenTrial(cell: Cell, budget: Budget, records: readonly RunRecord[]): Trial | undefined {
  const search = searchRuns(cell, budget);
  if (search.length === 0) return cell.method.trials[0];
  const best = bestTags(search, records);
  return best && cell.method.trials[best.index as number];
}

function configOf(base: RunOptions, { method, noiseRate }: Cell, { training }: Trial): RunOptions {
  const epochs = base.training.epochs * (method.epochFactor ?? 1);
  return {
    ...base,
    ...(noiseRate > 0 ? { noise: { noiseRate } } : {}),
    training: { ...base.training, ...training, epochs, evaluateEvery: epochs },
  };
}

// Each seed has its own flipped labels, the same for every method.
function withSeed({ noise, training, ...rest }: RunOptions, seed: number): RunOptions {
  return { ...rest, ...(noise ? { noise: { ...noise, noiseSeed: seed } } : {}), training: { ...training, seed } };
}

/** A reported run. */
export interface FamilyRow {
  readonly method: string;
  readonly noiseRate: number;
  /** The setting chosen on held-out images. */
  readonly choice: string;
  /** Whether that is an end of its grid. */
  readonly atEdge: boolean;
  readonly seed: number;
  /** After the last epoch, in [0, 1]. */
  readonly testErrorRate: number;
  /** Counted for variants; the config's own number for SGD and SAM. */
  readonly gradientsPerStep: number;
  /** Gradients of the whole training, in those of SGD at SAM's epochs. */
  readonly compute: number;
  /** Absent if the run diverged. */
  readonly lambdaMax?: number;
  readonly mSharpness?: number;
}

/** One row for each reported run that is finished. */
export function familyRows(budget: Budget, records: readonly RunRecord[]): FamilyRow[] {
  const plan = cellsOf(budget).flatMap((cell) => reportedRuns(cell, budget, records));
  const errors = labeledRows(plan, records);
  return finishedRecords(plan, records).map(({ record, labels }, i) => {
    const { training } = record.config;
    const gradientsPerStep = record.metrics.gradientsPerStep ?? expectedGradients(training.variant, training);
    return {
      ...(labels as Pick<FamilyRow, "method" | "noiseRate" | "choice">),
      atEdge: labels.atEdge === 1,
      seed: training.seed,
      testErrorRate: errors[i]!.testErrorRate,
      gradientsPerStep,
      compute: (gradientsPerStep * training.epochs) / scales[budget].base.training.epochs,
      lambdaMax: finalLambdaMaxOf(record),
      mSharpness: Object.values(record.metrics.mSharpness ?? {})[0],
    };
  });
}
