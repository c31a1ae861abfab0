/** Tables 1, 2, 5 and 9 as a table of every row of the paper, with ours beside those that a run of ours stands for, and as a picture of both. */
import {
  comparisonMethods,
  comparisonResults,
  conditionName,
  countVerdicts,
  seedCounts,
  verdictOf,
  type Comparison,
  type ComparisonItem,
  type ComparisonMethod,
  type ConditionResult,
} from "./comparison";
import { largestBudget, type Budget } from "../item";
import { paperNumbers, type PaperNumber } from "../numbers";
import { comparisonPaperRows, paperRowName, titleOfDataset, type PaperRow } from "./paperRows";
import type { RunRecord } from "../../experiments/records";
import { estimate, formatEstimate } from "../../experiments/statistics";
import { dotIntervals, inPercent, type DotInterval, type IntervalPoint } from "../../plots";
import type { ItemContent, MakeContent } from "../itemContent";
import { countsInWords, type ResultSummary } from "../readmeTable";
import { runFootnotes, type TableOptions, type TableRow } from "../../tables";

export interface ComparisonReportOptions {
  /** Which of the paper's measures; default "testErrorRate". */
  readonly measure?: string;
  /** Another of the paper's measures, printed beside it. */
  readonly alsoMeasure?: string;
  /** Results of the same conditions at the tuned ρ, printed in a column of their own. */
  readonly beside?: (budget: Budget, records: readonly RunRecord[]) => readonly ConditionResult[];
  /** Printed below the table, besides what data/paper notes. */
  readonly notes?: readonly string[];
}

/** Table and figure of such an item. */
export function comparisonContent(item: ComparisonItem, options: ComparisonReportOptions = {}): MakeContent {
  return (budget, records) => contentOf(item, { budget, records, ...options });
}

interface Parts extends ComparisonReportOptions {
  readonly budget: Budget;
  readonly records: readonly RunRecord[];
}

function contentOf(item: ComparisonItem, { budget, records, measure, alsoMeasure, beside, notes = [] }: Parts): ItemContent {
  const numbers = paperNumbers(item.id);
  const papers = comparisonPaperRows(numbers, measure);
  const also = alsoMeasure ? comparisonPaperRows(numbers, alsoMeasure) : [];
  const results = comparisonResults(item.comparison(budget), records);
  const tuned = beside?.(budget, records) ?? [];
  const rows = tableRows(papers, results, also).map((row) => ({ ...row, ...tunedCells(row, tuned) }));
  const title = `${item.title}: test error in per cent, the paper's rows and the runs of ours that stand for them`;
  const footnotes = runFootnotes({
    budget,
    seeds: seedCounts(item.comparison(budget)),
    paperSpread: numbers.spread,
    notes: [
      `${item.describe(budget)}.`,
      boldNote(item.comparison(budget)),
      ...numbers.notes.map((note) => `paper: ${note}`),
      ...notes,
    ],
  });
  const table: TableOptions = { title, columns: columnsOf(rows), footnotes, strong: isStrong };
  const figure = dotIntervals({
    title: titleOf(results),
    subtitle: `Test error, mean and 95 % interval. Ours: ${item.describe(budget)}.`,
    rows: inOrderOfMethods(results.flatMap((result) => pointsOf(result, papers))),
  });
  return { rows, table, figure };
}

function boldNote({ methods }: Comparison): string {
  const baseline = methods.includes("SGD, twice the epochs")
    ? "the better of SGD and SGD at twice the epochs"
    : "SGD at the same epochs";
  return `bold: lower than ${baseline}, beyond the seeds' noise (Welch's interval); "SGD − SAM" has the same baseline.`;
}

function isStrong(row: TableRow, field: string): boolean {
  return field === "sam" && row.verdict === "better";
}

const columns = {
  model: "network",
  epochs: "epochs",
  dataset: "data",
  augmentation: "augmentation",
  paperSgd: "paper · SGD",
  paperSam: "paper · SAM",
  alsoSgd: "paper, top-5 · SGD",
  alsoSam: "paper, top-5 · SAM",
  condition: "ours · run",
  sgd: "ours · SGD",
  twice: "ours · SGD, 2× epochs",
  sam: "ours · SAM",
  gain: "ours · SGD − SAM",
  rho: "ours · SAM's ρ",
  tuned: "ours, tuned ρ · SAM",
  tunedRho: "ours, tuned ρ · ρ",
  sgdBest: "ours, best epoch · SGD",
  samBest: "ours, best epoch · SAM",
} as const;

// A column that no row fills, such as epochs where the paper names none, is left out.
function columnsOf(rows: readonly TableRow[]): Record<string, string> {
  return Object.fromEntries(Object.entries(columns).filter(([field]) => rows.some((row) => row[field] !== undefined)));
}

function tableRows(papers: readonly PaperRow[], results: readonly ConditionResult[], also: readonly PaperRow[]): TableRow[] {
  const known = papers.flatMap((paper, i) => {
    const cells = { ...paperCells(paper), ...(also[i] ? alsoCells(also[i]!) : {}) };
    const ours = results.filter((result) => standsFor(result, paper));
    return ours.length > 0 ? ours.map((result) => ({ ...cells, ...ourCells(result) })) : [cells];
  });
  const alone = results.filter((result) => !papers.some((paper) => standsFor(result, paper)));
  return [...known, ...alone.map(ourCells)];
}

