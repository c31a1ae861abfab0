import assert from "node:assert/strict";
import { paperHyperParameters } from "../../../src/paper/comparison/hyperParameters";

describe("paper/comparison/hyperParameters", () => {
  it("looks up Tables 6 and 7", () => {
    // paper.md 3.2: WRN-28-10 (1800 epochs) on CIFAR-100; 3.3: SVHN, Shake-Shake; batch 256 in both captions
    assert.deepEqual(paperHyperParameters("table-6", { dataset: "cifar-100", model: "WRN-28-10", epochs: 1800 }), {
      ...{ learningRate: 0.05, weightDecay: 0.001, batchSize: 256, rho: 0.1 },
    });
    assert.deepEqual(paperHyperParameters("table-7", { dataset: "svhn", model: "Shake-Shake (26 2x96d)" }), {
      ...{ learningRate: 0.01, weightDecay: 0.0005, batchSize: 256, rho: 0.01 },
    });
  });

  it("has no row that the paper lacks, and takes none of several", () => {
    assert.throws(
      () => paperHyperParameters("table-7", { dataset: "mnist", model: "WRN-28-10" }),
      /table-7 has 0 numbers for .*expected 1/,
    );
    assert.throws(() => paperHyperParameters("table-6", { dataset: "cifar-10", model: "WRN-28-10" }), /table-6 has 2 numbers/);
  });
});
