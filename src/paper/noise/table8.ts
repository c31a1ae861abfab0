/** Table 8: error of bootstrapped SAM on clean held-out images, for each ρ and noise rate; the runs that choose Table 4's ρ. */
import { finishedRecords, labeledRows, type LabeledRow, type PlannedRun } from "../../experiments/plan";
import type { RunRecord } from "../../experiments/records";
import { estimate, formatEstimate, pairedDifference, type SeedMean } from "../../experiments/statistics";
import { errorVersusRho, inPercent, type FigureSpec } from "../../plots";
import { runFootnotes, type TableRow } from "../../tables";
import type { Claim } from "../claims";
import type { Budget, ItemSummary, ItemTable, PaperItem } from "../item";
import { paperNumbers, selectNumbers } from "../numbers";
import { claimsByRate, percent, placeOf, ratesOf, signed, type RateGain } from "./accuracies";
import { describeTuning, heldOutRuns, noiseRates, samEpochs, table8Rhos } from "./runs";

/** Table 8: wrong labels, by ρ. */
export const table8: PaperItem<Table8Row> = {
  id: "table-8",
  recordsIn: "table-4",
  title: "Table 8",
  claim:
    "The error of bootstrapped SAM falls sharply at a ρ between 0.05 and 0.1, and rises again beyond 0.2; at ρ = 0 bootstrapping does nothing.",
  describe: describeTuning,
  plan,
  rows: table8Rows,
  claims: claimsOf,
  remarks: (rows) => [...bestOfEach(rows), ...secondTraining(rows)],
  table: tableOf,
  figure: figureOf,
  summary: summarize,
};

/** One row for each finished run; error rates in [0, 1] on clean held-out images. */
export function table8Rows(budget: Budget, records: readonly RunRecord[]): Table8Row[] {
  const planned = finishedRecords(plan(budget), records);
  const rows = labeledRows(plan(budget), records) as Omit<Table8Row, "firstTestErrorRate">[];
  return rows.map(
    (row, i) => ({ ...row, firstTestErrorRate: planned[i]!.record.metrics.firstTestErrorRate ?? NaN }) as Table8Row,
  );
}

/** One row of Table 8. */
export interface Table8Row extends LabeledRow {
  readonly rho: number;
  readonly noiseRate: number;
  /** Error after the first training, on the labels as they were given. */
  readonly firstTestErrorRate: number;
}

function plan(budget: Budget): PlannedRun[] {
  return noiseRates(budget).flatMap((noiseRate) =>
    table8Rhos(budget).flatMap((rho) =>
      heldOutRuns(budget, { noiseRate, training: { epochs: samEpochs(budget), rho }, bootstrap: true }, { rho, noiseRate }),
    ),
  );
}

/** The runs of one ρ at one noise rate, one for each seed. */
interface Table8Point {
  readonly rho: number;
  readonly noiseRate: number;
  readonly rows: readonly Table8Row[];
  /** Of the error, in [0, 1]. */
  readonly error: SeedMean;
}

function pointsAt(rows: readonly Table8Row[], noiseRate: number): Table8Point[] {
  const here = rows.filter((row) => row.noiseRate === noiseRate);
  const rhos = [...new Set(here.map(({ rho }) => rho))].sort((a, b) => a - b);
  return rhos.map((rho) => {
    const mine = here.filter((row) => row.rho === rho);
    return { rho, noiseRate, rows: mine, error: estimate(mine.map(({ testErrorRate }) => testErrorRate)) };
  });
}

/** The ρ with the lowest mean error at a noise rate; the smaller ρ among ties. */
export function bestPoint(rows: readonly Table8Row[], noiseRate: number): Table8Point | undefined {
  const points = pointsAt(rows, noiseRate);
  return points.reduce<Table8Point | undefined>((a, b) => (a && a.error.mean <= b.error.mean ? a : b), undefined);
}

