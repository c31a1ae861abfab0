/** Rendering: the same text each time, PNGs with readable letters on a machine without fonts, and files that are whole. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { renderPng, renderSvg, saveFigure } from "../../src/plots/render";
import { tinyDisk } from "../support/tinyDisk";
import { figure, type FigureSpec } from "../../src/plots/theme";

const bars: FigureSpec = figure({ title: "Two bars, ρ and λ" }, 300, {
  data: { values: [{ a: "x", b: 1 }, { a: "y", b: 2 }] }, // prettier-ignore
  mark: { type: "bar", clip: true },
  encoding: { x: { field: "a", type: "nominal" }, y: { field: "b", type: "quantitative" } },
});

/** Width and height in the header of a PNG. */
const sizeOf = (png: Buffer) => [png.readUInt32BE(16), png.readUInt32BE(20)];

describe("plots/render", () => {
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

  it("saves SVG, PNG and specification, leaves no partial file, and does not touch what has not changed", async () => {
    const given = JSON.stringify(bars);
    const files = await saveFigure("two-bars", bars, { folder });
    const written = statSync(files.svg).mtimeMs;
    await saveFigure("two-bars", bars, { folder });

    assert.deepEqual(readdirSync(folder).sort(), ["two-bars.png", "two-bars.svg", "two-bars.vl.json"]);
    assert.equal(readFileSync(files.spec, "utf8"), given + "\n");
    assert.equal(readFileSync(files.svg, "utf8"), (await renderSvg(bars)) + "\n");
    assert.equal(statSync(files.svg).mtimeMs, written);
  });

  it("keeps the old file where the new figure cannot be drawn", async () => {
    writeFileSync(path.join(folder, "two-bars.svg"), "old");

    await assert.rejects(saveFigure("two-bars", { ...bars, mark: "nonsense" }, { folder }));
    assert.deepEqual(readdirSync(folder), ["two-bars.svg"]);
    assert.equal(readFileSync(path.join(folder, "two-bars.svg"), "utf8"), "old");
  });

  it("refuses specifications that load data from a file or an address, and lives on", async () => {
    for (const url of ["https://example.invalid/data.json", "file:///etc/hostname", "/etc/hostname", "data.csv"]) {
      await assert.rejects(renderSvg({ ...bars, data: { url } }), (error: Error) => {
        assert.ok(error.message.includes(`loads "${url}", but figures take no files and no network`), error.message);
        return true;
      });
    }
  });

  it("refuses images from a file or an address, in a specification and in SVG text", async () => {
    const values = [{ url: "/etc/hostname.png" }];
    const image = { ...bars, data: { values }, mark: "image", encoding: { url: { field: "url", type: "nominal" } } };
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="/etc/hostname.png" width="9" height="9"/></svg>'; // prettier-ignore

    await assert.rejects(renderSvg(image), /loads "\/etc\/hostname\.png", but figures take no files/);
    await assert.rejects(renderPng(svg), /loads "\/etc\/hostname\.png", but figures take no files/);
  });

  it("gives SVG that shrinks to the page", async () => {
    assert.match(await renderSvg(bars), /^<svg style="max-width:100%;height:auto"[^>]+viewBox=/);
  });

  it("refuses unknown options with the nearest known name", async () => {
    await assert.rejects(renderPng(bars, { scael: 2 } as object), /renderPng: unknown option "scael", did you mean "scale"\?/);
    await assert.rejects(renderPng(bars, { scale: 0 }), /renderPng: scale = 0, expected a number above 0/);
    await assert.rejects(saveFigure("two-bars", bars, { foldr: "." } as object), /did you mean "folder"\?/);
  });

  it("leaves the three files of the earlier figure on a full disk", async function () {
    const disk = tinyDisk() ?? this.skip();
    try {
      const old = await saveFigure("two-bars", bars, { folder: disk.folder, scale: 0.1 });
      const before = Object.values(old).map((file) => readFileSync(file, "utf8"));

      // The new SVG and specification fit on 64 kB, the PNG of 16 times the size does not.
      const wider = { ...bars, width: 200 };
      await assert.rejects(saveFigure("two-bars", wider, { folder: disk.folder, scale: 16 }), /Cannot write .*two-bars\.svg.*ENOSPC/); // prettier-ignore

      assert.deepEqual(Object.values(old).map((file) => readFileSync(file, "utf8")), before); // prettier-ignore
      assert.equal(readdirSync(disk.folder).length, 3);
    } finally {
      disk.unmount();
    }
  });

  it("refuses a name that would leave the folder", async () => {
    await assert.rejects(
      saveFigure("../two-bars", bars, { folder }),
      /A figure's name is like figure-3-spectra, got "\.\.\/two-bars"/,
    );
  });
});
