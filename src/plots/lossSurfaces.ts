/** Filled contours of the loss on planes through the weights: Figure 1, middle and right. */
import { type Layer } from "./encoding";
import { checkFigure } from "./checkFigure";
import { maxWidth, palette, wrapText, type FigureSpec, type FigureTitle } from "./theme";

/** A surface over a grid, as `lossAlong` gives it, with its label. */
export interface PlottedSurface {
  readonly label: string;
  /** Ascending, evenly spaced coordinates along the first direction (columns) */
  readonly alphas: readonly number[];
  /** Along the second direction (rows). */
  readonly betas: readonly number[];
  /** values[row][column] is the loss at (alphas[column], betas[row]). */
  readonly values: readonly (readonly number[])[];
  /** Drawn on top. */
  readonly balls?: readonly Ball[];
}

/** ‖ε‖₂ ≤ ρ around a point of the plane, and a step in it. */
export interface Ball {
  /** Along the first and the second direction. */
  readonly center: readonly [number, number];
  readonly radius: number;
  /** ε, from the center. */
  readonly arrow?: readonly [number, number];
  readonly label?: string;
}

/** Options of `lossSurfaces`. */
export interface LossSurfacesOptions extends FigureTitle {
  readonly surfaces: readonly PlottedSurface[];
  readonly valueTitle?: string;
  /** Losses of the contour lines, ascending. Default: 12 in equal ratios over all surfaces. */
  readonly levels?: readonly number[];
  /** Losses above it share the last color. */
  readonly cap?: number; // 10: as Li et al. (2018) clip their surfaces
  /** Titles of the first and the second direction. */
  readonly axisTitles?: readonly [string, string];
}

/**
 * Filled contours of the loss on a plane through the weights, all surfaces on one color scale. A Vega specification, since
 * Vega-Lite has no contours.
 * @throws where an option is unknown, or a surface's values do not match its coordinates
 */
export function lossSurfaces(options: LossSurfacesOptions): FigureSpec {
  checkFigure(options, {
    what: "lossSurfaces",
    kinds: { surfaces: "array", valueTitle: "string", levels: "array", cap: "number", axisTitles: "array" },
    rows: "surfaces",
    fields: ["label", "alphas", "betas", "values"],
  });
  options.surfaces.forEach(checkGrid);
  const { surfaces, valueTitle = "loss", cap = 10, levels } = options;
  const { axisTitles = ["first direction", "second direction"] } = options;
  const gap = 46;
  const size = Math.min(280, Math.floor((maxWidth - 180 - (surfaces.length - 1) * gap) / surfaces.length));
  const all = surfaces.flatMap((surface) => surface.values.flat());
  const steps = levels ?? equalRatios(Math.min(...all), Math.min(cap, Math.max(...all)), 12);
  const total = surfaces.length * size + (surfaces.length - 1) * gap;
  const legend = { fill: "loss", title: valueTitle, type: "gradient", gradientLength: size - 40, format: ".2~g", ...legendText };
  return {
    $schema: "https://vega.github.io/schema/vega/v5.json",
    ...{ background: "white", padding: 14, width: total, height: size },
    ...(options.title ? { title: vegaTitle(options, total) } : {}),
    scales: [
      {
        name: "loss",
        type: "log",
        domain: [steps[0], steps[steps.length - 1]],
        range: surfaceRamp,
        clamp: true,
        interpolate: "rgb",
      },
    ],
    data: surfaces.flatMap((surface, i) => surfaceData(surface, { i, size, steps })),
    legends: [legend],
    marks: surfaces.map((surface, i) => surfaceGroup(surface, { i, size, axisTitles, left: i * (size + gap) })),
  };
}

function checkGrid({ label, alphas, betas, values }: PlottedSurface): void {
  if (values.length !== betas.length || values.some((row) => row.length !== alphas.length))
    throw new Error(
      `lossSurfaces: the values of "${label}" are ${values.length} × ${values[0]?.length ?? 0}, expected ${betas.length} × ${alphas.length}`,
    );
}

// Light (low loss) to dark blue (high): ColorBrewer's YlGnBu, safe for color-blind readers and in gray print.
const surfaceRamp = ["#FFFFD9", "#EDF8B1", "#C7E9B4", "#7FCDBB", "#41B6C4", "#1D91C0", "#225EA8", "#253494", "#081D58"];
const face = "Inter, Helvetica Neue, Arial, sans-serif";
const legendText = {
  titleFont: face,
  titleFontSize: 13,
  titleFontWeight: "normal",
  titleColor: palette.gray,
  labelFont: face,
  labelFontSize: 13,
};
const panelText = { font: { value: face }, fontSize: { value: 14 }, fill: { value: palette.ink }, align: { value: "center" } };
const axisText = {
  labelFont: face,
  labelFontSize: 13,
  titleFont: face,
  titleFontSize: 14,
  titleFontWeight: "normal",
  domainColor: palette.gray,
};

