import assert from "node:assert/strict";
import { Rng, tf, valueAndGradient } from "../../src/engine";
import type { Context } from "../../src/models";
import { applyDecoupledGate, stochasticDepth } from "../../src/models/gates";
import { shakeDrop } from "../../src/models/pyramidNet";
import { shake } from "../../src/models/shakeShake";
import { closeTo } from "../support/closeTo";
import { expectNoLeak, tidyTests } from "../support/noLeak";

const context = (mode: Partial<Context> = {}): Context => ({ weights: {}, newStats: {}, ...mode });
const training = (mode: Partial<Context> = {}) => context({ training: true, rng: new Rng("gates"), ...mode });
const examples = (values: ArrayLike<number>) => tf.tensor4d(Float32Array.from(values), [values.length, 1, 1, 1]);

/** fn of the inputs, and the gradient of the sum of its entries with respect to each. */
function outputAndGradients(fn: (...inputs: tf.Tensor4D[]) => tf.Tensor4D, inputs: Record<string, tf.Tensor4D>) {
  const { gradient } = valueAndGradient((w) => tf.sum(fn(...(Object.values(w) as tf.Tensor4D[]))) as tf.Scalar, inputs);
  const gradients = Object.fromEntries(Object.entries(gradient).map(([name, t]) => [name, [...t.dataSync()]]));
  return { output: [...fn(...Object.values(inputs)).dataSync()], gradients };
}

/** Mean within 5σ of `mean`, for `variance` a draw. */
function assertMean(values: readonly number[], mean: number, variance: number): void {
  const actual = values.reduce((a, b) => a + b, 0) / values.length;
  assert.ok(Math.abs(actual - mean) < 5 * Math.sqrt(variance / values.length), `mean ${actual}, expected ${mean}`);
}

describe("models/gates", () => {
  tidyTests();

  it("A decoupled gate multiplies forward by one number an example, and the gradient by another", () => {
    const [forward, backward] = [new Float32Array([2, -1]), new Float32Array([3, 0.5])];
    const gate = (x: tf.Tensor4D) => applyDecoupledGate(x, forward, backward);

    const { output, gradients } = outputAndGradients(gate, { x: examples([10, 20]) });

    assert.deepEqual(output, [20, -20]);
    assert.deepEqual(gradients.x, [3, 0.5]);
    expectNoLeak(() => tf.tidy(() => void gate(examples([1, 2]))));
  });

  describe("Shake-Shake", () => {
    const n = 2000;
    // With a = 1 and b = 0 the output is the forward gate γ itself; d/da is the backward gate, d/db one minus it.
    const gates = (mode: Partial<Context> = {}) => {
      const inputs = { a: tf.ones([n, 1, 1, 1]) as tf.Tensor4D, b: tf.zeros([n, 1, 1, 1]) as tf.Tensor4D };
      return outputAndGradients((a, b) => shake("block", a, b, training(mode)), inputs);
    };

    it("mixes with γ ~ U(0, 1) for each example forward, and another backward", () => {
      const { output, gradients } = gates();

      for (const drawn of [output, gradients.a!]) {
        assert.ok(drawn.every((g) => g >= 0 && g < 1));
        assertMean(drawn, 1 / 2, 1 / 12);
      }
      closeTo(gradients.b!, gradients.a!.map((g) => 1 - g)); // prettier-ignore
      const products = output.map((g, i) => (g - 0.5) * (gradients.a![i]! - 0.5));
      assertMean(products, 0, 1 / 144); // independent
      assert.equal(new Set(output).size, n);
    });

    it("with trueGradient has the same output, and the gradient of what it computed", () => {
      const { output, gradients } = gates({ trueGradient: true });

      assert.deepEqual(output, gates().output);
      assert.deepEqual(gradients.a, output);
      closeTo(gradients.b!, output.map((g) => 1 - g)); // prettier-ignore
    });

    it("takes the mean of both branches in inference mode", () => {
      closeTo(shake("block", examples([1, 2]), examples([3, 8]), context()).dataSync(), [2, 5]);
    });
  });

  describe("ShakeDrop", () => {
    const [n, survival] = [2000, 0.7];
    const gates = (mode: Partial<Context> = {}) =>
      outputAndGradients((x) => shakeDrop("block", survival)(x, training(mode)), { x: tf.ones([n, 1, 1, 1]) });

    it("keeps a branch with the probability of survival, or takes α ~ U(−1, 1) forward and β ~ U(0, 1) backward", () => {
      const { output, gradients } = gates();
      const dropped = output.flatMap((value, i) => (value === 1 ? [] : [i]));
      const [alphas, betas] = [output, gradients.x!].map((values) => dropped.map((i) => values[i]!));

      assertMean(output.map((value) => (value === 1 ? 1 : 0)), survival, survival * (1 - survival)); // prettier-ignore
      assert.ok(
        output.every((value, i) => value !== 1 || gradients.x![i] === 1),
        "kept forward is kept backward",
      );
      assert.ok(alphas!.every((alpha) => alpha >= -1 && alpha < 1) && betas!.every((beta) => beta >= 0 && beta < 1));
      assertMean(alphas!, 0, 1 / 3);
      assertMean(betas!, 1 / 2, 1 / 12);
    });

    it("with trueGradient has the same output, and the gradient of what it computed", () => {
      const { output, gradients } = gates({ trueGradient: true });

      assert.deepEqual(output, gates().output);
      assert.deepEqual(gradients.x, output);
    });

    // E[kept + (1 − kept)·α] = survival, as E[α] = 0.
    it("multiplies by the gates' mean in inference mode", () => {
      closeTo(shakeDrop("block", survival)(examples([10, -1]), context()).dataSync(), [7, -0.7]);
    });
  });

  describe("Stochastic depth", () => {
    it("keeps an example with the probability of survival and divides it by that: the mean stays", () => {
      const y = [...stochasticDepth("block", 0.8)(tf.ones([2000, 1, 1, 1]), training()).dataSync()];

      assert.deepEqual([...new Set(y)].sort(), [0, 1.25]);
      assertMean(y, 1, 0.2 / 0.8); // 1.25²·0.8 − 1
    });

    it("does nothing in inference mode, or where all survive", () => {
      closeTo(stochasticDepth("block", 0.8)(examples([1, 2]), context()).dataSync(), [1, 2]);
      closeTo(stochasticDepth("block", 1)(examples([1, 2]), context({ training: true })).dataSync(), [1, 2]);
    });
  });

  for (const [name, layer] of Object.entries({
    "Shake-Shake": (block: string, mode: Context) => shake(block, examples([1, 1, 1]), examples([0, 0, 0]), mode),
    ShakeDrop: (block: string, mode: Context) => shakeDrop(block, 0.01)(examples([1, 1, 1]), mode),
    "Stochastic depth": (block: string, mode: Context) => stochasticDepth(block, 0.5)(tf.ones([64, 1, 1, 1]), mode),
  }))
    it(`${name} draws from the context's stream alone, by its own name`, () => {
      const drawn = (block: string, seed: number) => [...layer(block, training({ rng: new Rng(seed) })).dataSync()];

      assert.deepEqual(drawn("a", 0), drawn("a", 0));
      assert.notDeepEqual(drawn("b", 0), drawn("a", 0));
      assert.notDeepEqual(drawn("a", 1), drawn("a", 0));
      assert.throws(() => layer("a", context({ training: true })), /a: random gates in training mode need mode\.rng/);
    });
});
