/** Curves along training with interval bands: Figures 4, 5 and 7, losses, errors. */
import { checkFigure } from "./checkFigure";
import {
  colorLegend,
  colorScale,
  dashLegend,
  nominal,
  panelTitle,
  quantitative,
  unique,
  wholeTicks,
  type Layer,
} from "./encoding";
import { withBounds, type IntervalPoint } from "./intervals";
import { figure, rampColors, type FigureSpec, type FigureTitle } from "./theme";

export interface CurvePoint extends IntervalPoint {
  /** Step or epoch; an axis of whole numbers has whole ticks. */
  readonly x: number;
  /** The color. */
  readonly series: string;
  /** Solid for the first style, dashed for the second. */
  readonly style?: string;
  /** One plot for each, side by side. */
  readonly panel?: string;
}

/** Options of `learningCurves`. */
export interface LearningCurvesOptions extends FigureTitle {
  readonly rows: readonly CurvePoint[];
  /** The paper's curves, drawn faint and dotted in the same panels. */
  readonly paper?: readonly CurvePoint[];
  readonly xTitle?: string;
  readonly yTitle?: string;
  readonly seriesTitle?: string;
  /** Panels in order. Default: the order of the rows. */
  readonly panels?: readonly string[];
  /** True for series in an order, such as the number of ascent steps. */
  readonly ordered?: boolean;
  readonly yDomain?: readonly [number, number];
  /** A y axis of its own for each panel. */
  readonly independentY?: boolean;
  /** The d3 format of the x axis. */
  readonly xFormat?: string; // "~s": 12k steps
  /** Height of a panel in pixels. */
  readonly height?: number; // 280
}

/** @throws where an option is unknown, or a row lacks x, series or mean */
export function learningCurves(options: LearningCurvesOptions): FigureSpec {
  checkFigure(options, {
    what: "learningCurves",
    kinds: {
      ...{ rows: "array", paper: "array", xTitle: "string", yTitle: "string", seriesTitle: "string", panels: "array" },
      ...{ ordered: "boolean", yDomain: "array", independentY: "boolean", xFormat: "string", height: "number" },
    },
    fields: ["x", "series", "mean"],
  });
  const { rows, paper = [], xTitle = "epoch", yTitle = "test error (%)", seriesTitle = "", xFormat = "~s" } = options;
  const { panels = unique(rows.map((row) => row.panel ?? "")), ordered = false, yDomain, independentY = false, height } = options;
  const names = unique([...rows, ...paper].map((row) => row.series));
  const scale = colorScale(names, ordered ? rampColors(names.length) : undefined);
  const color = nominal("series", { title: seriesTitle || null, scale, sort: null, legend: colorLegend(names) });
  const styles = unique(rows.flatMap((row) => row.style ?? []));
  const width = panels.length > 1 ? Math.min(280, Math.floor(820 / panels.length) - 60) : 560;
  const y = { title: yTitle, scale: { zero: false, ...(yDomain ? { domain: yDomain } : {}) } };
  const hconcat = panels.map((panel) => {
    const of = (points: readonly CurvePoint[]) => points.filter((row) => (row.panel ?? "") === panel);
    return curvePanel(of(rows), { panel, width, height, color, styles, xTitle, xFormat, y, paper: of(paper) });
  });
  return figure(options, panels.length * width + 80, {
    hconcat,
    resolve: { scale: { color: "shared", strokeDash: "shared", y: independentY ? "independent" : "shared" } },
  });
}

const faintLine = { type: "line", strokeWidth: 1.5, strokeDash: [1, 3], strokeCap: "round", opacity: 0.8 };

interface CurvePanel {
  readonly panel: string;
  readonly paper?: readonly CurvePoint[];
  readonly width: number;
  readonly height?: number;
  readonly color: Layer;
  readonly styles?: readonly string[];
  readonly xTitle: string;
  readonly xFormat: string;
  readonly y: Layer;
}

/** One plot of curves with bands. */
export function curvePanel(rows: readonly CurvePoint[], options: CurvePanel) {
  const { panel, paper = [], width, height = 280, color, styles = [], xTitle, xFormat, y } = options;
  const dash = { domain: styles, range: [[1, 0], [6, 4], [2, 2]].slice(0, styles.length) }; // prettier-ignore
  const strokeDash =
    styles.length > 0 ? { strokeDash: nominal("style", { title: null, scale: dash, sort: null, legend: dashLegend }) } : {};
  const detail = styles.length > 0 ? { detail: nominal("style") } : {};
  const xs = [...rows, ...paper].map((point) => point.x);
  const ticks = xs.every(Number.isInteger) ? { values: wholeTicks(xs, width) } : { tickCount: 6 };
  const axis = { grid: false, format: xFormat, ...ticks };
  const x = quantitative("x", { title: xTitle, scale: { nice: false, zero: false }, axis });
  return {
    ...panelTitle(panel),
    ...{ width, height, data: { values: withBounds(rows) }, encoding: { x, color } },
    layer: [
      { mark: { type: "area", opacity: 0.14 }, encoding: { y: quantitative("low", y), y2: { field: "high" }, ...detail } },
      { mark: { type: "line", strokeWidth: 2.25 }, encoding: { y: quantitative("mean", y), ...strokeDash } },
      ...(paper.length > 0
        ? [{ data: { values: paper }, mark: faintLine, encoding: { y: quantitative("mean", y), ...detail } }]
        : []),
    ],
  };
}
