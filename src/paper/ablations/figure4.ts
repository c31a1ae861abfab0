/** Figure 4: error at w + ε̂ and test error along training, for SAM without and with its second-order term. */
import { estimate, formatEstimate, formatSize, pairedDifference } from "../../experiments/statistics";
import { learningCurves, type CurvePoint, type FigureSpec } from "../../plots";
import { runFootnotes, type TableRow } from "../../tables";
import { verdictOn, type Claim } from "../claims";
import type { Budget, ItemSummary, ItemTable, PaperItem } from "../item";
import { paperNumbers, selectNumbers } from "../numbers";
import { atEnd, bySeed, meanCurves } from "./alongTraining";
import { describeOrderRuns, orderNames, orderNotes, orderRows, orderRuns, orders, type Order, type OrderRow } from "./orderRuns";

/** Figure 4: test error with and without the second-order term. */
export const figure4: PaperItem<OrderRow> = {
  id: "figure-4",
  title: "Figure 4",
  claim: "Dropping the second-order term does no harm: first-order SAM ends with the lower test error.",
  describe: describeOrderRuns,
  plan: (budget) => orderRuns(budget),
  rows: orderRows,
  claims: claimsOf,
  remarks: remarksOf,
  table: tableOf,
  figure: figureOf,
  summary: summarize,
};

type Measure = "perturbedErrorRate" | "testErrorRate";

/** The name of each measure in the paper's file, and in the figure's legend. */
const measures: Readonly<Record<Measure, { readonly paper: string; readonly style: string }>> = {
  perturbedErrorRate: { paper: "perturbedTrainErrorRate", style: "training batches, at w + ε̂" },
  testErrorRate: { paper: "testErrorRate", style: "test images, at w" },
};

/** Second-order minus first-order at the end of training, seed by seed; undefined while one has no record. */
function lead(rows: readonly OrderRow[], measure: Measure) {
  const [first, second] = orders.map((order) => endOf(rows, order).map((row) => ({ seed: row.seed, value: row[measure] })));
  return first!.length > 0 && second!.length > 0 ? pairedDifference(second!, first!) : undefined;
}

function endOf(rows: readonly OrderRow[], order: Order): OrderRow[] {
  return atEnd(rows).filter((row) => row.order === order);
}

function percentAtEnd(rows: readonly OrderRow[], order: Order, measure: Measure): string {
  return formatEstimate(estimate(bySeed(endOf(rows, order), (row) => row[measure]).map(({ value }) => value)), { scale: 100 });
}

function claimsOf(rows: readonly OrderRow[]): Claim[] {
  const effect = lead(rows, "testErrorRate");
  if (!effect) return [];
  const [first, second] = orders.map((order) => percentAtEnd(rows, order, "testErrorRate"));
  const size = `${formatSize(effect, { scale: 100 })} points ${effect.mean > 0 ? "below" : "above"}`;
  return [
    {
      statement: "first-order SAM ends with the lower test error",
      verdict: verdictOn(effect),
      evidence: `First-order SAM ends at ${first} % test error, ${size} second-order SAM (${second} %). The paper's end at 3.0 and 3.3 %.`,
    },
  ];
}

function remarksOf(rows: readonly OrderRow[]): string[] {
  const effect = lead(rows, "perturbedErrorRate");
  if (!effect) return [];
  const [first, second] = orders.map((order) => percentAtEnd(rows, order, "perturbedErrorRate"));
  return [
    `At w + ε̂ the error on training batches ends at ${first} % (first-order) and ${second} % (second-order); ` +
      `the difference is ${formatEstimate(effect, { scale: 100 })} points. The paper's end at 0.1 and 0.3 %.`,
  ];
}

