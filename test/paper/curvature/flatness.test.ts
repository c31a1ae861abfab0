import assert from "node:assert/strict";
import { factorBySeed, factorVerdict } from "../../../src/paper/curvature/flatness";

const row = (method: string, seed: number, value: number) => ({ method, seed, value });

describe("paper/curvature/flatness", () => {
  it("compares SGD with SAM seed by seed, in whatever order the rows come", () => {
    const rows = [row("SGD", 0, 6), row("SAM", 1, 1), row("SAM", 0, 2), row("SGD", 1, 5)];

    const factor = factorBySeed(rows, ({ value }) => value);

    // 6/2 = 3 and 5/1 = 5; t(0.975, 1) = 12.706, s/√2 = 1
    assert.equal(factor.mean, 4);
    assert.ok(Math.abs(factor.interval! - 12.706) < 1e-3);
  });

  it("says that the claim replicates only where the whole interval is above 1, and never from one seed", () => {
    assert.equal(factorVerdict({ mean: 3, interval: 1.9, n: 3 }), "replicates");
    assert.equal(factorVerdict({ mean: 3, interval: 2.1, n: 3 }), "shows in the mean, within the seeds' noise");
    assert.equal(factorVerdict({ mean: 3, n: 1 }), "shows in the mean, within the seeds' noise");
    assert.equal(factorVerdict({ mean: 0.9, interval: 0.01, n: 3 }), "does not replicate");
  });
});
