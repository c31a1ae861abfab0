/** Memorization curves: what SGD and SAM make of flipped and of clean labels along training. Not in the paper; what Table 4 rests on. */
import type { Memorization } from "../../training";
import type { Budget, PaperItem } from "../item";
import { describeNoiseRuns, noiseHistories, noiseRates, reportedRuns, tuningRuns, type NoiseHistory } from "./runs";
import type { RunRecord } from "../../experiments/records";
import { estimate, estimateDifference, formatEstimate, type SeedMean } from "../../experiments/statistics";
import { percent } from "./table4";

export const memorizationMethods = ["SGD", "SAM"] as const;

export const figureMemorization: PaperItem = {
  id: "figure-memorization",
  recordsIn: "table-4",
  title: "Memorization curves",
  claim: "SGD learns wrong labels by heart and loses accuracy as it does; SAM at the right ρ leaves them.",
  describe: describeNoiseRuns,
  plan: (budget, records) => [...tuningRuns(budget, memorizationMethods), ...reportedRuns(budget, records, memorizationMethods)],
  conclusions: (budget, records) => conclude(memorizationRows(budget, records), noiseRates(budget)),
};

/** One evaluated epoch of one run; every share is in [0, 1]. */
export interface MemorizationRow extends Memorization {
  readonly method: string;
  readonly noiseRate: number;
  readonly choice: string;
  readonly seed: number;
  readonly epoch: number;
  readonly testAccuracy: number;
}

/** The evaluated epochs of SGD's and SAM's finished runs. */
export function memorizationRows(budget: Budget, records: readonly RunRecord[]): MemorizationRow[] {
  return noiseHistories(budget, records, memorizationMethods).flatMap(rowsOf);
}

function rowsOf({ epochs, ...run }: NoiseHistory): MemorizationRow[] {
  return epochs.map(({ epoch, testErrorRate, memorization }) => ({
    ...run,
    epoch,
    testAccuracy: 1 - testErrorRate!,
    ...memorization,
  }));
}

/** The rows of the last epoch of each run. */
export function lastRows(rows: readonly MemorizationRow[]): MemorizationRow[] {
  const last = new Map<string, MemorizationRow>();
  for (const row of rows) last.set(`${row.method} ${row.noiseRate} ${row.seed}`, row);
  return [...last.values()];
}

function conclude(rows: readonly MemorizationRow[], rates: readonly number[]): string[] {
  const last = lastRows(rows);
  return rates.flatMap((noiseRate) => {
    const fitted = (method: string) =>
      last.filter((row) => row.method === method && row.noiseRate === noiseRate).map((row) => row.flippedFitted ?? 0);
    const [sgd, sam] = memorizationMethods.map(fitted);
    if (!sgd?.length || !sam?.length) return [];
    const verdict = describeDifference(estimateDifference(sgd, sam));
    const share = (values: readonly number[]) => `${formatEstimate(estimate(values), { scale: 100, decimals: 1 })} %`;
    return [
      `At ${percent(noiseRate)} noise SGD ends with ${share(sgd)} of the flipped labels fitted, SAM with ${share(sam)}: ${verdict}.`,
    ];
  });
}

function describeDifference({ mean, interval }: SeedMean): string {
  if (mean <= 0) return "not fewer";
  if (interval === undefined) return "fewer, with one seed";
  return mean > interval ? "fewer, beyond the seeds' noise" : "fewer, within the seeds' noise";
}
