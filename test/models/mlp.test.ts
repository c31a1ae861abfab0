import assert from "node:assert/strict";
import { countParameters, mlp } from "../../src/models";

describe("models/mlp", () => {
  it("has (inputs + 1)·outputs parameters a layer", () => {
    assert.equal(countParameters(mlp({ inputShape: [28, 28, 1], numClasses: 10 })), 785 * 128 + 129 * 10);
    assert.equal(countParameters(mlp({ inputShape: [4, 4, 3], numClasses: 5, hidden: [20, 30] })), 49 * 20 + 21 * 30 + 31 * 5);
  });

  it("without hidden layers is logistic regression", () => {
    assert.equal(countParameters(mlp({ inputShape: [2, 2, 1], numClasses: 3, hidden: [] })), 5 * 3);
  });

  it("refuses an unknown activation and widths that are none", () => {
    const options = { inputShape: [1, 2, 1] as const, numClasses: 2 };

    assert.throws(
      () => mlp({ ...options, activation: "gelu" as never }),
      /activation = "gelu": expected "relu", "tanh" or "softplus"/,
    );
    assert.throws(() => mlp({ ...options, hidden: [8, 0] }), /hidden\[1\] = 0: expected a whole number of at least 1/);
  });
});