/** Errors at quarters of the training, the paper's beside ours. */
function tableOf(rows: readonly OrderRow[], budget: Budget): ItemTable {
  const numbers = paperNumbers("figure-4");
  const columns = orders.flatMap((order) =>
    (Object.keys(measures) as Measure[]).map((measure) => ({ order, measure, name: `${order}${measure}` })),
  );
  const headings = columns.map(({ order, measure, name }) => [name, `${orderNames[order]}, ${measures[measure].style}`]);
  return {
    rows: [...paperRows(columns), ...ourRows(rows, columns)],
    title: "Figure 4: error in per cent along training",
    columns: { source: "source", step: "step", ...Object.fromEntries(headings) },
    footnotes: runFootnotes({
      budget,
      seeds: new Set(rows.map(({ seed }) => seed)).size,
      paperSpread: numbers.spread,
      notes: [`${describeOrderRuns(budget)}.`, ...orderNotes(budget), "Paper: WRN-40-2, CIFAR-10."],
    }),
  };
}

interface Column {
  readonly order: Order;
  readonly measure: Measure;
  readonly name: string;
}

function paperRows(columns: readonly Column[]): TableRow[] {
  const numbers = paperNumbers("figure-4");
  return [10_000, 20_000, 30_000, 39_000].map((step) => ({
    source: "paper",
    step,
    ...Object.fromEntries(
      columns.map(({ order, measure, name }) => {
        const [number] = selectNumbers(numbers, { order, step, measure: measures[measure].paper });
        return [name, number?.value.toFixed(1)];
      }),
    ),
  }));
}

function ourRows(rows: readonly OrderRow[], columns: readonly Column[]): TableRow[] {
  const steps = [...new Set(rows.map(({ step }) => step))].sort((a, b) => a - b);
  const shown = [1, 2, 3, 4].map((quarter) => steps[Math.ceil((quarter * steps.length) / 4) - 1]!);
  return [...new Set(shown)].map((step) => ({
    source: "ours",
    step,
    ...Object.fromEntries(
      columns.map(({ order, measure, name }) => {
        const here = rows.filter((row) => row.order === order && row.step === step).map((row) => row[measure]);
        return [name, here.length > 0 ? formatEstimate(estimate(here), { scale: 100 }) : undefined];
      }),
    ),
  }));
}

function figureOf(rows: readonly OrderRow[], budget: Budget): FigureSpec {
  const ours = rows.flatMap((row) =>
    (Object.keys(measures) as Measure[]).map((measure) => ({
      ...{ x: row.step, series: orderNames[row.order], style: measures[measure].style, panel: "ours" },
      value: 100 * row[measure],
    })),
  );
  return learningCurves({
    title: titleOf(rows),
    subtitle: `Error along training. Paper: WRN-40-2, CIFAR-10. Ours: ${describeOrderRuns(budget)}.`,
    rows: [...paperCurves(), ...meanCurves(ours)],
    xTitle: "step",
    yTitle: "error (%)",
    panels: ["paper", "ours"],
    independentY: true,
  });
}

function paperCurves(): CurvePoint[] {
  return paperNumbers("figure-4").rows.map(({ order, step, measure, value }) => ({
    ...{ x: Number(step), series: orderNames[order as Order], panel: "paper", mean: value },
    style: Object.values(measures).find(({ paper }) => paper === measure)!.style,
  }));
}

function titleOf(rows: readonly OrderRow[]): string {
  const [claim] = claimsOf(rows);
  if (claim?.verdict === "yes") return "SAM without the second-order term ends with the lower test error";
  if (claim?.verdict === "no") return "Here SAM without the second-order term ends with the higher test error";
  if (claim?.verdict === "one seed") return "One seed: SAM without and with its second-order term";
  return "These seeds do not decide whether the second-order term costs or saves errors";
}

function summarize(rows: readonly OrderRow[]): ItemSummary {
  const [first, second] = orders.map((order) => percentAtEnd(rows, order, "testErrorRate"));
  return {
    paper: "test error at the end: first-order 3.0, second-order 3.3 %",
    ours: `test error at the end: first-order ${first}, second-order ${second} %`,
    seeds: endOf(rows, 1).length,
    claims: claimsOf(rows),
  };
}
