/**
 * One SGD step and one SAM step on the quadratic ½wᵀAw of two weights: Figure 2. A Vega specification that works out both steps itself,
 * in its signals, so that w can be dragged and ρ and the learning rate changed wherever Vega runs in a browser.
 */
import { checkFigure } from "./checkFigure";
import type { Layer } from "./encoding";
import { fontFamily, palette, wrapText, type FigureSpec, type FigureTitle } from "./theme";

export interface SamStepOptions extends FigureTitle {
  /** A, symmetric and positive definite. */
  readonly matrix: readonly [readonly [number, number], readonly [number, number]];
  /** w_t, where the point starts. */
  readonly weights: readonly [number, number];
  readonly rho: number;
  /** η */
  readonly learningRate: number;
  /** Ends of both axes. */
  readonly range?: readonly [number, number]; // [−2.2, 0.8]
  /** Losses of the level sets, above 0. */
  readonly levels?: readonly number[];
}

/** @throws where an option is unknown, or the matrix is not symmetric and positive definite */
export function samStep(options: SamStepOptions): FigureSpec {
  const kinds = {
    matrix: "array",
    weights: "array",
    rho: "number",
    learningRate: "number",
    range: "array",
    levels: "array",
  } as const;
  checkFigure(options, { what: "samStep", kinds });
  const {
    matrix,
    weights,
    rho,
    learningRate,
    range = [-2.2, 0.8],
    levels = [0.02, 0.08, 0.18, 0.35, 0.6, 1, 1.6, 2.4, 3.4],
  } = options;
  const size = 480;
  const axis = (scale: string, orient: string, title: string) => ({
    scale,
    orient,
    title,
    tickCount: 5,
    grid: false,
    ...axisText,
  });
  return {
    $schema: "https://vega.github.io/schema/vega/v5.json",
    ...{ background: "white", padding: 14, width: size, height: size },
    ...(options.title ? { title: titleOf(options, size + 40) } : {}),
    signals: stepSignals({ matrix, weights, rho, learningRate }),
    scales: [
      { name: "x", domain: range, range: [0, size] },
      { name: "y", domain: range, range: [size, 0] },
      { name: "meaning", type: "ordinal", domain: Object.values(meanings), range: Object.keys(meanings) },
    ],
    legends: [{ stroke: "meaning", orient: "bottom", direction: "vertical", ...legendText }],
    axes: [axis("x", "bottom", "w₁"), axis("y", "left", "w₂")],
    data: [
      levelSets(matrix, levels),
      { name: "arrows", values: arrows, transform: ends.map(([as, expr]) => ({ type: "formula", as, expr })) },
      { name: "points", values: points, transform: [{ type: "formula", as: "at", expr: pick("name") }] },
    ],
    marks: [plane(size), levelMark, ...arrowMarks, ...pointMarks],
  };
}

const axisText = {
  ...{ labelFont: fontFamily, labelFontSize: 13, titleFont: fontFamily, titleFontSize: 14, titleFontWeight: "normal" },
  domainColor: palette.gray,
};

const legendText = {
  ...{ symbolType: "stroke", symbolStrokeWidth: 2.75, symbolSize: 500, rowPadding: 5, offset: 12 },
  ...{ labelFont: fontFamily, labelFontSize: 13, labelColor: palette.ink, labelLimit: 480 },
};

function titleOf({ title = "", subtitle = "" }: FigureTitle, width: number): Layer {
  return {
    ...{ text: wrapText(title, width / 9), font: fontFamily, fontSize: 17, lineHeight: 22, color: palette.ink, anchor: "start" },
    ...{ subtitle: wrapText(subtitle, width / 6.6), subtitleFont: fontFamily, subtitleFontSize: 13, subtitleColor: palette.gray },
    ...{ subtitlePadding: 6, subtitleLineHeight: 18, offset: 14 },
  };
}

/** The algorithm, signal by signal: gradient Aw, ε̂ (eq. 2), the gradient at w + ε̂ (eq. 3), and both steps. */
function stepSignals({
  matrix: [[a, b], [, c]],
  weights,
  rho,
  learningRate,
}: Pick<SamStepOptions, "matrix" | "weights" | "rho" | "learningRate">): Layer[] {
  const drag = "[invert('x', clamp(x(), 0, width)), invert('y', clamp(y(), 0, height))]";
  const times = (w: string) => `[${a} * ${w}[0] + ${b} * ${w}[1], ${b} * ${w}[0] + ${c} * ${w}[1]]`;
  const descend = (gradient: string) => `[w[0] - eta * ${gradient}[0], w[1] - eta * ${gradient}[1]]`;
  return [
    {
      ...{ name: "w", value: weights },
      on: [
        { events: "click", update: drag },
        { events: "[mousedown, mouseup] > mousemove!", update: drag },
      ],
    },
    { name: "rho", value: rho, bind: { input: "range", min: 0, max: 1.5, step: 0.05, name: "ρ " } },
    { name: "eta", value: learningRate, bind: { input: "range", min: 0, max: 1.6, step: 0.05, name: "η " } },
    { name: "g", update: times("w") },
    { name: "norm", update: "sqrt(g[0] * g[0] + g[1] * g[1])" },
    { name: "adv", update: "norm > 0 ? [w[0] + rho * g[0] / norm, w[1] + rho * g[1] / norm] : w" },
    { name: "gAdv", update: times("adv") },
    { name: "sgd", update: descend("g") },
    { name: "sam", update: descend("gAdv") },
    { name: "advEnd", update: "[adv[0] - eta * gAdv[0], adv[1] - eta * gAdv[1]]" },
  ];
}

