/** Table 10: Table 3's finetuning of EfficientNet-b7 with ρ = 0.05 everywhere, beside the tuned ρ and no SAM. */
import { distinctRuns } from "../../experiments/plan";
import type { RunRecord } from "../../experiments/records";
import { estimate, formatEstimate, formatSize, pairedDifference, scaleMean, type SeedMean } from "../../experiments/statistics";
import { dotIntervals, type DotInterval, inPercent, type FigureSpec } from "../../plots";
import { runFootnotes, type TableRow } from "../../tables";
import { countOnce, verdictNote, verdictsOn, type Claim } from "../claims";
import {
  atRho,
  comparisonPlan,
  comparisonResults,
  conditionName,
  errorsBySeed,
  pairedResults,
  type Comparison,
  type Condition,
  type ConditionResult,
} from "../comparison/comparison";
import { errorCell } from "../comparison/comparisonTable";
import { titleOfDataset } from "../comparison/paperRows";
import { FIXED_RHO } from "../comparison/table9";
import type { Budget, ItemSummary, ItemTable, PaperItem } from "../item";
import { paperNumbers, selectNumbers, type PaperNumber } from "../numbers";
import { describeFinetuning, finetuneComparison, finetuningNotes } from "./table3";

/** Table 10: finetuning by ρ. */
export const table10: PaperItem<Table10Row> = {
  id: "table-10",
  recordsIn: "table-3",
  title: "Table 10",
  claim: "Finetuning with SAM at an untuned ρ = 0.05 still lowers the test error, if less than at the tuned ρ.",
  describe: describeFinetuning,
  plan: (budget, records) => {
    const { tuned, fixed } = comparisons(budget);
    return distinctRuns([...comparisonPlan(tuned, records), ...comparisonPlan(fixed, records)]);
  },
  rows: table10Rows,
  claims: claimsOf,
  table: tableOf,
  figure: figureOf,
  summary: summarize,
};

/** Table 3's conditions that Table 10 has: EfficientNet-b7 without ImageNet, and every one of ours. */
function comparisons(budget: Budget): { tuned: Comparison; fixed: Comparison } {
  const { conditions, ...rest } = finetuneComparison(budget);
  const here = conditions.filter(({ paper }) => paper?.model === "EfficientNet-b7" && paper.dataset !== "imagenet");
  const tuned = { ...rest, conditions: here };
  return { tuned, fixed: atRho(tuned, FIXED_RHO) };
}

/** One row of Table 10. */
export interface Table10Row {
  readonly condition: Condition;
  readonly tuned: ConditionResult;
  readonly fixed: ConditionResult;
}

/** The conditions that have records of every method, in the table's order. */
export function table10Rows(budget: Budget, records: readonly RunRecord[]): Table10Row[] {
  const { tuned, fixed } = comparisons(budget);
  const pairs = pairedResults(comparisonResults(fixed, records), comparisonResults(tuned, records));
  return pairs.map(({ result, other }) => ({ condition: result.condition, tuned: other, fixed: result }));
}

function claimsOf(rows: readonly Table10Row[]): Claim[] {
  const verdicts = verdictsOn(rows.map(({ fixed }) => fixed.gain));
  return rows.map((row, i) => ({
    statement: `SAM at ρ = ${FIXED_RHO} lowers the test error`,
    where: conditionName(row.condition),
    verdict: verdicts[i]!,
    evidence: evidenceOf(row),
  }));
}

function evidenceOf({ condition, tuned, fixed }: Table10Row): string {
  const name = conditionName(condition);
  const than = fixed.baseline === "SGD" ? "SGD" : "SGD at twice the epochs";
  const gain = `SAM at ρ = ${FIXED_RHO} has ${more(scaleMean(fixed.gain, -1))} than ${than}`;
  if (tuned.rho === FIXED_RHO) return `${name}: ${gain}; the tuned ρ is the same.`;
  const loss = pairedDifference(errorsBySeed(fixed, "SAM"), errorsBySeed(tuned, "SAM"));
  return `${name}: ${gain}, and ${more(loss)} than at the tuned ρ = ${tuned.rho} (${percent(fixed)} and ${percent(tuned)} %).`;
}

const percent = ({ errors }: ConditionResult) => formatEstimate(estimate(errors.SAM), { scale: 100 });

/** "1.11±1.93 points less error" */
function more(difference: SeedMean): string {
  return `${formatSize(difference, { scale: 100 })} points ${difference.mean > 0 ? "more" : "less"} error`;
}

/** Error without SAM, at ρ = 0.05 and at the tuned ρ: the paper's sets, with ours beside those that they stand for. */
function tableOf(ours: readonly Table10Row[], budget: Budget): ItemTable {
  const numbers = paperNumbers("table-10");
  const printed = selectNumbers(numbers, { method: "sgd" });
  return {
    rows: printed.map((number) => ({ ...paperCells(number), ...ourCells(ours.find((row) => standsFor(row, number))) })),
    title: "Table 10: test error in per cent after finetuning, without SAM, at ρ = 0.05 and at the tuned ρ",
    columns: {
      dataset: "data",
      paperSgd: "paper · no SAM",
      paperFixed: `paper · SAM, ρ = ${FIXED_RHO}`,
      paperTuned: "paper · SAM, tuned ρ",
      condition: "ours · run",
      sgd: "ours · SGD",
      ...(ours.some(({ fixed }) => fixed.errors[TWICE].length > 0) ? { twice: "ours · SGD, 2× epochs" } : {}),
      fixed: `ours · SAM, ρ = ${FIXED_RHO}`,
      tuned: "ours · SAM, tuned ρ",
      rho: "ours · tuned ρ",
    },
    footnotes: runFootnotes({
      budget,
      seeds: ours[0]?.fixed.errors.SAM.length ?? 0,
      paperSpread: numbers.spread,
      notes: [`${describeFinetuning(budget)}.`, verdictNote, ...finetuningNotes(budget)],
    }),
  };
}

