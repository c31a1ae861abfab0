/** One line of the README for each table and figure: the paper's central numbers, ours, and whether the claim holds. */
import { figure1Left } from "./figure1Left";
import { figure1Surfaces, figure1SurfacesRows } from "./curvature/figure1Surfaces";
import { figureMemorization, lastRows, memorizationRows } from "./noise/figureMemorization";
import { figure3Spectra, figure3SpectraRows, lambdaMaxOf } from "./curvature/figure3Spectra";
import { factorBySeed } from "./curvature/flatness";
import { figure3Middle, figure3MiddleCurves, figure3MiddleRows } from "./ablations/figure3Middle";
import { largestBudget, recordsNames, type PaperItem } from "./item";
import { paperNumber, paperNumbers, selectNumbers } from "./numbers";
import type { RunRecord } from "../experiments/records";
import { estimate, estimateDifference, formatEstimate, type SeedMean } from "../experiments/statistics";
import { table1 } from "./comparison/table1";
import { table2 } from "./comparison/table2";
import { table10 } from "./finetuning/table10";
import { table3 } from "./finetuning/table3";
import { accuracies, bestRival, betterSgd, table4, table4Rows } from "./noise/table4";
import { table5 } from "./comparison/table5";
import { table6, table7 } from "./comparison/settingsTables";
import { bestRow, table8, table8Rows } from "./noise/table8";
import { table9 } from "./comparison/table9";
import { summarizeComparison } from "./comparison/report";
import { summarizeFigure1Left } from "./figure1LeftReport";
import { summarizeTable10 } from "./finetuning/reports";
import { summarizeSettings } from "./comparison/settingsReport";
import { verdict, type ReadmeItem, type ResultSummary } from "./readmeTable";

const percent = (values: readonly number[]) => formatEstimate(estimate(values), { scale: 100 });

interface Best {
  readonly m: number;
  readonly rho: number;
  readonly error: number;
}

/** The lowest error of the smallest and of the largest m, and where it is. */
function summarizeFigure3Middle(records: readonly RunRecord[]): ResultSummary | undefined {
  const budget = largestBudget(figure3Middle, records);
  if (!budget) return undefined;
  const rows = figure3MiddleRows(budget, records);
  const withSam = figure3MiddleCurves(budget, records).filter(({ rho }) => rho > 0);
  const curves = withSam.map(({ m, rho, mean }) => ({ m, rho, error: 100 * mean }));
  const numbers = selectNumbers(paperNumbers("figure-3"), { panel: "middle" });
  const printed = numbers.map(({ m, rho, value }) => ({ m: Number(m), rho: Number(rho), error: value }));
  const ours = extremes(curves);
  const errorsAt = ({ m, rho }: Pick<Best, "m" | "rho">) =>
    rows.filter((row) => row.rho === rho && row.m === m).map((row) => row.testErrorRate);
  const [small, large] = ours.map(errorsAt) as [number[], number[]];
  return {
    paper: extremes(printed).map(describeBest).join("; "),
    ours: ours.map((best) => describeOurBest(best, errorsAt)).join("; "),
    budget,
    seeds: small.length,
    agrees: verdict(estimateDifference(large, small)),
  };
}

function extremes(points: readonly Best[]): [Best, Best] {
  const ms = points.map(({ m }) => m);
  const best = (m: number) => points.filter((point) => point.m === m).reduce((a, b) => (b.error < a.error ? b : a));
  return [best(Math.min(...ms)), best(Math.max(...ms))];
}

function describeBest({ m, rho, error, text = error.toFixed(2) }: Best & { text?: string }): string {
  return `m = ${m}: ${text} % at ρ = ${rho}`;
}

function describeOurBest(best: Best, errorsAt: (best: Pick<Best, "m" | "rho">) => number[]): string {
  const without = percent(errorsAt({ m: best.m, rho: 0 }));
  return `${describeBest({ ...best, text: percent(errorsAt(best)) })} (${without} without SAM)`;
}

/** λmax at the end of training. */
function summarizeFigure3Spectra(records: readonly RunRecord[]): ResultSummary | undefined {
  const budget = largestBudget(figure3Spectra, records);
  if (!budget) return undefined;
  const rows = figure3SpectraRows(budget, records);
  const last = Math.max(...rows.map(({ epoch }) => epoch));
  const atEnd = rows.filter(({ epoch }) => epoch === last);
  const lambdas = (method: string) => atEnd.filter((row) => row.method === method).map(lambdaMaxOf);
  const [sgd, sam] = ["SGD", "SAM"].map(lambdas);
  const printed = (method: string) => {
    const where = { panel: "left", measure: "lambdaMax", method, epoch: 300 };
    return paperNumber(paperNumbers("figure-3"), where).value.toFixed(1);
  };
  const text = (values: readonly number[]) => formatEstimate(estimate(values), { decimals: 1 });
  return {
    paper: `λmax: SAM ${printed("sam")}, SGD ${printed("sgd")}`,
    ours: `λmax: SAM ${text(sam!)}, SGD ${text(sgd!)}`,
    budget,
    seeds: sam!.length,
    agrees: factorAgrees(factorBySeed(atEnd, lambdaMaxOf)),
  };
}