/** The level sets ½wᵀAw = level: with A = CCᵀ, w = √(2·level)·C⁻ᵀu for u on the unit circle. */
function levelSets([[a, b], [b2, c]]: SamStepOptions["matrix"], levels: readonly number[]): Layer {
  if (b !== b2 || !(a > 0 && a * c > b * b))
    throw new Error(`samStep: matrix = [[${a}, ${b}], [${b2}, ${c}]]: expected a symmetric, positive definite one`);
  const [c11, c21] = [Math.sqrt(a), b / Math.sqrt(a)];
  const c22 = Math.sqrt(c - c21 * c21);
  return {
    name: "levels",
    values: levels.map((level) => ({ level })),
    transform: [
      { type: "formula", as: "angle", expr: "sequence(0, 2 * PI + 0.01, PI / 60)" },
      { type: "flatten", fields: ["angle"] },
      { type: "formula", as: "y", expr: `sqrt(2 * datum.level) * sin(datum.angle) / ${c22}` },
      { type: "formula", as: "x", expr: `(sqrt(2 * datum.level) * cos(datum.angle) - ${c21} * datum.y) / ${c11}` },
    ],
  };
}

/** The paper's arrows in its colors: from and to are signals. */
const arrows = [
  { from: "w", to: "sgd", color: palette.orange },
  { from: "w", to: "adv", color: palette.orange },
  { from: "adv", to: "advEnd", color: palette.blue },
  { from: "w", to: "sam", color: palette.blue },
];

const meanings = {
  [palette.orange]: "gradient at w_t: ρ up to w_adv, and SGD's step down",
  [palette.blue]: "gradient at w_adv: SAM's step, at w_adv and at w_t",
};

const points = [
  { name: "w", label: "w_t", dy: 22 },
  { name: "adv", label: "w_adv", dy: 22 },
  { name: "sgd", label: "w_t+1 of SGD", dy: -14 },
  { name: "sam", label: "w_t+1 of SAM", dy: 22 },
];

const signalNames = ["w", "adv", "sgd", "sam", "advEnd"];
const pick = (field: string) => signalNames.reduce((rest, name) => `datum.${field} === '${name}' ? ${name} : ${rest}`, "w");

const ends: [string, string][] = [
  ["start", pick("from")],
  ["end", pick("to")],
  ["dx", "scale('x', datum.end[0]) - scale('x', datum.start[0])"],
  ["dy", "scale('y', datum.end[1]) - scale('y', datum.start[1])"],
];

// Takes the clicks: a group without fill has no area.
function plane(size: number): Layer {
  const box = { x: { value: 0 }, y: { value: 0 }, width: { value: size }, height: { value: size } };
  return { type: "rect", encode: { enter: { ...box, fill: { value: "white" }, cursor: { value: "crosshair" } } } };
}

const at = (scale: string, expr: string) => ({ signal: `scale('${scale}', ${expr})` });

const levelMark: Layer = {
  type: "group",
  clip: true,
  encode: { enter: { width: { signal: "width" }, height: { signal: "height" } } },
  from: { facet: { name: "level", data: "levels", groupby: "level" } },
  interactive: false,
  marks: [
    {
      ...{ type: "line", from: { data: "level" }, interactive: false },
      encode: {
        enter: {
          ...{ x: { scale: "x", field: "x" }, y: { scale: "y", field: "y" } },
          ...{ stroke: { value: palette.gray }, strokeOpacity: { value: 0.6 }, strokeWidth: { value: 1.25 } },
        },
      },
    },
  ],
};

const color = { stroke: { field: "color" }, fill: { field: "color" } };
const arrowMarks: Layer[] = [
  {
    ...{ type: "rule", from: { data: "arrows" }, clip: true, interactive: false },
    encode: {
      update: {
        ...{
          x: at("x", "datum.start[0]"),
          y: at("y", "datum.start[1]"),
          x2: at("x", "datum.end[0]"),
          y2: at("y", "datum.end[1]"),
        },
        ...{ stroke: color.stroke, strokeWidth: { value: 2.75 } },
      },
    },
  },
  {
    ...{ type: "symbol", from: { data: "arrows" }, clip: true, interactive: false },
    encode: {
      update: {
        // The head's tip lies on the end: its middle is 5 pixels before it.
        ...{ x: { signal: "scale('x', datum.end[0]) - 5 * datum.dx / max(1, sqrt(datum.dx * datum.dx + datum.dy * datum.dy))" } },
        ...{ y: { signal: "scale('y', datum.end[1]) - 5 * datum.dy / max(1, sqrt(datum.dx * datum.dx + datum.dy * datum.dy))" } },
        ...{
          shape: { value: "triangle-up" },
          size: { value: 110 },
          angle: { signal: "90 + 180 / PI * atan2(datum.dy, datum.dx)" },
        },
        ...color,
      },
    },
  },
];

const pointMarks: Layer[] = [
  {
    ...{ type: "symbol", from: { data: "points" }, clip: true, interactive: false },
    encode: {
      update: {
        ...{ x: at("x", "datum.at[0]"), y: at("y", "datum.at[1]"), size: { value: 60 }, fill: { value: palette.ink } },
      },
    },
  },
  {
    ...{ type: "text", from: { data: "points" }, clip: true, interactive: false },
    encode: {
      update: {
        ...{ x: at("x", "datum.at[0]"), y: at("y", "datum.at[1]"), dy: { field: "dy" }, text: { field: "label" } },
        ...{ font: { value: fontFamily }, fontSize: { value: 13 }, align: { value: "center" }, fill: { value: palette.ink } },
      },
    },
  },
];
