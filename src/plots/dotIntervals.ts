/** Means and intervals as dots with bars, one line for each condition, paper and ours side by side. */
import { checkFigure } from "./checkFigure";
import { colorLegend, colorScale, nominal, panelTitle, quantitative, textWidth, unique, type Layer } from "./encoding";
import { withBounds, type IntervalPoint } from "./intervals";
import { figure, maxWidth, palette, wrapText, type FigureSpec, type FigureTitle } from "./theme";

export interface DotInterval extends IntervalPoint {
  /** The line it stands on: augmentation, data set, network. */
  readonly row: string;
  /** The name of this line in its own panel. Default: the first panel alone names the lines, by `row`. */
  readonly label?: string;
  /** The color: the method. */
  readonly series: string;
  /** Filled for the first style, hollow for the second, such as "last epoch" and "best epoch". */
  readonly style?: string;
  /** A panel with an axis of its own: "paper" and "ours". */
  readonly panel?: string;
}

/** Text at the right end of a line, such as the paper's value where it would not fit the axis. */
export interface LineNote {
  readonly row: string;
  readonly panel?: string;
  readonly text: string;
}

/** Options of `dotIntervals`. */
export interface DotIntervalsOptions extends FigureTitle {
  /** Lines and panels in order of first appearance. */
  readonly rows: readonly DotInterval[];
  /** Colors in the order of the legend. Default: the order of the rows. */
  readonly series?: readonly string[];
  readonly xTitle?: string;
  readonly seriesTitle?: string;
  /** Printed in gray at the right of each panel. */
  readonly notes?: readonly LineNote[];
  /** Lines whose names are printed bold. */
  readonly highlight?: readonly string[];
}

const labelLength = 26;
const noteWidth = 40;
const spacing = 24;

/**
 * Tables 1 to 5 as a picture: mean and interval by condition and method, each panel on its own axis.
 * @throws where an option is unknown, or a row lacks its mean, row or series
 */
export function dotIntervals(options: DotIntervalsOptions): FigureSpec {
  checkFigure(options, {
    what: "dotIntervals",
    kinds: { rows: "array", series: "array", xTitle: "string", seriesTitle: "string", notes: "array", highlight: "array" },
    fields: ["row", "series", "mean"],
  });
  const { rows, series = unique(rows.map((row) => row.series)), seriesTitle = "" } = options;
  const panels = unique(rows.map((row) => row.panel ?? ""));
  const styles = unique(rows.flatMap((row) => row.style ?? []));
  const frame = { ...options, lines: unique(rows.map((row) => row.row)), styles, width: panelWidth(options, panels) };
  const legend = colorLegend(series, 860);
  const scale = colorScale(series);
  // The same field as fill and stroke, so that hollow dots keep their color at the rim.
  const fill = nominal("series", { title: seriesTitle || null, scale, sort: null, legend });
  const hconcat = panels.map((panel, column) =>
    dotPanel(
      rows.filter((row) => (row.panel ?? "") === panel),
      { ...frame, panel, column, fill },
    ),
  );
  return figure(explained(options, styles), Math.min(maxWidth - 60, panels.length * (frame.width + 30) + 140), {
    hconcat,
    spacing,
    resolve: { scale: { fill: "shared", stroke: "shared", fillOpacity: "shared", x: "independent" } },
  });
}

/** Pixels of each panel: what names and notes leave of the widest figure, at most 480 for one panel and 280 for several. */
function panelWidth({ rows, notes }: DotIntervalsOptions, panels: readonly string[]): number {
  const columns = panels.filter((_, i) => i === 0 || hasLabels(rows)).length;
  const names = textWidth(rows.flatMap((row) => wrapText(row.label ?? row.row, labelLength))) + 10;
  const gaps = (panels.length - 1) * spacing + (notes ? panels.length * noteWidth : 0);
  const free = (maxWidth - 40 - columns * names - gaps) / panels.length;
  return Math.max(90, Math.min(panels.length > 1 ? 280 : 480, Math.floor(free)));
}

