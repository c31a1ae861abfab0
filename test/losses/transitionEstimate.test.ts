import assert from "node:assert/strict";
import { symmetricTransition } from "../../src/data";
import { Rng } from "../../src/engine";
import { estimateTransition } from "../../src/losses";
import { closeTo } from "../support/closeTo";

describe("losses/transitionEstimate", () => {
  // p of class 0: 0.9, 0.7, 0.2, 0.1
  const four = [0.9, 0.1, 0.7, 0.3, 0.2, 0.8, 0.1, 0.9];

  it("has for each class the row of the example that is surest of it", () => {
    closeTo(estimateTransition(four, { numClasses: 2, percentile: 100 }).flat(), [0.9, 0.1, 0.1, 0.9], 1e-12);
  });

  it("leaves out examples from the percentile on", () => {
    // The 60th percentile of four values, the higher neighbor, is the third smallest: 0.7, and of class 1 it is 0.8.
    closeTo(estimateTransition(four, { numClasses: 2, percentile: 60 }).flat(), [0.2, 0.8, 0.7, 0.3], 1e-12);
    // numpy.percentile(p, 97, method="higher") is the largest of four: the second largest remains.
    closeTo(estimateTransition(four, { numClasses: 2 }).flat(), [0.7, 0.3, 0.2, 0.8], 1e-12);
  });

  it("of examples that are all alike is their common row", () => {
    closeTo(estimateTransition([0.6, 0.4, 0.6, 0.4], { numClasses: 2 }).flat(), [0.6, 0.4, 0.6, 0.4], 1e-12);
  });

  it("is the matrix itself where the network gives p(label | image) exactly, and each class has sure examples", () => {
    const [numClasses, rng] = [4, new Rng(0)];
    const matrix = symmetricTransition({ noiseRate: 0.6, numClasses });
    // p(class | image): 100 images of each class without doubt, then 400 of two classes.
    const sure = Array.from({ length: 400 }, (_, i) =>
      Array.from({ length: numClasses }, (_, k) => Number(k === i % numClasses)),
    );
    const unsure = sure.map((row, i) => row.map((p, k) => 0.6 * p + 0.4 * Number(k === (i + 1) % numClasses)));
    const posteriors = [...sure, ...unsure].sort(() => rng.uniform() - 0.5);
    const ofLabels = posteriors.flatMap((row) => matrix.map((_, j) => row.reduce((sum, p, i) => sum + p * matrix[i]![j]!, 0)));

    // None is an outlier here.
    closeTo(estimateTransition(ofLabels, { numClasses, percentile: 100 }).flat(), matrix.flat(), 1e-12);
  });

  it("refuses what is no table of probabilities", () => {
    assert.throws(
      () => estimateTransition([0.5, 0.5, 1], { numClasses: 2 }),
      /3 probabilities for 2 classes: expected a multiple/,
    );
    assert.throws(() => estimateTransition([], { numClasses: 2 }), /0 probabilities for 2 classes/);
    assert.throws(
      () => estimateTransition(four, { numClasses: 2, percentile: 0 }),
      /percentile = 0: expected a number in \(0, 100\]/,
    );
    assert.throws(() => estimateTransition([NaN, NaN], { numClasses: 2 }), /transition matrix: entry \(0, 0\) is NaN/);
  });
});
