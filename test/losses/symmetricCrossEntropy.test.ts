import assert from "node:assert/strict";
import { tf } from "../../src/engine";
import { crossEntropy, symmetricCrossEntropy } from "../../src/losses";
import { closeTo } from "../support/closeTo";
import { agreesWith, entropyOf, isFiniteWhenSaturated, LOGITS, softmaxOf, TARGETS } from "../support/lossDerivatives";
import { expectNoLeak, tidyTests } from "../support/noLeak";

const logits = () => tf.tensor2d(LOGITS);
const targets = () => tf.tensor2d(TARGETS);

describe("losses/symmetricCrossEntropy", () => {
  tidyTests();

  it("is 0.1·log 4 + log(10⁴)·¾ for p = ¼, with the defaults: the authors' code clips labels at 10⁻⁴", () => {
    const loss = symmetricCrossEntropy(tf.tensor2d([[0, Math.log(3)]]), tf.tensor2d([[1, 0]]));

    closeTo(loss.dataSync(), [0.1 * Math.log(4) + 0.75 * Math.log(1e4)], 1e-6);
  });

  it("is cross-entropy for α = 1 and β = 0", () => {
    const loss = symmetricCrossEntropy(logits(), targets(), { alpha: 1, beta: 0 });

    closeTo(loss.dataSync(), crossEntropy(logits(), targets()).dataSync(), 1e-6);
  });

  it("is −A times half the absolute error for α = 0: Σ|p − t|/2 = 1 − p", () => {
    const t = tf.tensor2d([[0, 0, 1], [0, 1, 0], [1, 0, 0]]); // prettier-ignore
    const error = tf.sum(tf.abs(tf.sub(tf.softmax(logits()), t)), 1);

    const loss = symmetricCrossEntropy(logits(), t, { alpha: 0, beta: 1, logZero: -6 });

    closeTo(loss.dataSync(), tf.mul(error, 3).dataSync(), 1e-6);
  });

  it("has the derivatives of its formula, to second order, also for mixed labels", () => {
    const log = (t: number) => Math.max(Math.log(t), Math.log(1e-4));
    agreesWith(
      (z, t) => symmetricCrossEntropy(z, t, { alpha: 0.3, beta: 0.6 }),
      (z, t) => 0.3 * entropyOf(z, t) - 0.6 * softmaxOf(z).reduce((sum, p, k) => sum + p * log(t[k]!), 0),
    );
  });

  it("is finite, and so are its derivatives, where p is 0 or 1", () => {
    isFiniteWhenSaturated(symmetricCrossEntropy);
  });

  it("leaves nothing behind but the losses", () => {
    const [z, t] = [logits(), targets()];

    expectNoLeak(() => symmetricCrossEntropy(z, t), 1);
  });

  for (const [options, message] of [
    [{ alpha: -1 }, /alpha = -1: expected a finite number of at least 0/],
    [{ beta: NaN }, /beta = NaN: expected/],
    [{ logZero: 0 }, /logZero = 0: expected a finite number below 0/],
    [{ logZero: -Infinity }, /logZero = -Infinity: expected/],
  ] as const)
    it(`refuses ${Object.entries(options).join()}`, () => {
      assert.throws(() => symmetricCrossEntropy(logits(), targets(), options), message);
    });
});
