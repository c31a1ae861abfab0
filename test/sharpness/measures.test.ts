import assert from "node:assert/strict";
import { hessianVectorProduct, Rng, tf, valueAndGradient, type Weights } from "../../src/engine";
import { epsilonHat, samGradient } from "../../src/optim";
import { averageSharpness, mSharpness, type MSharpness, worstCaseSharpness } from "../../src/sharpness";
import { largestEigenvalue, leastSquares } from "../support/leastSquares";
import { assertClose, assertNear, inner } from "../support/matrices";

const length = (v: ArrayLike<number>) => Math.sqrt(inner(v, v));

describe("sharpness/mSharpness", () => {
  it("of one block is L(w + ρĝ) − L(w)", async () => {
    const { network, data, loss, rows, residuals, rise } = leastSquares();
    const g = [0, 1, 2].map((a) => rows.reduce((sum, row, i) => sum + (residuals[i]! * row[a]!) / 10, 0));

    const { sharpness, standardError, samples, sizes, loss: value } = await mSharpness(network, data, { m: 10, rho: 0.1, loss });

    assertNear(sharpness, rise(g.map((x) => (0.1 * x) / length(g))), 1e-6); // prettier-ignore
    assertNear(value, residuals.reduce((sum, r) => sum + r * r / 20, 0), 1e-6); // prettier-ignore
    assert.ok(Number.isNaN(standardError));
    assert.deepEqual([samples.length, sizes], [1, [10]]);
  });

  it("of blocks of one example is the mean of ρ|r|‖x‖ + ½ρ²‖x‖²", async () => {
    // g = r x, so that the residual moves by ρ‖x‖ away from 0
    const { network, data, loss, rows, residuals } = leastSquares();
    const expected = rows.map((row, i) => 0.2 * Math.abs(residuals[i]!) * length(row) + 0.02 * inner(row, row));

    const { sharpness, standardError, samples } = await mSharpness(network, data, { m: 1, rho: 0.2, loss });

    assertNear(sharpness, expected.reduce((a, b) => a + b) / 10, 1e-5); // prettier-ignore
    assert.equal(samples.length, 10);
    assert.ok(standardError > 0);
  });

  it("grows as m falls, and weights a smaller last block by its size", async () => {
    const { network, data, loss } = leastSquares();
    const values: MSharpness[] = [];
    for (const m of [10, 4, 1]) values.push(await mSharpness(network, data, { m, loss, batchSize: 3 }));

    assert.ok(values[0]!.sharpness < values[1]!.sharpness && values[1]!.sharpness < values[2]!.sharpness);
    assert.deepEqual(values[1]!.sizes, [4, 4, 2]);
    const weighted = values[1]!.samples.reduce((sum, rise, i) => sum + (rise * values[1]!.sizes[i]!) / 10, 0);
    assertNear(values[1]!.sharpness, weighted, 1e-12);
    assertNear(values[1]!.loss, values[0]!.loss, 1e-6);
  });

  it("leaves weights and memory alone, gives the same for the same seed, and reports blocks", async () => {
    const { network, data, loss } = leastSquares();
    const before = tf.memory().numTensors;
    const seen: number[] = [];

    const run = (seed: number) => mSharpness(network, data, { m: 4, loss, seed, onProgress: ({ done }) => seen.push(done) });

    assert.deepEqual(await run(1), await run(1));
    assert.notDeepEqual((await run(1)).samples, (await run(2)).samples);
    assert.deepEqual(seen.slice(0, 3), [1, 2, 3]);
    assert.equal(tf.memory().numTensors, before);
  });
});

describe("sharpness/worstCaseSharpness", () => {
  it("at a minimum is ½ρ²λmax, which random starts find", async () => {
    const { network, data, loss, hessian } = leastSquares({ atMinimum: true });

    const { sharpness, radius } = await worstCaseSharpness(network, data, { rho: 0.1, steps: 20, restarts: 2, loss });

    assertNear(sharpness, 0.005 * largestEigenvalue(hessian), 1e-3 * 0.005 * largestEigenvalue(hessian));
    assertNear(radius, 0.1, 1e-6);
  });

  it("in one step is the sharpness of SAM's ε̂, and never falls with more steps or starts", async () => {
    const { network, data, loss } = leastSquares();
    const sam = await mSharpness(network, data, { m: 10, rho: 0.3, loss });

    const one = await worstCaseSharpness(network, data, { rho: 0.3, steps: 1, loss });
    const many = await worstCaseSharpness(network, data, { rho: 0.3, steps: 15, restarts: 2, loss });

    assertNear(one.sharpness, sam.sharpness, 1e-6);
    assert.equal(many.history[0]![0], one.sharpness);
    for (const path of many.history) path.slice(1).forEach((rise, i) => assert.ok(rise >= path[i]!));
    assert.ok(many.sharpness >= one.sharpness && many.radius <= 0.3 + 1e-6);
    assertNear(many.perturbedLoss - many.loss, many.sharpness, 1e-7);
  });

  it("in the ∞-norm reaches the best corner of the cube", async () => {
    const { network, data, loss, rise } = leastSquares();
    const corners = Array.from({ length: 8 }, (_, bits) => [0, 1, 2].map((a) => (bits & (1 << a) ? 0.1 : -0.1)));

    const { sharpness } = await worstCaseSharpness(network, data, { rho: 0.1, normP: Infinity, restarts: 4, loss });

    assertNear(sharpness, Math.max(...corners.map(rise)), 1e-5);
  });

  it("adaptive, at a minimum, is ½ρ²λmax(T H T) with T = |w|", async () => {
    const { network, data, loss, hessian } = leastSquares({ atMinimum: true });
    const w = Array.from(network.weights["head/kernel"]!.dataSync(), Math.abs);
    const scaled = (t: number[]) => hessian.map((row, a) => row.map((h, b) => t[a]! * h * t[b]!));

    const all = await worstCaseSharpness(network, data, { rho: 0.1, adaptive: "all", steps: 40, restarts: 2, loss });
    const weights = await worstCaseSharpness(network, data, {
      rho: 0.1,
      adaptive: "weights",
      eta: 0.5,
      steps: 40,
      restarts: 3,
      loss,
    });

    assertNear(all.sharpness, 0.005 * largestEigenvalue(scaled(w)), 1e-5);
    assertNear(weights.sharpness, 0.005 * largestEigenvalue(scaled(w.map((x) => x + 0.5))), 1e-5); // prettier-ignore
  });

  it("keeps memory flat and refuses balls that it cannot project to", async () => {
    const { network, data, loss } = leastSquares();
    const before = tf.memory().numTensors;

    await worstCaseSharpness(network, data, { restarts: 2, steps: 5, loss });
    await assert.rejects(
      worstCaseSharpness(network, data, { steps: 5, loss, signal: AbortSignal.abort(new Error("stop")) }),
      /stop/,
    );

    assert.equal(tf.memory().numTensors, before);
    await assert.rejects(worstCaseSharpness(network, data, { normP: 1 }), /normP = 1: expected 2 or Infinity/);
  });
});

