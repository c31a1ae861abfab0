/** Figures fit a notebook's text column in a window of 1300 pixels, with their legends where a narrow window does not cut them. */
import assert from "node:assert/strict";
import { itemReport } from "../../src/paper/reproduce";
import { renderSvg, type FigureSpec } from "../../src/plots";

describe("figures of the paper", function () {
  this.timeout(60_000);

  for (const id of ["table-1", "table-4", "table-8", "figure-1-left", "figure-3-middle", "figure-memorization"])
    it(`${id} is at most 900 pixels wide, with its legend above the panels`, async () => {
      const { figure } = itemReport(id);

      const svg = await renderSvg(figure);

      assert.ok(Number(/ width="(\d+)"/.exec(svg)![1]) <= 900);
      assert.equal((figure.config as { legend: FigureSpec }).legend.orient, "top");
    });
});
