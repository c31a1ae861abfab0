/** Figure 5: cosine between SAM's update with and without its second-order term, along training with either. */
import {
  estimate,
  formatEstimate,
  formatSize,
  pairedDifference,
  type SeedMean,
  type SeedValue,
} from "../../experiments/statistics";
import { learningCurves, type CurvePoint, type FigureSpec } from "../../plots";
import { runFootnotes, type TableRow } from "../../tables";
import { verdictsOn, type Claim } from "../claims";
import type { Budget, ItemSummary, ItemTable, PaperItem } from "../item";
import { paperNumbers } from "../numbers";
import { bySeed, meanCurves, stretch } from "./alongTraining";
import { describeOrderRuns, orderNames, orderNotes, orderRows, orderRuns, orders, type Order, type OrderRow } from "./orderRuns";

/** Figure 5: cosine between first- and second-order updates. */
export const figure5: PaperItem<OrderRow> = {
  id: "figure-5",
  recordsIn: "figure-4",
  title: "Figure 5",
  claim: "The first- and the second-order update are nearly parallel in the first half of training and less so near convergence.",
  describe: describeOrderRuns,
  plan: (budget) => orderRuns(budget),
  rows: orderRows,
  claims: claimsOf,
  table: tableOf,
  figure: figureOf,
  summary: summarize,
};

/** Stretches of training that are compared; fixed before the runs. */
const stretches = {
  "first half": { from: 0, to: 0.5 },
  "third quarter": { from: 0.5, to: 0.75 },
  "last quarter": { from: 0.75, to: 1 },
} as const;
type Stretch = keyof typeof stretches;

/** Mean cosine of each seed's run over a stretch. */
function cosines(rows: readonly OrderRow[], order: Order, part: Stretch): SeedValue[] {
  return bySeed(
    stretch(rows, stretches[part]).filter((row) => row.order === order),
    ({ cosine }) => cosine,
  );
}

function text(rows: readonly OrderRow[], order: Order, part: Stretch): string {
  const values = cosines(rows, order, part).map(({ value }) => value);
  return values.length > 0 ? formatEstimate(estimate(values)) : "–";
}

function claimsOf(rows: readonly OrderRow[]): Claim[] {
  if (!orders.every((order) => cosines(rows, order, "last quarter").length > 0)) return [];
  const falls = orders.map((order) => pairedDifference(cosines(rows, order, "first half"), cosines(rows, order, "last quarter")));
  const below = pairedDifference(cosines(rows, 2, "last quarter"), cosines(rows, 1, "last quarter"));
  const verdicts = verdictsOn([...falls, below]);
  return [
    ...orders.map((order, i) => ({
      statement: "the updates are less parallel near convergence",
      where: `in the ${orderNames[order]} run`,
      verdict: verdicts[i]!,
      evidence: `Mean cosine from the first half of training to the last quarter: ${fallsText(rows)}.`,
    })),
    {
      statement: "they end less parallel in the first-order run",
      verdict: verdicts[2]!,
      evidence: `In the last quarter the first-order run's cosine is ${differenceText(below)} the second-order run's.`,
    },
  ];
}

function fallsText(rows: readonly OrderRow[]): string {
  const part = (order: Order) =>
    `${text(rows, order, "first half")} to ${text(rows, order, "last quarter")} (${orderNames[order]} run)`;
  return orders.map(part).join(", ");
}

function differenceText(below: SeedMean): string {
  return `${formatSize(below)} ${below.mean > 0 ? "below" : "above"}`;
}

function tableOf(rows: readonly OrderRow[], budget: Budget): ItemTable {
  const parts = Object.keys(stretches) as Stretch[];
  return {
    rows: orders.map((order) => ({
      run: `${orderNames[order]} run`,
      ...Object.fromEntries(
        parts.flatMap((part) => [
          [`paper ${part}`, paperMean(order, part)],
          [`ours ${part}`, text(rows, order, part)],
        ]),
      ),
    })) as TableRow[],
    title: "Figure 5: mean cosine between the first- and the second-order update, by stretch of training",
    columns: {
      run: "run",
      ...Object.fromEntries(parts.flatMap((part) => [[`paper ${part}`, `${part} · paper`], [`ours ${part}`, `${part} · ours`]])), // prettier-ignore
    },
    footnotes: runFootnotes({
      budget,
      seeds: new Set(rows.map(({ seed }) => seed)).size,
      paperSpread: paperNumbers("figure-5").spread,
      notes: [
        `${describeOrderRuns(budget)}.`,
        ...orderNotes(budget),
        "Paper: WRN-40-2, CIFAR-10; means of the points read off its figure.",
      ],
    }),
  };
}

const PAPER_STEPS = 39_001;

function paperMean(order: Order, part: Stretch): string {
  const { from, to } = stretches[part];
  const inside = paperCurves().filter(
    ({ x, series }) => series === orderNames[order] && x > from * PAPER_STEPS && x <= to * PAPER_STEPS,
  );
  return estimate(inside.map(({ mean }) => mean)).mean.toFixed(2);
}

function paperCurves(): CurvePoint[] {
  return paperNumbers("figure-5").rows.map(({ order, step, value }) => ({
    ...{ x: Number(step), series: orderNames[order as Order], panel: "paper", mean: value },
  }));
}

function figureOf(rows: readonly OrderRow[], budget: Budget): FigureSpec {
  const ours = rows.map(({ step, order, cosine }) => ({ x: step, series: orderNames[order], panel: "ours", value: cosine }));
  return learningCurves({
    title: titleOf(rows),
    subtitle: `Cosine between the first- and the second-order update of the same batch, by the update that the run follows. Paper: WRN-40-2, CIFAR-10. Ours: ${describeOrderRuns(budget)}.`,
    rows: [...paperCurves(), ...meanCurves(ours)],
    xTitle: "step",
    yTitle: "cosine",
    seriesTitle: "run",
    panels: ["paper", "ours"],
  });
}

function titleOf(rows: readonly OrderRow[]): string {
  const [first] = claimsOf(rows);
  if (first?.verdict === "yes") {
    const mean = (part: Stretch) => estimate(cosines(rows, 1, part).map(({ value }) => value)).mean.toFixed(2);
    return `The cosine of the two updates falls along training, from ${mean("first half")} to ${mean("last quarter")} in the first-order run`;
  }
  if (first?.verdict === "no") return "Here the two updates become more parallel near convergence";
  if (first?.verdict === "one seed") return "One seed: cosine between the first- and the second-order update";
  return "These seeds do not decide whether the two updates part near convergence";
}

function summarize(rows: readonly OrderRow[]): ItemSummary {
  const ends = (valueOf: (order: Order, part: Stretch) => string) =>
    orders
      .map((order) => `${orderNames[order]} run ${valueOf(order, "first half")} → ${valueOf(order, "last quarter")}`)
      .join(", ");
  return {
    paper: `cosine, first half → last quarter: ${ends(paperMean)}`,
    ours: `cosine, first half → last quarter: ${ends((order, part) => text(rows, order, part))}`,
    seeds: cosines(rows, 1, "last quarter").length,
    claims: claimsOf(rows),
  };
}
