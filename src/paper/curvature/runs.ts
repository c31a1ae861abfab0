/**
 * The runs of Figure 1 (surfaces) and Figure 3 left (spectra): SGD and SAM, measured along training. Both figures show the same runs,
 * of a network without batch norm, but for the budget paper, where each has the paper's own network.
 */
import type { RunOptions } from "../../experiments/config";
import { countOf, describeDataset, describeModel, quickDataset, type PlannedRun } from "../../experiments/plan";
import { formatFactor, pairedFactor, type SeedFactor } from "../../experiments/statistics";
import type { Budget } from "../item";

interface CurvatureScale {
  readonly base: RunOptions;
  readonly rho: number;
  readonly seeds: number;
}

export type CurvatureFigure = "spectra" | "surfaces";

const scales: Record<Exclude<Budget, "paper">, CurvatureScale> = {
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
};

const paperScales: Record<CurvatureFigure, CurvatureScale> = {
  spectra: {
    base: {
      dataset: { name: "cifar-10" },
      model: { name: "wideResNet", depth: 40, widenFactor: 10, batchNorm: false },
      // Batch and decay: paper Table 6, WRN-28-10. m: 256 images on 8 devices. Learning rate and augmentation: ours, the paper gives none.
      training: { epochs: 300, batchSize: 256, m: 32, weightDecay: 0.0005, learningRate: 0.05, augment: "basic" },
      curvature: { spectrumEpochs: [1, 50, 300], lanczosSteps: 90 }, // 90 steps: ours, see the field
    },
    rho: 0.05, // paper App. C.3: the untuned default; the figure's own is not stated
    seeds: 1,
  },
  surfaces: {
    base: {
      dataset: { name: "cifar-10" },
      model: { name: "resNetCifar", depth: 56, skipConnections: false }, // with batch norm, as Li et al. (2018) have it
      // Li et al. (2018), whose SGD network the paper shows. Schedule: their code drops the rate a third time, at epoch 275; ours does not.
      training: { epochs: 300, batchSize: 128, learningRate: 0.1, weightDecay: 0.0005, schedule: "step", augment: "basic" },
      curvature: { surfacePoints: 51 }, // Li et al. (2018): on [−1, 1]², without biases and batch norm, all training images
    },
    rho: 0.05, // paper App. C.3: the untuned default; the figure's own, and SAM's m and epochs, are not stated
    seeds: 1,
  },
};

export const curvatureMethods = ["SGD", "SAM"] as const;

function scaleOf(budget: Budget, figure: CurvatureFigure): CurvatureScale {
  return budget === "paper" ? paperScales[figure] : scales[budget];
}

/** SGD and SAM from the same weights on the same batches, seed by seed. */
export function curvatureRuns(budget: Budget, figure: CurvatureFigure): PlannedRun[] {
  const { base, rho, seeds } = scaleOf(budget, figure);
  return Array.from({ length: seeds }, (_, seed) => seed).flatMap((seed) =>
    curvatureMethods.map((method) => ({
      config: { ...base, training: { ...base.training, seed, rho: method === "SAM" ? rho : 0 } },
      labels: { method },
    })),
  );
}

/** "ConvNet 16-32-32 without batch norm, 1000 training … images of Fashion-MNIST, 80 epochs, ρ = 0.1, 3 seeds". */
export function describeCurvatureRuns(budget: Budget, figure: CurvatureFigure): string {
  const { base, rho, seeds } = scaleOf(budget, figure);
  const { dataset, model, training } = base;
  const times = `${countOf(training.epochs, "epoch")}, ρ = ${rho}, ${countOf(seeds, "seed")}`;
  return `${describeModel(model)}, ${describeDataset(dataset)}, ${times}`;
}

export function lanczosStepsOf(budget: Budget): number {
  return scaleOf(budget, "spectra").base.curvature!.lanczosSteps!;
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
