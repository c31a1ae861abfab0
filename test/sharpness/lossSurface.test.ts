import assert from "node:assert/strict";
import { Rng, tf, type Weights } from "../../src/engine";
import {
  linearInterpolation,
  lossAlong,
  planarInterpolation,
  randomDirection,
  randomLine,
  randomPlane,
} from "../../src/sharpness";
import { leastSquares } from "../support/leastSquares";
import { assertClose, assertNear, inner } from "../support/matrices";

const norms = (t: tf.Tensor, axes: number[]) => tf.sqrt(tf.sum(tf.square(t), axes)).dataSync();

describe("sharpness/lossSurface", () => {
  const rng = new Rng("surface");
  const weights: Weights = {
    "conv/kernel": tf.tensor(rng.array(3 * 3 * 2 * 4), [3, 3, 2, 4]),
    "conv/bias": tf.tensor(rng.array(4)),
    "head/kernel": tf.tensor(rng.array(12), [4, 3]),
  };

  it("gives each filter of a direction the norm of the network's filter, and leaves biases and batch norm in place", () => {
    const direction = randomDirection(weights, new Rng(0));

    assertClose(norms(direction["conv/kernel"]!, [0, 1, 2]), norms(weights["conv/kernel"]!, [0, 1, 2]), 1e-5);
    assertClose(norms(direction["head/kernel"]!, [0]), norms(weights["head/kernel"]!, [0]), 1e-5);
    assertClose(direction["conv/bias"]!.dataSync(), [0, 0, 0, 0], 0);
  });

  it("normalizes by layer or not, and moves biases, when asked", () => {
    const layer = randomDirection(weights, new Rng(0), { normalization: "layer", ignore: "none" });
    const none = randomDirection(weights, new Rng(0), { normalization: "none", ignore: "none" });

    for (const name of Object.keys(weights))
      assertNear(norms(layer[name]!.flatten(), [0])[0]!, norms(weights[name]!.flatten(), [0])[0]!, 1e-5);
    const square = (w: Weights) => Object.values(w).reduce((sum, t) => sum + norms(t.flatten(), [0])[0]! ** 2, 0);
    assertNear(square(none), square(weights), 1e-3);
    assert.throws(
      () => randomDirection(weights, new Rng(0), { normalization: "none!" as "none" }),
      /normalization = "none!": expected/,
    );
  });

  it("gives a filter of zeros no direction, instead of NaN", () => {
    const zero = { kernel: tf.zeros([3, 2]) };

    assertClose(randomDirection(zero, new Rng(0)).kernel!.dataSync(), [0, 0, 0, 0, 0, 0], 0);
  });

  it("of a quadratic is that quadratic: along given directions and in the plane of two", async () => {
    const { network, data, loss, rise, residuals } = leastSquares();
    const [u, v] = [[1, 0, 2], [0, -1, 1]]; // prettier-ignore
    const directions = [u!, v!].map((d) => ({ "head/kernel": tf.tensor2d(d, [3, 1]) }));

    const plane = await lossAlong(network, data, directions, { loss, gridPoints: 3, range: [-0.5, 0.5], batchSize: 4 });

    const base = inner(residuals, residuals) / 20;
    assert.deepEqual([plane.x, plane.y], [[-0.5, 0, 0.5], [-0.5, 0, 0.5]]); // prettier-ignore
    plane.y.forEach((y, j) =>
      plane.x.forEach((x, i) => assertNear(plane.loss[j]![i]!, base + rise(u!.map((value, n) => x * value + y * v![n]!)), 1e-5)),
    );
  });

  it("has the loss of the network in the middle, the same for the same seed, and its line in the plane", async () => {
    const { network, data, loss, residuals } = leastSquares();
    const before = tf.memory().numTensors;
    const options = { loss, gridPoints: 5, seed: 3 };

    const [plane, again] = [await randomPlane(network, data, options), await randomPlane(network, data, options)];
    const line = await randomLine(network, data, options);

    assertNear(plane.loss[2]![2]!, inner(residuals, residuals) / 20, 1e-6);
    assert.deepEqual(plane, again);
    assertClose(line.loss, plane.loss[2]!, 1e-6);
    assert.equal(tf.memory().numTensors, before);
  });

  it("interpolates between two solutions, and on the plane of three", async () => {
    const { network, data, loss, rise, residuals } = leastSquares();
    const base = inner(residuals, residuals) / 20;
    const moved = (epsilon: number[]) => ({
      ...network,
      weights: { "head/kernel": tf.add(network.weights["head/kernel"]!, tf.tensor2d(epsilon, [3, 1])) },
    });
    const [b, c] = [moved([1, 2, 0]), moved([0, 0, -1])];
    const before = tf.memory().numTensors;

    const line = await linearInterpolation(network, b, data, { loss, gridPoints: 3 });
    const plane = await planarInterpolation(network, b, c, data, { loss, gridPoints: 3, range: [0, 1] });

    assertClose(line.loss, [0, 0.5, 1].map((x) => base + rise([x, 2 * x, 0])), 1e-5); // prettier-ignore
    plane.y.forEach((y, j) => plane.x.forEach((x, i) => assertNear(plane.loss[j]![i]!, base + rise([x, 2 * x, -y]), 1e-5)));
    assert.equal(tf.memory().numTensors, before);
  });

  it("says what does not fit", async () => {
    const { network, data, loss } = leastSquares();

    await assert.rejects(
      lossAlong(network, data, [{ nothing: tf.scalar(1) }], { loss }),
      /the direction has \[nothing\], which the network lacks/,
    );
    await assert.rejects(randomLine(network, data, { loss, gridPoints: 1 }), /gridPoints = 1/);
    await assert.rejects(lossAlong(network, data, [], { loss }), /0 directions: expected one or two/);
  });
});
