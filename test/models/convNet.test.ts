import assert from "node:assert/strict";
import { tf } from "../../src/engine";
import { convNet, countParameters } from "../../src/models";
import { closeTo } from "../support/closeTo";
import { tidyTests } from "../support/noLeak";

describe("models/convNet", () => {
  tidyTests();

  it("has 3×3 kernels, gains and offsets with batch norm, biases without", () => {
    const options = { inputShape: [28, 28, 1] as const, numClasses: 10 };
    const kernels = 9 * (1 * 16 + 16 * 32 + 32 * 64);
    const head = 65 * 10;

    assert.equal(countParameters(convNet(options)), kernels + 2 * (16 + 32 + 64) + head);
    assert.equal(countParameters(convNet({ ...options, batchNorm: false })), kernels + 16 + 32 + 64 + head);
  });

  it("by hand: a kernel that picks the pixel itself, ReLU, 2×2 means, the mean of those, the head", () => {
    const model = convNet({ inputShape: [2, 2, 1], numClasses: 2, widths: [1], batchNorm: false });
    const picks = [0, 0, 0, 0, 1, 0, 0, 0, 0];
    const weights = {
      "conv0/kernel": tf.tensor4d(picks, [3, 3, 1, 1]),
      "conv0/bias": tf.tensor1d([1]),
      "head/kernel": tf.tensor2d([[2, -1]]),
      "head/bias": tf.tensor1d([0, 5]),
    };

    const { logits } = model.apply(weights, tf.tensor4d([1, 2, -3, 4], [1, 2, 2, 1]));

    // relu(x + 1) = (2, 3, 0, 5), mean 2.5
    closeTo(logits.dataSync(), [5, 2.5]);
  });

  it("refuses widths that are none", () => {
    assert.throws(() => convNet({ inputShape: [8, 8, 1], numClasses: 2, widths: [8, 0] }), /widths\[1\] = 0: expected a whole/);
  });
});
