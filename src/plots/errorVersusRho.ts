/** Test error against ρ, one curve and interval band for each m or norm: Figures 3 (middle) and 6. */
import { quantitative, nominal, colorLegend, colorScale, unique, type Layer } from "./encoding";
import { withBounds, type IntervalPoint } from "./intervals";
import { colorsFor, figure, rampColors, type FigureSpec, type FigureTitle } from "./theme";

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
