/** Figure 7: the rise of the batch error that 1, 2, 3 and 5 projected ascent steps find, along training with as many. */
import { datasetFacts, type DatasetName } from "../../experiments/datasets";
import { estimate, formatEstimate, pairedDifference, type SeedValue } from "../../experiments/statistics";
import { learningCurves, type CurvePoint, type FigureSpec } from "../../plots";
import { runFootnotes, type TableRow } from "../../tables";
import { verdictsOn, type Claim } from "../claims";
import type { Budget, ItemSummary, ItemTable, PaperItem } from "../item";
import { paperNumbers, selectNumbers } from "../numbers";
import { atEnd, bySeed, meanCurves, stretch } from "./alongTraining";
import { ascentNotes, ascentRows, ascentRuns, datasetsOf, describeAscentRuns, stepCounts, type AscentRow } from "./ascentRuns";

/** Figure 7: rise of the batch error by number of ascent steps. */
export const figure7: PaperItem<AscentRow> = {
  id: "figure-7",
  title: "Figure 7",
  recordsIn: "table-11",
  claim: "One ascent step is a good maximizer for most of training and a poor one near convergence.",
  describe: describeAscentRuns,
  plan: (budget) => ascentRuns(budget),
  rows: ascentRows,
  claims: claimsOf,
  table: tableOf,
  figure: figureOf,
  summary: summarize,
};

const [fewest, most] = [stepCounts[0], stepCounts[stepCounts.length - 1]!];

/** What the most steps find beyond one over a stretch of training, seed by seed. */
function excessBySeed(rows: readonly AscentRow[], part: { from: number; to: number }): SeedValue[] {
  const here = stretch(rows, part);
  const found = (count: number) => bySeed(here.filter(({ ascentSteps }) => ascentSteps === count), ({ sharpness }) => sharpness); // prettier-ignore
  const one = new Map(found(fewest).map(({ seed, value }) => [seed, value]));
  return found(most).flatMap(({ seed, value }) => (one.has(seed) ? [{ seed, value: value - one.get(seed)! }] : []));
}

interface Growth {
  readonly dataset: string;
  readonly early: readonly SeedValue[];
  readonly late: readonly SeedValue[];
}

/** The first half of training and the last quarter; fixed before the runs. */
function growths(rows: readonly AscentRow[]): Growth[] {
  return datasetsOf(rows).flatMap((dataset) => {
    const own = rows.filter((row) => row.dataset === dataset);
    const [early, late] = [excessBySeed(own, { from: 0, to: 0.5 }), excessBySeed(own, { from: 0.75, to: 1 })];
    return early.length > 0 && late.length > 0 ? [{ dataset, early, late }] : [];
  });
}

const points = (values: readonly SeedValue[]) => formatEstimate(estimate(values.map(({ value }) => value)), { scale: 100 });

function claimsOf(rows: readonly AscentRow[]): Claim[] {
  const grown = growths(rows);
  const verdicts = verdictsOn(grown.map(({ early, late }) => pairedDifference(late, early)));
  return grown.map(({ dataset, early, late }, i) => ({
    statement: `${most} steps find more beyond one step near convergence than before`,
    ...(grown.length > 1 ? { where: `on ${titleOfDataset(dataset)}` } : {}),
    verdict: verdicts[i]!,
    evidence:
      `On ${titleOfDataset(dataset)} ${most} ascent steps find ${points(early)} points more batch error than one ` +
      `in the first half of training, and ${points(late)} in the last quarter.`,
  }));
}

function titleOfDataset(name: string): string {
  return datasetFacts[name as DatasetName].title;
}

function tableOf(rows: readonly AscentRow[], budget: Budget): ItemTable {
  const numbers = paperNumbers("figure-7");
  const ours = datasetsOf(rows).flatMap((dataset) => ourRows(rows.filter((row) => row.dataset === dataset)));
  return {
    rows: [...paperRows(), ...ours],
    title: "Figure 7: rise of the batch error in percentage points, by number of ascent steps",
    columns: {
      ...{ source: "source", dataset: "data", step: "update" },
      ...Object.fromEntries(stepCounts.map((count) => [`steps${count}`, `${count} step${count === 1 ? "" : "s"}`])),
    },
    footnotes: runFootnotes({
      budget,
      seeds: new Set(rows.map(({ seed }) => seed)).size,
      paperSpread: numbers.spread,
      notes: [
        `${describeAscentRuns(budget)}.`,
        ...ascentNotes(budget),
        "Paper: WideResNet. Each run is measured by as many steps as it trains with.",
      ],
    }),
  };
}