function vegaTitle({ title = "", subtitle = "" }: FigureTitle, width: number): Layer {
  const text = {
    text: wrapText(title, width / 9),
    font: face,
    fontSize: 17,
    lineHeight: 22,
    color: palette.ink,
    anchor: "start",
    offset: 36,
  };
  const below = {
    subtitle: wrapText(subtitle, width / 6.6),
    subtitleFont: face,
    subtitleFontSize: 13,
    subtitleColor: palette.gray,
  };
  return subtitle ? { ...text, ...below, subtitlePadding: 6, subtitleLineHeight: 18 } : text;
}

function surfaceData(
  surface: PlottedSurface,
  { i, size, steps }: { i: number; size: number; steps: readonly number[] },
): Layer[] {
  const { alphas, betas, values } = surface;
  // Vega's first row is at the top, ours at the bottom. Its values stand in the middle of cells: the outer half cells are cut off.
  const grid = [...values].reverse().flat();
  const scale = [size / (alphas.length - 1), size / (betas.length - 1)];
  const translate = scale.map((cell) => -cell / 2);
  return [
    { name: `grid${i}`, values: [{ width: alphas.length, height: betas.length, values: grid }] },
    {
      name: `contours${i}`,
      source: `grid${i}`,
      transform: [
        {
          type: "isocontour",
          scale: { expr: `[${scale}]` },
          translate,
          smooth: true,
          thresholds: steps,
        },
      ],
    },
  ];
}

function surfaceGroup(
  { label, alphas, betas, balls = [] }: PlottedSurface,
  { i, size, left, axisTitles }: { i: number; size: number; left: number; axisTitles: readonly [string, string] },
): Layer {
  const axis = (scale: string, orient: string, title: string) => ({ scale, orient, title, tickCount: 5, ...axisText });
  const range = (values: readonly number[]) => [values[0], values[values.length - 1]];
  const fill = { scale: "loss", field: "contour.value" };
  return {
    type: "group",
    encode: { enter: { x: { value: left }, width: { value: size }, height: { value: size }, fill: { value: surfaceRamp[0] } } },
    scales: [
      { name: "x", domain: range(alphas), range: [0, size] },
      { name: "y", domain: range(betas), range: [size, 0] },
    ],
    axes: [axis("x", "bottom", axisTitles[0]), ...(i === 0 ? [axis("y", "left", axisTitles[1])] : [])],
    marks: [
      { type: "text", encode: { enter: { text: { value: label }, x: { value: size / 2 }, y: { value: -10 }, ...panelText } } },
      {
        type: "path",
        clip: true,
        from: { data: `contours${i}` },
        encode: { enter: { fill, stroke: { value: palette.ink }, strokeWidth: { value: 0.5 }, strokeOpacity: { value: 0.5 } } },
        transform: [{ type: "geopath", field: "datum.contour" }],
      },
      ...balls.flatMap((ball) => ballMarks(ball, { alphas, betas, size })),
    ],
  };
}

/** A ring, its center and the arrow of its step, in pixels of a plane that may be scaled differently along its two directions. */
function ballMarks(
  { center, radius, arrow, label }: Ball,
  { alphas, betas, size }: { alphas: readonly number[]; betas: readonly number[]; size: number },
): Layer[] {
  const perUnit = [alphas, betas].map((axis) => size / (axis[axis.length - 1]! - axis[0]!)) as [number, number];
  const [x, y] = [(center[0] - alphas[0]!) * perUnit[0], size - (center[1] - betas[0]!) * perUnit[1]];
  const [rx, ry] = [radius * perUnit[0], radius * perUnit[1]];
  const path = (d: string, fill?: string) => ({
    type: "path",
    encode: {
      enter: {
        ...{ x: { value: x }, y: { value: y }, path: { value: d } },
        ...{ stroke: { value: palette.wine }, strokeWidth: { value: 2 }, ...(fill ? { fill: { value: fill } } : {}) },
      },
    },
  });
  const text = { text: { value: label }, x: { value: x }, y: { value: y + ry + 16 }, ...panelText };
  return [
    path(`M ${-rx} 0 A ${rx} ${ry} 0 1 0 ${rx} 0 A ${rx} ${ry} 0 1 0 ${-rx} 0`),
    path("M -2 0 A 2 2 0 1 0 2 0 A 2 2 0 1 0 -2 0", palette.wine),
    ...(arrow ? [path(arrowPath(arrow[0] * perUnit[0], -arrow[1] * perUnit[1]), palette.wine)] : []),
    ...(label ? [{ type: "text", encode: { enter: text } }] : []),
  ];
}

/** From the origin to (dx, dy) pixels, with a head of 8 pixels. */
function arrowPath(dx: number, dy: number): string {
  const angle = Math.atan2(dy, dx);
  const [left, right] = [0.45, -0.45].map((turn) => [dx - 8 * Math.cos(angle + turn), dy - 8 * Math.sin(angle + turn)]);
  return `M 0 0 L ${dx} ${dy} L ${left} L ${right} L ${dx} ${dy}`;
}

/** `count` levels from low to high, each the same multiple of the one before; a loss of 0 counts as a thousandth of the highest. */
function equalRatios(low: number, high: number, count: number): number[] {
  const from = Math.max(low, high / 1000);
  return Array.from({ length: count }, (_, i) => from * (high / from) ** (i / (count - 1)));
}