/** Mean rise of the training loss around the solution. */
function summarizeFigure1Surfaces(records: readonly RunRecord[]): ResultSummary | undefined {
  const budget = largestBudget(figure1Surfaces, records);
  if (!budget) return undefined;
  const rows = figure1SurfacesRows(budget, records);
  const [sgd, sam] = ["SGD", "SAM"].map((method) => rows.filter((row) => row.method === method).map(({ meanRise }) => meanRise));
  const text = (values: readonly number[]) => formatEstimate(estimate(values), { decimals: 2 });
  const factor = factorBySeed(rows, (row) => row.meanRise);
  const times = `${formatEstimate(factor, { decimals: 1 })} times, seed by seed`;
  return {
    paper: "a picture: SAM's basin is wider",
    ours: `mean rise of the loss: SAM ${text(sam!)}, SGD ${text(sgd!)} (${times})`,
    budget,
    seeds: sam!.length,
    agrees: factorAgrees(factor),
  };
}

// A factor of 1 is no difference.
function factorAgrees(factor: SeedMean): string {
  return verdict({ ...factor, mean: factor.mean - 1 });
}

const at40 = 0.4;

/** At 40 % noise, after the last epoch: against the better SGD, and against the paper's other methods. */
function summarizeTable4(records: readonly RunRecord[]): ResultSummary | undefined {
  const budget = largestBudget(table4, records);
  if (!budget) return undefined;
  const rows = table4Rows(budget, records);
  const sam = accuracies(rows, { method: "SAM", noiseRate: at40 });
  const sgd = betterSgd(rows, at40);
  const printed = (method: string) => paperNumber(paperNumbers("table-4"), { method, noiseRate: at40 }).value.toFixed(1);
  const [name, best] = bestRival(rows, at40);
  return {
    paper: `at 40 % noise: SAM ${printed("sam")}, SGD ${printed("sgd")}, M-correction ${printed("M-correction")} % accuracy`,
    ours: `SAM ${percent(sam)}, SGD ${percent(sgd)}, ${name} ${percent(best)} % accuracy`,
    budget,
    seeds: sam.length,
    agrees: `against SGD: ${verdict(estimateDifference(sam, sgd))}; against methods made for noise: ${verdict(estimateDifference(sam, best))}`,
  };
}

/** At 40 % noise, one seed. */
function summarizeTable8(records: readonly RunRecord[]): ResultSummary | undefined {
  const budget = largestBudget(table8, records);
  if (!budget) return undefined;
  const rows = table8Rows(budget, records).filter(({ noiseRate }) => noiseRate === at40);
  const ours = rows.map(({ rho, testErrorRate }) => ({ rho, error: 100 * testErrorRate }));
  const printed = selectNumbers(paperNumbers("table-8"), { noiseRate: at40 }).map(({ rho, value }) => ({
    rho: Number(rho),
    error: value,
  }));
  const best = bestRow(rows, at40)!;
  const plain = rows.find(({ rho }) => rho === 0)!;
  return {
    paper: `at 40 % noise: ${describeGrid(printed)}`,
    ours: describeGrid(ours),
    budget,
    seeds: 1,
    agrees: verdict({ mean: plain.testErrorRate - best.testErrorRate, n: 1 }),
  };
}

function describeGrid(points: readonly { readonly rho: number; readonly error: number }[]): string {
  const best = points.reduce((a, b) => (b.error < a.error ? b : a));
  const plain = points.find(({ rho }) => rho === 0)!;
  return `${best.error.toFixed(1)} % error at ρ = ${best.rho}, ${plain.error.toFixed(1)} % at ρ = 0`;
}

/** Flipped labels that are fitted after the last epoch, at 40 % noise. */
function summarizeMemorization(records: readonly RunRecord[]): ResultSummary | undefined {
  const budget = largestBudget(figureMemorization, records);
  if (!budget) return undefined;
  const last = lastRows(memorizationRows(budget, records)).filter(({ noiseRate }) => noiseRate === at40);
  const fitted = (method: string) => last.filter((row) => row.method === method).map((row) => row.flippedFitted ?? 0);
  const [sgd, sam] = ["SGD", "SAM"].map(fitted);
  return {
    paper: "no such figure",
    ours: `flipped labels fitted at 40 % noise: SAM ${percent(sam!)}, SGD ${percent(sgd!)} %`,
    budget,
    seeds: sam!.length,
    agrees: verdict(estimateDifference(sgd!, sam!)),
  };
}

/** What the README's table lists, in the paper's order. */
export const readmeItems: readonly ReadmeItem[] = [
  readmeItem(table1, summarizeComparison(table1)),
  readmeItem(table2, summarizeComparison(table2, "top1ErrorRate")),
  readmeItem(table3, summarizeComparison(table3)),
  readmeItem(table4, summarizeTable4),
  readmeItem(table5, summarizeComparison(table5)),
  readmeItem(table6, () => summarizeSettings(table6)),
  readmeItem(table7, () => summarizeSettings(table7)),
  readmeItem(table8, summarizeTable8),
  readmeItem(table9, summarizeComparison(table9)),
  readmeItem(table10, summarizeTable10),
  readmeItem(figure1Left, summarizeFigure1Left),
  readmeItem(figure1Surfaces, summarizeFigure1Surfaces),
  readmeItem(figure3Spectra, summarizeFigure3Spectra),
  readmeItem(figure3Middle, summarizeFigure3Middle),
  readmeItem(figureMemorization, summarizeMemorization),
];

function readmeItem(item: PaperItem, summary: ReadmeItem["summary"]): ReadmeItem {
  return { id: item.id, title: item.title, records: recordsNames(item), summary };
}
