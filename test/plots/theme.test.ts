import assert from "node:assert/strict";
import { colorsFor, palette, rampColors, wrapText } from "../../src/plots/theme";

describe("plots/theme", () => {
  it("gives SAM and SGD the same colors whatever else is drawn", () => {
    assert.deepEqual(colorsFor(["mixup", "SGD", "SAM"]), [palette.green, palette.vermilion, palette.blue]);
    assert.deepEqual(colorsFor(["sam"]), [palette.blue]);
  });

  it("has a ramp of distinct colors for any number of series", () => {
    for (const count of [1, 2, 5, 9]) assert.equal(new Set(rampColors(count)).size, count);
  });

  it("breaks titles at spaces, never inside a word", () => {
    assert.deepEqual(wrapText("a bb ccc dddd", 6), ["a bb", "ccc", "dddd"]);
    assert.deepEqual(wrapText("overlongword x", 4), ["overlongword", "x"]);
  });
});
