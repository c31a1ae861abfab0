import assert from "node:assert/strict";
import { Rng, tf, valueAndGradient } from "../../src/engine";
import { countParameters, pyramidNet, shakeShake, type Model } from "../../src/models";
import { closeTo } from "../support/closeTo";
import { texturedBatch } from "../support/networks";
import { tidyTests } from "../support/noLeak";

describe("models/shakeShake", () => {
  tidyTests();

  it("26 2x96d with 100 classes has 26 227 572 parameters, as the official code's", () => {
    assert.equal(countParameters(shakeShake({ numClasses: 100 })), 26_227_572);
    assert.equal(shakeShake({ numClasses: 100 }).name, "Shake-Shake 26 2x96d");
  });

  it("refuses other depths and odd widths", () => {
    assert.throws(() => shakeShake({ numClasses: 10, depth: 27 }), /depth = 27: a Shake-Shake network has depth 6n \+ 2/);
    assert.throws(() => shakeShake({ numClasses: 10, width: 3 }), /width = 3: expected an even number/);
  });
});

// Between the last gate and the loss there is nothing random: the head's gradient is the same, those before it are not.
for (const [
  name,
  model,
  early,
] of [
  ["shakeShake", shakeShake({ depth: 8, width: 2, numClasses: 3, inputShape: [8, 8, 1] }), "group0/block0/a/conv1/kernel"],
  ["pyramidNet with ShakeDrop", pyramidNet({ depth: 11, alpha: 9, numClasses: 3, inputShape: [8, 8, 1], shakeDrop: true }), "group0/block0/conv1/kernel"],
] as [string, Model, string][]) // prettier-ignore
  describe(`models: the gates of ${name}`, () => {
    tidyTests();

    it("are the same forward in both of SAM's passes; trueGradient changes the gradients behind them only", () => {
      const { weights, stats } = model.init(new Rng(0));
      const { x, y } = texturedBatch(model, 8);
      const pass = (trueGradient: boolean, seed = "gates") =>
        valueAndGradient((w) => {
          const { logits } = model.apply(w, x, { training: true, stats, rng: new Rng(seed), trueGradient });
          return tf.neg(tf.sum(tf.mul(y, tf.logSoftmax(logits)))) as tf.Scalar;
        }, weights);

      const [first, second] = [pass(true), pass(false)];

      closeTo(first.value.dataSync(), second.value.dataSync());
      closeTo(first.gradient["head/kernel"]!.dataSync(), second.gradient["head/kernel"]!.dataSync());
      assert.notDeepEqual([...first.gradient[early]!.dataSync()], [...second.gradient[early]!.dataSync()]);
      assert.notDeepEqual([...pass(true, "other").value.dataSync()], [...first.value.dataSync()]);
    });
  });
