/** Pieces of a Vega-Lite specification that several figures share: channels, color scales, legends, panel titles. */
import { colorsFor, palette } from "./theme";

export type Layer = Record<string, unknown>;

export const quantitative = (field: string, more: Layer = {}) => ({ field, type: "quantitative", ...more });
export const nominal = (field: string, more: Layer = {}) => ({ field, type: "nominal", ...more });

/** Full colors in the legend, though the first layer is a faint band. */
export const colorLegend = { symbolOpacity: 1, symbolType: "circle", symbolSize: 110 };
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
