/** Relative error reductions as dots in rows, paper and ours side by side: Figure 1, left. */
import { checkFigure } from "./checkFigure";
import { nominal, panelTitle, quantitative, type Layer } from "./encoding";
import { figure, palette, type FigureSpec, type FigureTitle } from "./theme";

/** The look of each kind of dot. Ours are in the color of the method that has the lower error beyond the seeds' noise. */
const reductionMarks = {
  "paper, from its tables": { fill: palette.gray, stroke: "white", shape: "circle" },
  "paper, as drawn": { fill: palette.ink, stroke: palette.ink, shape: "M0,-1.5V1.5" },
  "ours, lower with SAM": { fill: palette.blue, stroke: "white", shape: "circle" },
  "ours, higher with SAM": { fill: palette.vermilion, stroke: "white", shape: "circle" },
  "ours, within the seeds' noise": { fill: "white", stroke: palette.ink, shape: "circle" },
  "ours, one seed": { fill: "white", stroke: palette.ink, shape: "diamond" },
} as const;

/** Kinds of points, each with a mark of its own. */
export type ReductionKind = keyof typeof reductionMarks;
const reductionKinds = Object.keys(reductionMarks) as ReductionKind[];

/** One point of Figure 1, left. */
export interface ErrorReduction {
  /** The row, a key of `families`. */
  readonly family: string;
  /** Per cent; above 0 if SAM has the lower error. */
  readonly value: number;
  readonly kind: ReductionKind;
}

/** Options of `errorReductions`. */
export interface ErrorReductionsOptions extends FigureTitle {
  /** One plot for each, side by side, by their titles. */
  readonly panels: Readonly<Record<string, readonly ErrorReduction[]>>;
  /** The rows from top to bottom, each with its name on the axis. */
  readonly families: Readonly<Record<string, string>>;
  readonly xTitle?: string;
}

/**
 * One dot for each data set, network and augmentation; right of zero SAM is better. All panels share both axes.
 * @throws where an option is unknown
 */
export function errorReductions(options: ErrorReductionsOptions): FigureSpec {
  const kinds = { panels: "object", families: "object", xTitle: "string" } as const;
  checkFigure(options, { what: "errorReductions", kinds });
  const { panels, families, xTitle = "relative error reduction by SAM (%)" } = options;
  const all = Object.values(panels).flat();
  const domain = [Math.min(0, ...all.map(({ value }) => value)), Math.max(0, ...all.map(({ value }) => value))];
  const x = quantitative("value", { title: xTitle, scale: { domain, nice: true } });
  const look = lookOf(reductionKinds.filter((kind) => all.some((row) => row.kind === kind)));
  const hconcat = Object.entries(panels).map(([panel, rows], column) => ({
    ...panelTitle(panel),
    ...{ width: 300, height: { step: 38 } },
    layer: [zeroLine, dotLayer(rows, { x, y: familyAxis(families, column), look })],
  }));
  return figure(options, 660, { hconcat, resolve: { scale: { fill: "shared", stroke: "shared", shape: "shared" } } });
}

function lookOf(kinds: readonly ReductionKind[]): Layer {
  const channel = (name: "fill" | "stroke" | "shape") => {
    const scale = { domain: kinds, range: kinds.map((kind) => reductionMarks[kind][name]) };
    return nominal("kind", { title: null, sort: null, scale, legend: { columns: 3, symbolSize: 95, symbolStrokeWidth: 1.5 } });
  };
  return { fill: channel("fill"), stroke: channel("stroke"), shape: channel("shape") };
}

const zeroLine = {
  data: { values: [{}] },
  mark: { type: "rule", color: palette.ink, strokeWidth: 1.25 },
  encoding: { x: { datum: 0, type: "quantitative" } },
};

function familyAxis(families: Readonly<Record<string, string>>, column: number): Layer {
  const labels = { labels: column === 0, labelExpr: `${JSON.stringify(families)}[datum.value]`, labelLimit: 260 };
  const axis = { ...labels, grid: true, ticks: false, domain: false };
  return nominal("family", { title: null, scale: { domain: Object.keys(families) }, axis });
}

function dotLayer(rows: readonly ErrorReduction[], { x, y, look }: { x: Layer; y: Layer; look: Layer }): Layer {
  const mark = { type: "point", size: 95, strokeWidth: 1.5, opacity: 1 };
  return { data: { values: rows }, mark, encoding: { x, y, ...look } };
}
