/** Figure 3 middle: test error against ρ for several m, the number of examples that share one perturbation. */
import type { RunOptions } from "../../experiments/config";
import {
  countOf,
  describeDataset,
  describeModel,
  labeledRows,
  quickDataset,
  type LabeledRow,
  type PlannedRun,
} from "../../experiments/plan";
import type { RunRecord } from "../../experiments/records";
import {
  estimate,
  estimateBy,
  formatEstimate,
  formatSize,
  pairedDifference,
  type SeedMean,
  type SeedValue,
} from "../../experiments/statistics";
import { errorVersusRho, type RhoPoint, inPercent, type FigureSpec } from "../../plots";
import { runFootnotes, type TableRow } from "../../tables";
import { countClaims, verdictsOn, type Claim } from "../claims";
import type { Budget, ItemSummary, ItemTable, PaperItem } from "../item";
import { paperNumbers, selectNumbers } from "../numbers";

interface AblationScale {
  readonly base: RunOptions;
  readonly seeds: number;
  /** The ρ tried with each m: small blocks need a smaller ρ. */
  readonly rhos: Readonly<Record<number, readonly number[]>>;
}

const scales: Record<Budget, AblationScale> = {
  smoke: {
    base: {
      dataset: quickDataset({ trainSize: 256, testSize: 200 }),
      model: { name: "convNet", widths: [4, 8] },
      training: { epochs: 1, batchSize: 64 },
    },
    seeds: 1,
    rhos: { 16: [0.05], 64: [0.05] },
  },
  demo: {
    base: {
      dataset: quickDataset({ trainSize: 1000, testSize: 2000 }),
      model: { name: "convNet" },
      training: { epochs: 15, batchSize: 64, evaluateEvery: 5 },
    },
    seeds: 1,
    rhos: { 8: [0.05, 0.1, 0.2], 64: [0.1, 0.2, 0.5] },
  },
  lab: {
    base: {
      dataset: { name: "fashion-mnist", trainSize: 1000 },
      model: { name: "wideResNet", depth: 10, widen: 1 },
      training: { epochs: 30, batchSize: 64, evaluateEvery: 30 },
    },
    seeds: 3,
    rhos: { 16: [0.05, 0.1], 32: [0.1, 0.2], 64: [0.1, 0.2, 0.4] },
  },
  paper: {
    base: {
      dataset: { name: "fashion-mnist" }, // ours: the paper's CIFAR-10 panel; its network is "a small ResNet"
      model: { name: "wideResNet", depth: 16, widen: 1 },
      training: { epochs: 200, batchSize: 256, augment: "basic" },
    },
    seeds: 5,
    rhos: Object.fromEntries([1, 4, 16, 64, 256].map((m) => [m, [0.001, 0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1]])), // paper Fig. 3 middle
  },
};

/** Figure 3, middle: test error against ρ for several m. */
export const figure3Middle: PaperItem<LabeledRow> = {
  id: "figure-3-middle",
  title: "Figure 3, middle",
  claim: "Smaller m lowers the test error, and with it the best ρ.",
  describe,
  plan: (budget) => runs(budget),
  rows: figure3MiddleRows,
  claims: claimsOf,
  remarks: remarksOf,
  table: tableOf,
  figure: figureOf,
  summary: summarize,
};

function describe(budget: Budget): string {
  const { base, seeds } = scales[budget];
  const { dataset, model, training } = base;
  const { epochs, batchSize } = training;
  const times = `${countOf(epochs, "epoch")}, ${countOf(seeds, "seed")}`;
  return `${describeModel(model)}, ${describeDataset(dataset)}, batches of ${batchSize}, ${times}`;
}

/** One row for each finished run: m, rho, seed, error rates in [0, 1]. */
export function figure3MiddleRows(budget: Budget, records: readonly RunRecord[]): LabeledRow[] {
  return labeledRows(runs(budget), records);
}

export interface CurvePointByM {
  readonly m: number;
  readonly rho: number;
  /** of testErrorRate, in [0, 1] */
  readonly mean: number;
  readonly interval?: number;
  readonly n: number;
}

/** Mean and interval for each m and ρ; ρ = 0 is SGD whose batch norm takes its statistics over m images. */
export function figure3MiddleCurves(rows: readonly LabeledRow[]): CurvePointByM[] {
  return rows.length === 0 ? [] : (estimateBy(rows, ["m", "rho"], "testErrorRate") as unknown as CurvePointByM[]);
}

