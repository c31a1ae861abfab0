/** Memorisation curves: what SGD and SAM make of flipped and of clean labels along training. Not in the paper; what Table 4 rests on. */
import type { Memorisation } from "../training";
import type { Budget, PaperItem } from "./item";
import { describeNoiseRuns, noiseHistories, noiseRates, reportedRuns, tuningRuns, type NoiseHistory } from "./noiseRuns";
import type { RunRecord } from "./records";
import { estimate, estimateDifference, formatEstimate, type SeedMean } from "./statistics";
import { percent } from "./table4";

export const memorisationMethods = ["SGD", "SAM"] as const;

export const figureMemorisation: PaperItem = {
  id: "figure-memorisation",
  recordsIn: "table-4",
  title: "Memorisation curves",
  claim: "SGD learns wrong labels by heart and loses accuracy as it does; SAM at the right ρ leaves them.",
  describe: describeNoiseRuns,
  plan: (budget, records) => [...tuningRuns(budget, memorisationMethods), ...reportedRuns(budget, records, memorisationMethods)],
  conclusions: (budget, records) => conclude(memorisationRows(budget, records), noiseRates(budget)),
};

/** One evaluated epoch of one run; every share is in [0, 1]. */
export interface MemorisationRow extends Memorisation {
  readonly method: string;
  readonly noiseRate: number;
  readonly choice: string;
  readonly seed: number;
  readonly epoch: number;
  readonly testAccuracy: number;
}

/** The evaluated epochs of SGD's and SAM's finished runs. */
export function memorisationRows(budget: Budget, records: readonly RunRecord[]): MemorisationRow[] {
  return noiseHistories(budget, records, memorisationMethods).flatMap(rowsOf);
}

function rowsOf({ epochs, ...run }: NoiseHistory): MemorisationRow[] {
  return epochs.map(({ epoch, testErrorRate, memorisation }) => ({
    ...run,
    epoch,
    testAccuracy: 1 - testErrorRate!,
    ...memorisation,
  }));
}

/** The rows of the last epoch of each run. */
export function lastRows(rows: readonly MemorisationRow[]): MemorisationRow[] {
  const last = new Map<string, MemorisationRow>();
  for (const row of rows) last.set(`${row.method} ${row.noiseRate} ${row.seed}`, row);
  return [...last.values()];
}

function conclude(rows: readonly MemorisationRow[], rates: readonly number[]): string[] {
  const last = lastRows(rows);
  return rates.flatMap((noiseRate) => {
    const fitted = (method: string) =>
      last.filter((row) => row.method === method && row.noiseRate === noiseRate).map((row) => row.flippedFitted ?? 0);
    const [sgd, sam] = memorisationMethods.map(fitted);
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
