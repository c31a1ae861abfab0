import assert from "node:assert/strict";
import { costFrontier, paretoFront, renderSvg } from "../../src/plots";

const point = (name: string, cost: number, mean: number) => ({ name, cost, mean, series: name, interval: 0.1 });

describe("plots/costFrontier", () => {
  it("has the points on its front that none beats at the same cost or less", () => {
    const points = [point("dear", 3, 1), point("worse", 2, 5), point("cheap", 1, 4), point("tie", 2, 4), point("good", 2, 2)];

    assert.deepEqual(paretoFront(points).map(({ name }) => name), ["cheap", "good", "dear"]); // prettier-ignore
  });

  it("draws every name once in each panel, also of points on one spot", async () => {
    const rows = ["a", "b", "c"].flatMap((name) =>
      ["first", "second"].map((panel) => ({ ...point(`method ${name}`, 2, 3), panel })),
    );

    const svg = await renderSvg(costFrontier({ title: "Costs", rows, series: ["method a", "method b", "method c"] }));

    // Once in each panel, once in the legend.
    for (const name of ["a", "b", "c"]) assert.equal(svg.split(`>method ${name}<`).length - 1, 3, name);
  });

  it("refuses a row without its cost", () => {
    assert.throws(
      () => costFrontier({ rows: [{ name: "a", mean: 1, series: "a" } as never] }),
      /costFrontier: rows\[0\] lacks cost/,
    );
  });
});
