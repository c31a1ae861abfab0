/** The runs that Tables 4 and 8 and the memorization curves share: one plan, tuned for each noise rate on clean held-out images. */
import type { EpochRecord } from "../../training";
import type { RunOptions } from "../../experiments/config";
import {
  bestTags,
  countOf,
  describeDataset,
  describeModel,
  finishedRecords,
  labeledRows,
  quickDataset,
  TUNING_SEEDS,
  tuningRuns as runsOfEachSeed,
  type LabeledRow,
  type PlannedRun,
  type RunTags,
} from "../../experiments/plan";
import type { RunRecord } from "../../experiments/records";
import type { Budget } from "../item";
import { describeChoice, noiseMethod, noiseMethods, type NoiseMethod, type SearchSpace, type TrainingPart } from "./methods";

interface NoiseScale {
  readonly base: { readonly dataset: RunOptions["dataset"]; readonly model: RunOptions["model"]; readonly training: Training };
  readonly noiseRates: readonly number[];
  readonly seeds: number;
  /** Epochs of SAM; methods with one gradient per step also have twice as many. */
  readonly epochs: number;
  readonly epochFactors: readonly number[];
  /** Test evaluations per run; equal for all methods, so "best epoch" is a fair maximum. */
  readonly evaluations: number;
  readonly rhos: (noiseRate: number) => readonly number[];
  readonly alphas: readonly number[];
  /** Table 8's grid, in order. */
  readonly table8Rhos: readonly number[];
  /** Images held out of the training set to tune on, and to measure Table 8 on. */
  readonly heldOutSize: number;
  /** Runs of each setting that is tried, each with a seed that is never reported. */
  readonly tuningSeeds: number;
}

type Training = Omit<TrainingPart, "epochs">;

const paperGrid = [0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]; // paper Table 8
const paperRates = [0.2, 0.4, 0.6, 0.8]; // paper Table 4

const scales: Record<Budget, NoiseScale> = {
  smoke: {
    base: {
      dataset: quickDataset({ trainSize: 200, testSize: 200 }),
      model: { name: "mlp", hidden: [16] },
      training: { batchSize: 50, learningRate: 0.02 },
    },
    ...{ noiseRates: [0.4], seeds: 1, epochs: 2, epochFactors: [1], evaluations: 2 },
    ...{ rhos: () => [0.1], alphas: [8], table8Rhos: [0, 0.1], heldOutSize: 100, tuningSeeds: 1 },
  },
  demo: {
    base: {
      dataset: quickDataset({ trainSize: 1000, testSize: 2000 }),
      model: { name: "mlp", hidden: [256, 256] },
      training: { batchSize: 128, learningRate: 0.02 },
    },
    ...{ noiseRates: [0.4], seeds: 1, epochs: 40, epochFactors: [2], evaluations: 20 },
    ...{ rhos: () => [0.2], alphas: [8], table8Rhos: [0, 0.05, 0.2, 0.5], heldOutSize: 1000, tuningSeeds: 1 }, // ρ: ours, found on other seeds
  },
  lab: {
    base: {
      dataset: { name: "fashion-mnist", trainSize: 2000, testSize: 5000 },
      model: { name: "mlp", hidden: [256, 256] }, // ours: 135 weights for each image; in 40 epochs SGD memorizes every label
      training: { batchSize: 128, learningRate: 0.02 }, // ours: at 0.1 this network, without batch norm, is unstable
    },
    ...{ noiseRates: paperRates, seeds: 5, epochs: 40, epochFactors: [1, 2], evaluations: 20 },
    ...{ rhos: () => [0.05, 0.1, 0.2, 0.5], alphas: [1, 8, 32, 128], table8Rhos: paperGrid, heldOutSize: 2000, tuningSeeds: 3 },
  },
  paper: {
    base: {
      dataset: { name: "cifar-10" },
      model: { name: "resNetCifar", depth: 32 },
      training: { batchSize: 256, augment: "basic" }, // ours: the paper gives neither for label noise; those of its other CIFAR runs
    },
    ...{ noiseRates: paperRates, seeds: 5, epochs: 200, epochFactors: [1, 2], evaluations: 200 },
    rhos: (noiseRate) => [noiseRate > 0.7 ? 0.05 : 0.1], // paper App. C
    alphas: [1, 8, 16, 32], // paper App. C
    ...{ table8Rhos: paperGrid, heldOutSize: 5000, tuningSeeds: 1 }, // paper App. C: a tenth
  },
};

