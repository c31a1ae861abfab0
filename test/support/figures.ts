/** What a rendered figure says, and what every figure must be. */
import assert from "node:assert/strict";
import { renderSvg, type FigureSpec } from "../../src/plots";

/** The lines of text in an SVG. */
export function textsOf(svg: string): string[] {
  return [...svg.matchAll(/<(?:text|tspan)[^>]*>([^<]+)</g)].map((match) => match[1]!);
}

/** Renders without a warning, in the kit's font, with its title. */
export async function assertRenders(spec: FigureSpec): Promise<void> {
  const svg = await renderSvg(spec);

  assert.match(svg, /^<svg[^>]+xmlns/);
  assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
  assert.match(svg, /font-family="Inter, /);
  assert.ok(textsOf(svg).includes((spec.title as { text: string[] }).text[0]!));
}

/** The title's lines as one. */
export function titleOf(spec: FigureSpec): string {
  return (spec.title as { text: string[] }).text.join(" ");
}
