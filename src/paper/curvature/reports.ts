/** Figure 3 left and Figure 1 middle and right: spectra and surfaces of SGD's and SAM's solutions, as tables and figures. */
import { figure1Surfaces, figure1SurfacesRows, type SurfaceRow } from "./figure1Surfaces";
import { figure3Spectra, figure3SpectraRows, lambdaMaxOf, type SpectrumRow } from "./figure3Spectra";
import type { Budget } from "../item";
import { paperNumbers, selectNumbers } from "../numbers";
import type { RunRecord } from "../../experiments/records";
import { estimate, formatEstimate } from "../../experiments/statistics";
import { smooth } from "../../sharpness";
import { hessianSpectra, lossSurfaces, type SpectrumMark, type SpectrumPoint } from "../../plots";
import type { ItemContent } from "../itemContent";
import { runFootnotes } from "../../tables";

const methods = ["SGD", "SAM"];

/** λmax and λmax/λ5 by epoch and method, and the first seed's spectra. */
export function figure3SpectraContent(budget: Budget, records: readonly RunRecord[]): ItemContent {
  const spectra = figure3SpectraRows(budget, records);
  const printed = paperMarks();
  const epochs = [...new Set(spectra.map(({ epoch }) => epoch))].sort((a, b) => a - b);
  const paperEpochs = [...new Set(printed.map(({ epoch }) => epoch))];
  const rows = epochs.map((epoch, i) => {
    const paper = (method: string) => printed.find((mark) => mark.epoch === paperEpochs[i] && mark.method === method);
    const ours = (method: string) => spectra.filter((row) => row.epoch === epoch && row.method === method);
    return {
      epochs: `${paperEpochs[i]} | ${epoch}`,
      paperSgd: pair(paper("SGD")?.lambdaMax, paper("SGD")?.lambdaMaxOverLambda5),
      paperSam: pair(paper("SAM")?.lambdaMax, paper("SAM")?.lambdaMaxOverLambda5),
      sgd: estimatedPair(ours("SGD")),
      sam: estimatedPair(ours("SAM")),
    };
  });
  const first = spectra.filter(({ seed }) => seed === 0);
  const seeds = new Set(spectra.map(({ seed }) => seed)).size;
  return {
    rows,
    table: {
      title: "Figure 3, left: λmax and λmax/λ5 of the Hessian, paper and ours",
      columns: {
        epochs: "epoch, paper | ours",
        paperSgd: "paper · SGD",
        paperSam: "paper · SAM",
        sgd: "ours · SGD",
        sam: "ours · SAM",
      },
      footnotes: runFootnotes({ budget, seeds, notes: [`Each cell: λmax; λmax/λ5. ${figure3Spectra.describe(budget)}.`] }),
    },
    figure: hessianSpectra({
      title: titleOf(spectra, epochs.at(-1)!),
      subtitle: `Density of the Hessian's eigenvalues (seed 0). ${figure3Spectra.describe(budget)}.`,
      rows: first.flatMap(points),
      marks: first.map(markOf),
      methods,
    }),
  };
}

function pair(lambdaMax: number | undefined, ratio: number | undefined): string {
  return lambdaMax === undefined ? "" : `${lambdaMax.toFixed(1)}; ${ratio!.toFixed(1)}`;
}

function estimatedPair(rows: readonly SpectrumRow[]): string {
  const lambda = formatEstimate(estimate(rows.map(lambdaMaxOf)), { decimals: 1 });
  return `${lambda}; ${formatEstimate(estimate(rows.map((row) => row.lambdaMaxOverLambda5)), { decimals: 1 })}`;
}

function titleOf(spectra: readonly SpectrumRow[], last: number): string {
  const lambda = (method: string) =>
    estimate(spectra.filter((row) => row.epoch === last && row.method === method).map(lambdaMaxOf)).mean;
  const factor = lambda("SGD") / lambda("SAM");
  if (factor > 1) return `SAM's solution is flatter: its λmax is ${factor.toFixed(1)} times smaller than SGD's`;
  return `Here SAM's solution is not flatter: its λmax is ${(1 / factor).toFixed(1)} times SGD's`;
}

// The smoothing of google/spectral-density, on each spectrum's own range.
function points(row: SpectrumRow): SpectrumPoint[] {
  const quadrature = { nodes: row.nodes.map((n) => [...n]), weights: row.weights.map((w) => [...w]), size: 0, products: 0 };
  const { grid, density } = smooth(quadrature, { gridPoints: 600, sigma: widthOf(row) });
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

function paperMarks(): { epoch: number; method: string; lambdaMax: number; lambdaMaxOverLambda5: number }[] {
  const numbers = selectNumbers(paperNumbers("figure-3"), { panel: "left", measure: "lambdaMax" });
  return numbers.map(({ method, epoch, value }) => {
    const [ratio] = selectNumbers(paperNumbers("figure-3"), {
      panel: "left",
      measure: "lambdaMaxOverLambda5",
      method: method as string,
      epoch: epoch as number,
    });
    return { epoch: epoch as number, method: String(method).toUpperCase(), lambdaMax: value, lambdaMaxOverLambda5: ratio!.value };
  });
}

/** The rise of the loss around each solution, and the first seed's pair of surfaces. */
export function figure1SurfacesContent(budget: Budget, records: readonly RunRecord[]): ItemContent {
  const surfaces = figure1SurfacesRows(budget, records);
  const seeds = new Set(surfaces.map(({ seed }) => seed)).size;
  const rises = (method: string) => surfaces.filter((row) => row.method === method).map((row) => row.meanRise);
  const center = ({ loss }: SurfaceRow) => loss[(loss.length - 1) / 2]![(loss.length - 1) / 2]!;
  const centers = (method: string) => surfaces.filter((row) => row.method === method).map(center);
  const wider = estimate(rises("SGD")).mean > estimate(rises("SAM")).mean;
  return {
    rows: methods.map((method) => ({
      method,
      center: formatEstimate(estimate(centers(method)), { decimals: 3 }),
      rise: formatEstimate(estimate(rises(method)), { decimals: 3 }),
    })),
    table: {
      title: "Figure 1, middle and right: training loss at the solution, and its mean rise within half of the directions' length",
      columns: { method: "method", center: "loss at the solution", rise: "mean rise around it" },
      footnotes: runFootnotes({
        budget,
        seeds,
        notes: ["The paper's figure has no numbers.", `${figure1Surfaces.describe(budget)}.`],
      }),
    },
    figure: lossSurfaces({
      title: wider ? "SAM's solution lies in a wider basin" : "Here SAM's solution does not lie in a wider basin",
      subtitle: `Training loss on a plane of two random filter-normalized directions (seed 0). ${figure1Surfaces.describe(budget)}.`,
      surfaces: surfaces
        .filter(({ seed }) => seed === 0)
        .map(({ method, x, y, loss }) => ({ label: method, alphas: x, betas: y, values: loss })),
      valueTitle: "training loss",
    }),
  };
}
