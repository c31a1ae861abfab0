/** Figure 3 middle: test error against ρ for several m, the number of examples that share one perturbation. */
import type { RunOptions } from "../../experiments/config";
import {
  describeDataset,
  describeModel,
  labeledRows,
  quickDataset,
  type Budget,
  type LabeledRow,
  type PaperItem,
  type PlannedRun,
} from "../item";
import type { RunRecord } from "../../experiments/records";
import {
  estimate,
  estimateBy,
  estimateDifference,
  formatEstimate,
  formatSize,
  isSupported,
  type SeedMean,
} from "../../experiments/statistics";

interface Scale {
  readonly base: RunOptions;
  readonly seeds: number;
  /** m and the ρ tried with it: small blocks need a smaller ρ. */
  readonly rhos: Readonly<Record<number, readonly number[]>>;
}

const scales: Record<Budget, Scale> = {
  smoke: {
    base: {
      dataset: quickDataset({ trainSize: 256, testSize: 200 }),
      model: { name: "convNet", widths: [4, 8] },
      training: { epochs: 1, batchSize: 64 },
    },
    seeds: 1,
    rhos: { 16: [0.05], 64: [0.05] },
  },
  demo: {
    base: {
      dataset: quickDataset({ trainSize: 1000, testSize: 2000 }),
      model: { name: "convNet" },
      training: { epochs: 15, batchSize: 64, evaluateEvery: 5 },
    },
    seeds: 1,
    rhos: { 8: [0.05, 0.1, 0.2], 64: [0.1, 0.2, 0.5] },
  },
  lab: {
    base: {
      dataset: { name: "fashion-mnist", trainSize: 1000 },
      model: { name: "wideResNet", depth: 10, widen: 1 },
      training: { epochs: 30, batchSize: 64, evaluateEvery: 30 },
    },
    seeds: 3,
    rhos: { 16: [0.05, 0.1], 32: [0.1, 0.2], 64: [0.1, 0.2, 0.4] },
  },
  paper: {
    base: {
      dataset: { name: "fashion-mnist" }, // ours: the paper's CIFAR-10 panel; its network is "a small ResNet"
      model: { name: "wideResNet", depth: 16, widen: 1 },
      training: { epochs: 200, batchSize: 256, augment: "basic" },
    },
    seeds: 5,
    rhos: Object.fromEntries([1, 4, 16, 64, 256].map((m) => [m, [0.001, 0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1]])), // paper Fig. 3 middle
  },
};

export const figure3Middle: PaperItem = {
  id: "figure-3-middle",
  title: "Figure 3, middle",
  claim: "Smaller m lowers the test error, and with it the best ρ.",
  describe: (budget) => {
    const { base, seeds } = scales[budget];
    const { dataset, model, training } = base;
    const { epochs, batchSize } = training;
    const times = `${epochs} epoch${epochs > 1 ? "s" : ""}, ${seeds} seed${seeds > 1 ? "s" : ""}`;
    return `${describeModel(model)}, ${describeDataset(dataset)}, batches of ${batchSize}, ${times}`;
  },
  plan: (budget) => runs(budget),
  conclusions: (budget, records) => conclude(figure3MiddleRows(budget, records)),
};

/** One row per finished run: m, rho, seed, error rates in [0, 1]. */
export function figure3MiddleRows(budget: Budget, records: readonly RunRecord[]): LabeledRow[] {
  return labeledRows(runs(budget), records);
}

export interface CurvePointByM {
  readonly m: number;
  readonly rho: number;
  /** of testErrorRate, in [0, 1] */
  readonly mean: number;
  readonly interval?: number;
  readonly n: number;
}

/** Mean and interval for each m and ρ; ρ = 0 is SGD whose batch norm takes its statistics over m images. */
export function figure3MiddleCurves(budget: Budget, records: readonly RunRecord[]): CurvePointByM[] {
  const rows = figure3MiddleRows(budget, records);
  return rows.length === 0 ? [] : (estimateBy(rows, ["m", "rho"], "testErrorRate") as unknown as CurvePointByM[]);
}

function msOf(budget: Budget): number[] {
  return Object.keys(scales[budget].rhos).map(Number);
}