function hasLabels(rows: readonly DotInterval[]): boolean {
  return rows.some((row) => row.label !== undefined);
}

interface DotPanel extends DotIntervalsOptions {
  readonly panel: string;
  readonly column: number;
  readonly width: number;
  readonly lines: readonly string[];
  readonly styles: readonly string[];
  readonly fill: Layer;
}

function dotPanel(here: readonly DotInterval[], options: DotPanel): Layer {
  const { rows, panel, width, lines, styles, fill, xTitle = "test error (%)" } = options;
  const beside = styles.length > 0 ? styles : unique(rows.map((row) => row.series));
  const x = (field: string) =>
    quantitative(field, {
      title: xTitle,
      scale: { zero: false, nice: false, padding: 14 },
      axis: { tickCount: Math.max(3, Math.floor(width / 50)) },
    });
  const yOffset = nominal(styles.length > 0 ? "style" : "series", { sort: beside, scale: { domain: beside, padding: 1 } });
  const dot = { type: "point", size: 70, strokeWidth: 2, opacity: 1 };
  return {
    ...panelTitle(panel),
    ...{ width, height: { step: 16 + 13 * beside.length, for: "position" }, data: { values: withBounds(here) } },
    encoding: { y: nominal("row", { title: null, sort: lines, scale: { domain: lines }, axis: lineAxis(here, options) }) },
    layer: [
      {
        mark: { type: "rule", strokeWidth: 2.5 },
        encoding: { yOffset, x: x("low"), x2: { field: "high" }, stroke: fill },
      },
      ...(styles.length > 1 ? [{ mark: { ...dot, fill: "white" }, encoding: { yOffset, x: x("mean") } }] : []),
      { mark: dot, encoding: { yOffset, x: x("mean"), fill, stroke: fill, ...styleOf(styles) } },
      ...noteLayer(options),
    ],
  };
}

/** Names in the first panel, or in each where it has its own; long ones take two lines. */
function lineAxis(here: readonly DotInterval[], { rows, column, highlight = [] }: DotPanel): Layer {
  const named = hasLabels(rows);
  const source = named ? here : rows;
  const names = Object.fromEntries(source.map(({ row, label }) => [row, wrapText(label ?? row, labelLength)]));
  const bold = { condition: { test: `indexof(${JSON.stringify(highlight)}, datum.value) >= 0`, value: "bold" }, value: "normal" };
  return {
    ...(named || column === 0 ? { labelExpr: `${JSON.stringify(names)}[datum.value] || ''` } : { labels: false }),
    ...{ labelLimit: 440, labelFontWeight: bold, grid: false, ticks: false, domain: false },
  };
}

function styleOf(styles: readonly string[]): Layer {
  if (styles.length < 2) return {};
  const scale = { domain: styles, range: [1, 0] };
  return { fillOpacity: { field: "style", type: "ordinal", scale, sort: styles, legend: null } };
}

/** The subtitle with the meaning of filled and hollow dots, which Vega-Lite's legend of two channels cannot show. */
function explained({ title, subtitle = "" }: FigureTitle, [filled, hollow]: readonly string[]): FigureTitle {
  return { title, subtitle: hollow ? `${subtitle} Filled dots: ${filled}; hollow dots: ${hollow}.`.trim() : subtitle };
}

function noteLayer({ notes = [], panel, width, lines }: DotPanel): Layer[] {
  const mine = notes.filter((note) => (note.panel ?? "") === panel && lines.includes(note.row));
  const mark = { type: "text", align: "right", baseline: "middle", color: palette.gray, fontSize: 13 };
  const encoding = { x: { value: width + noteWidth }, text: nominal("text") };
  return mine.length > 0 ? [{ data: { values: mine }, mark, encoding }] : [];
}
