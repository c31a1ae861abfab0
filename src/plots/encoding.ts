/** Pieces of a Vega-Lite specification that several figures share: channels, color scales, legends, panel titles. */
import { colorsFor, palette } from "./theme";

export type Layer = Record<string, unknown>;

export const quantitative = (field: string, more: Layer = {}) => ({ field, type: "quantitative", ...more });
export const nominal = (field: string, more: Layer = {}) => ({ field, type: "nominal", ...more });

/** A legend in rows of at most `width` pixels. Its colors are full, though the first layer may be a faint band. */
export function colorLegend(names: readonly string[], width = 640): Layer {
  return { symbolOpacity: 1, symbolType: "circle", symbolSize: 110, columns: legendColumns(names, width) };
}

/** All entries in one row if they fit, else as many side by side as if all were as wide as the widest. */
function legendColumns(names: readonly string[], width: number): number {
  const room = (texts: readonly string[]) => textWidth(texts) + 34;
  if (names.reduce((sum, name) => sum + room([name]), 0) <= width) return Math.max(1, names.length);
  return Math.max(1, Math.floor(width / room(names)));
}

/** Ticks at 1, 2 or 5 times a power of ten, never between whole numbers; at most about one every 45 pixels. */
export function wholeTicks(values: readonly number[], width: number): number[] {
  const [from, to] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
  const least = Math.max(1, (45 * (to - from)) / width);
  const power = 10 ** Math.floor(Math.log10(least));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= least)!;
  const first = Math.ceil(from / step);
  return Array.from({ length: Math.max(0, Math.floor(to / step) - first + 1) }, (_, i) => (first + i) * step);
}

/** Pixels of the longest of some texts, at 13 pixels an em; an estimate, since fonts are measured only when a figure is rendered. */
export function textWidth(texts: readonly string[]): number {
  return 7 * Math.max(0, ...texts.map((text) => text.length));
}

/** A panel's heading. */
export function panelTitle(text: string): Layer {
  return text ? { title: { text, fontSize: 14, fontWeight: "normal", offset: 8, frame: "group" } } : {};
}

export const dashLegend = {
  symbolType: "stroke",
  symbolSize: 700,
  symbolStrokeWidth: 2.25,
  symbolStrokeColor: palette.ink,
};

/** A color scale that keeps the order of `names`. */
export function colorScale(names: readonly string[], colors: readonly string[] = colorsFor(names)): Layer {
  return { domain: names, range: colors };
}

/** The distinct values, in order of first appearance. */
export function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}

/** A line of text above the upper left corner of a panel. */
export function cornerText(text: string): Layer {
  const mark = { type: "text", align: "left", baseline: "bottom", fontSize: 14, text };
  return { data: { values: [{}] }, mark, encoding: { x: { value: 0 }, y: { value: -10 }, color: { value: palette.ink } } };
}
