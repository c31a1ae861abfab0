import assert from "node:assert/strict";
import type { SeedMean } from "../../../src/experiments/statistics";
import { verdictOn } from "../../../src/paper/claims";
import { factorBySeed } from "../../../src/paper/curvature/runs";

const row = (method: string, seed: number, value: number) => ({ method, seed, value });

describe("paper/curvature/runs", () => {
  it("compares SGD with SAM seed by seed, in whatever order the rows come", () => {
    const rows = [row("SGD", 0, 6), row("SAM", 1, 1), row("SAM", 0, 2), row("SGD", 1, 5)];

    const factor = factorBySeed(rows, ({ value }) => value);

    // 6/2 = 3 and 5/1 = 5; t(0.975, 1) = 12.706, s/√2 = 1
    assert.equal(factor.mean, 4);
    assert.ok(Math.abs(factor.interval! - 12.706) < 1e-3);
  });

  it("says yes to a factor only if the whole interval is above 1, and never from one seed", () => {
    const verdict = (factor: SeedMean) => verdictOn(factor, { noEffect: 1 });

    assert.equal(verdict({ mean: 3, interval: 1.9, n: 3 }), "yes");
    assert.equal(verdict({ mean: 3, interval: 2.1, n: 3 }), "undecided");
    assert.equal(verdict({ mean: 3, n: 1 }), "one seed");
    assert.equal(verdict({ mean: 0.9, interval: 0.01, n: 3 }), "no");
  });
});
