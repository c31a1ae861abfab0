/** Figure 3 left: spectra of the Hessian of SGD's and SAM's networks at three points of training, without batch norm. */
import { spectraOf, type MeasuredSpectrum } from "../../experiments/curvature";
import type { RunOptions } from "../../experiments/config";
import {
  describeDataset,
  describeModel,
  finishedRecords,
  quickDataset,
  type Budget,
  type PaperItem,
  type PlannedRun,
} from "../item";
import type { RunRecord } from "../../experiments/records";
import { factorBySeed, factorVerdict } from "./flatness";
import { estimate, formatEstimate } from "../../experiments/statistics";

export interface CurvatureScale {
  readonly base: RunOptions;
  readonly rho: number;
  readonly seeds: number;
}

// The surfaces of Figure 1 are measured in the same runs.
export const curvatureScales: Record<Budget, CurvatureScale> = {
  smoke: {
    base: {
      dataset: quickDataset({ trainSize: 128, testSize: 100 }),
      model: { name: "convNet", widths: [4, 4], batchNorm: false },
      training: { epochs: 2, batchSize: 32, learningRate: 0.05 },
      curvature: { spectrumEpochs: [1, 2], lanczosSteps: 6, surfacePoints: 5 },
    },
    rho: 0.1,
    seeds: 1,
  },
  demo: {
    base: {
      dataset: quickDataset({ trainSize: 500, testSize: 1000 }),
      model: { name: "convNet", widths: [8, 16], batchNorm: false },
      training: { epochs: 60, batchSize: 32, learningRate: 0.05, evaluateEvery: 10 },
      curvature: { spectrumEpochs: [1, 20, 60], lanczosSteps: 30, surfacePoints: 15 },
    },
    rho: 0.1,
    seeds: 1,
  },
  lab: {
    base: {
      dataset: { name: "fashion-mnist", trainSize: 1000 },
      model: { name: "convNet", widths: [16, 32, 32], batchNorm: false },
      // ours: without batch norm SGD needs a lower learning rate than 0.1
      training: { epochs: 80, batchSize: 32, learningRate: 0.05, evaluateEvery: 20 },
      curvature: { spectrumEpochs: [1, 20, 80], lanczosSteps: 50, surfacePoints: 21 },
    },
    rho: 0.1, // ours
    seeds: 3,
  },
  paper: {
    base: {
      dataset: { name: "fashion-mnist" }, // ours: the paper has CIFAR-10
      model: { name: "wideResNet", depth: 40, widen: 10, batchNorm: false },
      training: { epochs: 300, batchSize: 256, learningRate: 0.05, augment: "basic" }, // learning rate ours: the paper gives none
      curvature: { spectrumEpochs: [1, 50, 300], lanczosSteps: 90 },
    },
    rho: 0.05, // paper App. C.3: the untuned default; the figure's own is not stated
    seeds: 1,
  },
};

const methods = ["SGD", "SAM"];

export const figure3Spectra: PaperItem = {
  id: "figure-3-spectra",
  title: "Figure 3, left",
  claim: "SAM's solution is flatter: a smaller λmax, and a spectrum without SGD's isolated top eigenvalue (a smaller λmax/λ5).",
  describe: (budget) => {
    const { base, rho, seeds } = curvatureScales[budget];
    const { training, curvature } = base;
    const products = `Hessian of the cross-entropy over all training images, without L2, by ${curvature!.lanczosSteps} Lanczos steps`;
    const data = describeDataset(base.dataset);
    return `${describeModel(base.model)}, ${data}, ${training.epochs} epochs, ρ = ${rho}, ${seeds} seed${seeds > 1 ? "s" : ""}; ${products}`;
  },
  plan: (budget) => curvatureRuns(budget),
  conclusions: (budget, records) => conclude(figure3SpectraRows(budget, records)),
};

/** A measured spectrum with its run: method "SGD" or "SAM", seed. */
export interface SpectrumRow extends MeasuredSpectrum {
  readonly method: string;
  readonly seed: number;
}

export function lambdaMaxOf({ eigenvalues }: MeasuredSpectrum): number {
  return eigenvalues[0]!;
}

/** One row per finished run and measured epoch. */
export function figure3SpectraRows(budget: Budget, records: readonly RunRecord[]): SpectrumRow[] {
  return finishedRecords(curvatureRuns(budget), records).flatMap(({ record, labels }) =>
    spectraOf(record).map((spectrum) => ({ ...spectrum, method: String(labels.method), seed: record.config.training.seed })),
  );
}

/** SGD and SAM from the same weights on the same batches, seed by seed. */
export function curvatureRuns(budget: Budget): PlannedRun[] {
  const { base, rho, seeds } = curvatureScales[budget];
  return Array.from({ length: seeds }, (_, seed) => seed).flatMap((seed) =>
    methods.map((method) => ({
      config: { ...base, training: { ...base.training, seed, rho: method === "SAM" ? rho : 0 } },
      labels: { method },
    })),
  );
}

function conclude(rows: readonly SpectrumRow[]): string[] {
  const last = Math.max(...rows.map(({ epoch }) => epoch));
  const of = (method: string) => rows.filter((row) => row.epoch === last && row.method === method);
  const [sgd, sam] = methods.map(of);
  if (!sgd?.length || !sam?.length) return [];
  const factor = factorBySeed([...sgd, ...sam], lambdaMaxOf);
  const lambda = (some: readonly SpectrumRow[]) => formatEstimate(estimate(some.map(lambdaMaxOf)), { decimals: 1 });
  const ratio = (some: readonly SpectrumRow[]) =>
    formatEstimate(estimate(some.map((row) => row.lambdaMaxOverLambda5)), { decimals: 1 });
  return [
    `At the end (epoch ${last}) λmax is ${lambda(sgd)} for SGD and ${lambda(sam)} for SAM: SGD's is ${formatEstimate(factor, { decimals: 1 })} times SAM's (the paper's: 24 times). That SAM's solution is flatter ${factorVerdict(factor)}.`,
    `λmax/λ5 at the end: SGD ${ratio(sgd)}, SAM ${ratio(sam)} (the paper's: 11.4 and 2.6).`,
  ];
}
