/** Clean accuracy and memorized labels along training, a row of panels for each noise rate. */
import { checkFigure } from "./checkFigure";
import { cornerText, colorLegend, colorScale, nominal, unique, type Layer } from "./encoding";
import type { IntervalPoint } from "./intervals";
import { curvePanel } from "./learningCurves";
import { figure, type FigureSpec, type FigureTitle } from "./theme";

/** How a network answers to the labels that it is trained on, in the order of the panels; all in per cent. */
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
  /** A row of panels for each, such as "40 % noise". Default: one row. */
  readonly noise?: string;
}

/** Options of `memorizationCurves`. */
export interface MemorizationCurvesOptions extends FigureTitle {
  readonly rows: readonly MemorizationPoint[];
}

/**
 * Training with noisy labels: clean accuracy falls as the flipped labels are memorized. Each measure that occurs has a column.
 * @throws where an option is unknown, or a row lacks epoch, method, measure or mean
 */
export function memorizationCurves(options: MemorizationCurvesOptions): FigureSpec {
  const fields = ["epoch", "method", "measure", "mean"];
  checkFigure(options, { what: "memorizationCurves", kinds: { rows: "array" }, fields });
  const { rows } = options;
  const measures = memorizationMeasures.filter((measure) => rows.some((row) => row.measure === measure));
  const noises = unique(rows.map((row) => row.noise ?? ""));
  const methods = unique(rows.map(({ method }) => method));
  const color = nominal("series", { title: null, scale: colorScale(methods), sort: null, legend: colorLegend(methods) });
  const size = measures.length > 2 ? { width: 176, height: 135 } : { width: 310, height: 280 };
  const vconcat = noises.map((noise, line) => {
    const last = line === noises.length - 1;
    const hconcat = measures.map((measure, column) => {
      const here = rows.filter((row) => (row.noise ?? "") === noise && row.measure === measure);
      return measurePanel(here, { ...size, color, panel: line === 0 ? measure : "", noise, first: column === 0, last });
    });
    return { hconcat, spacing: 18 };
  });
  return figure(options, measures.length * (size.width + 18) + 40, {
    vconcat,
    spacing: 12,
    resolve: { scale: { color: "shared", y: "shared" } },
  });
}

interface MeasurePanel {
  readonly width: number;
  readonly height: number;
  readonly color: Layer;
  readonly panel: string;
  readonly noise: string;
  /** Whether it is in the first column, which has the labels of the y axis. */
  readonly first: boolean;
  /** Whether it is in the last row, which has the title of the x axis. */
  readonly last: boolean;
}

function measurePanel(rows: readonly MemorizationPoint[], { panel, noise, first, last, ...rest }: MeasurePanel): Layer {
  const points = rows.map(({ epoch, method, mean, interval }) => ({ x: epoch, series: method, mean, interval }));
  const y = { title: first ? noise || "%" : null, scale: { domain: [0, 100] }, axis: { labels: first, tickCount: 5 } };
  const drawn = curvePanel(points, { ...rest, panel: "", y, xTitle: last ? "epoch" : "", xFormat: "~s" });
  // A panel's title would stand higher in the first column, whose labels reach above the axis.
  return panel ? { ...drawn, layer: [...drawn.layer, cornerText(panel)] } : drawn;
}
