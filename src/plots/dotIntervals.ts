/** Means and intervals as dots with bars, one line for each condition, paper and ours side by side. */
import { quantitative, nominal, colorLegend, colorScale, unique } from "./encoding";
import { withBounds, type IntervalPoint } from "./intervals";
import { figure, type FigureSpec, type FigureTitle } from "./theme";

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
