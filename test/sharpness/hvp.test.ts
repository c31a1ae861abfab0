import assert from "node:assert/strict";
import { hessianVectorProduct, Rng, tf } from "../../src/engine";
import { hvp, hvpFiniteDifference } from "../../src/sharpness";
import { assertClose, inner, matrixWithSpectrum, multiply } from "../support/matrices";

const rng = new Rng("hvp");
const draw = (name: string, ...shape: number[]) => tf.tensor(rng.split(name).array(shape.reduce((a, b) => a * b, 1)), shape);

describe("sharpness/hvp", () => {
  it("is exact for a quadratic: L = ½wᵀAw gives Av", () => {
    const a = matrixWithSpectrum([4, 2, 1, -1]);
    const A = tf.tensor2d(a.map((row) => Array.from(row)));
    const [w, v] = [draw("w", 4, 1), draw("v", 4, 1)];

    const [hv] = hvp(([x]) => tf.mul(0.5, tf.sum(tf.mul(x!, tf.matMul(A, x as tf.Tensor2D)))) as tf.Scalar, [w], [v]);

    assertClose(hv!.dataSync(), multiply(a, v.dataSync()), 2e-6);
  });

  it("has the cross terms of several tensors: L = (Σx)² Σy² ", () => {
    // ∂²/∂x∂x = 2Σy² 11ᵀ, ∂²/∂x∂y = 4 Σx 1yᵀ, ∂²/∂y∂y = 2 (Σx)² I
    const [x, y, u, v] = [tf.tensor1d([1, 2]), tf.tensor1d([1, -1, 2]), tf.tensor1d([1, 0]), tf.tensor1d([0, 1, 1])];

    const [hx, hy] = hvp(([a, b]) => tf.mul(tf.square(tf.sum(a!)), tf.sum(tf.square(b!))), [x, y], [u, v]);

    // Σx = 3, Σy² = 6, Σu = 1, yᵀv = 1
    assertClose(hx!.dataSync(), [12 + 12, 12 + 12], 1e-4);
    assertClose(hy!.dataSync(), [12 * 1, 12 * -1 + 18, 12 * 2 + 18], 1e-4);
  });

  it("refuses a loss that is not a scalar, exact and by differences", () => {
    const losses = ([x]: tf.Tensor[]) => tf.square(x!) as never;
    const w = [tf.tensor1d([1, 2])];

    for (const product of [hvp, hvpFiniteDifference])
      assert.throws(() => product(losses, w, w), /the loss has shape \[2\], expected a scalar: take its mean or its sum/);
  });

  it("takes the weights themselves as the vector: L = Σx³ gives Hx = 6x²", () => {
    const x = tf.tensor1d([1, -2]);

    const [hx] = hvp(([a]) => tf.sum(tf.pow(a!, 3)) as tf.Scalar, [x], [x]);

    assertClose(hx!.dataSync(), [6, 24], 1e-4);
  });

  it("is zero where the loss is linear in a weight, and for v = 0", () => {
    const loss = ([a, b]: tf.Tensor[]) => tf.add(tf.sum(tf.pow(a!, 3)), tf.sum(b!)) as tf.Scalar;
    const weights = [tf.tensor1d([1, 2]), tf.tensor1d([5])];

    const [ha, hb] = hvp(loss, weights, [tf.tensor1d([1, 1]), tf.tensor1d([1])]);
    const zero = hvpFiniteDifference(loss, weights, [tf.tensor1d([0, 0]), tf.tensor1d([0])]);

    assertClose(ha!.dataSync(), [6, 12], 1e-5);
    assertClose(hb!.dataSync(), [0], 0);
    assertClose(zero[0]!.dataSync(), [0, 0], 0);
  });

  it("is symmetric, uᵀHv = vᵀHu, through a convolution, batch norm, max pooling and softmax", () => {
    const [x, gain] = [draw("x", 4, 8, 8, 2) as tf.Tensor4D, tf.ones([3])];
    const y = tf.oneHot([0, 2, 1, 2], 3);
    const loss = ([k, d]: tf.Tensor[]) => {
      const h = tf.batchNorm(
        tf.conv2d(x, k as tf.Tensor4D, 1, "same"),
        draw("m", 3) as tf.Tensor1D,
        gain as tf.Tensor1D,
        draw("o", 3) as tf.Tensor1D,
      );
      const pooled = tf.maxPool(tf.tanh(h) as tf.Tensor4D, 2, 2, "same");
      return tf.losses.softmaxCrossEntropy(y, tf.matMul(tf.reshape(pooled, [4, -1]), d as tf.Tensor2D)) as tf.Scalar;
    };
    const weights = [draw("k", 3, 3, 2, 3), draw("d", 48, 3)];
    const [u, v] = ["u", "v"].map((name) => weights.map((w, i) => draw(name + i, ...w.shape)));
    const pair = (a: tf.Tensor[], b: tf.Tensor[]) => a.reduce((sum, t, i) => sum + inner(t.dataSync(), b[i]!.dataSync()), 0);

    const [uhv, vhu] = [pair(u!, hvp(loss, weights, v!)), pair(v!, hvp(loss, weights, u!))];

    assert.ok(Math.abs(uhv - vhu) < 1e-4 * Math.max(1, Math.abs(uhv)), `${uhv} and ${vhu}`);
  });

  it("by central differences agrees to 1e-4, however long v is", () => {
    const loss = ([w]: tf.Tensor[]) => tf.sum(tf.square(tf.tanh(tf.matMul(w as tf.Tensor2D, w as tf.Tensor2D)))) as tf.Scalar;
    const w = tf.mul(draw("w", 5, 5), 0.5);

    for (const length of [1e-3, 1, 1e3]) {
      const v = tf.mul(draw("v", 5, 5), length);
      const exact = hvp(loss, [w], [v])[0]!.dataSync();
      const scale = Math.sqrt(inner(exact, exact));
      assertClose(hvpFiniteDifference(loss, [w], [v])[0]!.dataSync(), exact, 3e-4 * scale, `length ${length}`);
    }
  });

  it("takes named weights too", () => {
    const weights = { a: tf.tensor1d([1, 2]), b: tf.scalar(3) };
    const vector = { b: tf.scalar(1), a: tf.tensor1d([1, 0]) };

    const { a, b } = hessianVectorProduct(({ a, b }) => tf.mul(tf.sum(tf.square(a!)), b!), weights, vector);

    // ∂²/∂a² = 2b I, ∂²/∂a∂b = 2a, ∂²/∂b² = 0
    assertClose(a!.dataSync(), [6 + 2, 4], 1e-5);
    assertClose(b!.dataSync(), [2], 1e-5);
    assert.throws(() => hessianVectorProduct(({ a }) => tf.sum(a!), weights, { a: vector.a }), /the vector lacks \[b\]/);
  });

  it("leaves no tensors behind, and says what does not fit", () => {
    const loss = ([w]: tf.Tensor[]) => tf.sum(tf.tanh(w!)) as tf.Scalar;
    const [w, v] = [draw("w", 3), draw("v", 3)];
    const before = tf.memory().numTensors;

    tf.dispose([...hvp(loss, [w], [v]), ...hvpFiniteDifference(loss, [w], [v])]);

    assert.equal(tf.memory().numTensors, before);
    assert.throws(() => hvp(loss, [w], [draw("x", 4)]), /tensor 0 of the vector has shape \[4\], expected \[3\]/);
    assert.throws(() => hvp(loss, [w], []), /the vector has 0 tensors, expected 1/);
    assert.throws(() => hvp(() => tf.scalar(1), [w], [v]), /does not depend on the weights/);
    assert.throws(() => hvpFiniteDifference(loss, [w], [v], { step: 0 }), /step = 0/);
    assert.equal(tf.memory().numTensors, before + 1);
  });
});
