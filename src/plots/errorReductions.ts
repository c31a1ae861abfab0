/** Relative error reductions as dots in rows, paper and ours side by side: Figure 1, left. */
import { quantitative, nominal } from "./encoding";
import { figure, palette, type FigureSpec, type FigureTitle } from "./theme";

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
