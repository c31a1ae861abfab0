import assert from "node:assert/strict";
import { Rng, tf, valueAndGradient, type Weights } from "../../src/engine";
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

  describe("with branches that are zero, a stem that copies the image, and shortcuts that copy the first channel", () => {
    const model = shakeShake({ depth: 8, width: 2, numClasses: 2, inputShape: [8, 8, 1] });
    const weights = (): Weights => {
      const { weights: started } = model.init(new Rng(0));
      const filled = Object.entries(started).map(([name, tensor]) => [name, copying(name, tensor)] as const);
      // Of the last group's 8 channels the first reached it by the first paths only, the fifth by the second path at the end.
      const head = tf.oneHot(tf.tensor1d([0, 4], "int32"), 8).transpose();
      return { ...Object.fromEntries(filled), "head/kernel": head };
    };
    const copying = (name: string, tensor: tf.Tensor): tf.Tensor => {
      if (name.endsWith("/scale")) return tf.onesLike(tensor);
      const [height, , inputs, outputs] = tensor.shape as [number, number, number, number];
      const first = (row: number, column: number, input: number) => row === column && row === (height - 1) / 2 && input === 0;
      if (!name.startsWith("stem/conv") && !/shortcut\/conv/.test(name)) return tf.zerosLike(tensor);
      const values = Array.from({ length: tensor.size }, (_, i) => {
        const position = Math.floor(i / (inputs * outputs));
        return first(Math.floor(position / height), position % height, Math.floor(i / outputs) % inputs) ? 1 : 0;
      });
      return tf.tensor(values, tensor.shape);
    };

    // First paths keep pixels 0, 2, 4 …; second paths their neighbours one down and one right. Two groups have stride 2:
    // the first channel keeps pixels 0, 4 of each axis, the fifth keeps 0, 2, 4, 6 and then of these 2, 6.
    it("the two paths of the shortcuts see different pixels", () => {
      const image = new Rng("image").array(64, "uniform");
      const mean = (places: number[]) => places.flatMap((i) => places.map((j) => image[8 * i + j]! / 4)).reduce((a, b) => a + b);
      const { stats } = model.init(new Rng(0));

      const { logits } = model.apply(weights(), tf.tensor4d(image, [1, 8, 8, 1]), { stats });

      closeTo(logits.dataSync(), [mean([0, 4]), mean([2, 6])], 1e-4); // four batch norms divide by √(1 + 1e-5)
    });
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
