/** Test error against ρ, one curve for each m or norm: Figures 3 (middle) and 6, Table 8. */
import { checkFigure } from "./checkFigure";
import { cornerText, colorLegend, colorScale, nominal, quantitative, unique, type Layer } from "./encoding";
import { withBounds, type IntervalPoint } from "./intervals";
import { colorsFor, figure, rampColors, type FigureSpec, type FigureTitle } from "./theme";

export interface RhoPoint extends IntervalPoint {
  /** At least 0. */
  readonly rho: number;
  /** The curve: m in Figure 3, the norm in Figure 6. Numbers are ordered and colored along a ramp. */
  readonly series: string | number;
}

/** Options of `errorVersusRho`. */
export interface ErrorVersusRhoOptions extends FigureTitle {
  readonly rows: readonly RhoPoint[];
  /** The paper's points, drawn dashed in a panel of their own: its networks have other errors than ours. */
  readonly paper?: readonly RhoPoint[];
  readonly seriesTitle?: string;
  readonly yTitle?: string;
  readonly paperLabel?: string;
  readonly oursLabel?: string;
}

/**
 * Error against ρ, with intervals as bars, so that the curves' shapes stay visible. ρ = 0 stands at the left of the log axis.
 * @throws where an option is unknown, or a row lacks rho, series or mean
 */
export function errorVersusRho(options: ErrorVersusRhoOptions): FigureSpec {
  checkFigure(options, {
    what: "errorVersusRho",
    kinds: {
      ...{ rows: "array", paper: "array", seriesTitle: "string", yTitle: "string" },
      ...{ paperLabel: "string", oursLabel: "string" },
    },
    fields: ["rho", "series", "mean"],
  });
  const { rows, paper = [], seriesTitle = "m", yTitle = "test error (%)", paperLabel = "paper", oursLabel = "ours" } = options;
  const series = unique([...paper, ...rows].map((row) => row.series)).sort((a, b) => (typeof a === "number" ? a - Number(b) : 0));
  const names = series.map(String);
  const colors = series.every((name) => typeof name === "number") ? rampColors(names.length) : colorsFor(names);
  const scale = colorScale(names, colors);
  const color = nominal("series", { title: seriesTitle, scale, sort: null, legend: colorLegend(names) });
  const panels = paper.length > 0 ? [{ label: paperLabel, rows: paper, dash: true }] : [];
  const all = [...panels, { label: oursLabel, rows, dash: false }];
  const width = all.length > 1 ? 360 : 560;
  const drawn = all.map((panel) => rhoPanel(panel.rows, { ...panel, names, width, color, yTitle, titled: all.length > 1 }));
  return figure(options, all.length * width + 60, {
    hconcat: drawn,
    resolve: { scale: { color: "shared", x: "independent" } },
  });
}

interface RhoPanel {
  readonly label: string;
  readonly dash: boolean;
  readonly names: readonly string[];
  readonly width: number;
  readonly color: Layer;
  readonly yTitle: string;
  readonly titled: boolean;
}

function rhoPanel(rows: readonly RhoPoint[], { label, dash, names, width, color, yTitle, titled }: RhoPanel): Layer {
  const values = withBounds(rows).map((row) => ({ ...row, series: String(row.series) }));
  const x = quantitative("rho", {
    title: "ρ",
    scale: { ...rhoScale(rows), padding: 10 },
    axis: { values: rhoTicks(rows, width), labelExpr: rhoLabel, labelOverlap: false },
  });
  const y = quantitative("mean", { title: yTitle, scale: { zero: false, nice: true } });
  const low = quantitative("low", { title: yTitle });
  const opacity = dash ? 0.75 : 1;
  const bars = !dash && rows.some((row) => row.interval !== undefined);
  const present = names.filter((name) => values.some((row) => row.series === name));
  const layer = present.flatMap((name, i) => {
    // Bars of several curves at one ρ stand beside each other.
    const beside = bars ? { xOffset: (i - (present.length - 1) / 2) * 4 } : {};
    const line = { type: "line", strokeWidth: dash ? 1.75 : 2.5, opacity, ...(dash ? { strokeDash: [5, 3] } : {}), ...beside };
    const point = { type: "point", filled: true, size: dash ? 30 : 55, opacity, ...beside };
    const bar = { type: "rule", strokeWidth: 1.5, opacity: 0.5, ...beside };
    const marks = [
      ...(bars ? [{ mark: bar, encoding: { y: low, y2: { field: "high" } } }] : []),
      { mark: line, encoding: { y } },
      { mark: point, encoding: { y } },
    ];
    return [{ transform: [{ filter: { field: "series", equal: name } }], layer: marks }];
  });
  const heading = titled ? [cornerText(label)] : [];
  return { width, height: 300, data: { values }, encoding: { x, color }, layer: [...layer, ...heading] };
}

/** Log where ρ > 0 everywhere; with ρ = 0, symlog that turns linear below the smallest positive ρ. */
function rhoScale(rows: readonly RhoPoint[]): Layer {
  const smallest = Math.min(...rows.map((row) => row.rho).filter((rho) => rho > 0));
  return rows.some((row) => row.rho === 0) ? { type: "symlog", constant: smallest, nice: false } : { type: "log", nice: false };
}

/** The values of ρ that were run, as far as their labels fit beside each other. */
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