describe("sharpness/averageSharpness", () => {
  it("at a minimum is ½σ²tr(H), within its standard error", async () => {
    const { network, data, loss, hessian } = leastSquares({ atMinimum: true });
    const before = tf.memory().numTensors;

    const { sharpness, standardError, samples } = await averageSharpness(network, data, { sigma: 0.1, numSamples: 150, loss });

    const trace = hessian.reduce((sum, row, i) => sum + row[i]!, 0);
    assertNear(sharpness, 0.005 * trace, 4 * standardError);
    assert.ok(standardError < 0.15 * sharpness);
    assert.equal(samples.length, 150);
    assert.equal(tf.memory().numTensors, before);
  });

  it("adaptive, at a minimum, is ½σ²tr(T H T)", async () => {
    const { network, data, loss, hessian } = leastSquares({ atMinimum: true });
    const w = network.weights["head/kernel"]!.dataSync();

    const { sharpness, standardError } = await averageSharpness(network, data, {
      sigma: 0.1,
      numSamples: 150,
      adaptive: "all",
      loss,
    });

    const trace = hessian.reduce((sum, row, i) => sum + row[i]! * w[i]! ** 2, 0);
    assertNear(sharpness, 0.005 * trace, 4 * standardError);
  });
});

describe("SAM's second-order term, by an exact Hessian-vector product", () => {
  it("makes the SAM gradient that of w ↦ L(w + ε̂(w)), by central differences", () => {
    const rng = new Rng("second order");
    const [x, y] = [tf.tensor2d(rng.array(24), [8, 3]), tf.tensor2d(rng.array(8), [8, 1])];
    const weights: Weights = { a: tf.tensor2d(rng.array(12), [3, 4]), b: tf.tensor2d(rng.array(4), [4, 1]) };
    const loss = ({ a, b }: Weights) =>
      tf.mean(
        tf.square(tf.sub(tf.matMul(tf.tanh(tf.matMul(x, a as tf.Tensor2D)) as tf.Tensor2D, b as tf.Tensor2D), y)),
      ) as tf.Scalar;
    const gradient = (at: Weights) => valueAndGradient(loss, at).gradient;
    const samLoss = (a: Float32Array, b: Float32Array) =>
      tf.tidy(() => {
        const at: Weights = { a: tf.tensor(a, [3, 4]), b: tf.tensor(b, [4, 1]) };
        const epsilon = epsilonHat(gradient(at), { rho: 0.5 });
        return loss({ a: tf.add(at.a!, epsilon.a!), b: tf.add(at.b!, epsilon.b!) }).dataSync()[0]!;
      });
    const flat = [Float32Array.from(weights.a!.dataSync()), Float32Array.from(weights.b!.dataSync())] as const;
    const nudged = (part: number, i: number, h: number) => {
      const copy = flat.map((values) => values.slice()) as [Float32Array, Float32Array];
      copy[part]![i]! += h;
      return samLoss(...copy);
    };
    const numeric = flat.map((values, part) =>
      Array.from(values, (_, i) => (nudged(part, i, 5e-3) - nudged(part, i, -5e-3)) / 1e-2),
    );

    const hvp = (at: Weights, v: Weights) => hessianVectorProduct(loss, at, v);
    const full = samGradient(gradient, weights, { rho: 0.5, hessianVectorProduct: hvp });
    const first = samGradient(gradient, weights, { rho: 0.5 });

    assertClose(full.a!.dataSync(), numeric[0]!, 5e-3);
    assertClose(full.b!.dataSync(), numeric[1]!, 5e-3);
    assert.ok(Math.max(...Array.from(first.a!.dataSync(), (value, i) => Math.abs(value - numeric[0]![i]!))) > 0.05); // the term matters here
  });
});
