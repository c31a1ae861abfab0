/** Tables 3 and 10, finetuning: paper beside ours, as tables and figures. */
import { conditionName, type ConditionResult } from "../comparison/comparison";
import { datasetFacts, type DatasetName } from "../../experiments/datasets";
import { largestBudget, type Budget } from "../item";
import { paperNumbers, selectNumbers, type PaperNumber } from "../numbers";
import type { RunRecord } from "../../experiments/records";
import { estimate, formatEstimate } from "../../experiments/statistics";
import { table3 } from "./table3";
import { table10, table10Rows, type Table10Row } from "./table10";
import { FIXED_RHO } from "../comparison/table9";
import { comparisonContent } from "../comparison/report";
import { dotIntervals, inPercent, type DotInterval } from "../../plots";
import type { ItemContent } from "../itemContent";
import { verdict, type ResultSummary } from "../readmeTable";
import { runFootnotes, type TableRow } from "../../tables";

const analog =
  "Ours stands beside the set of the paper that has about as many images a class; the networks and the images are others, so that the methods compare, not the errors";

/** The comparison's table, with the best that had been published before. */
export function table3Content(budget: Budget, records: readonly RunRecord[]): ItemContent {
  const { rows, table, figure } = comparisonContent(table3, { notes: [`${analog}.`] })(budget, records);
  const { paperSam, ...columns } = table.columns!;
  const before = ["model", "dataset", "paperSgd"].map((field) => [field, columns[field]!]);
  return {
    rows: rows.map((row) => ({ ...row, previous: previousBest(row) })),
    table: {
      ...table,
      columns: { ...Object.fromEntries(before), paperSam: paperSam!, previous: "paper · best before", ...columns },
    },
    figure,
  };
}

function previousBest({ model, dataset }: TableRow): string | undefined {
  const all = selectNumbers(paperNumbers("table-3"), { method: "previous best", model: String(model) });
  const found = all.find((number) => titleOf(number) === dataset);
  return found && `${found.value} (${found.by})`;
}

function titleOf({ dataset }: PaperNumber): string {
  return datasetFacts[dataset as DatasetName].title;
}

/** Error without SAM, at ρ = 0.05 and at the tuned ρ: the paper's sets, ours beside those that they stand for. */
export function table10Content(budget: Budget, records: readonly RunRecord[]): ItemContent {
  const numbers = paperNumbers("table-10");
  const ours = table10Rows(budget, records);
  const printed = selectNumbers(numbers, { method: "sgd" });
  return {
    rows: printed.map((number) => ({ ...paperCells(number), ...ourCells(ours.find((row) => standsFor(row, number))) })),
    table: {
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
        notes: [`${table10.describe(budget)}.`, `${analog}.`],
      }),
    },
    figure: table10Figure(budget, ours),
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

function ourCells(row: Table10Row | undefined): TableRow {
  if (!row) return {};
  const { condition, tuned, fixed } = row;
  const cell = (values: readonly number[]) => (values.length > 0 ? formatEstimate(estimate(values), { scale: 100 }) : undefined);
  return {
    condition: conditionName(condition),
    sgd: cell(fixed.errors.SGD),
    twice: cell(fixed.errors[TWICE]),
    fixed: cell(fixed.errors.SAM),
    tuned: cell(tuned.errors.SAM),
    rho: tuned.rho,
  };
}

function table10Figure(budget: Budget, ours: readonly Table10Row[]) {
  return dotIntervals({
    title: titleOfTable10(ours),
    subtitle: `Test error, mean and 95 % interval. Ours: ${table10.describe(budget)}.`,
    rows: [...ours.flatMap(paperPoints), ...ours.flatMap(ourPoints)],
  });
}

const series = { sgd: "no SAM", fixed: `SAM, ρ = ${FIXED_RHO}`, tuned: "SAM, tuned ρ" } as const;

function paperPoints({ condition }: Table10Row): DotInterval[] {
  const [number] = selectNumbers(paperNumbers("table-10"), { method: "sgd", dataset: String(condition.paper!.dataset) });
  const { paperSgd, paperFixed, paperTuned } = paperValues(number!);
  const place = { row: conditionName(condition), panel: "paper", label: titleOf(number!) };
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

function titleOfTable10(ours: readonly Table10Row[]): string {
  const lower = (results: readonly ConditionResult[]) => results.filter(({ gain }) => gain.mean > 0).length;
  const [fixed, tuned] = [lower(ours.map((row) => row.fixed)), lower(ours.map((row) => row.tuned))];
  const sets = `of ${ours.length} sets`;
  if (fixed === tuned) return `Here SAM's mean error is lower in ${fixed} ${sets}, at ρ = ${FIXED_RHO} and at the tuned ρ`;
  return `Here SAM's mean error is lower in ${fixed} ${sets} at ρ = ${FIXED_RHO}, in ${tuned} at the tuned ρ`;
}

/** The README's line: the smallest set of ours, and the paper's that it stands for. */
export function summarizeTable10(records: readonly RunRecord[]): ResultSummary | undefined {
  const budget = largestBudget(table10, records);
  if (!budget) return undefined;
  const ours = table10Rows(budget, records);
  const [first] = ours;
  const percent = (values: readonly number[]) => formatEstimate(estimate(values), { scale: 100 });
  const [number] = selectNumbers(paperNumbers("table-10"), { method: "sgd", dataset: String(first!.condition.paper!.dataset) });
  const { paperSgd, paperFixed, paperTuned } = paperCells(number!);
  const { fixed, tuned, condition } = first!;
  const verdicts = new Set(ours.map((row) => verdict(row.fixed.gain)));
  return {
    paper: `${titleOf(number!)}: ρ = ${FIXED_RHO} ${paperFixed}, tuned ${paperTuned}, no SAM ${paperSgd} % error`,
    ours: `${conditionName(condition)}: ρ = ${FIXED_RHO} ${percent(fixed.errors.SAM)}, tuned ${percent(tuned.errors.SAM)}, no SAM ${percent(fixed.errors[fixed.baseline])} % error`,
    budget,
    seeds: fixed.errors.SAM.length,
    agrees: verdicts.size === 1 ? [...verdicts][0]! : `by set: ${ours.map((row) => verdict(row.fixed.gain)).join("; ")}`,
  };
}
