/** Figure 3 left: spectra of the Hessian of SGD's and SAM's networks at three points of training, without batch norm. */
import { spectraOf, type MeasuredSpectrum } from "../../experiments/curvature";
import { finishedRecords } from "../../experiments/plan";
import type { RunRecord } from "../../experiments/records";
import { estimate, formatEstimate } from "../../experiments/statistics";
import { hessianSpectra, type SpectrumMark, type SpectrumPoint, type FigureSpec } from "../../plots";
import { smoothSpectrum } from "../../sharpness";
import { runFootnotes, type TableRow } from "../../tables";
import { verdictOn, type Claim } from "../claims";
import type { Budget, ItemSummary, ItemTable, PaperItem } from "../item";
import { paperNumber, paperNumbers, selectNumbers } from "../numbers";
import { curvatureMethods, curvatureRuns, describeCurvatureRuns, factorBySeed, lanczosStepsOf, timesText } from "./runs";

/** Figure 3, left: Hessian spectra. */
export const figure3Spectra: PaperItem<SpectrumRow> = {
  id: "figure-3-spectra",
  title: "Figure 3, left",
  claim: "SAM's solution is flatter: a smaller λmax, and a spectrum without SGD's isolated top eigenvalue (a smaller λmax/λ5).",
  describe,
  plan: (budget) => curvatureRuns(budget, "spectra"),
  rows: figure3SpectraRows,
  claims: claimsOf,
  remarks: remarkOnRatio,
  table: tableOf,
  figure: figureOf,
  summary: (rows) => summarize(rows),
};

function describe(budget: Budget): string {
  const products = `Hessian of the cross-entropy over all training images, without L2, by ${lanczosStepsOf(budget)} Lanczos steps`;
  return `${describeCurvatureRuns(budget, "spectra")}; ${products}`;
}

/** A measured spectrum with its run: method "SGD" or "SAM", seed. */
export interface SpectrumRow extends MeasuredSpectrum {
  readonly method: string;
  readonly seed: number;
}

/** One row for each finished run and measured epoch. */
export function figure3SpectraRows(budget: Budget, records: readonly RunRecord[]): SpectrumRow[] {
  return finishedRecords(curvatureRuns(budget, "spectra"), records).flatMap(({ record, labels }) =>
    spectraOf(record).map((spectrum) => ({ ...spectrum, method: String(labels.method), seed: record.config.training.seed })),
  );
}

function lambdaMaxOf({ eigenvalues }: MeasuredSpectrum): number {
  return eigenvalues[0]!;
}

/** "24.5±0.1": λmax of one method's rows. */
function lambdaText(rows: readonly SpectrumRow[]): string {
  return formatEstimate(estimate(rows.map(lambdaMaxOf)), { decimals: 1 });
}

/** "3.2±0.4": λmax/λ5 of one method's rows. */
function ratioText(rows: readonly SpectrumRow[]): string {
  return formatEstimate(estimate(rows.map((row) => row.lambdaMaxOverLambda5)), { decimals: 1 });
}

/** The rows of SGD and of SAM at the last measured epoch. */
function atEnd(rows: readonly SpectrumRow[]): { epoch: number; sgd: SpectrumRow[]; sam: SpectrumRow[] } {
  const epoch = Math.max(...rows.map((row) => row.epoch));
  const of = (method: string) => rows.filter((row) => row.epoch === epoch && row.method === method);
  return { epoch, sgd: of("SGD"), sam: of("SAM") };
}

function claimsOf(rows: readonly SpectrumRow[]): Claim[] {
  const { epoch, sgd, sam } = atEnd(rows);
  if (sgd.length === 0 || sam.length === 0) return [];
  const factor = factorBySeed([...sgd, ...sam], lambdaMaxOf);
  return [
    {
      statement: "SAM's solution is flatter",
      verdict: factor ? verdictOn(factor.log) : "undecided",
      evidence: `At the end (epoch ${epoch}) λmax is ${lambdaText(sgd)} for SGD and ${lambdaText(sam)} for SAM. SGD over SAM, seed by seed: ${timesText(factor)} (the paper's: 24 times).`,
    },
  ];
}

function remarkOnRatio(rows: readonly SpectrumRow[]): string[] {
  const { sgd, sam } = atEnd(rows);
  if (sgd.length === 0 || sam.length === 0) return [];
  return [`λmax/λ5 at the end: SGD ${ratioText(sgd)}, SAM ${ratioText(sam)} (the paper's: 11.4 and 2.6).`];
}

/** λmax and λmax/λ5 by epoch and method. */
function tableOf(spectra: readonly SpectrumRow[], budget: Budget): ItemTable {
  return {
    rows: epochsOf(spectra).map((epoch, i) => cellsOf(spectra, epoch, i)),
    title: "Figure 3, left: λmax and λmax/λ5 of the Hessian, paper and ours",
    columns: {
      epochs: "epoch, paper | ours",
      paperSgd: "paper · SGD",
      paperSam: "paper · SAM",
      sgd: "ours · SGD",
      sam: "ours · SAM",
    },
    footnotes: runFootnotes({
      budget,
      seeds: new Set(spectra.map(({ seed }) => seed)).size,
      notes: [`Each cell: λmax; λmax/λ5. ${describe(budget)}.`],
    }),
  };
}

