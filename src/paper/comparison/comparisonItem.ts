/** An item of the comparison's shape: plan, rows, claims, table, figure and summary all follow from its conditions. */
import { estimate, formatEstimate, formatSize, pairedDifference, type SeedMean } from "../../experiments/statistics";
import { countClaims, countOnce, verdictsOn, type Claim } from "../claims";
import type { Budget, ItemSummary, PaperItem } from "../item";
import { paperNumbers } from "../numbers";
import {
  comparisonPlan,
  comparisonResults,
  conditionName,
  describeComparison,
  errorsBySeed,
  type Comparison,
  type ConditionResult,
} from "./comparison";
import { comparisonFigure } from "./comparisonFigure";
import { comparisonTable } from "./comparisonTable";
import { comparisonPaperRows, paperRowName, printedErrors, standsFor, type PaperRow } from "./paperRows";

/** A table of this shape. */
export interface ComparisonItem extends PaperItem<ConditionResult> {
  /** What the item trains at this budget. */
  comparison(budget: Budget): Comparison;
}

/** Options of `comparisonItem`. */
export interface ComparisonOptions extends Pick<PaperItem, "id" | "recordsIn" | "title" | "claim"> {
  /** What the item trains at a budget. */
  readonly comparison: (budget: Budget) => Comparison;
  /** Default: `describeComparison`. */
  readonly describe?: (budget: Budget) => string;
  /** One of the paper's measures; default "testErrorRate". */
  readonly measure?: string;
  /** Another of the paper's measures, printed beside it. */
  readonly alsoMeasure?: string;
  /** Footnotes, besides the notes in data/paper. */
  readonly notes?: (budget: Budget) => readonly string[];
  /** The title of the item that counts a condition, for a condition that two items show; default: this one. */
  readonly countedIn?: (result: ConditionResult, budget: Budget) => string | undefined;
  /** Sentences after those that every such table has. */
  readonly remarks?: (results: readonly ConditionResult[]) => readonly string[];
}

/** The item of a table of this shape. */
export function comparisonItem(options: ComparisonOptions): ComparisonItem {
  const {
    comparison,
    measure,
    alsoMeasure,
    notes = () => [],
    countedIn = () => undefined,
    remarks = () => [],
    ...item
  } = options;
  const { describe = (budget: Budget) => describeComparison(comparison(budget)) } = options;
  const about = (budget: Budget) => ({ budget, comparison: comparison(budget), description: `${describe(budget)}.` });
  const papers = (of = measure) => comparisonPaperRows(paperNumbers(item.id), of);
  return {
    ...item,
    comparison,
    describe,
    plan: (budget, records) => comparisonPlan(comparison(budget), records),
    rows: (budget, records) => comparisonResults(comparison(budget), records),
    claims: comparisonClaims,
    remarks: (results) => [...remarkOnAll(results), ...remarks(results)],
    table: (results, budget) => {
      const printed = { title: item.title, papers: papers(), also: alsoMeasure ? papers(alsoMeasure) : [], notes: notes(budget) };
      return comparisonTable(results, { ...about(budget), ...printed, numbers: paperNumbers(item.id) });
    },
    figure: (results, budget) => comparisonFigure(results, { ...about(budget), title: titleOf(results), papers: papers() }),
    summary: (results, budget) => ({
      ...summarize(results, papers()),
      ...countOnce(results.map((result, i) => ({ claim: comparisonClaims(results)[i]!, countedIn: countedIn(result, budget) }))),
      seeds: comparison(budget).seeds,
    }),
  };
}

/** One claim for each condition. */
export function comparisonClaims(results: readonly ConditionResult[]): Claim[] {
  const verdicts = verdictsOn(results.map(({ gain }) => gain));
  return results.map((result, i) => ({
    statement: "SAM lowers the test error",
    where: conditionName(result.condition),
    verdict: verdicts[i]!,
    evidence: evidenceOf(result),
  }));
}

function evidenceOf(result: ConditionResult): string {
  const { condition, errors, baseline, gain, rho } = result;
  const against = describeGain(gain, estimate(errors[baseline]).mean);
  const than = baseline === "SGD" ? "SGD" : "SGD at twice the epochs";
  return `${conditionName(condition)}: SAM's error (ρ = ${rho}) is ${against} that of ${than}${atEqualEpochs(result)}.`;
}

// Added for a baseline that has twice as many.
function atEqualEpochs(result: ConditionResult): string {
  if (result.baseline === "SGD") return "";
  const gain = pairedDifference(errorsBySeed(result, "SGD"), errorsBySeed(result, "SAM"));
  return `, ${describeGain(gain, estimate(result.errors.SGD).mean)} that of SGD at the same epochs`;
}

// "0.59±0.10 points (12.9 %) below"
function describeGain(gain: SeedMean, baseline: number): string {
  const { mean } = gain;
  const points = formatSize(gain, { scale: 100 });
  const share = baseline > 0 ? ` (${((100 * Math.abs(mean)) / baseline).toFixed(1)} %)` : "";
  return `${points} points${share} ${mean < 0 ? "above" : "below"}`;
}

function remarkOnAll(results: readonly ConditionResult[]): string[] {
  if (results.length < 2) return [];
  const { yes, no } = countClaims(comparisonClaims(results));
  return [
    `SAM's mean error is lower in ${countLower(results)} of ${results.length} conditions: beyond the seeds' noise in ${yes}, and higher beyond it in ${no}.`,
  ];
}

/** In how many conditions SAM's mean error is lower, whether the seeds support it or not. */
function countLower(results: readonly ConditionResult[]): number {
  return results.filter(({ gain }) => gain.mean > 0).length;
}

function titleOf(results: readonly ConditionResult[]): string {
  const { yes } = countClaims(comparisonClaims(results));
  const [lower, total] = [countLower(results), results.length];
  if (lower === 0) return "Here SAM does not lower the test error";
  if (yes === total) return "SAM lowers the test error, in the paper and here";
  return `Here SAM's mean error is lower in ${lower} of ${total} conditions, beyond the seeds' noise in ${yes}`;
}

/** The first condition's errors beside the paper's row that it stands for, and in how many conditions SAM's are lower. */
function summarize(results: readonly ConditionResult[], papers: readonly PaperRow[]): Pick<ItemSummary, "paper" | "ours"> {
  const first = results[0]!;
  const paper = papers.find((each) => standsFor(first.condition, each))!;
  const printed = printedErrors(paper);
  const printedLower = papers.filter(({ sam, sgd }) => sam.value < sgd.value).length;
  const [sam, sgd] = [first.errors.SAM, first.errors[first.baseline]].map((errors) =>
    formatEstimate(estimate(errors), { scale: 100 }),
  );
  return {
    paper: `${paperRowName(paper)}: SAM ${printed.sam}, SGD ${printed.sgd} % error; SAM lower in ${printedLower} of ${papers.length}`,
    ours: `${conditionName(first.condition)}: SAM ${sam}, SGD ${sgd} % error; SAM lower in ${countLower(results)} of ${results.length}`,
  };
}
