/** Curves along training with interval bands: Figures 4, 5 and 7, losses, errors. */
import { quantitative, nominal, colorLegend, dashLegend, colorScale, unique, type Layer } from "./encoding";
import { withBounds, type IntervalPoint } from "./intervals";
import { figure, rampColors, type FigureSpec, type FigureTitle } from "./theme";

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

export function curvePanel(
  rows: readonly CurvePoint[],
  { panel, paper, width, color, styles, xTitle, xFormat, y }: CurvePanel,
): Layer {
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
