import assert from "node:assert/strict";
import { paperNumbers } from "../../src/paper/numbers";
import { runFootnotes } from "../../src/tables/footnotes";

describe("tables/footnotes", () => {
  it("says what ± means, at which budget, over how many seeds", () => {
    const notes = runFootnotes({ budget: "lab", seeds: 5, paperSpread: paperNumbers("table-5").spread });

    assert.deepEqual(notes, [
      "paper: mean ± 95% confidence interval over 5 replicas.",
      `ours: mean ± 95 % interval (Student's t) over 5 seeds; budget "lab".`,
    ]);
    assert.deepEqual(runFootnotes({ budget: "demo", seeds: 1 }), ['ours: one seed, so no interval; budget "demo".']);
  });
});
