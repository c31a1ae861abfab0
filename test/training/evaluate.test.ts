import assert from "node:assert/strict";
import { Rng, tf } from "../../src/engine";
import { convNet, ModelBuilder, type Context, type Model } from "../../src/models";
import { evaluate, memorization } from "../../src/training";
import { closeTo } from "../support/closeTo";
import { expectNoLeak, tidyTests } from "../support/noLeak";
import { pixels, tinyImages, valuesOf } from "../support/training";

/** Logits (0, 4x − 2): class 1 where x > ½. */
function thresholdModel(visit: (context: Context, n: number) => void = () => {}): Model {
  const builder = new ModelBuilder();
  builder.parameter("gain", [1], () => Float32Array.of(4));
  return builder.build("threshold", { inputShape: [1, 1, 1], numClasses: 2 }, (x, context) => {
    visit(context, x.shape[0]);
    const column = tf.sub(tf.mul(tf.reshape(x, [-1, 1]), context.weights.gain!), 2);
    return tf.concat([tf.zerosLike(column), column], 1) as tf.Tensor2D;
  });
}

describe("training/evaluate", () => {
  tidyTests();

  // x = 0, 0.2, 0.4, 0.6, 0.8, 1, 0.2: predicted 0, 0, 0, 1, 1, 1, 0; examples 1 and 6 are labeled 1.
  const dataset = pixels([0, 51, 102, 153, 204, 255, 51], [0, 1, 0, 1, 1, 1, 1]);
  const start = () => thresholdModel().init(new Rng(0));

  it("counts wrong predictions over all examples, the ragged last batch included", () => {
    const { errorRate, predictions } = evaluate(thresholdModel(), start(), dataset, { batchSize: 3 });

    assert.equal(errorRate, 2 / 7);
    assert.deepEqual([...predictions], [0, 0, 0, 1, 1, 1, 0]);
  });

  it("gives the mean cross-entropy over examples, not over batches", () => {
    // −log softmax: log(1 + e^z) − [label 1]·z with z = 4x − 2
    const losses = [0, 0.2, 0.4, 0.6, 0.8, 1, 0.2].map(
      (x, i) => Math.log1p(Math.exp(4 * x - 2)) - dataset.labels[i]! * (4 * x - 2),
    );
    const mean = losses.reduce((a, b) => a + b) / 7;

    closeTo(evaluate(thresholdModel(), start(), dataset, { batchSize: 3 }).loss, mean, 1e-6);
  });

  it("does not depend on batchSize", () => {
    const whole = evaluate(thresholdModel(), start(), dataset);

    for (const batchSize of [1, 2, 4, 6, 7, 8]) {
      const parts = evaluate(thresholdModel(), start(), dataset, { batchSize });
      assert.deepEqual([parts.errorRate, ...parts.predictions], [whole.errorRate, ...whole.predictions]);
      closeTo(parts.loss, whole.loss, 1e-6);
    }
  });

  it("is in inference mode: no masks, the moving averages as they are, untouched", () => {
    const modes: unknown[] = [];
    const model = convNet({ inputShape: [8, 8, 1], numClasses: 3, widths: [3] });
    const variables = model.init(new Rng(0));
    const before = valuesOf({ ...variables.weights, ...variables.stats });
    const images = tinyImages(10);

    evaluate(
      thresholdModel(({ training, rng }) => modes.push(training, rng)),
      start(),
      dataset,
    );
    // With batch statistics an example's logits would depend on its batch.
    const single = evaluate(model, variables, images, { batchSize: 1 });

    assert.deepEqual(modes, [undefined, undefined]);
    closeTo(single.loss, evaluate(model, variables, images).loss, 1e-5);
    assert.deepEqual(valuesOf({ ...variables.weights, ...variables.stats }), before);
  });

  it("frees what it makes", () => {
    const variables = start();

    expectNoLeak(() => evaluate(thresholdModel(), variables, dataset, { batchSize: 2 }));
  });

  it("refuses a batch of no examples", () => {
    for (const batchSize of [0, -1, 2.5, NaN])
      assert.throws(() => evaluate(thresholdModel(), start(), dataset, { batchSize }), /batchSize = .*: expected a whole number/);
  });

  describe("memorization", () => {
    it("tells flipped labels that are fitted from those that are seen through, and both from clean ones", () => {
      //                             flipped: fitted, fitted, corrected, neither; clean: fitted, fitted, not
      const predictions = Int32Array.of(1, 2, 0, 2, 0, 1, 0);
      const labels = Int32Array.of(1, 2, 1, 1, 0, 1, 2);
      const clean = Int32Array.of(0, 0, 0, 0, 0, 1, 2);

      assert.deepEqual(memorization(predictions, labels, clean), {
        flippedFitted: 2 / 4,
        flippedCorrected: 1 / 4,
        cleanFitted: 2 / 3,
      });
    });

    it("leaves out the shares of what there is none of, so that a record has no NaN", () => {
      const zero = Int32Array.of(0);

      assert.deepEqual(memorization(zero, zero, zero), { cleanFitted: 1 });
      assert.deepEqual(memorization(zero, zero, Int32Array.of(1)), { flippedFitted: 1, flippedCorrected: 0 });
    });
  });
});
