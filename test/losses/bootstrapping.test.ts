import assert from "node:assert/strict";
import { tf } from "../../src/engine";
import { crossEntropy, hardBootstrapping, softBootstrapping } from "../../src/losses";
import { closeTo } from "../support/closeTo";
import { agreesWith, entropyOf, isFiniteWhenSaturated, LOGITS, softmaxOf, TARGETS } from "../support/lossDerivatives";
import { expectNoLeak, tidyTests } from "../support/noLeak";

const logits = () => tf.tensor2d(LOGITS);
const targets = () => tf.tensor2d(TARGETS);
/** p = (¼, ¾), label 0 */
const quarter = () => [tf.tensor2d([[0, Math.log(3)]]), tf.tensor2d([[1, 0]])] as const;
const [log4, log43] = [Math.log(4), Math.log(4 / 3)];

describe("losses/bootstrapping", () => {
  tidyTests();

  it("soft: is β·CE + (1 − β)·entropy", () => {
    const entropy = 0.25 * log4 + 0.75 * log43;

    closeTo(softBootstrapping(...quarter(), { beta: 0.4 }).dataSync(), [0.4 * log4 + 0.6 * entropy], 1e-6);
    closeTo(softBootstrapping(...quarter()).dataSync(), [0.95 * log4 + 0.05 * entropy], 1e-6);
  });

  it("hard: is cross-entropy against the label and the predicted class, in shares β and 1 − β", () => {
    closeTo(hardBootstrapping(...quarter(), { beta: 0.4 }).dataSync(), [0.4 * log4 + 0.6 * log43], 1e-6);
    closeTo(hardBootstrapping(...quarter()).dataSync(), [0.8 * log4 + 0.2 * log43], 1e-6);
  });

  it("is cross-entropy for β = 1", () => {
    const expected = crossEntropy(logits(), targets()).dataSync();

    for (const loss of [softBootstrapping, hardBootstrapping])
      closeTo(loss(logits(), targets(), { beta: 1 }).dataSync(), expected, 1e-6);
  });

  it("does not look at the labels for β = 0", () => {
    const others = tf.tensor2d([[1, 0, 0], [0, 0, 1], [0, 1, 0]]); // prettier-ignore

    for (const loss of [softBootstrapping, hardBootstrapping])
      closeTo(loss(logits(), targets(), { beta: 0 }).dataSync(), loss(logits(), others, { beta: 0 }).dataSync(), 1e-6);
  });

  it("has the derivatives of its formula, to second order: soft through the target, hard not", () => {
    const blend = (t: number[], other: number[]) => t.map((each, k) => 0.6 * each + 0.4 * other[k]!);
    const predicted = (z: number[]) => z.map((value) => (value === Math.max(...z) ? 1 : 0));

    agreesWith(
      (z, t) => softBootstrapping(z, t, { beta: 0.6 }),
      (z, t) => entropyOf(z, blend(t, softmaxOf(z))),
    );
    agreesWith(
      (z, t) => hardBootstrapping(z, t, { beta: 0.6 }),
      (z, t) => entropyOf(z, blend(t, predicted(z))),
    );
  });

  it("is finite, and so are its derivatives, where p is 0 or 1", () => {
    isFiniteWhenSaturated(softBootstrapping);
    isFiniteWhenSaturated(hardBootstrapping);
  });

  it("leaves nothing behind but the losses", () => {
    const [z, t] = [logits(), targets()];

    for (const loss of [softBootstrapping, hardBootstrapping]) expectNoLeak(() => loss(z, t), 1);
  });

  it("refuses a β outside [0, 1]", () => {
    for (const loss of [softBootstrapping, hardBootstrapping])
      assert.throws(() => loss(logits(), targets(), { beta: 1.5 }), /beta = 1\.5: expected a number in \[0, 1\]/);
  });
});
