import assert from "node:assert/strict";
import { tf } from "../../src/engine";
import { countParameters, mlp } from "../../src/models";
import { closeTo } from "../support/closeTo";
import { tidyTests } from "../support/noLeak";

describe("models/mlp", () => {
  tidyTests();
  const options = { inputShape: [1, 2, 1] as const, numClasses: 2, hidden: [2] };
  const weights = () => ({
    "dense0/kernel": tf.tensor2d([[1, -1], [2, 0.5]]), // prettier-ignore
    "dense0/bias": tf.tensor1d([0.5, 0]),
    "head/kernel": tf.tensor2d([[1, 2], [3, 4]]), // prettier-ignore
    "head/bias": tf.tensor1d([0, -1]),
  });
  const x = () => tf.tensor4d([1, -1], [1, 1, 2, 1]);
  // The hidden layer is (1 − 2 + 0.5, −1 − 0.5) = (−0.5, −1.5).

  for (const [activation, f] of [["relu", (z: number) => Math.max(z, 0)], ["tanh", Math.tanh], ["softplus", (z: number) => Math.log1p(Math.exp(z))]] as const) {
    it(`with ${activation} by hand`, () => {
      const [a, b] = [f(-0.5), f(-1.5)];

      const { logits } = mlp({ ...options, activation }).apply(weights(), x());

      closeTo(logits.dataSync(), [a + 3 * b, 2 * a + 4 * b - 1], 1e-6);
    });
  } // prettier-ignore

  it("has (inputs + 1)·outputs parameters a layer", () => {
    assert.equal(countParameters(mlp({ inputShape: [28, 28, 1], numClasses: 10 })), 785 * 128 + 129 * 10);
    assert.equal(countParameters(mlp({ inputShape: [4, 4, 3], numClasses: 5, hidden: [20, 30] })), 49 * 20 + 21 * 30 + 31 * 5);
  });

  it("without hidden layers is logistic regression", () => {
    assert.equal(countParameters(mlp({ inputShape: [2, 2, 1], numClasses: 3, hidden: [] })), 5 * 3);
  });

  it("refuses an unknown activation and widths that are none", () => {
    assert.throws(() => mlp({ ...options, activation: "gelu" as never }), /activation = gelu: expected relu, tanh or softplus/);
    assert.throws(() => mlp({ ...options, hidden: [8, 0] }), /hidden\[1\] = 0: expected a whole number of at least 1/);
  });
});
