/** A comparison as a table: every row of the paper, with ours beside those that a run of ours stands for, then ours that the paper lacks. */
import { estimate, formatEstimate } from "../../experiments/statistics";
import { runFootnotes, type TableRow } from "../../tables";
import { verdictNote, verdictsOn, type Verdict } from "../claims";
import type { Budget, ItemTable } from "../item";
import type { PaperNumbers } from "../numbers";
import { conditionName, seedCounts, type Comparison, type ConditionResult } from "./comparison";
import { printedErrors, standsFor, titleOfDataset, type PaperRow } from "./paperRows";

export interface ComparisonTableOptions {
  /** "Table 5". */
  readonly title: string;
  readonly budget: Budget;
  readonly comparison: Comparison;
  /** What was trained, one sentence. */
  readonly description: string;
  readonly numbers: PaperNumbers;
  readonly papers: readonly PaperRow[];
  /** Another of the paper's measures, in the same order; [] for none. */
  readonly also: readonly PaperRow[];
  readonly notes?: readonly string[];
}

/** The printed table. Its row field `verdict` is that of the condition's claim. */
export function comparisonTable(results: readonly ConditionResult[], options: ComparisonTableOptions): ItemTable {
  const { title, budget, comparison, description, numbers, notes = [] } = options;
  const rows = tableRows(withVerdicts(results), options);
  return {
    rows,
    title: `${title}: test error in per cent, the paper's rows and the runs of ours that stand for them`,
    columns: columnsOf(rows),
    strong: (row, field) => field === "sam" && row.verdict === "yes",
    footnotes: runFootnotes({
      budget,
      seeds: seedCounts(comparison),
      paperSpread: numbers.spread,
      notes: [
        description,
        boldNote(comparison),
        verdictNote,
        ...edgeNote(results),
        ...numbers.notes.map((note) => `paper: ${note}`),
        ...notes,
      ],
    }),
  };
}

function boldNote({ methods }: Comparison): string {
  const baseline = methods.includes("SGD, twice the epochs")
    ? "SGD at twice the epochs, which has as many gradients as SAM"
    : "SGD at the same epochs";
  return `bold: lower than ${baseline}, beyond the seeds' noise; "SGD − SAM" has the same baseline.`;
}

/** A warning if the best of the tried ρ has no neighbor on one side: a larger grid may have a better one. */
function edgeNote(results: readonly ConditionResult[]): string[] {
  const atEdge = results.filter(
    ({ condition: { rhos }, rho }) => rhos.length > 1 && [Math.min(...rhos), Math.max(...rhos)].includes(rho),
  );
  if (atEdge.length === 0) return [];
  const listed = atEdge.map(({ condition, rho }) => `${conditionName(condition)} (${rho})`);
  return [`The tuned ρ is at the edge of its grid for ${listed.join("; ")}.`];
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

// Without the columns that no row fills, such as epochs if the paper names none.
function columnsOf(rows: readonly TableRow[]): Record<string, string> {
  return Object.fromEntries(Object.entries(columns).filter(([field]) => rows.some((row) => row[field] !== undefined)));
}

type JudgedResult = ConditionResult & { readonly verdict: Verdict };

function withVerdicts(results: readonly ConditionResult[]): JudgedResult[] {
  const verdicts = verdictsOn(results.map(({ gain }) => gain));
  return results.map((result, i) => ({ ...result, verdict: verdicts[i]! }));
}

function tableRows(
  results: readonly JudgedResult[],
  { papers, also }: Pick<ComparisonTableOptions, "papers" | "also">,
): TableRow[] {
  const known = papers.flatMap((paper, i) => {
    const cells = { ...paperCells(paper), ...alsoCells(also[i]) };
    const ours = results.filter(({ condition }) => standsFor(condition, paper));
    return ours.length > 0 ? ours.map((result) => ({ ...cells, ...ourCells(result) })) : [cells];
  });
  const alone = results.filter(({ condition }) => !papers.some((paper) => standsFor(condition, paper)));
  return [...known, ...alone.map(ourCells)];
}

function paperCells(paper: PaperRow): TableRow {
  const { sgd, sam } = printedErrors(paper);
  return { ...paper.where, dataset: titleOfDataset(String(paper.where.dataset)), paperSgd: sgd, paperSam: sam };
}

function alsoCells(paper: PaperRow | undefined): TableRow {
  if (!paper) return {};
  const { sgd, sam } = printedErrors(paper);
  return { alsoSgd: sgd, alsoSam: sam };
}

function ourCells(result: JudgedResult): TableRow {
  const { condition, errors, bestErrors, rho, gain, tuned, verdict } = result;
  return {
    condition: conditionName(condition),
    sgd: errorCell(errors.SGD),
    twice: errorCell(errors["SGD, twice the epochs"]),
    sam: errorCell(errors.SAM),
    gain: formatEstimate(gain, { scale: 100 }),
    rho,
    ...(tuned ? { tuned: errorCell(tuned.errors.SAM), tunedRho: tuned.rho } : {}),
    sgdBest: errorCell(bestErrors.SGD),
    samBest: errorCell(bestErrors.SAM),
    verdict,
  };
}

/** "24.52±0.26", in per cent; undefined without values. */
export function errorCell(errors: readonly number[]): string | undefined {
  return errors.length > 0 ? formatEstimate(estimate(errors), { scale: 100 }) : undefined;
}
