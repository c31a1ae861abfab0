/** The paper's figures as vega-lite specifications, from plain rows in the unit of the axis (error rates in per cent). */
import { colorsFor, figure, palette, rampColors, wrapText, type FigureSpec, type FigureTitle } from "./theme";

/** A point with the half-width of its interval; one seed has none. */
export interface IntervalPoint {
  readonly mean: number;
  readonly interval?: number;
}

type Layer = Record<string, unknown>;

const quantitative = (field: string, more: Layer = {}) => ({ field, type: "quantitative", ...more });
const nominal = (field: string, more: Layer = {}) => ({ field, type: "nominal", ...more });
/** Full colors in the legend, though the first layer is a faint band. */
const colorLegend = { symbolOpacity: 1, symbolType: "circle", symbolSize: 110 };
const dashLegend = { symbolType: "stroke", symbolSize: 700, symbolStrokeWidth: 2.25, symbolStrokeColor: palette.ink };
const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

/** A color scale that keeps the order of `names`. */
function colorScale(names: readonly string[], colors: readonly string[] = colorsFor(names)) {
  return { domain: names, range: colors };
}

function withBounds<Point extends IntervalPoint>(rows: readonly Point[]): (Point & { low: number; high: number })[] {
  return rows.map((row) => ({ ...row, low: row.mean - (row.interval ?? 0), high: row.mean + (row.interval ?? 0) }));
}

export interface RhoPoint extends IntervalPoint {
  readonly rho: number;
  /** the curve: m in Figure 3, the norm in Figure 6 */
  readonly series: string | number;
}

export interface ErrorVersusRhoOptions extends FigureTitle {
  readonly rows: readonly RhoPoint[];
  /** drawn dashed, in a panel of its own: the paper's networks make other errors than ours */
  readonly paper?: readonly RhoPoint[];
  readonly seriesTitle?: string;
  readonly yTitle?: string;
  readonly paperLabel?: string;
  readonly oursLabel?: string;
}

/** Figure 3 middle, Figure 6: error against ρ, a curve and its interval band for each m. ρ = 0 stands at the left of the log axis. */
export function errorVersusRho({
  rows,
  paper = [],
  seriesTitle = "m",
  yTitle = "test error (%)",
  paperLabel = "paper",
  oursLabel = "ours",
  ...heading
}: ErrorVersusRhoOptions): FigureSpec {
  const series = unique([...paper, ...rows].map((row) => row.series)).sort((a, b) => (typeof a === "number" ? a - Number(b) : 0));
  const names = series.map(String);
  const colors = series.every((name) => typeof name === "number") ? rampColors(names.length) : colorsFor(names);
  const color = nominal("series", { title: seriesTitle, scale: colorScale(names, colors), sort: null, legend: colorLegend });
  const panels = paper.length > 0 ? [{ label: paperLabel, rows: paper, dash: true }] : [];
  const all = [...panels, { label: oursLabel, rows, dash: false }];
  const width = all.length > 1 ? 300 : 560;
  const drawn = all.map((panel) => rhoPanel(panel.rows, { ...panel, width, color, yTitle, titled: all.length > 1 }));
  return figure(heading, all.length * width + 60, { hconcat: drawn, resolve: { scale: { color: "shared", x: "independent" } } });
}

interface RhoPanel {
  readonly label: string;
  readonly dash: boolean;
  readonly width: number;
  readonly color: Layer;
  readonly yTitle: string;
  readonly titled: boolean;
}

function rhoPanel(rows: readonly RhoPoint[], { label, dash, width, color, yTitle, titled }: RhoPanel): Layer {
  const values = withBounds(rows).map((row) => ({ ...row, series: String(row.series) }));
  const x = quantitative("rho", {
    title: "ρ",
    scale: rhoScale(rows),
    axis: { values: rhoTicks(rows, width), labelExpr: rhoLabel, labelOverlap: false },
  });
  const y = quantitative("mean", { title: yTitle, scale: { zero: false, nice: true } });
  const line = {
    type: "line",
    strokeWidth: dash ? 1.75 : 2.5,
    opacity: dash ? 0.75 : 1,
    ...(dash ? { strokeDash: [5, 3] } : {}),
  };
  const band = {
    mark: { type: "area", opacity: 0.14 },
    encoding: { y: quantitative("low", { title: yTitle }), y2: { field: "high" } },
  };
  const point = { type: "point", filled: true, size: dash ? 30 : 55, opacity: dash ? 0.75 : 1 };
  return {
    ...(titled ? { title: { text: label, fontSize: 14, offset: 6, fontWeight: "normal", frame: "group" } } : {}),
    ...{ width, height: 300, data: { values }, encoding: { x, color } },
    layer: [band, { mark: line, encoding: { y } }, { mark: point, encoding: { y } }],
  };
}

