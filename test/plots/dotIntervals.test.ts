import assert from "node:assert/strict";
import { dotIntervals } from "../../src/plots/dotIntervals";
import { renderSvg } from "../../src/plots/render";
import { assertRenders, textsOf } from "../support/figures";

const rows = ["SGD", "SAM"].map((series) => ({ row: "basic", series, mean: 4, interval: 1 }));
const epochs = ["last epoch", "best epoch"].flatMap((style, i) =>
  ["SGD", "SAM"].map((row) => ({ row, series: row, style, mean: 70 + i, panel: "40 % noise" })),
);

describe("plots/dotIntervals", () => {
  it("renders without a warning, in the kit's font, with its title", () => assertRenders(dotIntervals({ rows, title: "Fewer" })));

  it("says which dots are filled and which hollow, and draws both in the method's color", async () => {
    const svg = await renderSvg(dotIntervals({ rows: epochs, title: "Accuracy" }));

    assert.ok(textsOf(svg).includes("Filled dots: last epoch; hollow dots: best epoch."));
    for (const color of ["#0072B2", "#D55E00"])
      for (const opacity of [1, 0]) assert.match(svg, new RegExp(`fill="${color}" fill-opacity="${opacity}" stroke="${color}"`));
  });

  it("prints notes at the right of their line and highlighted names in bold", async () => {
    const notes = [{ row: "SAM", panel: "40 % noise", text: "93.4" }];

    const svg = await renderSvg(dotIntervals({ rows: epochs, notes, highlight: ["SAM"] }));

    assert.ok(textsOf(svg).includes("93.4"));
    assert.match(svg, /font-weight="bold"[^>]*>SAM</);
    assert.doesNotMatch(svg, /font-weight="bold"[^>]*>SGD</);
  });

  it("breaks long names into lines and stays within 900 pixels", async () => {
    const long = ["paper", "ours"].map((panel) => ({
      ...rows[0]!,
      panel,
      label: "WRN-28-10, 200 epochs, CIFAR-10, autoaugment",
    }));

    const svg = await renderSvg(dotIntervals({ rows: long }));

    assert.ok(Number(/ width="(\d+)"/.exec(svg)![1]) <= 900);
    assert.ok(textsOf(svg).includes("WRN-28-10, 200 epochs,"));
  });

  it("names an unknown option and a row without its mean", () => {
    assert.throws(() => dotIntervals({ rows, panelWidth: 3 } as never), /dotIntervals: unknown option "panelWidth"/);
    assert.throws(() => dotIntervals({ rows: [{ row: "a", series: "b" }] as never }), /dotIntervals: rows\[0\] lacks mean/);
  });
});
