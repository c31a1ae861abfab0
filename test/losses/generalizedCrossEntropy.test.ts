import assert from "node:assert/strict";
import { tf } from "../../src/engine";
import { crossEntropy, generalizedCrossEntropy, truncatedGeneralizedCrossEntropy } from "../../src/losses";
import { closeTo } from "../support/closeTo";
import { agreesWith, isFiniteWhenSaturated, LOGITS, softmaxOf, TARGETS } from "../support/lossDerivatives";
import { expectNoLeak, tidyTests } from "../support/noLeak";

const logits = () => tf.tensor2d(LOGITS);
const targets = () => tf.tensor2d(TARGETS);
/** p = (¼, ¾) */
const quarter = () => tf.tensor2d([[0, Math.log(3)]]);
const first = () => tf.tensor2d([[1, 0]]);
const second = () => tf.tensor2d([[0, 1]]);

describe("losses/generalizedCrossEntropy", () => {
  tidyTests();

  it("is (1 − p^q)/q: 1 for p = ¼ and q = ½", () => {
    closeTo(generalizedCrossEntropy(quarter(), first(), { q: 0.5 }).dataSync(), [1], 1e-6);
  });

  it("is 1 − p for q = 1", () => {
    closeTo(generalizedCrossEntropy(quarter(), first(), { q: 1 }).dataSync(), [0.75], 1e-6);
  });

  it("has q = 0.7 where none is given", () => {
    closeTo(generalizedCrossEntropy(quarter(), first()).dataSync(), [(1 - 0.25 ** 0.7) / 0.7], 1e-6);
  });

  it("goes to cross-entropy as q goes to 0, and is it at 0", () => {
    const expected = crossEntropy(logits(), targets()).dataSync();

    // (1 − e^(q log p))/q = −log p − q log²p/2 + …
    closeTo(generalizedCrossEntropy(logits(), targets(), { q: 1e-6 }).dataSync(), expected, 1e-5);
    assert.deepEqual(generalizedCrossEntropy(logits(), targets(), { q: 0 }).dataSync(), expected);
  });

  it("has the derivatives of its formula, to second order, also for mixed labels", () => {
    for (const q of [0.3, 0.7, 1])
      agreesWith(
        (z, t) => generalizedCrossEntropy(z, t, { q }),
        (z, t) => softmaxOf(z).reduce((sum, p, k) => sum + (t[k]! * (1 - p ** q)) / q, 0),
      );
  });

  it("has the gradient p^q·∇CE: p^q is how far an example counts", () => {
    const of = (loss: typeof crossEntropy) =>
      tf
        .grad((z) => tf.sum(loss(z as tf.Tensor2D, first())))(quarter())
        .dataSync();

    closeTo(
      of((z, t) => generalizedCrossEntropy(z, t, { q: 0.5 })),
      of(crossEntropy).map((g) => 0.5 * g),
      1e-6,
    );
  });

  it("is finite, and so are its derivatives, where p is 0 or 1", () => {
    isFiniteWhenSaturated(generalizedCrossEntropy);
    isFiniteWhenSaturated((z, t) => generalizedCrossEntropy(z, t, { q: 1e-3 }));
    isFiniteWhenSaturated(truncatedGeneralizedCrossEntropy);
  });

  it("leaves nothing behind but the losses", () => {
    const [z, t] = [logits(), targets()];

    expectNoLeak(() => generalizedCrossEntropy(z, t), 1);
    expectNoLeak(() => truncatedGeneralizedCrossEntropy(z, t), 1);
  });

  it("refuses a q outside [0, 1]", () => {
    for (const q of [-0.1, 1.1, NaN])
      assert.throws(() => generalizedCrossEntropy(logits(), targets(), { q }), /q = .*: expected a number in \[0, 1\]/);
  });

  describe("truncated", () => {
    const truncated = truncatedGeneralizedCrossEntropy;
    const gradient = (t: tf.Tensor2D) =>
      tf
        .grad((z) => tf.sum(truncated(z as tf.Tensor2D, t)))(quarter())
        .dataSync();

    it("is the same above the threshold", () => {
      closeTo(truncated(quarter(), second()).dataSync(), generalizedCrossEntropy(quarter(), second()).dataSync(), 1e-6);
      // p^q (p − t), p = (¼, ¾)
      closeTo(gradient(second()), [0.25 * 0.75 ** 0.7, -0.25 * 0.75 ** 0.7], 1e-6);
    });

    it("is constant below it, without a gradient", () => {
      closeTo(truncated(quarter(), first()).dataSync(), [(1 - 0.5 ** 0.7) / 0.7], 1e-6);
      assert.deepEqual([...gradient(first())].map(Math.abs), [0, 0]);
    });

    it("has the derivatives of its formula, to second order", () => {
      agreesWith(
        (z, t) => truncated(z, t, { q: 0.4, threshold: 0.3 }),
        (z, t) => softmaxOf(z).reduce((sum, p, k) => sum + (t[k]! * (1 - Math.max(p, 0.3) ** 0.4)) / 0.4, 0),
      );
    });

    it("refuses a threshold outside (0, 1)", () => {
      for (const threshold of [0, 1, NaN])
        assert.throws(() => truncated(logits(), targets(), { threshold }), /threshold = .*: expected a number in \(0, 1\)/);
    });
  });
});