function runs(budget: Budget): PlannedRun[] {
  const { seeds, rhos } = scales[budget];
  // ρ = 0 for each m too: the statistics of batch norm are a block's, so that m matters without SAM.
  return Array.from({ length: seeds }, (_, seed) => seed).flatMap((seed) =>
    msOf(budget).flatMap((m) => [0, ...rhos[m]!].map((rho) => run(budget, { m, rho, seed }))),
  );
}

// m = batchSize is plain SAM on one device and is written as such.
function run(budget: Budget, { m, rho, seed }: { m: number; rho: number; seed: number }): PlannedRun {
  const { base } = scales[budget];
  const blocks = m === base.training.batchSize ? 0 : m;
  return { config: { ...base, training: { ...base.training, m: blocks, rho, seed } }, labels: { m, rho } };
}

/** How far the best error with SAM (ρ > 0) falls from the largest m to the smallest, in [−1, 1]. */
export function figure3MiddleGain(rows: readonly LabeledRow[]): SeedMean {
  return gainOf(bestByM(rows.filter(({ rho }) => rho !== 0)));
}

/** The same without SAM (ρ = 0), where m acts through the statistics of batch norm alone. */
export function figure3MiddlePlainGain(rows: readonly LabeledRow[]): SeedMean {
  return gainOf(bestByM(rows.filter(({ rho }) => rho === 0)));
}

function gainOf(bests: readonly { errors: number[] }[]): SeedMean {
  return estimateDifference(bests[bests.length - 1]!.errors, bests[0]!.errors);
}

function bestByM(rows: readonly LabeledRow[]): { m: number; rho: number; errors: number[] }[] {
  const ms = [...new Set(rows.map(({ m }) => m as number))].sort((a, b) => a - b);
  return ms.map((m) => ({ m, ...bestRho(rows.filter((row) => row.m === m)) }));
}

function conclude(rows: readonly LabeledRow[]): string[] {
  const bests = bestByM(rows.filter(({ rho }) => rho !== 0));
  const [first, last] = [bests[0], bests[bests.length - 1]];
  if (!first || !last || first === last) return [];
  const listed = bests.map(
    ({ m, rho, errors }) => `m = ${m}: ${formatEstimate(estimate(errors), { scale: 100 })} % at ρ = ${rho}`,
  );
  const gain = figure3MiddleGain(rows);
  const direction = gain.mean < 0 ? "rises" : "falls";
  const points = formatSize(gain, { scale: 100 });
  const verdict = isSupported(gain)
    ? gain.mean > 0
      ? "replicates"
      : "does not replicate"
    : gain.mean > 0
      ? "shows in the mean, within the seeds' noise"
      : "is not decided by these seeds";
  const rho =
    first.rho < last.rho
      ? "is smaller for small m, as in the paper"
      : first.rho === last.rho
        ? "is the same on this grid"
        : "is larger for small m";
  return [
    `Best error by m: ${listed.join("; ")}.`,
    `From m = ${last.m} to m = ${first.m} the best error ${direction} by ${points} points: the claim ${verdict}. The best ρ ${rho}.`,
    ...concludeWithoutSam(bestByM(rows.filter((row) => row.rho === 0)), figure3MiddlePlainGain(rows)),
  ];
}

/** What m does through batch norm alone. */
function concludeWithoutSam(plain: readonly { m: number; errors: number[] }[], gain: SeedMean): string[] {
  const [small, large] = [plain[0], plain[plain.length - 1]];
  if (!small || !large || small === large) return [];
  const percent = (errors: number[]) => `${formatEstimate(estimate(errors), { scale: 100 })} %`;
  const points = formatSize(gain, { scale: 100 });
  return [
    `Without SAM (ρ = 0), where m is only the number of images that batch norm takes its statistics over, the error is ` +
      `${percent(small.errors)} at m = ${small.m} and ${percent(large.errors)} at m = ${large.m}: it ` +
      `${gain.mean < 0 ? "rises" : "falls"} by ${points} points without any perturbation.`,
  ];
}

function bestRho(rows: readonly LabeledRow[]): { rho: number; errors: number[] } {
  const means = [...new Set(rows.map((row) => row.rho as number))].map((rho) => {
    const errors = rows.filter((row) => row.rho === rho).map(({ testErrorRate }) => testErrorRate);
    return { rho, errors, mean: estimate(errors).mean };
  });
  return means.reduce((a, b) => (b.mean < a.mean ? b : a));
}
