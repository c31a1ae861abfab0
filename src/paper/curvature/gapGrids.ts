/**
 * The grids of networks of Figure 3 right. At the budget paper they are those of the PGDL competition's Tasks 1 (VGG-like networks on
 * CIFAR-10) and 2 (Network in Network on SVHN); below it the same hyper-parameters over small networks.
 */
import type { RunOptions } from "../../experiments/config";
import { quickDataset, type PlannedRun, type RunTags } from "../../experiments/plan";
import type { Budget } from "../item";

export const tasks = [1, 2] as const;
export type Task = (typeof tasks)[number];

/** Hyper-parameter → the values that the grid combines. */
type Values = Readonly<Record<string, readonly number[]>>;

export interface Grid {
  /** "VGG-like" */
  readonly title: string;
  /** Everything that all networks share. */
  readonly base: Pick<RunOptions, "dataset" | "training">;
  readonly values: Values;
  /** Batch size → epochs: larger batches take fewer steps an epoch. */
  readonly epochs: Readonly<Record<number, number>>;
}

type Scale = Readonly<Record<Task, Omit<Grid, "title">>> & { readonly sharpness: NonNullable<RunOptions["mSharpness"]> };

const small = (sizes: { trainSize: number; testSize: number }) => ({ ...quickDataset(sizes), imageSize: 14 });
const training = { epochs: 1, learningRate: 0.05 };

const scales: Record<Budget, Scale> = {
  smoke: {
    1: {
      base: { dataset: small({ trainSize: 64, testSize: 100 }), training },
      values: { width: [2, 4], dropout: [0], convBlocks: [1], denseLayers: [1], weightDecay: [0, 0.005], batchSize: [16, 32] },
      epochs: { 16: 1, 32: 1 },
    },
    2: {
      base: { dataset: small({ trainSize: 64, testSize: 100 }), training },
      values: { convLayers: [6], dropout: [0, 0.1], weightDecay: [0, 0.005], batchSize: [16, 32] },
      epochs: { 16: 1, 32: 1 },
    },
    sharpness: { ms: [4, 64] },
  },
  demo: {
    1: {
      base: { dataset: small({ trainSize: 256, testSize: 1000 }), training },
      values: { width: [4, 8], dropout: [0, 0.25], convBlocks: [1, 3], denseLayers: [1], weightDecay: [0], batchSize: [8, 32] },
      epochs: { 8: 10, 32: 20 },
    },
    2: {
      base: { dataset: small({ trainSize: 256, testSize: 1000 }), training },
      values: { convLayers: [6, 9], dropout: [0, 0.1], weightDecay: [0, 0.005], batchSize: [16, 32] },
      epochs: { 16: 15, 32: 20 },
    },
    sharpness: { ms: [1, 16, 256] },
  },
  lab: {
    // Half of the images' side, and as many images as the largest m: a network takes seconds. The decay is five times PGDL's, since
    // these trainings have a few hundred steps. All ours.
    1: {
      base: { dataset: { name: "fashion-mnist", trainSize: 256, testSize: 5000, imageSize: 14 }, training },
      values: {
        width: [4, 8],
        dropout: [0, 0.25],
        convBlocks: [1, 3],
        denseLayers: [1, 2],
        weightDecay: [0, 0.005],
        batchSize: [8, 32],
      },
      epochs: { 8: 20, 32: 40 },
    },
    2: {
      base: { dataset: { name: "fashion-mnist", trainSize: 256, testSize: 5000, imageSize: 14 }, training },
      values: { convLayers: [6, 9, 12], dropout: [0, 0.1, 0.2], weightDecay: [0, 0.005], batchSize: [8, 16, 32] },
      epochs: { 8: 20, 16: 30, 32: 40 },
    },
    sharpness: { ms: [1, 4, 16, 64, 256] },
  },
  paper: {
    1: {
      // Jiang et al.: at most 1200 epochs, learning rate ·0.2 at 300, 600 and 900, no augmentation. The schedule "step" is ours.
      base: {
        dataset: { name: "cifar-10" },
        training: { epochs: 1200, learningRate: 0.001, schedule: "step", nesterov: false, clipNorm: 0 },
      },
      values: {
        width: [256, 512],
        dropout: [0, 0.5],
        convBlocks: [1, 3],
        denseLayers: [1, 2],
        weightDecay: [0, 0.001],
        batchSize: [8, 32, 512],
      },
      epochs: { 8: 1200, 32: 1200, 512: 1200 },
    },
    2: {
      base: {
        dataset: { name: "svhn" },
        training: { epochs: 1200, learningRate: 0.01, schedule: "step", nesterov: false, clipNorm: 0 },
      },
      values: { convLayers: [6, 9, 12], dropout: [0, 0.25, 0.5], weightDecay: [0, 0.001], batchSize: [32, 512, 1024] },
      epochs: { 32: 1200, 512: 1200, 1024: 1200 },
    },
    sharpness: { ms: [1, 4, 16, 64, 256], images: 2560 }, // images: ours; m = 1 takes two passes for each of them
  },
};

const titles: Record<Task, string> = { 1: "VGG-like", 2: "Network in Network" };

export function gridOf(budget: Budget, task: Task): Grid {
  return { title: titles[task], ...scales[budget][task] };
}

/** ρ is the paper's untuned default (App. C.3); the figure's own is not stated. */
export function sharpnessOf(budget: Budget): { readonly rho: number } & NonNullable<RunOptions["mSharpness"]> {
  return { rho: 0.05, ...scales[budget].sharpness };
}

/** One run for each combination of values. Its labels are its hyper-parameters and its task. */
export function gridRuns(budget: Budget, task: Task): PlannedRun[] {
  const grid = gridOf(budget, task);
  return combinations(grid.values).map((values) => ({
    config: {
      dataset: grid.base.dataset,
      model: modelOf(budget, task, values),
      training: trainingOf(grid, values),
      mSharpness: sharpnessOf(budget),
    },
    labels: { task, ...values },
  }));
}

function combinations(values: Values): Record<string, number>[] {
  return Object.entries(values).reduce<Record<string, number>[]>(
    (found, [name, each]) => found.flatMap((before) => each.map((value) => ({ ...before, [name]: value }))),
    [{}],
  );
}

function trainingOf({ base, epochs }: Grid, { weightDecay, batchSize }: RunTags): RunOptions["training"] {
  const count = epochs[Number(batchSize)]!;
  // The gap needs the training error, after the last epoch only.
  return {
    ...base.training,
    epochs: count,
    weightDecay: Number(weightDecay),
    batchSize: Number(batchSize),
    evaluateEvery: count,
    trackTraining: true,
  };
}

/** Batch norm in Task 2 alone, since narrow networks of twelve layers hardly train without it. Widths that the grid does not vary are ours. */
function modelOf(budget: Budget, task: Task, values: RunTags): RunOptions["model"] {
  const dropout = Number(values.dropout);
  if (task === 2)
    return { name: "networkInNetwork", width: budget === "paper" ? 192 : 12, blocks: Number(values.convLayers) / 3, dropout };
  const hidden = Array.from({ length: Number(values.denseLayers) }, () => (budget === "paper" ? 128 : 32));
  return {
    name: "vgg",
    depth: 11,
    width: Number(values.width),
    stages: Number(values.convBlocks),
    hidden,
    dropout,
    batchNorm: false,
  };
}
