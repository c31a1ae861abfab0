/** The Hessian's spectral density, methods side by side and epochs below each other: Figure 3, left. */
import { quantitative, unique, type Layer } from "./encoding";
import { colorsFor, figure, palette, type FigureSpec, type FigureTitle } from "./theme";

export interface SpectrumPoint {
  readonly epoch: number;
  readonly method: string;
  readonly lambda: number;
  readonly density: number;
}

export interface SpectrumMark {
  readonly epoch: number;
  readonly method: string;
  readonly lambdaMax: number;
  readonly lambdaMaxOverLambda5: number;
  /** the largest eigenvalues, drawn as ticks on the axis */
  readonly ritzValues?: readonly number[];
}

export interface HessianSpectraOptions extends FigureTitle {
  readonly rows: readonly SpectrumPoint[];
  readonly marks?: readonly SpectrumMark[];
  /** printed in gray beside ours */
  readonly paper?: readonly SpectrumMark[];
  /** columns, in order */
  readonly methods?: readonly string[];
  /** lowest density drawn, as a fraction of the highest of its row */
  readonly floor?: number;
}

/** Figure 3 left: log density of the Hessian's eigenvalues, a row for each epoch, SGD and SAM side by side on the same axes. */
export function hessianSpectra({
  rows,
  marks = [],
  paper = [],
  methods = unique(rows.map((row) => row.method)),
  floor = 1e-6, // ours: below it the smoothing kernel's tail is all there is
  ...heading
}: HessianSpectraOptions): FigureSpec {
  const epochs = unique(rows.map((row) => row.epoch)).sort((a, b) => a - b);
  const vconcat = epochs.map((epoch) => {
    const row = rows.filter((point) => point.epoch === epoch);
    const top = Math.max(...row.map((point) => point.density));
    const inside = raiseToFloor(row, floor * top);
    const visible = row.filter((point) => point.density >= floor * top);
    const tips = marks.filter((mark) => mark.epoch === epoch).map((mark) => mark.lambdaMax);
    const lambdas = [...visible.map((point) => point.lambda), ...tips];
    const frame = {
      x: [Math.min(...lambdas), Math.max(...lambdas) * 1.04] as const,
      y: [floor * top, top * 2] as const,
      last: epoch === epochs[epochs.length - 1],
    };
    const hconcat = methods.map((method, column) => {
      const here = <T extends { epoch: number; method: string }>(items: readonly T[]) =>
        items.filter((item) => item.epoch === epoch && item.method === method);
      return spectrumPanel(here(inside), { epoch, method, column, mark: here(marks)[0], paper: here(paper)[0], frame });
    });
    return { hconcat, spacing: 30 };
  });
  return figure(heading, methods.length * 360, { vconcat, spacing: 18 });
}

/** Densities below the floor lie on it; of a stretch on the floor only the ends are kept. */
function raiseToFloor(rows: readonly SpectrumPoint[], floor: number): SpectrumPoint[] {
  const raised = rows.map((point) => ({ ...point, density: Math.max(point.density, floor) }));
  const flat = (i: number) => raised[i]?.density === floor && raised[i]?.method === raised[i + 1]?.method;
  return raised.filter((_, i) => i === 0 || !(flat(i - 1) && flat(i) && raised[i + 1]?.density === floor));
}

interface SpectrumPanel {
  readonly epoch: number;
  readonly method: string;
  readonly column: number;
  readonly mark?: SpectrumMark;
  readonly paper?: SpectrumMark;
  readonly frame: { readonly x: readonly [number, number]; readonly y: readonly [number, number]; readonly last: boolean };
}

function spectrumPanel(rows: readonly SpectrumPoint[], { epoch, method, column, mark, paper, frame }: SpectrumPanel): Layer {
  const color = colorsFor([method])[0];
  const xTitle = frame.last ? "eigenvalue λ" : null;
  const x = quantitative("lambda", {
    title: xTitle,
    scale: { domain: frame.x, nice: false },
    axis: { tickCount: 6, grid: false },
  });
  const yAxis = { format: "~e", tickCount: 4, labels: column === 0 };
  const y = quantitative("density", {
    title: column === 0 ? "density p(λ)" : null,
    scale: { type: "log", domain: frame.y },
    axis: yAxis,
  });
  const area = { type: "area", color, opacity: 0.25, line: { color, strokeWidth: 1.75 }, clip: true };
  const note = (lines: string[], dy: number, fill: string, weight = "normal") => ({
    data: { values: [{}] },
    mark: {
      type: "text",
      align: "right",
      baseline: "top",
      dy,
      dx: -4,
      fontSize: 13,
      fontWeight: weight,
      color: fill,
      text: lines,
    },
    encoding: { x: { value: 320 }, y: { value: 0 } },
  });
  const eigenvalues = (mark?.ritzValues ?? (mark ? [mark.lambdaMax] : [])).map((lambda) => ({ lambda }));
  const layer = [
    { data: { values: rows }, mark: area, encoding: { x, y, y2: { datum: frame.y[0] } } },
    {
      data: { values: eigenvalues },
      mark: { type: "tick", color, thickness: 1.5, height: 12 },
      encoding: { x, y: { value: 148 } },
    },
    ...(mark ? [note([describeMark(mark)], 4, palette.ink, "bold")] : []),
    ...(paper ? [note([`paper: ${describeMark(paper)}`], mark ? 22 : 4, palette.gray)] : []),
  ];
  const text = `${method.toUpperCase()}, epoch ${epoch}`;
  return { title: { text, fontSize: 14, fontWeight: "normal", offset: 4, frame: "group" }, width: 320, height: 150, layer };
}

function describeMark({ lambdaMax, lambdaMaxOverLambda5 }: SpectrumMark): string {
  return `λmax = ${Number(lambdaMax.toPrecision(3))}, λmax/λ5 = ${lambdaMaxOverLambda5.toFixed(1)}`;
}