/** Log where ρ > 0 everywhere; with ρ = 0, symlog that turns linear below the smallest positive ρ. */
function rhoScale(rows: readonly RhoPoint[]): Layer {
  const smallest = Math.min(...rows.map((row) => row.rho).filter((rho) => rho > 0));
  return rows.some((row) => row.rho === 0) ? { type: "symlog", constant: smallest, nice: false } : { type: "log", nice: false };
}

/** The ρ that were run, as far as their labels fit beside each other. */
function rhoTicks(rows: readonly RhoPoint[], width: number): number[] {
  const rhos = unique(rows.map((row) => row.rho)).sort((a, b) => a - b);
  const constant = rhos.find((rho) => rho > 0) ?? 1;
  const place = (rho: number) => (rhos[0] === 0 ? Math.log1p(rho / constant) : Math.log(rho));
  const perUnit = width / (place(rhos.at(-1)!) - place(rhos[0]!) || 1);
  const half = (rho: number) => 4 + 4 * (rho > 0 && rho < 0.001 ? 4 : String(rho).length); // 8 pixels a character
  const kept: number[] = [];
  for (const rho of rhos) {
    const last = kept[kept.length - 1];
    if (last === undefined || (place(rho) - place(last)) * perUnit >= half(rho) + half(last)) kept.push(rho);
  }
  return kept;
}

const rhoLabel = "datum.value > 0 && datum.value < 0.001 ? format(datum.value, '.1~e') : format(datum.value, '~g')";

export interface CurvePoint extends IntervalPoint {
  /** step or epoch */
  readonly x: number;
  /** color */
  readonly series: string;
  /** solid for the first, dashed for the second */
  readonly style?: string;
  /** one plot for each, side by side */
  readonly panel?: string;
}

export interface LearningCurvesOptions extends FigureTitle {
  readonly rows: readonly CurvePoint[];
  /** drawn faint and dotted in the same panels */
  readonly paper?: readonly CurvePoint[];
  readonly xTitle?: string;
  readonly yTitle?: string;
  readonly seriesTitle?: string;
  /** in this order; by default that of the rows */
  readonly panels?: readonly string[];
  /** true for series in an order, such as the number of ascent steps */
  readonly ordered?: boolean;
  readonly yDomain?: readonly [number, number];
  /** each panel its own y axis */
  readonly independentY?: boolean;
  /** d3 format of the x axis */
  readonly xFormat?: string; // "~s": 12k steps
}

/** Curves along training with interval bands: Figures 4, 5 and 7, losses, errors. */
export function learningCurves({
  rows,
  paper = [],
  xTitle = "epoch",
  yTitle = "test error (%)",
  seriesTitle = "",
  panels = unique(rows.map((row) => row.panel ?? "")),
  ordered = false,
  yDomain,
  independentY = false,
  xFormat = "~s",
  ...heading
}: LearningCurvesOptions): FigureSpec {
  const names = unique([...rows, ...paper].map((row) => row.series));
  const color = nominal("series", {
    title: seriesTitle || null,
    scale: colorScale(names, ordered ? rampColors(names.length) : undefined),
    sort: null,
    legend: colorLegend,
  });
  const styles = unique(rows.flatMap((row) => row.style ?? []));
  const width = panels.length > 1 ? 310 : 560;
  const y = { title: yTitle, scale: { zero: false, ...(yDomain ? { domain: yDomain } : {}) } };
  const hconcat = panels.map((panel) =>
    curvePanel(
      rows.filter((row) => (row.panel ?? "") === panel),
      { panel, width, color, styles, xTitle, xFormat, y, paper: paper.filter((row) => (row.panel ?? "") === panel) },
    ),
  );
  return figure(heading, panels.length * width + 80, {
    hconcat,
    resolve: { scale: { color: "shared", strokeDash: "shared", y: independentY ? "independent" : "shared" } },
  });
}

