import assert from "node:assert/strict";
import { convNet, countParameters } from "../../src/models";

describe("models/convNet", () => {
  it("has 3×3 kernels, gains and offsets with batch norm, biases without", () => {
    const options = { inputShape: [28, 28, 1] as const, numClasses: 10 };
    const kernels = 9 * (1 * 16 + 16 * 32 + 32 * 64);
    const head = 65 * 10;

    assert.equal(countParameters(convNet(options)), kernels + 2 * (16 + 32 + 64) + head);
    assert.equal(countParameters(convNet({ ...options, batchNorm: false })), kernels + 16 + 32 + 64 + head);
  });

  it("refuses widths that are none", () => {
    assert.throws(() => convNet({ inputShape: [8, 8, 1], numClasses: 2, widths: [8, 0] }), /widths\[1\] = 0: expected a whole/);
  });
});
