import assert from "node:assert/strict";
import { verdictOn } from "../../../src/paper/claims";
import { factorBySeed } from "../../../src/paper/curvature/runs";

const row = (method: string, seed: number, value: number) => ({ method, seed, value });

describe("paper/curvature/runs", () => {
  it("compares SGD with SAM seed by seed, in whatever order the rows come", () => {
    const rows = [row("SGD", 0, 6), row("SAM", 1, 1), row("SAM", 0, 2), row("SGD", 1, 5)];

    const factor = factorBySeed(rows, ({ value }) => value);

    // 6/2 = 3 and 5/1 = 5: √15; the interval of ln 3 and ln 5 is t(0.975; 1)·(ln 5 − ln 3)/2 = 12.706·0.25541 = 3.2453
    assert.ok(Math.abs(factor!.factor - Math.sqrt(15)) < 1e-12);
    assert.ok(Math.abs(factor!.high! / factor!.factor - Math.exp(3.2453)) < 0.01);
    assert.ok(Math.abs(factor!.factor / factor!.low! - Math.exp(3.2453)) < 0.01);
  });

  it("says yes to a factor only if the whole interval is above 1, and never from one seed", () => {
    const verdict = (pairs: [number, number][]) => {
      const rows = pairs.flatMap(([sgd, sam], seed) => [row("SGD", seed, sgd), row("SAM", seed, sam)]);
      return verdictOn(factorBySeed(rows, ({ value }) => value)!.log);
    };

    assert.equal(verdict([[3, 1], [3.1, 1], [2.9, 1]]), "yes"); // prettier-ignore
    assert.equal(verdict([[9, 1], [1, 1], [3, 1]]), "undecided"); // prettier-ignore
    assert.equal(verdict([[1, 3], [1, 3.1], [1, 2.9]]), "no"); // prettier-ignore
    assert.equal(verdict([[3, 1]]), "one seed"); // prettier-ignore
  });

  it("has no factor of values that are not all above 0", () => {
    assert.equal(
      factorBySeed([row("SGD", 0, 1), row("SAM", 0, 0)], ({ value }) => value),
      undefined,
    );
    assert.equal(
      factorBySeed([row("SGD", 0, 1)], ({ value }) => value),
      undefined,
    );
  });
});