const faintLine = { type: "line", strokeWidth: 1.5, strokeDash: [1, 3], strokeCap: "round", opacity: 0.8 };

interface CurvePanel {
  readonly panel: string;
  readonly paper: readonly CurvePoint[];
  readonly width: number;
  readonly color: Layer;
  readonly styles: readonly string[];
  readonly xTitle: string;
  readonly xFormat: string;
  readonly y: Layer;
}

function curvePanel(rows: readonly CurvePoint[], { panel, paper, width, color, styles, xTitle, xFormat, y }: CurvePanel): Layer {
  const dash = { domain: styles, range: [[1, 0], [6, 4], [2, 2]].slice(0, styles.length) }; // prettier-ignore
  const strokeDash =
    styles.length > 0 ? { strokeDash: nominal("style", { title: null, scale: dash, sort: null, legend: dashLegend }) } : {};
  const detail = styles.length > 0 ? { detail: nominal("style") } : {};
  const x = quantitative("x", {
    title: xTitle,
    scale: { nice: false, zero: false },
    axis: { grid: false, format: xFormat, tickCount: 6 },
  });
  return {
    ...(panel ? { title: { text: panel, fontSize: 14, offset: 6, fontWeight: "normal", frame: "group" } } : {}),
    ...{ width, height: 280, data: { values: withBounds(rows) }, encoding: { x, color } },
    layer: [
      { mark: { type: "area", opacity: 0.14 }, encoding: { y: quantitative("low", y), y2: { field: "high" }, ...detail } },
      { mark: { type: "line", strokeWidth: 2.25 }, encoding: { y: quantitative("mean", y), ...strokeDash } },
      ...(paper.length > 0
        ? [{ data: { values: paper }, mark: faintLine, encoding: { y: quantitative("mean", y), ...detail } }]
        : []),
    ],
  };
}

/** What a net makes of the labels it is trained on, in the order of the panels; all in per cent. */
export const memorizationMeasures = [
  "clean test accuracy",
  "flipped labels reproduced",
  "true class predicted instead",
  "clean labels reproduced",
] as const;

export interface MemorizationPoint extends IntervalPoint {
  readonly epoch: number;
  readonly method: string;
  readonly measure: (typeof memorizationMeasures)[number];
  /** a row of panels for each, such as "40 % noise"; absent: one row */
  readonly noise?: string;
}

/** Learning with noisy labels: how far clean accuracy falls as the flipped labels are learned by heart. */
export function memorizationCurves({
  rows,
  ...heading
}: FigureTitle & { readonly rows: readonly MemorizationPoint[] }): FigureSpec {
  const panels = memorizationMeasures.filter((measure) => rows.some((row) => row.measure === measure));
  const noises = unique(rows.map((row) => row.noise ?? ""));
  const color = nominal("series", {
    title: null,
    scale: colorScale(unique(rows.map(({ method }) => method))),
    sort: null,
    legend: colorLegend,
  });
  const size = panels.length > 2 ? { width: 205, height: 150 } : { width: 310, height: 280 };
  const vconcat = noises.map((noise, line) => {
    const last = line === noises.length - 1;
    const hconcat = panels.map((panel, column) => {
      const here = rows.filter((row) => (row.noise ?? "") === noise && row.measure === panel);
      const points = here.map(({ epoch, method, mean, interval }) => ({ x: epoch, series: method, mean, interval }));
      const y = { title: column === 0 ? noise || "%" : null, scale: { domain: [0, 100] } };
      const labels = { panel: line === 0 ? panel : "", xTitle: last ? "epoch" : "", xFormat: "~s" };
      return { ...curvePanel(points, { ...labels, y, width: size.width, color, styles: [], paper: [] }), ...size };
    });
    return { hconcat, spacing: 18 };
  });
  return figure(heading, panels.length * (size.width + 40) + 80, {
    vconcat,
    spacing: 12,
    resolve: { scale: { color: "shared", y: "shared" } },
  });
}

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

/** How a dot of Figure 1 left is drawn, by what it is. */
const reductionMarks = {
  "paper, from its tables": { fill: palette.gray, stroke: palette.gray, shape: "circle" },
  "paper, as drawn": { fill: palette.ink, stroke: palette.ink, shape: "M0,-1.5V1.5" },
  "ours, beyond the seeds' noise": { fill: palette.blue, stroke: palette.blue, shape: "circle" },
  "ours, within it": { fill: "white", stroke: palette.blue, shape: "circle" },
} as const;

