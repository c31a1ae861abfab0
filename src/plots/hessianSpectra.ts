/** The Hessian's spectral density at several epochs, the methods on one pair of axes: Figure 3, left. */
import { checkFigure } from "./checkFigure";
import { colorLegend, colorScale, nominal, panelTitle, quantitative, unique, type Layer } from "./encoding";
import { colorsFor, figure, palette, type FigureSpec, type FigureTitle } from "./theme";

/** A point of a density curve. */
export interface SpectrumPoint {
  readonly epoch: number;
  readonly method: string;
  readonly lambda: number;
  readonly density: number;
}

/** An eigenvalue that is marked and named. */
export interface SpectrumMark {
  readonly epoch: number;
  readonly method: string;
  readonly lambdaMax: number;
  readonly lambdaMaxOverLambda5: number;
  /** The largest eigenvalues, drawn as ticks on the axis. */
  readonly ritzValues?: readonly number[];
}

/** Options of `hessianSpectra`. */
export interface HessianSpectraOptions extends FigureTitle {
  readonly rows: readonly SpectrumPoint[];
  readonly marks?: readonly SpectrumMark[];
  /** The paper's numbers, printed in gray below ours. */
  readonly paper?: readonly SpectrumMark[];
  /** Methods in the order of the legend. Default: the order of the rows. */
  readonly methods?: readonly string[];
  /** The lowest density drawn, as a fraction of the highest of its epoch, in (0, 1). */
  readonly floor?: number;
}

const size = { width: 660, height: 150 };

/**
 * Log density of the Hessian's eigenvalues, one panel for each epoch, in which the methods share both axes.
 * @throws where an option is unknown, or a row lacks epoch, method, lambda or density
 */
export function hessianSpectra(options: HessianSpectraOptions): FigureSpec {
  checkFigure(options, {
    what: "hessianSpectra",
    kinds: { rows: "array", marks: "array", paper: "array", methods: "array", floor: "number" },
    fields: ["epoch", "method", "lambda", "density"],
  });
  const { rows, marks = [], paper = [], methods = unique(rows.map((row) => row.method)) } = options;
  const { floor = 1e-6 } = options; // ours: below it the smoothing kernel's tail is all there is
  const epochs = unique(rows.map((row) => row.epoch)).sort((a, b) => a - b);
  const color = nominal("method", { title: null, scale: colorScale(methods), sort: null, legend: colorLegend(methods) });
  const vconcat = epochs.map((epoch, i) => {
    const here = <T extends { epoch: number }>(items: readonly T[]) => items.filter((item) => item.epoch === epoch);
    const panel = { epoch, methods, floor, color, marks: here(marks), paper: here(paper), last: i === epochs.length - 1 };
    return spectrumPanel(here(rows), panel);
  });
  return figure(options, size.width + 40, { vconcat, spacing: 18 });
}

interface SpectrumPanel {
  readonly epoch: number;
  readonly methods: readonly string[];
  readonly floor: number;
  readonly color: Layer;
  readonly marks: readonly SpectrumMark[];
  readonly paper: readonly SpectrumMark[];
  readonly last: boolean;
}

function spectrumPanel(
  rows: readonly SpectrumPoint[],
  { epoch, methods, floor, color, marks, paper, last }: SpectrumPanel,
): Layer {
  const top = Math.max(...rows.map((point) => point.density));
  const low = floor * top;
  const domain = lambdaDomain(rows, { low, marks });
  const axis = { tickCount: 10, grid: false };
  const x = quantitative("lambda", { title: last ? "eigenvalue λ" : null, scale: { domain, nice: false }, axis });
  const y = quantitative("density", {
    title: "density p(λ)",
    scale: { type: "log", domain: [low, top * 2] },
    axis: { format: "~e", tickCount: 4 },
  });
  const eigenvalues = marks.flatMap(({ method, lambdaMax, ritzValues = [lambdaMax] }) =>
    ritzValues.map((lambda) => ({ method, lambda })),
  );
  return {
    ...panelTitle(`epoch ${epoch}`),
    ...size,
    layer: [
      ...methods.map((method) => densityArea(raiseToFloor(rows, { method, low }), { x, y, color, low })),
      {
        data: { values: eigenvalues },
        mark: { type: "tick", thickness: 1.5, height: 12 },
        encoding: { x, y: { value: size.height - 2 }, color },
      },
      ...notes(methods, { marks, paper }),
    ],
  };
}

/** From the left tail, with some room beside it, to the largest eigenvalue. */
function lambdaDomain(
  rows: readonly SpectrumPoint[],
  { low, marks }: { low: number; marks: readonly SpectrumMark[] },
): [number, number] {
  const visible = rows.filter((point) => point.density >= low).map((point) => point.lambda);
  const lambdas = [...visible, ...marks.map((mark) => mark.lambdaMax)];
  const [from, to] = [Math.min(...lambdas), Math.max(...lambdas)];
  const room = 0.03 * (to - from);
  return [from - room, to + room];
}

function densityArea(values: readonly SpectrumPoint[], { x, y, color, low }: { x: Layer; y: Layer; color: Layer; low: number }) {
  const mark = { type: "area", opacity: 0.22, line: { strokeWidth: 1.75, opacity: 1 }, clip: true };
  return { data: { values }, mark, encoding: { x, y, y2: { datum: low }, color } };
}

/** One method's points; densities below the floor lie on it, and of a stretch on the floor only the ends are kept. */
function raiseToFloor(rows: readonly SpectrumPoint[], { method, low }: { method: string; low: number }): SpectrumPoint[] {
  const raised = rows
    .filter((point) => point.method === method)
    .map((point) => ({ ...point, density: Math.max(point.density, low) }));
  const flat = (i: number) => raised[i]?.density === low;
  return raised.filter((_, i) => !(flat(i - 1) && flat(i) && flat(i + 1)));
}

/** λmax and λmax/λ₅ of each method, line by line in the upper right corner, each with the paper's below. */
function notes(
  methods: readonly string[],
  { marks, paper }: { marks: readonly SpectrumMark[]; paper: readonly SpectrumMark[] },
): Layer[] {
  const lines = methods.flatMap((method) => {
    const [ours, theirs] = [marks, paper].map((list) => list.find((mark) => mark.method === method));
    return [
      ...(ours ? [{ text: `${method}: ${describeMark(ours)}`, color: colorsFor([method])[0]!, fontWeight: "bold" }] : []),
      ...(theirs ? [{ text: `paper, ${method}: ${describeMark(theirs)}`, color: palette.gray, fontWeight: "normal" }] : []),
    ];
  });
  return lines.map((line, i) => ({
    data: { values: [{}] },
    mark: { type: "text", align: "right", baseline: "top", dx: -4, dy: 4 + 18 * i, fontSize: 13, ...line },
    encoding: { x: { value: size.width }, y: { value: 0 } },
  }));
}

function describeMark({ lambdaMax, lambdaMaxOverLambda5 }: SpectrumMark): string {
  return `λmax = ${Number(lambdaMax.toPrecision(3))}, λmax/λ₅ = ${lambdaMaxOverLambda5.toFixed(1)}`;
}
