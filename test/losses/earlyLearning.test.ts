import assert from "node:assert/strict";
import { tf } from "../../src/engine";
import { crossEntropy, elrLoss, elrTargetsOf, initialElrTargets, updateElrTargets } from "../../src/losses";
import { closeTo } from "../support/closeTo";
import { agreesWith, entropyOf, isFiniteWhenSaturated, LOGITS, softmaxOf, TARGETS } from "../support/lossDerivatives";
import { expectNoLeak, tidyTests } from "../support/noLeak";

const logits = () => tf.tensor2d(LOGITS);
const labels = () => tf.tensor2d(TARGETS);
const MEMORY = [[0.2, 0.5, 0.1], [0.6, 0.1, 0.2], [0.3, 0.3, 0.4]]; // prettier-ignore
const targets = () => tf.tensor2d(MEMORY);

describe("losses/earlyLearning", () => {
  tidyTests();

  it("is CE + λ log(1 − ⟨p, t̄⟩)", () => {
    // p = (¼, ¾), t̄ = (0, ⅔): 1 − ½
    const loss = elrLoss(tf.tensor2d([[0, Math.log(3)]]), tf.tensor2d([[1, 0]]), { targets: tf.tensor2d([[0, 2 / 3]]) });

    closeTo(loss.dataSync(), [Math.log(4) + 3 * Math.log(0.5)], 1e-6);
  });

  it("is cross-entropy for λ = 0, and with the targets of the start", () => {
    const expected = crossEntropy(logits(), labels()).dataSync();

    closeTo(elrLoss(logits(), labels(), { targets: targets(), lambda: 0 }).dataSync(), expected, 1e-6);
    closeTo(elrLoss(logits(), labels(), { targets: initialElrTargets(3, 3) }).dataSync(), expected, 1e-6);
  });

  it("has the derivatives of its formula, to second order, with the targets held fixed", () => {
    // The reference is told the row by its labels.
    const memory = (t: number[]) => MEMORY[TARGETS.findIndex((row) => String(row) === String(t))]!;
    agreesWith(
      (z, t) => elrLoss(z, t, { targets: targets(), lambda: 2 }),
      (z, t) => entropyOf(z, t) + 2 * Math.log(1 - softmaxOf(z).reduce((sum, p, k) => sum + p * memory(t)[k]!, 0)),
    );
  });

  it("is finite, and so are its derivatives, where p is 0 or 1 and the target too", () => {
    const certain = tf.tensor2d([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]]); // prettier-ignore

    isFiniteWhenSaturated((z, t) => elrLoss(z, t, { targets: certain }));
  });

  it("moves the targets of a batch toward its predictions, and no others, and keeps the old ones", () => {
    const before = tf.tensor2d([[1, 0], [0.5, 0.5], [0, 1]]); // prettier-ignore
    const predictions = tf.tensor2d([[0, Math.log(3)], [Math.log(3), 0]]); // prettier-ignore

    const after = updateElrTargets(before, predictions, { indices: [2, 0], beta: 0.6 });

    // 0.6·(0, 1) + 0.4·(¼, ¾) and 0.6·(1, 0) + 0.4·(¾, ¼)
    closeTo(after.dataSync(), [0.9, 0.1, 0.5, 0.5, 0.1, 0.9], 1e-6);
    assert.deepEqual([...before.dataSync()], [1, 0, 0.5, 0.5, 0, 1]);
    closeTo(elrTargetsOf(after, [2, 0]).dataSync(), [0.1, 0.9, 0.9, 0.1], 1e-6);
  });

  it("has targets that are geometric averages: 1 − 0.7ⁿ of a prediction that stays", () => {
    let state = initialElrTargets(1, 2);
    for (let n = 0; n < 5; n++) state = updateElrTargets(state, tf.tensor2d([[0, Math.log(3)]]), { indices: [0] });

    closeTo(state.dataSync(), [0.25 * (1 - 0.7 ** 5), 0.75 * (1 - 0.7 ** 5)], 1e-6);
  });

  it("leaves nothing behind but what it gives", () => {
    const [z, t, memory] = [logits(), labels(), targets()];

    expectNoLeak(() => elrLoss(z, t, { targets: memory }), 1);
    expectNoLeak(() => updateElrTargets(memory, z, { indices: [0, 1, 2] }), 1);
    expectNoLeak(() => elrTargetsOf(memory, [1]), 1);
  });

  it("refuses what does not fit", () => {
    const update =
      (indices: number[], beta = 0.7) =>
      () =>
        updateElrTargets(targets(), logits(), { indices, beta });

    assert.throws(update([0, 1]), /2 indices for 3 rows of logits/);
    assert.throws(update([0, 1, 3]), /index 3: expected an integer from 0 to 2/);
    assert.throws(update([0, 1, 1]), /an example comes twice/);
    assert.throws(update([0, 1, 2], 2), /beta = 2: expected a number in \[0, 1\]/);
    assert.throws(() => elrLoss(logits(), labels(), { targets: targets(), lambda: -1 }), /lambda = -1: expected/);
    assert.throws(
      () => elrLoss(logits(), labels(), { targets: initialElrTargets(2, 3) }),
      /targets of shape \[2,3\], expected one row for each example as the logits, \[3,3\]/,
    );
  });
});