type ReductionKind = keyof typeof reductionMarks;
const reductionKinds = Object.keys(reductionMarks) as ReductionKind[];

export interface ErrorReduction {
  /** the row */
  readonly family: string;
  /** in per cent */
  readonly value: number;
  readonly kind: ReductionKind;
}

export interface ErrorReductionsOptions extends FigureTitle {
  /** one plot for each, side by side, by their titles */
  readonly panels: Readonly<Record<string, readonly ErrorReduction[]>>;
  /** rows from top to bottom, and what the axis calls them */
  readonly families: Readonly<Record<string, string>>;
  readonly xTitle?: string;
}

/** Figure 1 left: one dot for each data set, network and augmentation; right of zero SAM is better. All panels share both axes. */
export function errorReductions({
  panels,
  families,
  xTitle = "relative error reduction by SAM (%)",
  ...heading
}: ErrorReductionsOptions): FigureSpec {
  const all = Object.values(panels).flat();
  const kinds = reductionKinds.filter((kind) => all.some((row) => row.kind === kind));
  const range = (channel: "fill" | "stroke" | "shape") => kinds.map((kind) => reductionMarks[kind][channel]);
  const byKind = (channel: "fill" | "stroke" | "shape") =>
    nominal("kind", { title: null, sort: null, scale: { domain: kinds, range: range(channel) }, legend: { orient: "bottom" } });
  const names = Object.keys(families);
  const domain = [Math.min(0, ...all.map(({ value }) => value)), Math.max(0, ...all.map(({ value }) => value))];
  const x = quantitative("value", { title: xTitle, scale: { domain, nice: true } });
  const hconcat = Object.entries(panels).map(([panel, rows], column) => {
    const axis = { labels: column === 0, labelExpr: `${JSON.stringify(families)}[datum.value]`, labelLimit: 260 };
    const y = nominal("family", {
      title: null,
      scale: { domain: names },
      axis: { ...axis, grid: true, ticks: false, domain: false },
    });
    const zero = {
      mark: { type: "rule", color: palette.ink, strokeWidth: 1.25 },
      encoding: { x: { datum: 0, type: "quantitative" } },
    };
    const dots = {
      data: { values: rows },
      mark: { type: "point", size: 85, strokeWidth: 1.75, opacity: 0.8 },
      encoding: { x, y, fill: byKind("fill"), stroke: byKind("stroke"), shape: byKind("shape") },
    };
    return {
      title: { text: panel, fontSize: 14, fontWeight: "normal", offset: 8, frame: "group" },
      ...{ width: 330, height: { step: 38 }, layer: [{ data: { values: [{}] }, ...zero }, dots] },
    };
  });
  return figure(heading, 820, { hconcat, resolve: { scale: { fill: "shared", stroke: "shared", shape: "shared" } } });
}

export interface DotInterval extends IntervalPoint {
  /** the line it stands on: augmentation, data set, network */
  readonly row: string;
  /** what the axis of its own panel calls this line; by default the first panel alone names the lines */
  readonly label?: string;
  /** color: the method */
  readonly series: string;
  /** a panel with its own axis: "paper" and "ours" */
  readonly panel?: string;
}

export interface DotIntervalsOptions extends FigureTitle {
  readonly rows: readonly DotInterval[];
  readonly xTitle?: string;
  readonly seriesTitle?: string;
  /** pixels of each panel where there are several; default 270 */
  readonly panelWidth?: number;
}

