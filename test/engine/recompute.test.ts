import assert from "node:assert/strict";
import { hvpOfTensors, recomputed, tf, valueAndGradient, type Weights } from "../../src/engine";
import { closeTo } from "../support/closeTo";
import { expectNoLeak, tidyTests } from "../support/noLeak";

/** tanh(x·w), and the mean of x·w besides. */
const part = ([x, w]: tf.Tensor[]) => {
  const product = tf.mul(x!, w!);
  return { value: tf.tanh(product), aux: { mean: tf.mean(product) } };
};

/** Σ tanh(tanh(x·w)·w) of all entries, in two parts. */
const loss = (w: tf.Tensor, x: tf.Tensor) => {
  const first = recomputed(part, [x, w]);
  const second = recomputed(part, [first.value, w]);
  return { loss: tf.sum(second.value) as tf.Scalar, aux: { first: first.aux.mean!, second: second.aux.mean! } };
};

const [X, W] = [[0.5, -1.5, 2], [0.3, 0.7, -0.4]]; // prettier-ignore
const tensors = () => ({ x: tf.tensor1d(X), w: tf.tensor1d(W) });

// With a = tanh(x·w) and b = tanh(a·w): a′ = (1 − a²)x, b′ = (1 − b²)(a′w + a), and b″ from that.
const derivatives = W.map((w, i) => {
  const x = X[i]!;
  const a = Math.tanh(x * w);
  const b = Math.tanh(a * w);
  const da = (1 - a * a) * x;
  const inner = da * w + a;
  const d2a = -2 * a * da * x;
  const db = (1 - b * b) * inner;
  return { a, db, d2b: -2 * b * db * inner + (1 - b * b) * (d2a * w + 2 * da) };
});

describe("engine/recompute", () => {
  tidyTests();

  it("gives the value and the gradient of the closed form, and what was made besides", () => {
    const { x, w } = tensors();

    const { gradient, aux } = valueAndGradient((weights) => loss(weights.w!, x), { w });

    closeTo(gradient.w!.dataSync(), derivatives.map(({ db }) => db)); // prettier-ignore
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value / 3, 0);
    closeTo(aux.first!.dataSync(), [mean(W.map((w, i) => w * X[i]!))]);
    closeTo(aux.second!.dataSync(), [mean(W.map((w, i) => w * derivatives[i]!.a))]);
  });

  it("leaves second derivatives exact", () => {
    const { x, w } = tensors();

    const [product] = hvpOfTensors(([weights]) => loss(weights!, x).loss, [w], [tf.tensor1d([1, 2, 3])]);

    closeTo(product!.dataSync(), derivatives.map(({ d2b }, i) => d2b * (i + 1))); // prettier-ignore
  });

  it("keeps the inputs of a part alone until the backward pass", () => {
    const { x, w } = tensors();
    const keptBy = (run: typeof recomputed) => {
      let kept = 0;
      valueAndGradient((weights) => {
        const before = tf.memory().numDataBuffers;
        const chain = (input: tf.Tensor[]) => {
          const value = [1, 2, 3, 4, 5].reduce<tf.Tensor>((h) => tf.tanh(tf.mul(h, input[1]!)), input[0]!);
          return { value, aux: {} as Weights };
        };
        const y = tf.tidy(() => run(chain, [x, weights.w!]).value);
        kept = tf.memory().numDataBuffers - before;
        return tf.sum(y) as tf.Scalar;
      }, { w }); // prettier-ignore
      return kept;
    };

    assert.equal(keptBy(recomputed), 1); // its result
    assert.equal(
      keptBy((fn, inputs) => fn(inputs)),
      5,
    ); // each tanh
  });

  it("leaves nothing behind but its results, with and without a gradient", () => {
    const { x, w } = tensors();

    expectNoLeak(() => recomputed(part, [x, w]), 2);
    expectNoLeak(() => valueAndGradient((weights) => loss(weights.w!, x), { w }), 4);
  });
});
