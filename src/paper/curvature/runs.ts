/** The runs that Figure 1 (surfaces) and Figure 3 left (spectra) share: SGD and SAM without batch norm, measured along training. */
import type { RunOptions } from "../../experiments/config";
import { countOf, describeDataset, describeModel, quickDataset, type PlannedRun } from "../../experiments/plan";
import { formatFactor, pairedFactor, type SeedFactor } from "../../experiments/statistics";
import type { Budget } from "../item";

interface CurvatureScale {
  readonly base: RunOptions;
  readonly rho: number;
  readonly seeds: number;
}

const scales: Record<Budget, CurvatureScale> = {
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

export const curvatureMethods = ["SGD", "SAM"] as const;

/** SGD and SAM from the same weights on the same batches, seed by seed. */
export function curvatureRuns(budget: Budget): PlannedRun[] {
  const { base, rho, seeds } = scales[budget];
  return Array.from({ length: seeds }, (_, seed) => seed).flatMap((seed) =>
    curvatureMethods.map((method) => ({
      config: { ...base, training: { ...base.training, seed, rho: method === "SAM" ? rho : 0 } },
      labels: { method },
    })),
  );
}

/** "ConvNet 16-32-32 without batch norm, 1000 training … images of Fashion-MNIST, 80 epochs, ρ = 0.1, 3 seeds". */
export function describeCurvatureRuns(budget: Budget): string {
  const { base, rho, seeds } = scales[budget];
  const { dataset, model, training } = base;
  const times = `${countOf(training.epochs, "epoch")}, ρ = ${rho}, ${countOf(seeds, "seed")}`;
  return `${describeModel(model)}, ${describeDataset(dataset)}, ${times}`;
}

export function lanczosStepsOf(budget: Budget): number {
  return scales[budget].base.curvature!.lanczosSteps!;
}

interface MethodRow {
  readonly method: string;
  readonly seed: number;
}

/**
 * How many times sharper SGD's solution is than SAM's, seed by seed: both start from the same weights and see the same batches.
 * Undefined if a value is not above 0, or a method has none.
 */
export function factorBySeed<Row extends MethodRow>(rows: readonly Row[], valueOf: (row: Row) => number): SeedFactor | undefined {
  const [sgd, sam] = curvatureMethods.map((method) =>
    rows.filter((row) => row.method === method).map((row) => ({ seed: row.seed, value: valueOf(row) })),
  );
  if (!sgd?.length || !sam?.length || [...sgd, ...sam].some(({ value }) => value <= 0)) return undefined;
  return pairedFactor(sgd, sam);
}

/** "5.2 (4.6 to 5.9) times"; "–" without a factor. */
export function timesText(factor: SeedFactor | undefined): string {
  return factor ? `${formatFactor(factor)} times` : "–";
}