const TWICE = "SGD, twice the epochs";

function standsFor({ condition }: Table10Row, { dataset }: PaperNumber): boolean {
  return condition.paper?.dataset === dataset;
}

function paperCells(number: PaperNumber): TableRow {
  const { paperFixed, paperTuned, paperSgd } = paperValues(number);
  const text = ({ value }: PaperNumber) => value.toFixed(2);
  return { dataset: titleOf(number), paperSgd: text(paperSgd), paperFixed: text(paperFixed), paperTuned: text(paperTuned) };
}

function paperValues(paperSgd: PaperNumber): Record<"paperSgd" | "paperFixed" | "paperTuned", PaperNumber> {
  const sam = (rho: string | number) =>
    selectNumbers(paperNumbers("table-10"), { method: "sam", rho, dataset: String(paperSgd.dataset) })[0]!;
  return { paperSgd, paperFixed: sam(FIXED_RHO), paperTuned: sam("tuned") };
}

function titleOf({ dataset }: PaperNumber): string {
  return titleOfDataset(String(dataset));
}

function ourCells(row: Table10Row | undefined): TableRow {
  if (!row) return {};
  const { condition, tuned, fixed } = row;
  return {
    condition: conditionName(condition),
    sgd: errorCell(fixed.errors.SGD),
    twice: errorCell(fixed.errors[TWICE]),
    fixed: errorCell(fixed.errors.SAM),
    tuned: errorCell(tuned.errors.SAM),
    rho: tuned.rho,
  };
}

function figureOf(ours: readonly Table10Row[], budget: Budget): FigureSpec {
  return dotIntervals({
    title: titleOfFigure(ours),
    subtitle: `Test error, mean and 95 % interval. Ours: ${describeFinetuning(budget)}.`,
    rows: [...ours.flatMap(paperPoints), ...ours.flatMap(ourPoints)],
  });
}

const series = { sgd: "no SAM", fixed: `SAM, ρ = ${FIXED_RHO}`, tuned: "SAM, tuned ρ" } as const;

/** The paper's number without SAM for the set that a condition stands for. */
function printedFor({ paper }: Condition): PaperNumber {
  return selectNumbers(paperNumbers("table-10"), { method: "sgd", dataset: String(paper!.dataset) })[0]!;
}

function paperPoints({ condition }: Table10Row): DotInterval[] {
  const number = printedFor(condition);
  const { paperSgd, paperFixed, paperTuned } = paperValues(number);
  const place = { row: conditionName(condition), panel: "paper", label: titleOf(number) };
  return [
    { ...place, series: series.sgd, mean: paperSgd.value },
    { ...place, series: series.fixed, mean: paperFixed.value },
    { ...place, series: series.tuned, mean: paperTuned.value },
  ];
}

function ourPoints({ condition, tuned, fixed }: Table10Row): DotInterval[] {
  const place = { row: conditionName(condition), panel: "ours" };
  return [
    { ...place, series: series.sgd, ...inPercent(estimate(fixed.errors[fixed.baseline])) },
    { ...place, series: series.fixed, ...inPercent(estimate(fixed.errors.SAM)) },
    { ...place, series: series.tuned, ...inPercent(estimate(tuned.errors.SAM)) },
  ];
}

function titleOfFigure(ours: readonly Table10Row[]): string {
  const lower = (results: readonly ConditionResult[]) => results.filter(({ gain }) => gain.mean > 0).length;
  const [fixed, tuned] = [lower(ours.map((row) => row.fixed)), lower(ours.map((row) => row.tuned))];
  const sets = `of ${ours.length} sets`;
  if (fixed === tuned) return `Here SAM's mean error is lower in ${fixed} ${sets}, at ρ = ${FIXED_RHO} and at the tuned ρ`;
  return `Here SAM's mean error is lower in ${fixed} ${sets} at ρ = ${FIXED_RHO}, in ${tuned} at the tuned ρ`;
}

/** The smallest set of ours, and the paper's that it stands for. */
function summarize(ours: readonly Table10Row[]): ItemSummary {
  const { condition, fixed, tuned } = ours[0]!;
  const number = printedFor(condition);
  const { paperSgd, paperFixed, paperTuned } = paperCells(number);
  const withoutSam = errorCell(fixed.errors[fixed.baseline]);
  return {
    paper: `${titleOf(number)}: ρ = ${FIXED_RHO} ${paperFixed}, tuned ${paperTuned}, no SAM ${paperSgd} % error`,
    ours: `${conditionName(condition)}: ρ = ${FIXED_RHO} ${percent(fixed)}, tuned ${percent(tuned)}, no SAM ${withoutSam} % error`,
    seeds: fixed.errors.SAM.length,
    ...countOnce(
      claimsOf(ours).map((claim, i) => ({ claim, countedIn: ours[i]!.tuned.rho === FIXED_RHO ? "Table 3" : undefined })),
    ),
  };
}
