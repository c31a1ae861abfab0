import assert from "node:assert/strict";
import { tf } from "../../src/engine";
import * as losses from "../../src/losses";
import { lossByName, lossNames, type Loss, type LossOptions } from "../../src/losses";
import { LOGITS, TARGETS } from "../support/lossDerivatives";
import { tidyTests } from "../support/noLeak";

const transitionMatrix = [[0.7, 0.2, 0.1], [0.05, 0.9, 0.05], [0, 0.4, 0.6]]; // prettier-ignore
const valuesOf = (loss: Loss) => [...loss(tf.tensor2d(LOGITS), tf.tensor2d(TARGETS)).dataSync()];
const optionsOf = (name: string, rest: object = {}) => {
  return { name, ...(name.endsWith("Correction") ? { transitionMatrix } : {}), ...rest } as LossOptions;
};

describe("losses/lossConfig", () => {
  tidyTests();

  it("knows every loss that has no state, each by the name of its function", () => {
    for (const name of lossNames) assert.equal(typeof losses[name], "function", name);
    assert.equal(lossNames.length, 8);
  });

  for (const name of lossNames)
    it(`gives ${name} the function's own defaults`, () => {
      const direct = losses[name] as (z: tf.Tensor2D, t: tf.Tensor2D, options?: object) => tf.Tensor1D;
      const required = name.endsWith("Correction") ? { transitionMatrix } : undefined;

      assert.deepEqual(
        valuesOf(lossByName(optionsOf(name))),
        valuesOf((z, t) => direct(z, t, required)),
      );
    });

  for (const [name, options] of [
    ["generalizedCrossEntropy", { q: 0.2 }],
    ["truncatedGeneralizedCrossEntropy", { q: 0.2, threshold: 0.6 }],
    ["symmetricCrossEntropy", { alpha: 0.5, beta: 0.3, logZero: -7 }],
    ["softBootstrapping", { beta: 0.3 }],
    ["hardBootstrapping", { beta: 0.3 }],
  ] as const)
    it(`hands the options on to ${name}`, () => {
      const direct = losses[name] as (z: tf.Tensor2D, t: tf.Tensor2D, options?: object) => tf.Tensor1D;

      assert.deepEqual(
        valuesOf(lossByName(optionsOf(name, options))),
        valuesOf((z, t) => direct(z, t, options)),
      );
      assert.notDeepEqual(valuesOf(lossByName(optionsOf(name, options))), valuesOf(lossByName(optionsOf(name))));
    });

  it("truncates after the warm-up alone", () => {
    const at = (epoch: number) => valuesOf(lossByName({ name: "truncatedGeneralizedCrossEntropy", warmupEpochs: 3 }, { epoch }));

    assert.deepEqual(at(3), valuesOf(losses.generalizedCrossEntropy));
    assert.deepEqual(at(4), valuesOf(losses.truncatedGeneralizedCrossEntropy));
  });

  for (const [options, message] of [
    [{ name: "focal" }, /loss \{"name":"focal"\}: /],
    [{ name: "softBootstrapping", q: 1 }, /q/],
    [{ name: "generalizedCrossEntropy", q: 2 }, /q/],
    [{ name: "forwardCorrection" }, /transitionMatrix/],
    [{ name: "forwardCorrection", transitionMatrix: [[0.5, 0.6], [0, 1]] }, /transition matrix: row 0 sums to 1\.1/], // prettier-ignore
    [{ name: "backwardCorrection", transitionMatrix: [[0.5, 0.5], [0.5, 0.5]] }, /singular/], // prettier-ignore
  ] as const)
    it(`refuses ${JSON.stringify(options)}`, () => {
      assert.throws(() => lossByName(options as unknown as LossOptions), message);
    });
});