function tunedCells(row: TableRow, tuned: readonly ConditionResult[]): TableRow {
  const found = tuned.find(({ condition }) => conditionName(condition) === row.condition);
  return found ? { tuned: formatEstimate(estimate(found.errors.SAM), { scale: 100 }), tunedRho: found.rho } : {};
}

function standsFor({ condition }: ConditionResult, { where }: PaperRow): boolean {
  const named = Object.entries(condition.paper ?? {});
  return named.length > 0 && named.every(([field, value]) => where[field] === value);
}

function paperCells({ where, sgd, sam, decimals }: PaperRow): TableRow {
  const [paperSgd, paperSam] = [sgd, sam].map((number) => printed(number, decimals));
  return { ...where, dataset: titleOfDataset(String(where.dataset)), paperSgd, paperSam };
}

function alsoCells({ sgd, sam, decimals }: PaperRow): TableRow {
  return { alsoSgd: printed(sgd, decimals), alsoSam: printed(sam, decimals) };
}

function ourCells(result: ConditionResult): TableRow {
  const { condition, errors, bestErrors, rho, gain } = result;
  const cell = (values: readonly number[]) => (values.length > 0 ? formatEstimate(estimate(values), { scale: 100 }) : undefined);
  return {
    condition: conditionName(condition),
    sgd: cell(errors.SGD),
    twice: cell(errors["SGD, twice the epochs"]),
    sam: cell(errors.SAM),
    gain: formatEstimate(gain, { scale: 100 }),
    rho,
    sgdBest: cell(bestErrors.SGD),
    samBest: cell(bestErrors.SAM),
    verdict: verdictOf(result),
  };
}

function printed({ value, interval, bound }: PaperNumber, decimals: number): string {
  return formatEstimate({ mean: value, interval, bound }, { decimals });
}

function pointsOf(result: ConditionResult, papers: readonly PaperRow[]): DotInterval[] {
  const row = conditionName(result.condition);
  const paper = papers.find((each) => standsFor(result, each));
  const ours = Object.entries(result.errors).filter(([, values]) => values.length > 0);
  const panel = { row, panel: "ours" };
  const theirs = paper ? { row, panel: "paper", label: paperRowName(paper) } : undefined;
  return [
    ...(theirs && paper ? [{ ...theirs, series: "SGD", ...paperPoint(paper.sgd) }, { ...theirs, series: "SAM", ...paperPoint(paper.sam) }] : []),
    ...ours.map(([method, values]) => ({ ...panel, series: method, ...inPercent(estimate(values)) })),
  ]; // prettier-ignore
}

// So that the legend lists them as the table does.
function inOrderOfMethods(points: readonly DotInterval[]): DotInterval[] {
  const place = ({ series }: DotInterval) => comparisonMethods.indexOf(series as ComparisonMethod);
  return [...points].sort((a, b) => place(a) - place(b));
}

function paperPoint({ value, interval }: PaperNumber): IntervalPoint {
  return { mean: value, ...(interval === undefined ? {} : { interval }) };
}

function titleOf(results: readonly ConditionResult[]): string {
  const { total, lower, better } = countVerdicts(results);
  if (lower === 0) return "Here SAM does not lower the test error";
  if (better === total) return "SAM lowers the test error, in the paper and here";
  return `Here SAM's mean error is lower in ${lower} of ${total} conditions, beyond the seeds' noise in ${better}`;
}

/** The README's line: the first condition's errors, and in how many conditions SAM's are lower. */
export function summarizeComparison(
  item: ComparisonItem,
  measure?: string,
): (records: readonly RunRecord[]) => ResultSummary | undefined {
  return (records) => {
    const budget = largestBudget(item, records);
    if (!budget) return undefined;
    const { seeds } = item.comparison(budget);
    const results = comparisonResults(item.comparison(budget), records);
    const papers = comparisonPaperRows(paperNumbers(item.id), measure);
    const [first] = results;
    const paper = papers.find((each) => standsFor(first!, each));
    return { paper: summarizePaper(papers, paper!), ours: summarizeOurs(results), budget, seeds, agrees: agreement(results) };
  };
}

function summarizePaper(papers: readonly PaperRow[], paper: PaperRow): string {
  const lower = papers.filter(({ sam, sgd }) => sam.value < sgd.value).length;
  const { paperSam, paperSgd } = paperCells(paper);
  return `${paperRowName(paper)}: SAM ${paperSam}, SGD ${paperSgd} % error; SAM lower in ${lower} of ${papers.length}`;
}

function summarizeOurs(results: readonly ConditionResult[]): string {
  const { condition, errors, baseline } = results[0]!;
  const [sam, sgd] = [errors.SAM, errors[baseline]].map((values) => formatEstimate(estimate(values), { scale: 100 }));
  const { lower, total } = countVerdicts(results);
  return `${conditionName(condition)}: SAM ${sam}, SGD ${sgd} % error; SAM lower in ${lower} of ${total}`;
}

function agreement(results: readonly ConditionResult[]): string {
  const { total, better, worse } = countVerdicts(results);
  if (better === total) return "yes";
  if (worse === total) return "no";
  if (better + worse === 0) return results.every(({ gain }) => gain.mean > 0) ? "in the mean, within noise" : "undecided";
  return countsInWords({ better, worse, total });
}