function paperRows(): TableRow[] {
  const numbers = paperNumbers("figure-7");
  return ["cifar-10", "cifar-100"].flatMap((dataset) =>
    [1000, 10_000, 20_000, 30_000, 39_001].map((step) => ({
      ...{ source: "paper", dataset: titleOfDataset(dataset), step },
      ...Object.fromEntries(
        stepCounts.map((ascentSteps) => {
          const [number] = selectNumbers(numbers, { dataset, ascentSteps, step });
          return [`steps${ascentSteps}`, number && (100 * number.value).toFixed(2)];
        }),
      ),
    })),
  );
}

function ourRows(rows: readonly AscentRow[]): TableRow[] {
  const updates = [...new Set(rows.map(({ step }) => step))].sort((a, b) => a - b);
  const shown = [...new Set([0, 1, 2, 3, 4].map((i) => updates[Math.round((i * (updates.length - 1)) / 4)]!))];
  return shown.map((step) => ({
    ...{ source: "ours", dataset: titleOfDataset(rows[0]!.dataset), step },
    ...Object.fromEntries(
      stepCounts.map((count) => {
        const found = rows.filter((row) => row.step === step && row.ascentSteps === count).map(({ sharpness }) => sharpness);
        return [`steps${count}`, found.length > 0 ? formatEstimate(estimate(found), { scale: 100 }) : undefined];
      }),
    ),
  }));
}

function figureOf(rows: readonly AscentRow[], budget: Budget): FigureSpec {
  const ours = rows.map(({ step, ascentSteps, dataset, sharpness }) => ({
    ...{ x: step, series: String(ascentSteps), panel: panelOf("ours", dataset), value: 100 * sharpness },
  }));
  return learningCurves({
    title: titleOf(rows),
    subtitle: `Batch error at w + ε minus that at w, by number of ascent steps. Paper: WideResNet. Ours: ${describeAscentRuns(budget)}.`,
    rows: [...paperCurves(), ...meanCurves(ours)],
    xTitle: "update",
    yTitle: "found rise of the error (points)",
    seriesTitle: "ascent steps",
    ordered: true,
    independentY: true,
  });
}

const panelOf = (source: string, dataset: string) => `${source}, ${titleOfDataset(dataset)}`;

function paperCurves(): CurvePoint[] {
  return paperNumbers("figure-7").rows.map(({ dataset, ascentSteps, step, value }) => ({
    ...{ x: Number(step), series: String(ascentSteps), panel: panelOf("paper", String(dataset)), mean: 100 * value },
  }));
}

function titleOf(rows: readonly AscentRow[]): string {
  const verdicts = new Set(claimsOf(rows).map(({ verdict }) => verdict));
  const [only] = verdicts;
  if (verdicts.size > 1) return "What several ascent steps find beyond one, along training";
  if (only === "yes") return "One ascent step finds most of the rise at first, and falls behind near convergence";
  if (only === "no") return "Here one ascent step falls behind early, and less so near convergence";
  if (only === "one seed") return "One seed: the rise that 1, 2, 3 and 5 ascent steps find";
  return "These seeds do not decide whether one ascent step falls behind near convergence";
}

/** The rise that one step and that the most steps find at the end. */
function summarize(rows: readonly AscentRow[]): ItemSummary {
  const [dataset] = datasetsOf(rows);
  const end = atEnd(rows.filter((row) => row.dataset === dataset));
  const found = (count: number) => bySeed(end.filter(({ ascentSteps }) => ascentSteps === count), ({ sharpness }) => sharpness); // prettier-ignore
  return {
    paper: `CIFAR-10, at the end: ${fewest} step finds 0.16, ${most} steps 2.26 points`,
    ours: `at the end: ${fewest} step finds ${points(found(fewest))}, ${most} steps ${points(found(most))} points`,
    seeds: found(fewest).length,
    claims: claimsOf(rows),
  };
}