/** Noise rates of a budget, in order. */
export function noiseRates(budget: Budget): readonly number[] {
  return scales[budget].noiseRates;
}

/** "MLP 256-256, 2000 training and 5000 test images of Fashion-MNIST, symmetric noise, 40 epochs of SAM, 3 seeds". */
export function describeNoiseRuns(budget: Budget): string {
  const { base, epochs, seeds } = scales[budget];
  const times = `${countOf(epochs, "epoch")} of SAM, ${countOf(seeds, "seed")}`;
  return `${describeModel(base.model)}, ${describeDataset(base.dataset)}, symmetric noise, ${times}`;
}

/** The same for the tuning runs, which are tested on clean images held out of the training set. */
export function describeTuning(budget: Budget): string {
  const { base, epochs, heldOutSize, tuningSeeds } = scales[budget];
  const images = describeDataset({ ...base.dataset, heldOutSize }).replace("test images", "clean held-out images");
  const times = `${countOf(epochs, "epoch")}, ${countOf(tuningSeeds, "seed")}`;
  return `${describeModel(base.model)}, ${images}, symmetric noise, ${times}`;
}

/** Footnotes on how the settings of a budget were found. */
export function settingsNotes(budget: Budget): string[] {
  if (budget !== "lab") return [];
  return [
    "Ours: a network of 135 weights per image, which memorizes every label in 40 epochs of SGD. A learning rate of 0.1 was dropped: without batch norm the network is unstable there.",
  ];
}

/** The number of gradients that each kind of method had. */
export function describeCompute(budget: Budget): string {
  const { epochs, epochFactors } = scales[budget];
  const all = epochFactors.map((factor) => factor * epochs).join(" or ");
  const choice = epochFactors.length > 1 ? ", whichever is better on held-out images" : "";
  return `SAM has two gradients per step for ${epochs} epochs, methods with one gradient ${all} epochs${choice}; bootstrapped rows train twice`;
}

function spaceOf(budget: Budget, noiseRate: number): SearchSpace {
  const { epochs, epochFactors, rhos, alphas, table8Rhos } = scales[budget];
  const own = rhos(noiseRate);
  const bootstrapRhos = own.length === 1 ? own : table8Rhos.filter((rho) => rho > 0);
  return { epochs, epochFactors, noiseRate, rhos: own, bootstrapRhos, alphas };
}

/** The hyper-parameters that are tried for a method at a noise rate. */
export function searchOf({ tunedAs, search }: NoiseMethod, budget: Budget, noiseRate: number): readonly TrainingPart[] {
  const method = tunedAs === undefined ? { search } : noiseMethod(tunedAs);
  return method.search(spaceOf(budget, noiseRate));
}

/** Tuning runs of every method that has something to tune, then the runs that are reported, as far as they are chosen. */
export function noisePlan(budget: Budget, records: readonly RunRecord[]): PlannedRun[] {
  return [...tuningRuns(budget), ...reportedRuns(budget, records)];
}

/** Tuning runs of all methods, or of those named. */
export function tuningRuns(budget: Budget, names?: readonly string[]): PlannedRun[] {
  const methods = methodsNamed(names).filter(({ tunedAs }) => tunedAs === undefined);
  return methods.flatMap((method) => noiseRates(budget).flatMap((noiseRate) => tuningRunsOf(method, budget, noiseRate)));
}

function methodsNamed(names: readonly string[] | undefined): readonly NoiseMethod[] {
  return names === undefined ? noiseMethods : names.map(noiseMethod);
}

function tuningRunsOf(method: NoiseMethod, budget: Budget, noiseRate: number): PlannedRun[] {
  const search = searchOf(method, budget, noiseRate);
  if (search.length === 1) return [];
  return search.flatMap((training, index) =>
    heldOutRuns(
      budget,
      { noiseRate, training, bootstrap: method.bootstrap },
      { stage: "tuning", method: method.name, noiseRate, index },
    ),
  );
}

interface NoisyRun {
  readonly noiseRate: number;
  readonly training: TrainingPart;
  readonly bootstrap: true | undefined;
}

