/** Clean accuracy and memorized labels along training, a row of panels for each noise rate. */
import { nominal, colorLegend, colorScale, unique } from "./encoding";
import { type IntervalPoint } from "./intervals";
import { curvePanel } from "./learningCurves";
import { figure, type FigureSpec, type FigureTitle } from "./theme";

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