function epochsOf(spectra: readonly SpectrumRow[]): number[] {
  return [...new Set(spectra.map(({ epoch }) => epoch))].sort((a, b) => a - b);
}

// Our first, second and third measured epoch stand beside the paper's.
function cellsOf(spectra: readonly SpectrumRow[], epoch: number, place: number): TableRow {
  const printed = paperMarks();
  const paperEpoch = [...new Set(printed.map((mark) => mark.epoch))][place];
  const paper = (method: string) => {
    const mark = printed.find((each) => each.epoch === paperEpoch && each.method === method);
    return mark && `${mark.lambdaMax.toFixed(1)}; ${mark.lambdaMaxOverLambda5.toFixed(1)}`;
  };
  const ours = (method: string) => {
    const rows = spectra.filter((row) => row.epoch === epoch && row.method === method);
    return `${lambdaText(rows)}; ${ratioText(rows)}`;
  };
  return {
    epochs: `${paperEpoch} | ${epoch}`,
    paperSgd: paper("SGD") ?? "",
    paperSam: paper("SAM") ?? "",
    sgd: ours("SGD"),
    sam: ours("SAM"),
  };
}

function paperMarks(): { epoch: number; method: string; lambdaMax: number; lambdaMaxOverLambda5: number }[] {
  const numbers = selectNumbers(paperNumbers("figure-3"), { panel: "left", measure: "lambdaMax" });
  return numbers.map(({ method, epoch, value }) => {
    const where = { panel: "left", measure: "lambdaMaxOverLambda5", method: method!, epoch: epoch! };
    const ratio = selectNumbers(paperNumbers("figure-3"), where)[0]!;
    return { epoch: epoch as number, method: String(method).toUpperCase(), lambdaMax: value, lambdaMaxOverLambda5: ratio.value };
  });
}

/** The first seed's spectra. */
function figureOf(spectra: readonly SpectrumRow[], budget: Budget): FigureSpec {
  const first = spectra.filter(({ seed }) => seed === 0);
  return hessianSpectra({
    title: titleOf(spectra),
    subtitle: `Density of the Hessian's eigenvalues (seed 0). ${describe(budget)}.`,
    rows: first.flatMap(points),
    marks: first.map(markOf),
    methods: [...curvatureMethods],
  });
}

function titleOf(spectra: readonly SpectrumRow[]): string {
  const { sgd, sam } = atEnd(spectra);
  const lambda = (rows: readonly SpectrumRow[]) => estimate(rows.map(lambdaMaxOf)).mean;
  const factor = lambda(sgd) / lambda(sam);
  if (factor > 1) return `SAM's solution is flatter: its λmax is ${factor.toFixed(1)} times smaller than SGD's`;
  return `Here SAM's solution is not flatter: its λmax is ${(1 / factor).toFixed(1)} times SGD's`;
}

// The smoothing of google/spectral-density, on each spectrum's own range.
function points(row: SpectrumRow): SpectrumPoint[] {
  const quadrature = { nodes: row.nodes.map((n) => [...n]), weights: row.weights.map((w) => [...w]), size: 0, products: 0 };
  const { grid, density } = smoothSpectrum(quadrature, { gridPoints: 600, sigma: widthOf(row) });
  return grid.map((lambda, i) => ({ epoch: row.epoch, method: row.method, lambda, density: density[i]! }));
}

// Ours: a hundredth of the range, so that single eigenvalues can be told apart and seen at the figure's size.
function widthOf({ nodes }: SpectrumRow): number {
  const all = nodes.flat();
  return (Math.max(...all) - Math.min(...all)) / 100;
}

function markOf({ epoch, method, eigenvalues, lambdaMaxOverLambda5 }: SpectrumRow): SpectrumMark {
  return { epoch, method, lambdaMax: eigenvalues[0]!, lambdaMaxOverLambda5, ritzValues: eigenvalues };
}

/** λmax at the end of training. */
function summarize(rows: readonly SpectrumRow[]): ItemSummary {
  const { sgd, sam } = atEnd(rows);
  const printed = (method: string) => {
    const where = { panel: "left", measure: "lambdaMax", method, epoch: 300 };
    return paperNumber(paperNumbers("figure-3"), where).value.toFixed(1);
  };
  return {
    paper: `λmax: SAM ${printed("sam")}, SGD ${printed("sgd")}`,
    ours: `λmax: SAM ${lambdaText(sam)}, SGD ${lambdaText(sgd)}`,
    seeds: sam.length,
    claims: claimsOf(rows),
  };
}
