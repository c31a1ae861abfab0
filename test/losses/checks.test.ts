/** Checks that all losses share: targets of another shape, unknown options, values of the wrong type. */
import assert from "node:assert/strict";
import { tf } from "../../src/engine";
import * as losses from "../../src/losses";
import { tidyTests } from "../support/noLeak";

type Loss = (logits: tf.Tensor2D, targets: tf.Tensor2D, options?: object) => tf.Tensor;

const transitionMatrix = [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]]; // prettier-ignore
const rows = (n: number, k = 3) => tf.fill([n, k], 1 / k) as tf.Tensor2D;

const all: Record<string, Loss> = {
  crossEntropy: losses.crossEntropy,
  generalizedCrossEntropy: losses.generalizedCrossEntropy,
  truncatedGeneralizedCrossEntropy: losses.truncatedGeneralizedCrossEntropy,
  symmetricCrossEntropy: losses.symmetricCrossEntropy,
  softBootstrapping: losses.softBootstrapping,
  hardBootstrapping: losses.hardBootstrapping,
  forwardCorrection: (z, t, options) => losses.forwardCorrection(z, t, { transitionMatrix, ...options }),
  backwardCorrection: (z, t, options) => losses.backwardCorrection(z, t, { transitionMatrix, ...options }),
  elrLoss: (z, t, options) => losses.elrLoss(z, t, { targets: tf.zerosLike(z), ...options }),
};

describe("losses/every loss", () => {
  tidyTests();

  for (const [name, loss] of Object.entries(all)) {
    it(`${name} refuses one row of targets for several examples, another width, and logits of one axis`, () => {
      const message = (shape: string) =>
        new RegExp(`^Error: ${name}: targets of shape \\[${shape}\\], expected one row for each example`);

      assert.throws(() => loss(rows(4), rows(1)), message("1,3"));
      assert.throws(() => loss(rows(4), rows(4, 2)), message("4,2"));
      assert.throws(
        () => loss(tf.ones([3]) as never, rows(1)),
        new RegExp(`${name}: logits of shape \\[3\\], expected \\(n, numClasses\\)`),
      );
    });

    it(`${name} refuses an option that it does not know`, () => {
      assert.throws(() => loss(rows(4), rows(4), { warmup: 3 }), new RegExp(`^Error: ${name}: unknown option "warmup"`));
    });
  }

  it("suggests the option that was meant, and tells the type that was expected", () => {
    const { crossEntropy, generalizedCrossEntropy, betaMixture, estimateTransition, normalizeLosses } = losses;
    const wrong: [RegExp, () => unknown][] = [
      [/"labelsmoothing", did you mean "labelSmoothing"\?/, () => crossEntropy(rows(2), rows(2), { labelsmoothing: 0.1 } as object)],
      [/generalizedCrossEntropy: q = "0.7": expected a number/, () =>
        generalizedCrossEntropy(rows(2), rows(2), { q: "0.7" as never })],
      [/betaMixture: unknown option "iterations"/, () => betaMixture([0.1, 0.9], { iterations: 3 } as object)],
      [/normalizeLosses: unknown option "lowst", did you mean "lowest"\?/, () => normalizeLosses([1, 2], { lowst: 3 } as object)],
      [/estimateTransition: numClasses = "2": expected a number/, () => estimateTransition([1, 0], { numClasses: "2" as never })],
      [/updateElrTargets: unknown option "betta", did you mean "beta"\?/, () =>
        losses.updateElrTargets(rows(2), rows(1), { indices: [0], betta: 0.5 } as never)],
    ]; // prettier-ignore

    for (const [message, call] of wrong) assert.throws(call, message);
  });

  it("by name: suggests the loss and the option that were meant", () => {
    assert.throws(
      () => losses.lossByName({ name: "crossentropy" } as never),
      /unknown name "crossentropy", did you mean "crossEntropy"\?/,
    );
    assert.throws(
      () => losses.lossByName({ name: "truncatedGeneralizedCrossEntropy", treshold: 0.4 } as never),
      /unknown option "treshold", did you mean "threshold"\?/,
    );
    assert.throws(
      () => losses.lossByName("crossEntropy" as never),
      /loss "crossEntropy": expected a name, one of crossEntropy, /,
    );
  });
});