/** Table 5 as a picture: mean and interval by condition and method, the paper and ours side by side, each on its own axis. */
export function dotIntervals({
  rows,
  xTitle = "test error (%)",
  seriesTitle = "",
  panelWidth = 270,
  ...heading
}: DotIntervalsOptions): FigureSpec {
  const series = unique(rows.map((row) => row.series));
  const lines = unique(rows.map((row) => row.row));
  const panels = unique(rows.map((row) => row.panel ?? ""));
  const color = nominal("series", { title: seriesTitle || null, scale: colorScale(series), sort: null, legend: colorLegend });
  const yOffset = nominal("series", { sort: series, scale: { domain: series, padding: 0.5 } });
  const hconcat = panels.map((panel, column) => {
    const named = rows.some((row) => row.label !== undefined);
    const names = Object.fromEntries(
      rows.filter((row) => (row.panel ?? "") === panel).map((row) => [row.row, row.label ?? row.row]),
    );
    const labels = named ? { labelExpr: `${JSON.stringify(names)}[datum.value] || ''` } : { labels: column === 0 };
    const axis = { ...labels, labelLimit: 440, grid: false, ticks: false, domain: false };
    const y = nominal("row", { title: null, sort: lines, scale: { domain: lines }, axis });
    const values = withBounds(rows.filter((row) => (row.panel ?? "") === panel));
    const bounded = { zero: false, nice: false, padding: 14 };
    return {
      ...(panel ? { title: { text: panel, fontSize: 14, fontWeight: "normal", offset: 8, frame: "group" } } : {}),
      ...{
        width: panels.length > 1 ? panelWidth : 480,
        height: { step: Math.max(16, 12 + 4 * series.length) },
        data: { values },
      },
      encoding: { y, yOffset, color },
      layer: [
        {
          mark: { type: "rule", strokeWidth: 2.5 },
          encoding: { x: quantitative("low", { title: xTitle, scale: bounded }), x2: { field: "high" } },
        },
        {
          mark: { type: "point", filled: true, size: 80, opacity: 1 },
          encoding: { x: quantitative("mean", { title: xTitle, scale: bounded }) },
        },
      ],
    };
  });
  return figure(heading, panels.length * (panelWidth + 30) + 140, {
    hconcat,
    resolve: { scale: { color: "shared", x: "independent" } },
  });
}

export interface Surface {
  readonly label: string;
  /** ascending, evenly spaced coordinates along the first direction (columns) */
  readonly alphas: readonly number[];
  /** along the second direction (rows) */
  readonly betas: readonly number[];
  /** values[row][column] = loss at (alphas[column], betas[row]) */
  readonly values: readonly (readonly number[])[];
  /** drawn on top */
  readonly balls?: readonly Ball[];
}

/** ‖ε‖₂ ≤ ρ around a point of the plane, and a step in it. */
export interface Ball {
  /** along the first and the second direction */
  readonly center: readonly [number, number];
  readonly radius: number;
  /** ε, from the center */
  readonly arrow?: readonly [number, number];
  readonly label?: string;
}

export interface LossSurfacesOptions extends FigureTitle {
  readonly surfaces: readonly Surface[];
  readonly valueTitle?: string;
  /** losses of the contour lines; by default 12 in equal ratios over all surfaces */
  readonly levels?: readonly number[];
  /** losses above it share the last color */
  readonly cap?: number; // 10: Li et al. (2018) clip their surfaces so
  /** of the first and of the second direction */
  readonly axisTitles?: readonly [string, string];
}

/** Figure 1 middle and right: filled contours of the loss on a plane through the weights, all surfaces on one color scale. A vega spec. */
export function lossSurfaces({
  surfaces,
  valueTitle = "loss",
  cap = 10,
  levels,
  axisTitles = ["first direction", "second direction"],
  ...heading
}: LossSurfacesOptions): FigureSpec {
  const size = 300;
  const gap = 46;
  const all = surfaces.flatMap((surface) => surface.values.flat());
  const steps = levels ?? equalRatios(Math.min(...all), Math.min(cap, Math.max(...all)), 12);
  const total = surfaces.length * size + (surfaces.length - 1) * gap;
  const legend = { fill: "loss", title: valueTitle, type: "gradient", gradientLength: size - 40, format: ".2~g", ...legendText };
  return {
    $schema: "https://vega.github.io/schema/vega/v5.json",
    ...{ background: "white", padding: 14, width: total, height: size },
    ...(heading.title ? { title: vegaTitle(heading, total) } : {}),
    scales: [
      {
        name: "loss",
        type: "log",
        domain: [steps[0], steps[steps.length - 1]],
        range: surfaceRamp,
        clamp: true,
        interpolate: "rgb",
      },
    ],
    data: surfaces.flatMap((surface, i) => surfaceData(surface, { i, size, steps })),
    legends: [legend],
    marks: surfaces.map((surface, i) => surfaceGroup(surface, { i, size, axisTitles, left: i * (size + gap) })),
  };
}

