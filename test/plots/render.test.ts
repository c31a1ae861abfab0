/** Rendering: the same text each time, PNGs with readable letters on a machine without fonts, and files that are whole. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { renderPng, renderSvg, saveFigure } from "../../src/plots/render";
import { figure, type FigureSpec } from "../../src/plots/theme";

const bars: FigureSpec = figure({ title: "Two bars, ρ and λ" }, 300, {
  data: { values: [{ a: "x", b: 1 }, { a: "y", b: 2 }] }, // prettier-ignore
  mark: { type: "bar", clip: true },
  encoding: { x: { field: "a", type: "nominal" }, y: { field: "b", type: "quantitative" } },
});

/** Width and height in the header of a PNG. */
const sizeOf = (png: Buffer) => [png.readUInt32BE(16), png.readUInt32BE(20)];

describe("rendering", () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(path.join(tmpdir(), "figures-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it("gives the same SVG each time, with names of its own for clip paths", async () => {
    const [first, second] = [await renderSvg(bars), await renderSvg(bars)];
    const other = await renderSvg({ ...bars, height: 77 });
    const ids = (svg: string) => [...svg.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]);

    assert.equal(first, second);
    assert.ok(ids(first).length > 0);
    assert.ok(ids(first).every((id) => first.includes(`url(#${id})`) && !ids(other).includes(id)));
  });

  it("gives a PNG of the figure's size times the scale", async () => {
    const svg = await renderSvg(bars);
    const [, width, height] = svg.match(/width="(\d+)" height="(\d+)"/)!.map(Number);

    assert.deepEqual(sizeOf(await renderPng(bars)), [2 * width!, 2 * height!]);
    assert.deepEqual(sizeOf(await renderPng(svg, { scale: 1 })), [width, height]);
  });

  it("draws letters with the kit's own font, Greek too", async () => {
    const page = (text: string) =>
      `<svg xmlns="http://www.w3.org/2000/svg" width="60" height="30"><text x="5" y="20" font-family="Inter">${text}</text></svg>`;
    const [empty, rho, lambda, missing] = await Promise.all(["", "ρ", "λ", "\u{E000}"].map((text) => renderPng(page(text))));

    assert.ok(!rho!.equals(empty!) && !lambda!.equals(empty!) && !rho!.equals(lambda!) && !rho!.equals(missing!));
  });

  it("takes vega's warnings as errors, unless someone listens", async () => {
    const doubtful = { ...bars, encoding: { x: { field: "a", type: "nominal", scale: { type: "log" } } } };
    const heard: string[] = [];

    await assert.rejects(renderSvg(doubtful), /The figure's specification is doubtful: /);
    await renderSvg(doubtful, { onWarning: (message) => heard.push(message) });
    assert.ok(heard.length > 0);
  });

  it("saves both files, leaves no partial one, and does not touch what has not changed", async () => {
    const files = await saveFigure("two-bars", bars, { folder });
    const written = statSync(files.svg).mtimeMs;
    await saveFigure("two-bars", bars, { folder });

    assert.deepEqual(readdirSync(folder).sort(), ["two-bars.png", "two-bars.svg"]);
    assert.equal(readFileSync(files.svg, "utf8"), (await renderSvg(bars)) + "\n");
    assert.equal(statSync(files.svg).mtimeMs, written);
  });

  it("keeps the old file where the new figure cannot be drawn", async () => {
    writeFileSync(path.join(folder, "two-bars.svg"), "old");

    await assert.rejects(saveFigure("two-bars", { ...bars, mark: "nonsense" }, { folder }));
    assert.deepEqual(readdirSync(folder), ["two-bars.svg"]);
    assert.equal(readFileSync(path.join(folder, "two-bars.svg"), "utf8"), "old");
  });

  it("refuses a name that would leave the folder", async () => {
    await assert.rejects(
      saveFigure("../two-bars", bars, { folder }),
      /A figure's name is like figure-3-spectra, got "\.\.\/two-bars"/,
    );
  });
});
