/** Figure 1 middle and right: the loss around SGD's and SAM's solution on a plane of random, filter-normalized directions. */
import { surfaceOf, type MeasuredSurface } from "../../experiments/curvature";
import { finishedRecords } from "../../experiments/plan";
import type { RunRecord } from "../../experiments/records";
import { estimate, formatEstimate } from "../../experiments/statistics";
import { lossSurfaces, type FigureSpec } from "../../plots";
import { runFootnotes } from "../../tables";
import { verdictOn, type Claim } from "../claims";
import type { Budget, ItemSummary, ItemTable, PaperItem } from "../item";
import { curvatureMethods, curvatureRuns, describeCurvatureRuns, factorBySeed, timesText } from "./runs";

/** Figure 1, middle and right: loss surfaces. */
export const figure1Surfaces: PaperItem<SurfaceRow> = {
  id: "figure-1-surfaces",
  recordsIn: "figure-3-spectra",
  title: "Figure 1, middle and right",
  claim: "SAM's solution lies in a wider basin than SGD's.",
  describe,
  plan: (budget) => curvatureRuns(budget, "surfaces"),
  rows: figure1SurfacesRows,
  claims: claimsOf,
  table: tableOf,
  figure: figureOf,
  summary: (rows) => summarize(rows),
};

function describe(budget: Budget): string {
  return `${describeCurvatureRuns(budget, "surfaces")}; the same two directions for all`;
}

/** A measured surface with its run: method "SGD" or "SAM", seed. */
export interface SurfaceRow extends MeasuredSurface {
  readonly method: string;
  readonly seed: number;
  /** Mean over the points within half of each direction's length, minus the loss at the center. */
  readonly meanRise: number;
}

/** One row for each finished run. */
export function figure1SurfacesRows(budget: Budget, records: readonly RunRecord[]): SurfaceRow[] {
  return finishedRecords(curvatureRuns(budget, "surfaces"), records).flatMap(({ record, labels }) => {
    const surface = surfaceOf(record);
    return surface
      ? [{ ...surface, meanRise: meanRise(surface), method: String(labels.method), seed: record.config.training.seed }]
      : [];
  });
}

/** The mean rise of the loss within the disc of radius ½ around the solution. */
export function meanRise({ x, y, loss }: MeasuredSurface): number {
  const inside = loss.flatMap((row, j) => row.filter((_, i) => x[i]! ** 2 + y[j]! ** 2 <= 0.25));
  const center = loss[(y.length - 1) / 2]![(x.length - 1) / 2]!;
  return inside.reduce((sum, value) => sum + value, 0) / inside.length - center;
}

function risesOf(rows: readonly SurfaceRow[], method: string): number[] {
  return rows.filter((row) => row.method === method).map((row) => row.meanRise);
}

function claimsOf(rows: readonly SurfaceRow[]): Claim[] {
  const [sgd, sam] = curvatureMethods.map((method) => risesOf(rows, method));
  if (!sgd?.length || !sam?.length) return [];
  const factor = factorBySeed(rows, (row) => row.meanRise);
  const text = (values: readonly number[]) => formatEstimate(estimate(values), { decimals: 2 });
  return [
    {
      statement: "SAM's basin is wider",
      verdict: factor ? verdictOn(factor.log) : "undecided",
      evidence: `Within half of the directions' length the training loss rises on average by ${text(sgd)} around SGD's solution and by ${text(sam)} around SAM's (SGD over SAM, seed by seed: ${timesText(factor)}).`,
    },
  ];
}

/** The rise of the loss around each solution. */
function tableOf(rows: readonly SurfaceRow[], budget: Budget): ItemTable {
  const center = ({ loss }: SurfaceRow) => loss[(loss.length - 1) / 2]![(loss.length - 1) / 2]!;
  const centers = (method: string) => rows.filter((row) => row.method === method).map(center);
  return {
    rows: curvatureMethods.map((method) => ({
      method,
      center: formatEstimate(estimate(centers(method)), { decimals: 3 }),
      rise: formatEstimate(estimate(risesOf(rows, method)), { decimals: 3 }),
    })),
    title: "Figure 1, middle and right: training loss at the solution, and its mean rise within half of the directions' length",
    columns: { method: "method", center: "loss at the solution", rise: "mean rise around it" },
    footnotes: runFootnotes({
      budget,
      seeds: new Set(rows.map(({ seed }) => seed)).size,
      notes: ["The paper's figure has no numbers.", `${describe(budget)}.`],
    }),
  };
}

/** The first seed's pair of surfaces. */
function figureOf(rows: readonly SurfaceRow[], budget: Budget): FigureSpec {
  const wider = estimate(risesOf(rows, "SGD")).mean > estimate(risesOf(rows, "SAM")).mean;
  return lossSurfaces({
    title: wider ? "SAM's solution lies in a wider basin" : "Here SAM's solution does not lie in a wider basin",
    subtitle: `Training loss on a plane of two random filter-normalized directions (seed 0). ${describe(budget)}.`,
    surfaces: rows
      .filter(({ seed }) => seed === 0)
      .map(({ method, x, y, loss }) => ({ label: method, alphas: x, betas: y, values: loss })),
    valueTitle: "training loss",
  });
}

function summarize(rows: readonly SurfaceRow[]): ItemSummary {
  const text = (method: string) => formatEstimate(estimate(risesOf(rows, method)), { decimals: 2 });
  const times = timesText(factorBySeed(rows, (row) => row.meanRise)); // prettier-ignore
  return {
    paper: "a picture: SAM's basin is wider",
    ours: `mean rise of the loss: SAM ${text("SAM")}, SGD ${text("SGD")} (${times}, seed by seed)`,
    seeds: risesOf(rows, "SAM").length,
    claims: claimsOf(rows),
  };
}
