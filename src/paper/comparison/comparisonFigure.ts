/** A comparison as a picture: the paper's errors and ours, a dot with its interval for each method and condition. */
import { estimate } from "../../experiments/statistics";
import { dotIntervals, type DotInterval, type IntervalPoint, inPercent, type FigureSpec } from "../../plots";
import type { PaperNumber } from "../numbers";
import { comparisonMethods, conditionName, type ComparisonMethod, type ConditionResult } from "./comparison";
import { paperRowName, standsFor, type PaperRow } from "./paperRows";

export interface ComparisonFigureOptions {
  readonly title: string;
  /** What was trained, one sentence. */
  readonly description: string;
  readonly papers: readonly PaperRow[];
}

export function comparisonFigure(
  results: readonly ConditionResult[],
  { title, description, papers }: ComparisonFigureOptions,
): FigureSpec {
  return dotIntervals({
    title,
    subtitle: `Test error, mean and 95 % interval. Ours: ${description}`,
    rows: inOrderOfMethods(results.flatMap((result) => [...paperPoints(result, papers), ...ourPoints(result)])),
  });
}

function paperPoints({ condition }: ConditionResult, papers: readonly PaperRow[]): DotInterval[] {
  const paper = papers.find((each) => standsFor(condition, each));
  if (!paper) return [];
  const place = { row: conditionName(condition), panel: "paper", label: paperRowName(paper) };
  return [
    { ...place, series: "SGD", ...paperPoint(paper.sgd) },
    { ...place, series: "SAM", ...paperPoint(paper.sam) },
  ];
}

function paperPoint({ value, interval }: PaperNumber): IntervalPoint {
  return { mean: value, ...(interval === undefined ? {} : { interval }) };
}

function ourPoints({ condition, errors }: ConditionResult): DotInterval[] {
  const trained = Object.entries(errors).filter(([, values]) => values.length > 0);
  const place = { row: conditionName(condition), panel: "ours" };
  return trained.map(([method, values]) => ({ ...place, series: method, ...inPercent(estimate(values)) }));
}

// The legend then lists the methods as the table does.
function inOrderOfMethods(points: readonly DotInterval[]): DotInterval[] {
  const place = ({ series }: DotInterval) => comparisonMethods.indexOf(series as ComparisonMethod);
  return [...points].sort((a, b) => place(a) - place(b));
}
