import assert from "node:assert/strict";
import { asymmetricTransition, pairFlipTransition, symmetricTransition } from "../../src/data";
import { tf } from "../../src/engine";
import { backwardCorrection, crossEntropy, forwardCorrection, invertTransition } from "../../src/losses";
import { closeTo } from "../support/closeTo";
import { agreesWith, entropyOf, isFiniteWhenSaturated, LOGITS, softmaxOf, TARGETS } from "../support/lossDerivatives";
import { expectNoLeak, tidyTests } from "../support/noLeak";

const logits = () => tf.tensor2d(LOGITS);
const targets = () => tf.tensor2d(TARGETS);
const identity = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]; // prettier-ignore
const T = [[0.7, 0.2, 0.1], [0.05, 0.9, 0.05], [0, 0.4, 0.6]]; // prettier-ignore
const both = [forwardCorrection, backwardCorrection];
const oneHot = (label: number) => tf.oneHot([label, label, label], 3).toFloat() as tf.Tensor2D;

describe("losses/lossCorrection", () => {
  tidyTests();

  it("is cross-entropy for the identity matrix, also where logits are saturated", () => {
    const expected = crossEntropy(logits(), targets()).dataSync();
    const saturated = tf.tensor2d([[100, -100, 0]]);
    const label = tf.tensor2d([[0, 1, 0]]);

    for (const loss of both) {
      closeTo(loss(logits(), targets(), { transitionMatrix: identity }).dataSync(), expected, 1e-6);
      closeTo(loss(saturated, label, { transitionMatrix: identity }).dataSync(), [200], 1e-6);
    }
  });

  it("forward: is −log of the probability of the noisy label", () => {
    // p = (¼, ¾), T = [[0.8, 0.2], [0.4, 0.6]]: P(label 0) = 0.25·0.8 + 0.75·0.4 = 0.5
    const transitionMatrix = [[0.8, 0.2], [0.4, 0.6]]; // prettier-ignore
    const loss = forwardCorrection(tf.tensor2d([[0, Math.log(3)]]), tf.tensor2d([[1, 0]]), { transitionMatrix });

    closeTo(loss.dataSync(), [Math.log(2)], 1e-6);
  });

  it("backward: is T⁻¹ times the vector of losses", () => {
    // T = [[0.8, 0.2], [0.4, 0.6]], det = 0.4: T⁻¹ = [[1.5, −0.5], [−1, 2]]
    const transitionMatrix = [[0.8, 0.2], [0.4, 0.6]]; // prettier-ignore
    const z = tf.tensor2d([[0, Math.log(3)], [0, Math.log(3)]]); // prettier-ignore
    const loss = backwardCorrection(z, tf.tensor2d([[1, 0], [0, 1]]), { transitionMatrix }); // prettier-ignore

    const [a, b] = [Math.log(4), Math.log(4 / 3)];
    closeTo(loss.dataSync(), [1.5 * a - 0.5 * b, -a + 2 * b], 1e-6);
  });

  for (const [name, transitionMatrix] of [
    ["a matrix without a pattern", T],
    ["symmetric noise of 60 %", symmetricTransition({ noiseRate: 0.6, numClasses: 3 })],
    ["pair flips of 40 %", pairFlipTransition({ noiseRate: 0.4, numClasses: 3 })],
    ["asymmetric noise of 30 %", asymmetricTransition({ noiseRate: 0.3, numClasses: 3, map: { 0: 2 } })],
  ] as const)
    it(`backward: has the loss at the true class as its expectation over the noise, and so its gradient: ${name}`, () => {
      for (const trueClass of [0, 1, 2]) {
        const loss = (z: tf.Tensor, label: number) => backwardCorrection(z as tf.Tensor2D, oneHot(label), { transitionMatrix });
        const mean = (z: tf.Tensor) =>
          tf.addN([0, 1, 2].map((label) => tf.mul(loss(z, label), transitionMatrix[trueClass]![label]!)));
        const clean = (z: tf.Tensor) => crossEntropy(z as tf.Tensor2D, oneHot(trueClass));

        closeTo(mean(logits()).dataSync(), clean(logits()).dataSync(), 3e-6);
        closeTo(tf.grad(mean)(logits()).dataSync(), tf.grad(clean)(logits()).dataSync(), 3e-6);
      }
    });

  it("forward: is least in expectation where the network knows the true class's distribution", () => {
    // labels come as Tᵀp: E[−log (Tᵀq)_label] − entropy is a Kullback–Leibler divergence, 0 with a zero gradient at q = p
    const p = softmaxOf(LOGITS[0]!);
    const labels = [0, 1, 2].map((j) => p.reduce((sum, pi, i) => sum + pi * T[i]![j]!, 0));
    const loss = (z: tf.Tensor) => tf.sum(forwardCorrection(z as tf.Tensor2D, tf.tensor2d([labels]), { transitionMatrix: T }));

    closeTo(
      tf
        .grad(loss)(tf.tensor2d([LOGITS[0]!]))
        .dataSync(),
      [0, 0, 0],
      1e-6,
    );
  });

  it("has the derivatives of its formula, to second order, also for mixed labels", () => {
    const inverse = invertTransition(T);
    const times = (t: number[], matrix: number[][]) =>
      t.map((_, j) => t.reduce((sum, each, i) => sum + each * matrix[i]![j]!, 0));

    agreesWith(
      (z, t) => forwardCorrection(z, t, { transitionMatrix: T }),
      (z, t) => -times(softmaxOf(z), T).reduce((sum, q, j) => sum + t[j]! * Math.log(q), 0),
    );
    agreesWith(
      (z, t) => backwardCorrection(z, t, { transitionMatrix: T }),
      (z, t) => entropyOf(z, times(t, inverse)),
    );
  });

  it("is finite, and so are its derivatives, where p is 0 or 1, and where the matrix has zeros", () => {
    for (const loss of both)
      for (const transitionMatrix of [T, identity]) isFiniteWhenSaturated((z, t) => loss(z, t, { transitionMatrix }));
  });

  it("forward: a label that cannot be costs 1e30, and one that is not there costs nothing", () => {
    const transitionMatrix = [[0, 1], [0, 1]]; // prettier-ignore
    const loss = (label: number[]) => forwardCorrection(tf.tensor2d([[1, 2]]), tf.tensor2d([label]), { transitionMatrix });

    closeTo(loss([0, 1]).dataSync(), [0], 1e-6);
    closeTo(loss([1, 0]).dataSync(), [1e30], 1e-6);
  });

  it("inverts a transition matrix: the rows of the inverse sum to 1", () => {
    const inverse = invertTransition(T);

    closeTo(
      T.flatMap((row) => [0, 1, 2].map((j) => row.reduce((sum, t, k) => sum + t * inverse[k]![j]!, 0))),
      identity.flat(),
      1e-12,
    );
    for (const row of inverse) closeTo(row.reduce((sum, entry) => sum + entry, 0), 1, 1e-12); // prettier-ignore
  });

  it("leaves nothing behind but the losses", () => {
    const [z, t] = [logits(), targets()];

    for (const loss of both) expectNoLeak(() => loss(z, t, { transitionMatrix: T }), 1);
  });

  it("refuses what is no transition matrix, and one of another number of classes", () => {
    for (const loss of both) {
      const given = (transitionMatrix: number[][]) => () => loss(logits(), targets(), { transitionMatrix });
      assert.throws(given([[0.5, 0.6, 0], [0, 1, 0], [0, 0, 1]]), /transition matrix: row 0 sums to 1\.1, expected 1/); // prettier-ignore
      assert.throws(given([[1, 0], [0, 1]]), /transition matrix of 2 classes for logits of 3 classes/); // prettier-ignore
    }
  });

  it("backward: refuses a matrix without an inverse, such as that of labels that say nothing", () => {
    for (const noiseRate of [0.9, 0.9 - 1e-6])
      assert.throws(
        () => invertTransition(symmetricTransition({ noiseRate, numClasses: 10 })),
        /transition matrix: singular, or nearly so/,
      );
    assert.throws(() => invertTransition([[0.5, 0.5], [0.5, 0.5]]), /singular/); // prettier-ignore
  });
});