/** Differences between values of ρ that the paper's claim names, so that none is chosen by its error. */
function claimsOf(rows: readonly Table8Row[]): Claim[] {
  const fall = changes(rows, { from: 0.05, to: 0.1 });
  const toHalf = changes(rows, { from: 0.05, to: 0.1, factor: 0.5 });
  const rise = changes(rows, { from: 0.5, to: 0.2 });
  const evidence = `From ρ = 0.05 to 0.1 the error falls by ${listPoints(fall)}.`;
  return [
    ...claimsByRate(fall, { statement: "the error falls from ρ = 0.05 to 0.1", evidence }),
    ...claimsByRate(toHalf, { statement: "the error falls to less than half there", evidence }),
    ...claimsByRate(rise, {
      statement: "the error rises again beyond ρ = 0.2",
      evidence: `From ρ = 0.2 to 0.5 the error rises by ${listPoints(rise)}.`,
    }),
  ];
}

/** By how much the error at ρ = `to` is below that at ρ = `from` (times `factor`), at each noise rate that has both. */
export function changes(
  rows: readonly Table8Row[],
  { from, to, factor = 1 }: { from: number; to: number; factor?: number },
): RateGain[] {
  return ratesOf(rows).flatMap((noiseRate) => {
    const errors = (rho: number, times: number) => {
      const chosen = rows.filter((row) => row.noiseRate === noiseRate && row.rho === rho);
      return chosen.map(({ seed, testErrorRate }) => ({ seed, value: times * testErrorRate }));
    };
    const [before, after] = [errors(from, factor), errors(to, 1)];
    return before.length > 0 && after.length > 0 ? [{ noiseRate, gain: pairedDifference(before, after) }] : [];
  });
}

function listPoints(gains: readonly RateGain[]): string {
  const text = (gain: SeedMean) => formatEstimate(gain, { scale: 100, decimals: 1 });
  return gains.map(({ noiseRate, gain }) => `${text(gain)} points ${placeOf(noiseRate)}`).join(", ");
}

function bestOfEach(rows: readonly Table8Row[]): string[] {
  const listed = bestPoints(rows).map(({ noiseRate, rho, error }) => {
    const plain = pointAt(rows, noiseRate, 0);
    return `${percent(noiseRate)} noise: ${errorText(error)} at ρ = ${rho}, ${plain ? errorText(plain.error) : "–"} at ρ = 0`;
  });
  return [`Lowest error by noise rate: ${listed.join("; ")}.`];
}

function bestPoints(rows: readonly Table8Row[]): Table8Point[] {
  return ratesOf(rows).map((noiseRate) => bestPoint(rows, noiseRate)!);
}

function pointAt(rows: readonly Table8Row[], noiseRate: number, rho: number): Table8Point | undefined {
  return pointsAt(rows, noiseRate).find((point) => point.rho === rho);
}

/** What the second training adds: nothing at ρ = 0, says the paper. */
function secondTraining(rows: readonly Table8Row[]): string[] {
  const bests = bestPoints(rows);
  const plain = bests.flatMap(({ noiseRate }) => pointAt(rows, noiseRate, 0) ?? []);
  const measured = [...plain, ...bests].flatMap((point) => point.rows);
  if (plain.length === 0 || measured.some(({ firstTestErrorRate }) => Number.isNaN(firstTestErrorRate))) return [];
  const list = (points: readonly Table8Point[]) =>
    points.map((point) => `${signed(secondChange(point))} (${percent(point.noiseRate)})`).join(", ");
  return [
    `The second training, on predicted labels, changes the error at ρ = 0 by ${list(plain)} points and at the best ρ by ${list(bests)}.`,
  ];
}

function secondChange({ rows }: Table8Point): SeedMean {
  return estimate(rows.map(({ firstTestErrorRate, testErrorRate }) => testErrorRate - firstTestErrorRate));
}

const errorText = (error: SeedMean) => `${cellText(error)} %`;
const cellText = (error: SeedMean) => formatEstimate(error, { scale: 100, decimals: 1 });

