/** One look for all figures: colors that color-blind readers tell apart (Okabe & Ito 2008), sizes legible at a README's width. */

/** A Vega-Lite 5 or Vega 5 specification as plain JSON. */
export interface FigureSpec {
  readonly [key: string]: unknown;
}

/** Title and subtitle of a figure. */
export interface FigureTitle {
  /** The message of the figure, not the names of its axes. */
  readonly title?: string;
  /** Data, network, budget, seeds. */
  readonly subtitle?: string;
}

export const palette = {
  blue: "#0072B2",
  vermilion: "#D55E00",
  green: "#009E73",
  purple: "#CC79A7",
  orange: "#E69F00",
  sky: "#56B4E9",
  teal: "#44AA99",
  wine: "#882255",
  red: "#A50021",
  ink: "#222222",
  gray: "#767676",
  faint: "#D9D9D9",
} as const;

/** One meaning for a color in every figure: these names have theirs to themselves. */
const ownColors: Readonly<Record<string, string>> = {
  ...{ sam: palette.blue, "sam, tuned ρ": palette.blue, "sam, ρ = 0.05": palette.sky },
  ...{ sgd: palette.vermilion, "no sam": palette.vermilion, "sgd, twice the epochs": palette.orange },
  ...{ training: palette.teal, "training, at w + ε̂": palette.wine, test: palette.ink },
  ...{ trainloss: palette.teal, "training loss": palette.teal, perturbedloss: palette.wine, "loss at w + ε̂": palette.wine },
  "other methods": palette.gray,
};

/** Colors of all other names, in order of first use; none of them is SAM's or SGD's. */
export const seriesColors: readonly string[] = [
  ...[palette.green, palette.purple, palette.ink, palette.sky, palette.orange, palette.gray],
];

/** Viridis from dark violet to green, without its yellow, which vanishes on white: for series in an order, such as m. */
const rampStops = ["#440154", "#3B528B", "#21918C", "#44BF70", "#9BC53D"];

/** A color for each name: its own where it has one, else the next free one. */
export function colorsFor(names: readonly string[]): string[] {
  const taken = new Set(names.map((name) => ownColors[name.toLowerCase()]).filter(Boolean));
  const free = seriesColors.filter((color) => !taken.has(color));
  let next = 0;
  return names.map((name) => ownColors[name.toLowerCase()] ?? free[next++ % free.length]!);
}

/** `count` colors along the ramp, blended between its stops. */
export function rampColors(count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const place = count === 1 ? 0 : (i * (rampStops.length - 1)) / (count - 1);
    const stop = Math.min(Math.floor(place), rampStops.length - 2);
    return blend(rampStops[stop]!, rampStops[stop + 1]!, place - stop);
  });
}

function blend(from: string, to: string, share: number): string {
  const channels = (color: string) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  const [a, b] = [channels(from), channels(to)];
  const mixed = a.map((value, i) => Math.round(value + share * (b[i]! - value)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

export const fontFamily = "Inter, Helvetica Neue, Arial, sans-serif";

const text = { font: fontFamily, color: palette.ink };

/** The Vega-Lite `config` of every figure. */
export const themeConfig = {
  background: "white",
  padding: 14,
  font: fontFamily,
  view: { stroke: null },
  title: {
    ...{ font: fontFamily, fontSize: 17, fontWeight: "bold", color: palette.ink, anchor: "start", frame: "group", offset: 14 },
    ...{ subtitleFont: fontFamily, subtitleFontSize: 13, subtitleColor: palette.gray, subtitlePadding: 6, lineHeight: 22 },
    ...{ subtitleLineHeight: 18 },
  },
  axis: {
    ...{ labelFont: fontFamily, labelFontSize: 13, labelColor: palette.ink, labelPadding: 5, labelFlush: false },
    ...{ titleFont: fontFamily, titleFontSize: 14, titleFontWeight: "normal", titleColor: palette.ink, titlePadding: 10 },
    ...{ grid: true, gridColor: "#ECECEC", domainColor: palette.gray, tickColor: palette.gray },
  },
  legend: {
    ...{ labelFont: fontFamily, labelFontSize: 13, labelColor: palette.ink, labelLimit: 300, symbolStrokeWidth: 2.5 },
    ...{ titleFont: fontFamily, titleFontSize: 13, titleFontWeight: "normal", titleColor: palette.gray, rowPadding: 5 },
    // On top: beside the panels, legends are the first to be cut in a narrow window.
    ...{ symbolSize: 90, orient: "top", direction: "horizontal", titleOrient: "left", offset: 12 },
  },
  header: { labelFont: fontFamily, labelFontSize: 14, titleFont: fontFamily, titleFontSize: 14, labelColor: palette.ink },
  text: { ...text, fontSize: 13 },
  concat: { spacing: 28 },
} as const;

/** The widest that a figure may be, in pixels: the text column of a notebook in a window of 1300. */
export const maxWidth = 900;

/** A Vega-Lite figure with the theme and a title wrapped to `width` pixels. */
export function figure({ title, subtitle }: FigureTitle, width: number, body: Record<string, unknown>): FigureSpec {
  const heading = title
    ? { text: wrapText(title, width / 9), ...(subtitle ? { subtitle: wrapText(subtitle, width / 6.6) } : {}) }
    : undefined;
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v5.json",
    ...(heading ? { title: heading } : {}),
    ...body,
    config: themeConfig,
  };
}

/** Lines of at most `limit` characters, broken at spaces. */
export function wrapText(text: string, limit: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines[lines.length - 1];
    if (line && line.length + 1 + word.length > limit) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines;
}
