import assert from "node:assert/strict";
import { theorem2Bound } from "../../src/sharpness";
import { closeTo } from "../support/closeTo";

const options = { weightNorm: 2, rho: 0.5, parameters: 10, examples: 101, delta: 0.1 };

describe("sharpness/bound", () => {
  it("is eq. (4), term by term", () => {
    const { bound, complexity, terms } = theorem2Bound(0.25, options);

    // √(ln 101/10) = 0.679346; 1 + 16·1.679346² = 46.1232, its logarithm 3.831317
    closeTo(terms.weights, 0.3831317, 1e-6);
    closeTo(terms.confidence, 4 * 0.06917706, 1e-6); // ln 1010 = 6.917706
    closeTo(terms.grid, 8 * 0.06455199, 1e-6); // ln 636 = 6.455199
    closeTo(complexity, Math.sqrt(1.1762558), 1e-6);
    closeTo(bound, 0.25 + 1.084553, 1e-6);
  });

  it("falls with more examples and a larger radius, and rises with the weights' norm and number", () => {
    const at = (changed: Partial<typeof options>) => theorem2Bound(0, { ...options, ...changed }).bound;

    assert.ok(at({ examples: 1000 }) < at({}));
    assert.ok(at({ rho: 1 }) < at({}));
    assert.ok(at({ weightNorm: 4 }) > at({}));
    assert.ok(at({ parameters: 20 }) > at({}));
    closeTo(at({ examples: 1e9 }), 0, 1e-3);
  });

  it("is above 1 in the case that the proof calls trivial", () => {
    // exp(4n/k) − 1 with n = 101, k = 404 is e − 1: trivial from ‖w‖/ρ = √1.71828 = 1.310832 on
    const many = { ...options, parameters: 404, rho: 1 };

    assert.equal(theorem2Bound(0, { ...many, weightNorm: 1.3108 }).trivial, false);
    assert.equal(theorem2Bound(0, { ...many, weightNorm: 1.3109 }).trivial, true);
    for (const weightNorm of [1.3109, 5, 100]) assert.ok(theorem2Bound(0, { ...many, weightNorm }).bound > 1);
  });

  it("refuses what is out of range", () => {
    assert.throws(() => theorem2Bound(1.2, options), /perturbedLoss = 1.2: expected a loss in \[0, 1\]/);
    assert.throws(() => theorem2Bound(0, { ...options, delta: 1 }), /delta = 1: expected a probability between 0 and 1/);
    assert.throws(() => theorem2Bound(0, { ...options, rho: 0 }), /rho = 0/);
    assert.throws(() => theorem2Bound(0, { ...options, examples: 1 }), /examples = 1/);
    assert.throws(
      () => theorem2Bound(0, { ...options, example: 1 } as never),
      /unknown option "example", did you mean "examples"/,
    );
  });
});
