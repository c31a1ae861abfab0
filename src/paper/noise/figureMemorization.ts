/** Memorization curves: how SGD and SAM treat flipped and clean labels along training. Not in the paper; Table 4 rests on it. */
import type { RunRecord } from "../../experiments/records";
import { estimate, formatEstimate, pairedDifference, type SeedValue } from "../../experiments/statistics";
import { memorizationCurves, type MemorizationPoint, inPercent, type FigureSpec } from "../../plots";
import { runFootnotes, type TableRow } from "../../tables";
import type { EpochRecord, Memorization } from "../../training";
import { verdictNote, verdictsOn, type Claim } from "../claims";
import type { Budget, ItemSummary, ItemTable, PaperItem } from "../item";
import { percent, placeOf, ratesOf } from "./accuracies";
import { describeNoiseRuns, noiseHistories, noiseRates, reportedRuns, tuningRuns, type NoiseHistory } from "./runs";

export const memorizationMethods = ["SGD", "SAM"] as const;

/** Memorization curves: how many wrong labels are fitted along a training. */
export const figureMemorization: PaperItem<MemorizationRow> = {
  id: "figure-memorization",
  recordsIn: "table-4",
  title: "Memorization curves",
  claim: "SGD memorizes wrong labels and loses accuracy as it does; SAM at the right ρ memorizes far fewer of them.",
  describe: describeNoiseRuns,
  plan: (budget, records) => [...tuningRuns(budget, memorizationMethods), ...reportedRuns(budget, records, memorizationMethods)],
  rows: memorizationRows,
  claims: claimsOf,
  table: tableOf,
  figure: figureOf,
  summary: summarize,
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

/** Shares of flipped labels that a method fits at a noise rate, with their seeds. */
function fittedShares(rows: readonly MemorizationRow[], where: { method: string; noiseRate: number }): SeedValue[] {
  const chosen = rows.filter((row) => row.method === where.method && row.noiseRate === where.noiseRate);
  return chosen.map(({ seed, flippedFitted = 0 }) => ({ seed, value: flippedFitted }));
}

/** SGD's and SAM's shares at each noise rate that has both. */
function sharesByRate(last: readonly MemorizationRow[]): { noiseRate: number; sgd: SeedValue[]; sam: SeedValue[] }[] {
  const shares = ratesOf(last).map((noiseRate) => ({
    noiseRate,
    sgd: fittedShares(last, { method: "SGD", noiseRate }),
    sam: fittedShares(last, { method: "SAM", noiseRate }),
  }));
  return shares.filter(({ sgd, sam }) => sgd.length > 0 && sam.length > 0);
}

const meanOf = (shares: readonly SeedValue[]) => estimate(shares.map(({ value }) => value));

function claimsOf(rows: readonly MemorizationRow[]): Claim[] {
  const shares = sharesByRate(lastRows(rows));
  const verdicts = verdictsOn(shares.map(({ sgd, sam }) => pairedDifference(sgd, sam)));
  const text = (values: readonly SeedValue[]) => `${formatEstimate(meanOf(values), { scale: 100, decimals: 1 })} %`;
  return shares.map(({ noiseRate, sgd, sam }, i) => ({
    statement: "SAM fits fewer flipped labels than SGD",
    where: placeOf(noiseRate),
    verdict: verdicts[i]!,
    evidence: `At ${percent(noiseRate)} noise SGD ends with ${text(sgd)} of the flipped labels fitted, SAM with ${text(sam)}.`,
  }));
}

const measureOf = {
  "clean test accuracy": "testAccuracy",
  "flipped labels reproduced": "flippedFitted",
  "true class predicted instead": "flippedCorrected",
  "clean labels reproduced": "cleanFitted",
} as const;

type Measure = keyof typeof measureOf;
const measures = Object.keys(measureOf) as Measure[];

/** Accuracy, and what has become of the labels, after the last epoch. */
function tableOf(all: readonly MemorizationRow[], budget: Budget): ItemTable {
  const last = lastRows(all);
  return {
    rows: noiseRates(budget).flatMap((noiseRate) => memorizationMethods.map((method) => cellsOf(last, method, noiseRate))),
    title: "What is left of wrong labels after the last epoch, in per cent",
    columns: {
      noise: "noise",
      method: "method",
      ...Object.fromEntries(Object.entries(measureOf).map(([name, field]) => [field, name])),
    },
    footnotes: runFootnotes({
      budget,
      seeds: new Set(all.map(({ seed }) => seed)).size,
      notes: [
        "The paper has no such figure.",
        `${describeNoiseRuns(budget)}. SGD: the same epochs, half the gradients.`,
        verdictNote,
      ],
    }),
  };
}

function cellsOf(last: readonly MemorizationRow[], method: string, noiseRate: number): TableRow {
  const mine = last.filter((row) => row.method === method && row.noiseRate === noiseRate);
  const choice = mine[0]?.choice ?? "";
  const shares = measures.map((measure) => [measureOf[measure], shareOf(mine, measure)]);
  return { noise: percent(noiseRate), method: choice === "" ? method : `${method}, ${choice}`, ...Object.fromEntries(shares) };
}

function shareOf(rows: readonly MemorizationRow[], measure: Measure): string | undefined {
  const values = rows.flatMap((row) => row[measureOf[measure]] ?? []);
  return values.length === 0 ? undefined : formatEstimate(estimate(values), { scale: 100, decimals: 1 });
}

function figureOf(all: readonly MemorizationRow[], budget: Budget): FigureSpec {
  return memorizationCurves({
    title: titleOf(lastRows(all)),
    subtitle: `In per cent, mean and 95 % interval. ${describeNoiseRuns(budget)}.`,
    rows: averagedPoints(all),
  });
}

function averagedPoints(rows: readonly MemorizationRow[]): MemorizationPoint[] {
  const epochs = [...new Set(rows.map(({ epoch }) => epoch))].sort((a, b) => a - b);
  return ratesOf(rows).flatMap((noiseRate) =>
    measures.flatMap((measure) =>
      memorizationMethods.flatMap((method) =>
        epochs.flatMap((epoch) => {
          const here = rows.filter((row) => row.noiseRate === noiseRate && row.method === method && row.epoch === epoch);
          const values = here.flatMap((row) => row[measureOf[measure]] ?? []);
          const place = { epoch, method, measure, noise: `${percent(noiseRate)} noise` };
          return values.length === 0 ? [] : [{ ...place, ...inPercent(estimate(values)) }];
        }),
      ),
    ),
  );
}

function titleOf(last: readonly MemorizationRow[]): string {
  const shares = sharesByRate(last);
  const less = shares.filter(({ sgd, sam }) => meanOf(sam).mean < meanOf(sgd).mean);
  if (less.length === 0) return "Here SAM memorizes as many wrong labels as SGD";
  return `SGD memorizes wrong labels, SAM ${less.length === shares.length ? "" : "at some noise rates "}far fewer of them`;
}

const at40 = 0.4;

/** Flipped labels that are fitted after the last epoch, at 40 % noise. */
function summarize(rows: readonly MemorizationRow[]): ItemSummary {
  const last = lastRows(rows);
  const [sgd, sam] = memorizationMethods.map((method) => fittedShares(last, { method, noiseRate: at40 }));
  const text = (values: readonly SeedValue[]) => formatEstimate(meanOf(values), { scale: 100 });
  return {
    paper: "no such figure",
    ours: `flipped labels fitted at 40 % noise: SAM ${text(sam!)}, SGD ${text(sgd!)} %`,
    seeds: sam!.length,
    claims: claimsOf(rows).filter(({ where }) => where === placeOf(at40)),
  };
}

/** One run's evaluated epochs as points of `memorizationCurves`. The run needs label noise, and `trackTraining` for the fitted labels. */
export function memorizationPoints(method: string, history: readonly EpochRecord[]): MemorizationPoint[] {
  return measures.flatMap((measure) =>
    history.flatMap(({ epoch, testErrorRate, memorization }) => {
      const field = measureOf[measure];
      const accuracy = testErrorRate === undefined ? undefined : 1 - testErrorRate;
      const value = field === "testAccuracy" ? accuracy : memorization?.[field];
      return value === undefined ? [] : [{ epoch, method, measure, mean: 100 * value }];
    }),
  );
}
