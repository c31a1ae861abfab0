/** Table 8: clean validation error of bootstrapped SAM, for each ρ and noise rate; the runs that choose Table 4's ρ. */
import { finishedRecords, labeledRows, type LabeledRow, type PlannedRun } from "../../experiments/plan";
import type { RunRecord } from "../../experiments/records";
import { formatEstimate, pairedDifference, type SeedMean } from "../../experiments/statistics";
import { errorVersusRho, type FigureSpec } from "../../plots";
import { runFootnotes, type TableRow } from "../../tables";
import type { Claim } from "../claims";
import type { Budget, ItemSummary, ItemTable, PaperItem } from "../item";
import { paperNumbers, selectNumbers } from "../numbers";
import { claimsByRate, percent, placeOf, ratesOf, signed, type RateGain } from "./accuracies";
import { describeTuning, noiseRates, samEpochs, table8Rhos, validationConfig } from "./runs";

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

export interface Table8Row extends LabeledRow {
  readonly rho: number;
  readonly noiseRate: number;
  /** Error after the first training, on the labels as they were given. */
  readonly firstTestErrorRate: number;
}

function plan(budget: Budget): PlannedRun[] {
  return noiseRates(budget).flatMap((noiseRate) =>
    table8Rhos(budget).map((rho) => ({
      config: validationConfig(budget, { noiseRate, training: { epochs: samEpochs(budget), rho }, bootstrap: true }),
      labels: { rho, noiseRate },
    })),
  );
}

/** The row with the lowest error at a noise rate; the smaller ρ among ties. */
export function bestRow(rows: readonly Table8Row[], noiseRate: number): Table8Row | undefined {
  const here = rows.filter((row) => row.noiseRate === noiseRate);
  return here.reduce<Table8Row | undefined>((a, b) => (a && a.testErrorRate <= b.testErrorRate ? a : b), undefined);
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
  const listed = bestRows(rows).map(
    ({ noiseRate, rho, testErrorRate }) =>
      `${percent(noiseRate)} noise: ${error(testErrorRate)} at ρ = ${rho}, ${error(errorAt(rows, noiseRate, 0))} at ρ = 0`,
  );
  return [`Lowest error by noise rate: ${listed.join("; ")}.`];
}

function bestRows(rows: readonly Table8Row[]): Table8Row[] {
  return ratesOf(rows).map((noiseRate) => bestRow(rows, noiseRate)!);
}

/** What the second training adds: nothing at ρ = 0, says the paper. */
function secondTraining(rows: readonly Table8Row[]): string[] {
  const change = ({ firstTestErrorRate, testErrorRate }: Table8Row) => testErrorRate - firstTestErrorRate;
  const [plain, bests] = [rows.filter(({ rho }) => rho === 0), bestRows(rows)];
  if (plain.length === 0 || [...plain, ...bests].map(change).some(Number.isNaN)) return [];
  const list = (some: readonly Table8Row[]) =>
    some.map((row) => `${signed({ mean: change(row), n: 1 })} (${percent(row.noiseRate)})`).join(", ");
  return [
    `The second training, on predicted labels, changes the error at ρ = 0 by ${list(plain)} points and at the best ρ by ${list(bests)}.`,
  ];
}

function errorAt(rows: readonly Table8Row[], noiseRate: number, rho: number): number {
  return rows.find((row) => row.noiseRate === noiseRate && row.rho === rho)?.testErrorRate ?? NaN;
}

const error = (rate: number) => (Number.isNaN(rate) ? "–" : `${(100 * rate).toFixed(1)} %`);

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
      "Table 8: error of bootstrapped SAM in per cent on clean validation images, by ρ and noise rate. Paper: CIFAR-10; ours: as below",
    columns: { rho: "ρ", ...Object.fromEntries(columns) },
    strong: (row, field) => (field.startsWith("paper") || field.startsWith("ours")) && row[field] === lowest(rows, field),
    footnotes: runFootnotes({
      budget,
      seeds: 1,
      paperSpread: numbers.spread,
      notes: [`${describeTuning(budget)}.`, "Bold: the lowest of its column."],
    }),
  };
}

function cellsOf(runs: readonly Table8Row[], rho: number, noiseRate: number): [string, string | undefined][] {
  const ours = runs.find((row) => row.rho === rho && row.noiseRate === noiseRate);
  const [printed] = selectNumbers(paperNumbers("table-8"), { rho, noiseRate });
  return [
    [`paper${noiseRate}`, printed?.value.toFixed(1)],
    [`ours${noiseRate}`, ours && (100 * ours.testErrorRate).toFixed(1)],
  ];
}

function lowest(rows: readonly TableRow[], field: string): string | undefined {
  const texts = rows.flatMap((row) => row[field] ?? []).map(String);
  return texts.reduce<string | undefined>((a, b) => (a && Number(a) <= Number(b) ? a : b), undefined);
}

function figureOf(runs: readonly Table8Row[], budget: Budget): FigureSpec {
  const series = (noiseRate: number) => Math.round(100 * noiseRate);
  const rates = noiseRates(budget).map(series);
  const paper = paperNumbers("table-8").rows.map(({ rho, noiseRate, value }) => ({
    rho: Number(rho),
    series: series(Number(noiseRate)),
    mean: value,
  }));
  const bests = bestRows(runs).map(({ noiseRate, rho }) => `${rho} at ${percent(noiseRate)}`);
  return errorVersusRho({
    title: `Bootstrapped SAM errs least at ρ = ${bests.join(", ")} noise`,
    subtitle: `Error on clean validation images against ρ. Paper: CIFAR-10, ResNet-32. Ours: ${describeTuning(budget)}.`,
    seriesTitle: "noise (%)",
    yTitle: "validation error (%)",
    rows: runs.map(({ rho, noiseRate, testErrorRate }) => ({ rho, series: series(noiseRate), mean: 100 * testErrorRate })),
    paper: paper.filter((point) => rates.includes(point.series)),
  });
}

const at40 = 0.4;

/** At 40 % noise: the error at the best ρ and at ρ = 0. */
function summarize(rows: readonly Table8Row[]): ItemSummary {
  const ours = rows
    .filter(({ noiseRate }) => noiseRate === at40)
    .map(({ rho, testErrorRate }) => ({ rho, error: 100 * testErrorRate }));
  const printed = selectNumbers(paperNumbers("table-8"), { noiseRate: at40 });
  return {
    paper: `at 40 % noise: ${describeGrid(printed.map(({ rho, value }) => ({ rho: Number(rho), error: value })))}`,
    ours: describeGrid(ours),
    seeds: 1,
    claims: claimsOf(rows).filter(({ where }) => where === placeOf(at40)),
  };
}

function describeGrid(points: readonly { readonly rho: number; readonly error: number }[]): string {
  const best = points.reduce((a, b) => (b.error < a.error ? b : a));
  const plain = points.find(({ rho }) => rho === 0)!;
  return `${best.error.toFixed(1)} % error at ρ = ${best.rho}, ${plain.error.toFixed(1)} % at ρ = 0`;
}