// Light (low loss) to dark blue (high): ColorBrewer's YlGnBu, safe for color-blind readers and in gray print.
const surfaceRamp = ["#FFFFD9", "#EDF8B1", "#C7E9B4", "#7FCDBB", "#41B6C4", "#1D91C0", "#225EA8", "#253494", "#081D58"];
const face = "Inter, Helvetica Neue, Arial, sans-serif";
const legendText = {
  titleFont: face,
  titleFontSize: 13,
  titleFontWeight: "normal",
  titleColor: palette.gray,
  labelFont: face,
  labelFontSize: 13,
};
const panelText = { font: { value: face }, fontSize: { value: 14 }, fill: { value: palette.ink }, align: { value: "center" } };
const axisText = {
  labelFont: face,
  labelFontSize: 13,
  titleFont: face,
  titleFontSize: 14,
  titleFontWeight: "normal",
  domainColor: palette.gray,
};

function vegaTitle({ title = "", subtitle = "" }: FigureTitle, width: number): Layer {
  const text = {
    text: wrapText(title, width / 9),
    font: face,
    fontSize: 17,
    lineHeight: 22,
    color: palette.ink,
    anchor: "start",
    offset: 36,
  };
  const below = {
    subtitle: wrapText(subtitle, width / 6.6),
    subtitleFont: face,
    subtitleFontSize: 13,
    subtitleColor: palette.gray,
  };
  return subtitle ? { ...text, ...below, subtitlePadding: 6, subtitleLineHeight: 18 } : text;
}

function surfaceData(surface: Surface, { i, size, steps }: { i: number; size: number; steps: readonly number[] }): Layer[] {
  const { alphas, betas, values } = surface;
  // Vega's first row is at the top, ours at the bottom. Its values stand in the middle of cells: the outer half cells are cut off.
  const grid = [...values].reverse().flat();
  const scale = [size / (alphas.length - 1), size / (betas.length - 1)];
  const translate = scale.map((cell) => -cell / 2);
  return [
    { name: `grid${i}`, values: [{ width: alphas.length, height: betas.length, values: grid }] },
    {
      name: `contours${i}`,
      source: `grid${i}`,
      transform: [
        {
          type: "isocontour",
          scale: { expr: `[${scale}]` },
          translate,
          smooth: true,
          thresholds: steps,
        },
      ],
    },
  ];
}

function surfaceGroup(
  { label, alphas, betas, balls = [] }: Surface,
  { i, size, left, axisTitles }: { i: number; size: number; left: number; axisTitles: readonly [string, string] },
): Layer {
  const axis = (scale: string, orient: string, title: string) => ({ scale, orient, title, tickCount: 5, ...axisText });
  const range = (values: readonly number[]) => [values[0], values[values.length - 1]];
  const fill = { scale: "loss", field: "contour.value" };
  return {
    type: "group",
    encode: { enter: { x: { value: left }, width: { value: size }, height: { value: size }, fill: { value: surfaceRamp[0] } } },
    scales: [
      { name: "x", domain: range(alphas), range: [0, size] },
      { name: "y", domain: range(betas), range: [size, 0] },
    ],
    axes: [axis("x", "bottom", axisTitles[0]), ...(i === 0 ? [axis("y", "left", axisTitles[1])] : [])],
    marks: [
      { type: "text", encode: { enter: { text: { value: label }, x: { value: size / 2 }, y: { value: -10 }, ...panelText } } },
      {
        type: "path",
        clip: true,
        from: { data: `contours${i}` },
        encode: { enter: { fill, stroke: { value: palette.ink }, strokeWidth: { value: 0.5 }, strokeOpacity: { value: 0.5 } } },
        transform: [{ type: "geopath", field: "datum.contour" }],
      },
      ...balls.flatMap((ball) => ballMarks(ball, { alphas, betas, size })),
    ],
  };
}

