/** Figure 1 middle and right: the loss around SGD's and SAM's solution on a plane of random, filter-normalized directions. */
import { surfaceOf, type MeasuredSurface } from "../../experiments/curvature";
import { curvatureRuns, curvatureScales } from "./figure3Spectra";
import { describeDataset, describeModel, finishedRecords, type Budget, type PaperItem } from "../item";
import type { RunRecord } from "../../experiments/records";
import { factorBySeed, factorVerdict } from "./flatness";
import { estimate, formatEstimate } from "../../experiments/statistics";

export const figure1Surfaces: PaperItem = {
  id: "figure-1-surfaces",
  recordsIn: "figure-3-spectra",
  title: "Figure 1, middle and right",
  claim: "SAM's solution lies in a wider basin than SGD's.",
  describe: (budget) => {
    const { base, rho, seeds } = curvatureScales[budget];
    const data = describeDataset(base.dataset);
    return `${describeModel(base.model)}, ${data}, ${base.training.epochs} epochs, ρ = ${rho}, ${seeds} seed${seeds > 1 ? "s" : ""}; the same two directions for all`;
  },
  plan: (budget) => curvatureRuns(budget),
  conclusions: (budget, records) => conclude(figure1SurfacesRows(budget, records)),
};

/** A measured surface with its run: method "SGD" or "SAM", seed. */
export interface SurfaceRow extends MeasuredSurface {
  readonly method: string;
  readonly seed: number;
  /** Mean over the points within half of each direction's length, less the loss at the center. */
  readonly meanRise: number;
}

/** One row per finished run. */
export function figure1SurfacesRows(budget: Budget, records: readonly RunRecord[]): SurfaceRow[] {
  return finishedRecords(curvatureRuns(budget), records).flatMap(({ record, labels }) => {
    const surface = surfaceOf(record);
    return surface
      ? [{ ...surface, meanRise: meanRise(surface), method: String(labels.method), seed: record.config.training.seed }]
      : [];
  });
}

/** How much the loss rises, on average, within the disc of radius ½ around the solution. */
export function meanRise({ x, y, loss }: MeasuredSurface): number {
  const inside = loss.flatMap((row, j) => row.filter((_, i) => x[i]! ** 2 + y[j]! ** 2 <= 0.25));
  const center = loss[(y.length - 1) / 2]![(x.length - 1) / 2]!;
  return inside.reduce((sum, value) => sum + value, 0) / inside.length - center;
}

function conclude(rows: readonly SurfaceRow[]): string[] {
  const of = (method: string) => rows.filter((row) => row.method === method);
  const [sgd, sam] = ["SGD", "SAM"].map(of);
  if (!sgd?.length || !sam?.length) return [];
  const factor = factorBySeed(rows, (row) => row.meanRise);
  const rise = (some: readonly SurfaceRow[]) => formatEstimate(estimate(some.map((row) => row.meanRise)), { decimals: 2 });
  return [
    `Within half of the directions' length the training loss rises on average by ${rise(sgd)} around SGD's solution and by ${rise(sam)} around SAM's: ${formatEstimate(factor, { decimals: 1 })} times as much, seed by seed. That SAM's basin is wider ${factorVerdict(factor)}.`,
  ];
}