/** The run once for each tuning seed, tested after its last epoch on clean images held out of the training set. */
export function heldOutRuns(budget: Budget, { noiseRate, training, bootstrap }: NoisyRun, labels: RunTags): PlannedRun[] {
  const { base, heldOutSize, tuningSeeds } = scales[budget];
  const config = {
    dataset: base.dataset,
    noise: { noiseRate },
    model: base.model,
    training: { ...base.training, ...training },
    ...(bootstrap ? { bootstrap: {} } : {}),
  };
  return runsOfEachSeed({ config, labels }, { heldOutSize, seeds: TUNING_SEEDS.slice(0, tuningSeeds) });
}

/** The reported runs of all methods, or of those named; those of a method appear when its hyper-parameters are chosen. */
export function reportedRuns(budget: Budget, records: readonly RunRecord[], names?: readonly string[]): PlannedRun[] {
  return methodsNamed(names).flatMap((method) =>
    noiseRates(budget).flatMap((noiseRate) => runsAtChoice(method, { budget, noiseRate, records })),
  );
}

interface Place {
  readonly budget: Budget;
  readonly noiseRate: number;
  readonly records: readonly RunRecord[];
}

function runsAtChoice(method: NoiseMethod, { budget, noiseRate, records }: Place): PlannedRun[] {
  const search = searchOf(method, budget, noiseRate);
  const chosen = chosenOf(method, { budget, noiseRate, records });
  if (!chosen) return [];
  const labels = { method: method.name, noiseRate, choice: describeChoice(search, chosen) };
  return Array.from({ length: scales[budget].seeds }, (_, seed) => ({
    config: reportedConfig(budget, { noiseRate, training: chosen, bootstrap: method.bootstrap }, seed),
    labels,
  }));
}

// Each seed has its own flipped labels, the same for every method.
function reportedConfig(budget: Budget, { noiseRate, training, bootstrap }: NoisyRun, seed: number): RunOptions {
  const { base, evaluations } = scales[budget];
  const evaluateEvery = Math.max(1, Math.floor(training.epochs / evaluations));
  return {
    dataset: base.dataset,
    noise: { noiseRate, noiseSeed: seed },
    model: base.model,
    training: { ...base.training, ...training, evaluateEvery, trackTraining: true, seed },
    ...(bootstrap ? { bootstrap: {} } : {}),
  };
}

// Undefined until every run of the search has a record; the first among ties.
function chosenOf(method: NoiseMethod, { budget, noiseRate, records }: Place): TrainingPart | undefined {
  const tuned = method.tunedAs === undefined ? method : noiseMethod(method.tunedAs);
  const search = searchOf(tuned, budget, noiseRate);
  if (search.length === 1) return search[0];
  const best = bestTags(tuningRunsOf(tuned, budget, noiseRate), records);
  return best && search[best.index as number];
}

/** A reported run with its tags and errors. */
export interface NoiseRow extends LabeledRow {
  readonly method: string;
  readonly noiseRate: number;
  /** The hyper-parameters chosen on held-out images; "" if there was nothing to choose. */
  readonly choice: string;
}

/** One row for each reported run that is finished. */
export function noiseRows(budget: Budget, records: readonly RunRecord[], names?: readonly string[]): NoiseRow[] {
  return labeledRows(reportedRuns(budget, records, names), records) as NoiseRow[];
}

/** The evaluated epochs of each finished run, with its tags. */
export function noiseHistories(budget: Budget, records: readonly RunRecord[], names: readonly string[]): NoiseHistory[] {
  return finishedRecords(reportedRuns(budget, records, names), records).map(({ record, labels }) => ({
    ...(labels as { method: string; noiseRate: number; choice: string }),
    seed: record.config.training.seed,
    epochs: record.history.filter(({ testErrorRate }) => testErrorRate !== undefined),
  }));
}

export interface NoiseHistory {
  readonly method: string;
  readonly noiseRate: number;
  readonly choice: string;
  readonly seed: number;
  readonly epochs: readonly EpochRecord[];
}

/** Table 8's grid. */
export const table8Rhos = (budget: Budget): readonly number[] => scales[budget].table8Rhos;
export const samEpochs = (budget: Budget): number => scales[budget].epochs;