/** A ring, its center and the arrow of its step, in pixels of a plane that may be scaled differently along its two directions. */
function ballMarks(
  { center, radius, arrow, label }: Ball,
  { alphas, betas, size }: { alphas: readonly number[]; betas: readonly number[]; size: number },
): Layer[] {
  const perUnit = [alphas, betas].map((axis) => size / (axis[axis.length - 1]! - axis[0]!)) as [number, number];
  const [x, y] = [(center[0] - alphas[0]!) * perUnit[0], size - (center[1] - betas[0]!) * perUnit[1]];
  const [rx, ry] = [radius * perUnit[0], radius * perUnit[1]];
  const path = (d: string, fill?: string) => ({
    type: "path",
    encode: {
      enter: {
        ...{ x: { value: x }, y: { value: y }, path: { value: d } },
        ...{ stroke: { value: palette.vermilion }, strokeWidth: { value: 2 }, ...(fill ? { fill: { value: fill } } : {}) },
      },
    },
  });
  const text = { text: { value: label }, x: { value: x }, y: { value: y + ry + 16 }, ...panelText };
  return [
    path(`M ${-rx} 0 A ${rx} ${ry} 0 1 0 ${rx} 0 A ${rx} ${ry} 0 1 0 ${-rx} 0`),
    path("M -2 0 A 2 2 0 1 0 2 0 A 2 2 0 1 0 -2 0", palette.vermilion),
    ...(arrow ? [path(arrowPath(arrow[0] * perUnit[0], -arrow[1] * perUnit[1]), palette.vermilion)] : []),
    ...(label ? [{ type: "text", encode: { enter: text } }] : []),
  ];
}

/** From the origin to (dx, dy) pixels, with a head of 8 pixels. */
function arrowPath(dx: number, dy: number): string {
  const angle = Math.atan2(dy, dx);
  const [left, right] = [0.45, -0.45].map((turn) => [dx - 8 * Math.cos(angle + turn), dy - 8 * Math.sin(angle + turn)]);
  return `M 0 0 L ${dx} ${dy} L ${left} L ${right} L ${dx} ${dy}`;
}

export interface RitzConvergenceOptions extends FigureTitle {
  /** (steps, 1 … steps) the Ritz values after each step: `ritzHistory` */
  readonly history: readonly (readonly number[])[];
  /** the true eigenvalues, drawn as lines */
  readonly eigenvalues?: readonly number[];
}

/** Lanczos at work: the Ritz values after each step as dots, which settle on the eigenvalues from the ends of the spectrum inwards. */
export function ritzConvergence({ history, eigenvalues = [], ...heading }: RitzConvergenceOptions): FigureSpec {
  const rows = history.flatMap((values, i) => values.map((ritz) => ({ step: i + 1, ritz })));
  const y = (field: string) => quantitative(field, { title: "eigenvalue", scale: { zero: false }, axis: { grid: false } });
  const x = quantitative("step", {
    title: "Lanczos steps",
    scale: { zero: false, nice: false },
    axis: { grid: false, tickCount: 8 },
  });
  const lines = eigenvalues.map((lambda) => ({ lambda }));
  return figure(heading, 560, {
    ...{ width: 560, height: 300 },
    layer: [
      { data: { values: lines }, mark: { type: "rule", color: palette.faint }, encoding: { y: y("lambda") } },
      {
        data: { values: rows },
        mark: { type: "circle", color: palette.blue, size: 22, opacity: 0.9 },
        encoding: { x, y: y("ritz") },
      },
    ],
  });
}

/** A point as `sharpnessProfile` gives it. */
export interface SharpnessProfileRow {
  readonly rho: number;
  readonly worstCase: number;
  readonly oneStep: number;
  readonly gradientTerm: number;
  readonly curvatureTerm: number;
  /** a plot for each */
  readonly panel?: string;
}

export interface SharpnessProfilesOptions extends FigureTitle {
  readonly rows: readonly SharpnessProfileRow[];
}

const profileNames = {
  worstCase: "worst case in the ball",
  oneStep: "at ε̂, one step of SAM",
  gradientTerm: "ρ‖∇L‖",
  curvatureTerm: "½ρ²λmax",
} as const;

/** Rise of the loss against the radius of the ball: what was measured solid, what the two terms predict dashed. */
export function sharpnessProfiles({ rows, ...heading }: SharpnessProfilesOptions): FigureSpec {
  const lines = rows.flatMap((row) =>
    Object.entries(profileNames).map(([field, series]) => {
      const style = field.endsWith("Term") ? "predicted" : "measured";
      return { x: row.rho, mean: row[field as keyof typeof profileNames], series, style, panel: row.panel };
    }),
  );
  return learningCurves({ ...heading, rows: lines, xTitle: "ρ", yTitle: "rise of the loss", xFormat: "~g" });
}

/** `count` levels from low to high, each the same multiple of the one before; a loss of 0 counts as a thousandth of the highest. */
function equalRatios(low: number, high: number, count: number): number[] {
  const from = Math.max(low, high / 1000);
  return Array.from({ length: count }, (_, i) => from * (high / from) ** (i / (count - 1)));
}