function msOf(budget: Budget): number[] {
  return Object.keys(scales[budget].rhos).map(Number);
}

function runs(budget: Budget): PlannedRun[] {
  const { seeds, rhos } = scales[budget];
  // ρ = 0 for each m too: batch norm takes its statistics over a block, so m matters without SAM.
  return Array.from({ length: seeds }, (_, seed) => seed).flatMap((seed) =>
    msOf(budget).flatMap((m) => [0, ...rhos[m]!].map((rho) => run(budget, { m, rho, seed }))),
  );
}

// m = batchSize is plain SAM on one device and is written as such.
function run(budget: Budget, { m, rho, seed }: { m: number; rho: number; seed: number }): PlannedRun {
  const { base } = scales[budget];
  const blocks = m === base.training.batchSize ? 0 : m;
  return { config: { ...base, training: { ...base.training, m: blocks, rho, seed } }, labels: { m, rho } };
}

/** The fall of the error from the largest m to the smallest at one ρ, seed by seed, in [−1, 1]. */
interface Fall {
  readonly rho: number;
  readonly small: number;
  readonly large: number;
  readonly fall: SeedMean;
}

// At the ρ that every m was trained with. Each m's own best ρ has no say: it is chosen on the test images, and from grids of different length.
function fallsOf(rows: readonly LabeledRow[]): Fall[] {
  const ms = valuesOf(rows, "m");
  const [small, large] = [ms[0], ms.at(-1)];
  if (small === undefined || large === undefined || small === large) return [];
  const errors = (m: number, rho: number): SeedValue[] =>
    rows.filter((row) => row.m === m && row.rho === rho).map(({ seed, testErrorRate }) => ({ seed, value: testErrorRate }));
  const shared = valuesOf(rows, "rho").filter((rho) => ms.every((m) => errors(m, rho).length > 0));
  return shared.map((rho) => ({ rho, small, large, fall: pairedDifference(errors(large, rho), errors(small, rho)) }));
}

function valuesOf(rows: readonly LabeledRow[], field: "m" | "rho"): number[] {
  return [...new Set(rows.map((row) => row[field] as number))].sort((a, b) => a - b);
}

interface Best {
  readonly m: number;
  readonly rho: number;
  readonly errors: readonly number[];
}

/** The lowest mean error of each m and its ρ, in ascending order of m. Without SAM there is one ρ, 0. */
function bestByM(all: readonly LabeledRow[], which: "SAM" | "SGD"): Best[] {
  const rows = all.filter(({ rho }) => (which === "SAM" ? rho !== 0 : rho === 0));
  return valuesOf(rows, "m").map((m) => ({ m, ...bestRho(rows.filter((row) => row.m === m)) }));
}

function bestRho(rows: readonly LabeledRow[]): Omit<Best, "m"> {
  const means = valuesOf(rows, "rho").map((rho) => {
    const errors = rows.filter((row) => row.rho === rho).map(({ testErrorRate }) => testErrorRate);
    return { rho, errors, mean: estimate(errors).mean };
  });
  return means.reduce((a, b) => (b.mean < a.mean ? b : a));
}

const percent = (errors: readonly number[]) => formatEstimate(estimate(errors), { scale: 100 });

function claimsOf(rows: readonly LabeledRow[]): Claim[] {
  const falls = fallsOf(rows).filter(({ rho }) => rho > 0);
  const verdicts = verdictsOn(falls.map(({ fall }) => fall));
  return falls.map(({ rho, small, large, fall }, i) => ({
    statement: "a smaller m lowers SAM's error at the same ρ",
    ...(falls.length > 1 ? { where: `at ρ = ${rho}` } : {}),
    verdict: verdicts[i]!,
    evidence: `At ρ = ${rho} SAM's error ${describeFall(fall)} from m = ${large} to m = ${small}.`,
  }));
}

function describeFall(fall: SeedMean): string {
  return `${fall.mean < 0 ? "rises" : "falls"} by ${formatSize(fall, { scale: 100 })} points`;
}

