import assert from "node:assert/strict";
import { learningCurves } from "../../src/plots/learningCurves";
import { wholeTicks } from "../../src/plots/encoding";
import { renderSvg } from "../../src/plots/render";
import { assertRenders, textsOf } from "../support/figures";

const curve = (series: string, panel: string) =>
  [1, 2, 3].map((x) => ({ x, series, panel, mean: 5 - x, style: "test", interval: 0.1 }));

describe("plots/learningCurves", () => {
  it("renders without a warning, in the kit's font, with its title", () =>
    assertRenders(
      learningCurves({ rows: [...curve("SAM", "a"), ...curve("SGD", "b")], paper: curve("SAM", "a"), title: "Down" }),
    ));

  it("ticks epochs at whole numbers only", async () => {
    const rows = [1, 2, 3, 4].map((x) => ({ x, series: "SAM", mean: 10 * x }));

    const labels = textsOf(await renderSvg(learningCurves({ rows })));

    assert.ok(["1", "2", "3", "4"].every((label) => labels.includes(label)));
    assert.ok(!labels.some((label) => /\d\.5/.test(label)), labels.join(" "));
  });

  it("spaces whole ticks by 1, 2 or 5 times a power of ten, at least 45 pixels apart", () => {
    assert.deepEqual(wholeTicks([1, 4], 560), [1, 2, 3, 4]);
    assert.deepEqual(wholeTicks([2, 40], 560), [5, 10, 15, 20, 25, 30, 35, 40]); // 45 pixels are 3.05 epochs
    assert.deepEqual(wholeTicks([0, 12000], 560), [0, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10000, 11000, 12000]); // prettier-ignore
    assert.deepEqual(wholeTicks([7], 560), [7]);
  });

  it("names what is wrong with its options", () => {
    assert.throws(() => learningCurves({ rows: [], tittle: "T" } as object as never), /learningCurves: unknown option "tittle", did you mean "title"\?/); // prettier-ignore
    assert.throws(() => learningCurves({} as never), /learningCurves: rows = undefined: expected an array/);
    assert.throws(() => learningCurves({ rows: [{ x: 1, mean: 2 }] as never }), /learningCurves: rows\[0\] lacks series: \{"x":1,"mean":2\}/); // prettier-ignore
  });
});
