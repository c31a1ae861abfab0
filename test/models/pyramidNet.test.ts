import assert from "node:assert/strict";
import { Rng } from "../../src/engine";
import { countParameters, pyramidNet } from "../../src/models";
import { waveImages } from "../support/networks";
import { tidyTests } from "../support/noLeak";

describe("models/pyramidNet", () => {
  tidyTests();

  it("272 layers, α = 200 and 100 classes make 26 288 692 parameters, as the official code's, with and without ShakeDrop", () => {
    assert.equal(countParameters(pyramidNet({ numClasses: 100 })), 26_288_692);
    assert.equal(countParameters(pyramidNet({ numClasses: 100, shakeDrop: true })), 26_288_692);
    assert.equal(pyramidNet({ numClasses: 100, shakeDrop: true }).name, "PyramidNet-272 α=200 with ShakeDrop");
  });

  it("grows linearly from 16 channels to 16 + α, four times as many after each block", () => {
    const shapes = Object.fromEntries(
      pyramidNet({ depth: 29, alpha: 90, numClasses: 10 }).parameters.map((p) => [p.name, p.shape]),
    );
    const outputs = [0, 1, 2].flatMap((group) => [0, 1, 2].map((block) => shapes[`group${group}/block${block}/norm3/scale`]![0]));

    assert.deepEqual(outputs, [26, 36, 46, 56, 66, 76, 86, 96, 106].map((channels) => 4 * channels)); // prettier-ignore
    assert.deepEqual(shapes["head/kernel"], [424, 10]);
  });

  it("needs no random stream without ShakeDrop", () => {
    const model = pyramidNet({ depth: 11, alpha: 3, numClasses: 2, inputShape: [4, 4, 1] });
    const { weights, stats } = model.init(new Rng(0));

    assert.deepEqual(model.apply(weights, waveImages(model, 4), { training: true, stats }).logits.shape, [4, 2]);
  });

  it("refuses other depths", () => {
    assert.throws(() => pyramidNet({ numClasses: 10, depth: 270 }), /depth = 270: a PyramidNet has depth 9n \+ 2/);
    assert.throws(() => pyramidNet({ numClasses: 10, alpha: 0 }), /alpha = 0: expected a whole number/);
  });
});