/** What the records show without a verdict: the best error of each m, and the effect of m through batch norm alone. */
function remarksOf(rows: readonly LabeledRow[]): string[] {
  const listed = bestByM(rows, "SAM").map(({ m, rho, errors }) => `m = ${m}: ${percent(errors)} % at ρ = ${rho}`);
  if (listed.length < 2) return [];
  const best = `Best test error by m: ${listed.join("; ")}. These are no test of the claim: ρ is chosen on the test images, and the grids differ.`;
  const plain = fallsOf(rows).find(({ rho }) => rho === 0);
  if (!plain) return [best];
  const error = (m: number) => `${percent(bestByM(rows, "SGD").find((each) => each.m === m)!.errors)} % at m = ${m}`;
  return [
    best,
    `Without SAM (ρ = 0), where m is only the number of images that batch norm takes its statistics over, the error is ` +
      `${error(plain.small)} and ${error(plain.large)}: from the larger to the smaller it ${describeFall(plain.fall)} without any perturbation.`,
  ];
}

function tableOf(rows: readonly LabeledRow[], budget: Budget): ItemTable {
  const curves = figure3MiddleCurves(rows);
  const ms = [...new Set(curves.map(({ m }) => m))];
  const rhos = [...new Set(curves.map(({ rho }) => rho))].sort((a, b) => a - b);
  return {
    rows: rhos.map((rho) => cellsOf(curves, rho, ms)),
    title: "Figure 3 middle: our test error in per cent, by ρ and m",
    columns: { rho: "ρ", ...Object.fromEntries(ms.map((m) => [`m${m}`, `m = ${m}`])) },
    footnotes: runFootnotes({ budget, seeds: Math.max(...curves.map(({ n }) => n)), notes: [`${describe(budget)}.`] }),
  };
}

function cellsOf(curves: readonly CurvePointByM[], rho: number, ms: readonly number[]): TableRow {
  const cells = ms.map((m) => {
    const point = curves.find((each) => each.m === m && each.rho === rho);
    return [`m${m}`, point && formatEstimate(point, { scale: 100 })];
  });
  return { rho, ...Object.fromEntries(cells) };
}

function figureOf(rows: readonly LabeledRow[], budget: Budget): FigureSpec {
  const ours: RhoPoint[] = figure3MiddleCurves(rows).map((point) => ({ rho: point.rho, series: point.m, ...inPercent(point) }));
  return errorVersusRho({
    title: titleOf(rows),
    subtitle: `Test error against ρ. Paper: CIFAR-10, a small ResNet. Ours: ${describe(budget)}.`,
    rows: ours,
    paper: paperPoints(),
  });
}

function paperPoints(): RhoPoint[] {
  return selectNumbers(paperNumbers("figure-3"), { panel: "middle" }).map(({ m, rho, value }) => ({
    rho: Number(rho),
    series: Number(m),
    mean: value,
  }));
}

function titleOf(rows: readonly LabeledRow[]): string {
  const claims = claimsOf(rows);
  const { yes, no, undecided, "one seed": single } = countClaims(claims);
  if (claims.length === 0) return "Test error against ρ for several m";
  if (yes === claims.length) return "At the same ρ, a smaller m has a lower error";
  if (no === claims.length) return "Here, at the same ρ, a smaller m has a higher error";
  if (single > 0) return "One seed: test error against ρ for several m";
  return undecided > 0
    ? "These seeds do not decide whether a smaller m has a lower error"
    : "Whether a smaller m has a lower error depends on ρ here";
}

/** The lowest error of the smallest and of the largest m, and its ρ. */
function summarize(rows: readonly LabeledRow[]): ItemSummary {
  const bests = bestByM(rows, "SAM");
  const ends = [bests[0]!, bests.at(-1)!];
  const without = (m: number) => percent(bestByM(rows, "SGD").find((each) => each.m === m)!.errors);
  return {
    paper: printedEnds().map((point) => describePoint(point, point.mean.toFixed(2))).join("; "),
    ours: ends.map((best) => `${describePoint({ ...best, series: best.m }, percent(best.errors))} (${without(best.m)} without SAM)`).join("; "),
    seeds: bests[0]!.errors.length,
    claims: claimsOf(rows),
  }; // prettier-ignore
}

function printedEnds(): RhoPoint[] {
  const points = paperPoints();
  const ms = points.map(({ series }) => Number(series));
  const best = (m: number) => points.filter(({ series }) => series === m).reduce((a, b) => (b.mean < a.mean ? b : a));
  return [best(Math.min(...ms)), best(Math.max(...ms))];
}

function describePoint({ series, rho }: Pick<RhoPoint, "series" | "rho">, error: string): string {
  return `m = ${series}: ${error} % at ρ = ${rho}`;
}
