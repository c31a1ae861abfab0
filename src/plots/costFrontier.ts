/** Error against cost, one point a method, with the Pareto front: the methods that no other beats at the same or a lower cost. */
import { checkFigure } from "./checkFigure";
import { colorLegend, colorScale, cornerText, nominal, quantitative, textWidth, unique, type Layer } from "./encoding";
import { withBounds, type IntervalPoint } from "./intervals";
import { figure, palette, type FigureSpec, type FigureTitle } from "./theme";

export interface CostPoint extends IntervalPoint {
  readonly name: string;
  /** Above 0, such as the gradients of a training. */
  readonly cost: number;
  /** The color. */
  readonly series: string;
  /** A panel for each, such as "40 % noise". */
  readonly panel?: string;
}

export interface CostFrontierOptions extends FigureTitle {
  readonly rows: readonly CostPoint[];
  /** Colors in the order of the legend. Default: the order of the rows. */
  readonly series?: readonly string[];
  readonly xTitle?: string;
  readonly yTitle?: string;
}

/** The points with the lowest mean of all that cost no more, in the order of their cost. */
export function paretoFront<Point extends Pick<CostPoint, "cost" | "mean">>(points: readonly Point[]): Point[] {
  const sorted = [...points].sort((a, b) => a.cost - b.cost || a.mean - b.mean);
  return sorted.filter((point, i) => sorted.slice(0, i).every(({ mean }) => point.mean < mean));
}

const size = { width: 560, height: 300 };
const lineHeight = 15; // pixels between two names

/**
 * Mean and interval of each method against its cost, a panel each on an axis of its own; names stand at the right, in the order of the means.
 * @throws where an option is unknown, or a row lacks name, cost, mean or series
 */
export function costFrontier(options: CostFrontierOptions): FigureSpec {
  const kinds = { rows: "array", series: "array", xTitle: "string", yTitle: "string" } as const;
  checkFigure(options, { what: "costFrontier", kinds, fields: ["name", "cost", "mean", "series"] });
  const { rows, series = unique(rows.map((row) => row.series)) } = options;
  const color = nominal("series", { title: null, scale: colorScale(series), sort: null, legend: colorLegend(series) });
  const panels = unique(rows.map(({ panel = "" }) => panel));
  const vconcat = panels.map((panel) => costPanel(rows.filter((row) => (row.panel ?? "") === panel), { ...options, panel, color })); // prettier-ignore
  const names = textWidth(rows.map(({ name }) => name));
  return figure(options, size.width + names + 60, { vconcat, spacing: 30, resolve: { scale: { color: "shared" } } });
}

interface CostPanel extends CostFrontierOptions {
  readonly panel: string;
  readonly color: Layer;
}

function costPanel(rows: readonly CostPoint[], { panel, color, xTitle = "cost", yTitle = "test error (%)" }: CostPanel): Layer {
  const values = withBounds(rows);
  const [lowest, highest] = [Math.min(...values.map(({ low }) => low)), Math.max(...values.map(({ high }) => high))];
  const [bottom, top] = [lowest - 0.05 * (highest - lowest || 1), highest + 0.05 * (highest - lowest || 1)];
  const costs = rows.map(({ cost }) => cost);
  const x = quantitative("cost", { title: xTitle, scale: { domain: [0, 1.05 * Math.max(...costs)], nice: false } });
  const y = (field: string) => quantitative(field, { title: yTitle, scale: { domain: [bottom, top], nice: false, zero: false } });
  const named = withNamePlaces(values, (top - bottom) / size.height);
  return {
    ...size,
    data: { values: named },
    layer: [
      frontLayer(rows, { x, y: y("mean") }),
      {
        mark: { type: "rule", color: palette.faint, strokeWidth: 1 },
        encoding: { x, x2: { value: size.width + 6 }, y: y("mean"), y2: { field: "namePlace" } },
      },
      { mark: { type: "rule", strokeWidth: 2 }, encoding: { x, y: y("low"), y2: { field: "high" }, color } },
      { mark: { type: "point", filled: true, size: 70, opacity: 1 }, encoding: { x, y: y("mean"), color } },
      {
        mark: { type: "text", align: "left", baseline: "middle", fontSize: 12 },
        encoding: { x: { value: size.width + 10 }, y: y("namePlace"), text: nominal("name"), color },
      },
      ...(panel ? [cornerText(panel)] : []),
    ],
  };
}

/** A step from each point of the front to the next, and on to the highest cost. */
function frontLayer(rows: readonly CostPoint[], { x, y }: { x: Layer; y: Layer }): Layer {
  const front = paretoFront(rows);
  const end = { ...front.at(-1)!, cost: Math.max(...rows.map(({ cost }) => cost)) };
  const mark = { type: "line", interpolate: "step-after", color: palette.ink, strokeWidth: 1.5, strokeDash: [5, 3] };
  return { data: { values: [...front, end] }, mark, encoding: { x, y } };
}

/** `namePlace`: the mean, moved so that names stand a line apart and within the panel; `pixel` is its height in units of the mean. */
function withNamePlaces<Point extends IntervalPoint>(points: readonly Point[], pixel: number): (Point & { namePlace: number })[] {
  const sorted = [...points].sort((a, b) => a.mean - b.mean);
  const gap = lineHeight * pixel;
  const places: number[] = [];
  for (const { mean } of sorted) places.push(Math.max(mean, (places.at(-1) ?? -Infinity) + gap));
  // Pushed up only, the highest names would leave the panel.
  const ceiling = Math.max(...points.map(({ mean }) => mean)) + gap;
  for (let i = places.length - 1; i >= 0; i--) places[i] = Math.min(places[i]!, ceiling - (places.length - 1 - i) * gap);
  return sorted.map((point, i) => ({ ...point, namePlace: places[i]! }));
}