/** Error on clean held-out images by ρ and noise rate, the paper's and ours. */
function tableOf(runs: readonly Table8Row[], budget: Budget): ItemTable {
  const numbers = paperNumbers("table-8");
  const rates = noiseRates(budget);
  const rhos = [...new Set([...numbers.rows.map(({ rho }) => Number(rho)), ...runs.map(({ rho }) => rho)])].sort((a, b) => a - b);
  const rows: TableRow[] = rhos.map((rho) => ({
    rho,
    ...Object.fromEntries(rates.flatMap((noiseRate) => cellsOf(runs, rho, noiseRate))),
  }));
  const columns = rates.flatMap((rate) => [
    [`paper${rate}`, `${percent(rate)} · paper`],
    [`ours${rate}`, `${percent(rate)} · ours`],
  ]);
  return {
    rows,
    title:
      "Table 8: error of bootstrapped SAM in per cent on clean held-out images, by ρ and noise rate. Paper: CIFAR-10; ours: as below",
    columns: { rho: "ρ", ...Object.fromEntries(columns) },
    strong: (row, field) => (field.startsWith("paper") || field.startsWith("ours")) && row[field] === lowest(rows, field),
    footnotes: runFootnotes({
      budget,
      seeds: seedsOf(runs),
      paperSpread: numbers.spread,
      notes: [`${describeTuning(budget)}.`, "Bold: the lowest of its column."],
    }),
  };
}

function cellsOf(runs: readonly Table8Row[], rho: number, noiseRate: number): [string, string | undefined][] {
  const ours = pointAt(runs, noiseRate, rho);
  const [printed] = selectNumbers(paperNumbers("table-8"), { rho, noiseRate });
  return [
    [`paper${noiseRate}`, printed?.value.toFixed(1)],
    [`ours${noiseRate}`, ours && cellText(ours.error)],
  ];
}

function lowest(rows: readonly TableRow[], field: string): string | undefined {
  const texts = rows.flatMap((row) => row[field] ?? []).map(String);
  return texts.reduce<string | undefined>((a, b) => (a && parseFloat(a) <= parseFloat(b) ? a : b), undefined);
}

function figureOf(runs: readonly Table8Row[], budget: Budget): FigureSpec {
  const series = (noiseRate: number) => Math.round(100 * noiseRate);
  const rates = noiseRates(budget).map(series);
  const paper = paperNumbers("table-8").rows.map(({ rho, noiseRate, value }) => ({
    rho: Number(rho),
    series: series(Number(noiseRate)),
    mean: value,
  }));
  return errorVersusRho({
    title: `Bootstrapped SAM errs least at ρ = ${describeBests(bestPoints(runs))} noise`,
    subtitle: `Error on clean held-out images against ρ. Paper: CIFAR-10, ResNet-32. Ours: ${describeTuning(budget)}.`,
    seriesTitle: "noise (%)",
    yTitle: "error on held-out images (%)",
    rows: ratesOf(runs).flatMap((rate) =>
      pointsAt(runs, rate).map(({ rho, noiseRate, error }) => ({ rho, series: series(noiseRate), ...inPercent(error) })),
    ),
    paper: paper.filter((point) => rates.includes(point.series)),
  });
}

/** "0.2 at 20, 40, 60 % and 0.1 at 80 %". */
function describeBests(bests: readonly Table8Point[]): string {
  const rhos = [...new Set(bests.map(({ rho }) => rho))];
  const rates = (rho: number) => bests.filter((each) => each.rho === rho).map(({ noiseRate }) => Math.round(100 * noiseRate));
  return rhos.map((rho) => `${rho} at ${rates(rho).join(", ")} %`).join(" and ");
}

const at40 = 0.4;

/** At 40 % noise: the error at the best ρ and at ρ = 0. */
function summarize(rows: readonly Table8Row[]): ItemSummary {
  const printed = selectNumbers(paperNumbers("table-8"), { noiseRate: at40 });
  return {
    paper: `at 40 % noise: ${describeGrid(printed.map(({ rho, value }) => ({ rho: Number(rho), error: { mean: value / 100, n: 1 } })))}`,
    ours: describeGrid(pointsAt(rows, at40)),
    seeds: seedsOf(rows),
    claims: claimsOf(rows).filter(({ where }) => where === placeOf(at40)),
  };
}

function describeGrid(points: readonly Pick<Table8Point, "rho" | "error">[]): string {
  const best = points.reduce((a, b) => (b.error.mean < a.error.mean ? b : a));
  const plain = points.find(({ rho }) => rho === 0)!;
  return `${cellText(best.error)} % error at ρ = ${best.rho}, ${cellText(plain.error)} % at ρ = 0`;
}

function seedsOf(rows: readonly Table8Row[]): number {
  return new Set(rows.map(({ seed }) => seed)).size;
}
