import assert from "node:assert/strict";
import { Rng } from "../../src/engine";
import {
  lambdaMax,
  lambdaMaxOverLambda5,
  lanczos,
  LinearOperator,
  matrixOperator,
  powerIteration,
  ritzHistory,
} from "../../src/sharpness";
import { assertClose, assertNear, inner, matrixWithSpectrum, multiply } from "../support/matrices";

// A net's spectrum in small: a bulk at 0, outliers above, a few negative ones.
const outliers = [24.2, 5.6, 4.8, 3.4, 2.1];
const spectrum = [...outliers, ...Array.from({ length: 70 }, (_, i) => 0.3 * Math.cos(i) ** 3), -1.9, -0.6];
const matrix = matrixWithSpectrum(spectrum);
const sorted = [...spectrum].sort((a, b) => b - a);

function counting(operator: LinearOperator): LinearOperator & { calls: number } {
  const counter = { size: operator.size, calls: 0, matvec: (v: Float32Array) => (counter.calls++, operator.matvec(v)) };
  return counter;
}

describe("sharpness/lanczos", () => {
  it("finds the largest, the smallest and the largest magnitudes of a prescribed spectrum, in order", async () => {
    const a = matrixOperator(matrix);

    const largest = await lanczos(a, { k: 5, lanczosSteps: 40 });
    const smallest = await lanczos(a, { k: 2, lanczosSteps: 40, which: "SA" });
    const magnitude = await lanczos(
      matrixOperator((v) => multiply(matrix, v).map((x) => -x), { size: 77 }),
      { k: 2, which: "LM" },
    );

    assertClose(largest.eigenvalues, outliers, 2e-5);
    assertClose(smallest.eigenvalues, [-1.9, -0.6], 2e-5);
    assertClose(magnitude.eigenvalues, [-24.2, -5.6], 2e-5);
    assert.deepEqual(largest.converged, Array(5).fill(true));
  });

  it("finds the same for a diagonal operator and for an asynchronous one", async () => {
    const diagonal = matrixOperator((v) => v.map((x, i) => x * spectrum[i]!), { size: 77 });
    const later = matrixOperator(async (v) => v.map((x, i) => x * spectrum[i]!), { size: 77 });

    const [now, then] = [await lanczos(diagonal, { k: 3 }), await lanczos(later, { k: 3 })];

    assertClose(now.eigenvalues, outliers.slice(0, 3), 1e-5);
    assert.deepEqual(then.eigenvalues, now.eigenvalues);
  });

  it("keeps the Lanczos relation A V = V T + β v eᵀ and an orthonormal basis", async () => {
    const { state, alphas, betas } = await lanczos(matrixOperator(matrix), { lanczosSteps: 50 });
    const { basis } = state;

    for (let j = 0; j < 50; j++) {
      const right = new Float64Array(77);
      const add = (v: ArrayLike<number> | null | undefined, c: number) => right.forEach((_, i) => (right[i]! += c * v![i]!));
      add(basis[j], alphas[j]!);
      if (j > 0) add(basis[j - 1], betas[j - 1]!);
      add(j < 49 ? basis[j + 1] : state.next, state.betas[j]!);
      assertClose(multiply(matrix, basis[j]!), right, 1e-5, `column ${j}`); // float32's half unit of 24 is 1.4e-6
    }
    for (let i = 0; i < 50; i++) for (let j = 0; j <= i; j++) assertNear(inner(basis[i]!, basis[j]!), i === j ? 1 : 0, 5e-7);
  });

  it("reproduces every eigenvalue when it takes as many steps as there are rows", async () => {
    const { eigenvalues, eigenvectors, ritzValues } = await lanczos(matrixOperator(matrix), { k: 77, lanczosSteps: 77 });

    assertClose(eigenvalues, sorted, 1e-5);
    assertClose(ritzValues, [...sorted].reverse(), 1e-5);
    // V Θ Vᵀ = A
    const rebuilt = matrix.map((_, i) =>
      matrix.map((_, j) => eigenvalues.reduce((sum, theta, n) => sum + theta * eigenvectors[n]![i]! * eigenvectors[n]![j]!, 0)),
    );
    rebuilt.forEach((row, i) => assertClose(row, matrix[i]!, 1e-5));
  });

  it("gives residuals that are those of the eigenpairs, and bound the eigenvalues' error", async () => {
    const { eigenvalues, eigenvectors, residuals, converged } = await lanczos(matrixOperator(matrix), { k: 8, lanczosSteps: 12 });

    eigenvectors.forEach((y, i) => {
      const residual = Math.sqrt(multiply(matrix, y).reduce((sum, x, n) => sum + (x - eigenvalues[i]! * y[n]!) ** 2, 0));
      assertNear(residuals[i]!, residual, 3e-6);
      assert.ok(sorted.some((lambda) => Math.abs(lambda - eigenvalues[i]!) <= residuals[i]! + 1e-6));
      assert.equal(converged[i], residuals[i]! <= 1e-3 * Math.abs(eigenvalues[i]!));
    });
    assert.equal(converged[0], true); // 24.2 stands apart
    assert.equal(converged[7], false); // within the bulk
  });

  it("counts the products' own error in the residuals: noise is not called converged", async () => {
    const rng = new Rng(3);
    const noisy = matrixOperator((v) => multiply(matrix, v).map((x) => x + 0.2 * rng.normal()), { size: 77 });

    const { residuals, converged, eigenvalues } = await lanczos(noisy, { k: 3, lanczosSteps: 77 });

    // A complete basis leaves no β: only the measured asymmetry tells. ‖noise‖ = 0.2·√77 = 1.8 a product.
    residuals.forEach((residual) => assert.ok(residual > 0.5 && residual < 5, `${residual}`));
    assert.deepEqual(converged, [false, false, false]);
    assertClose(eigenvalues, outliers.slice(0, 3), Math.max(...residuals));
  });

  it("goes on from a state, for the price of the new steps, to the same result as in one go", async () => {
    const a = counting(matrixOperator(matrix));
    const whole = await lanczos(matrixOperator(matrix), { k: 3, lanczosSteps: 30, seed: 5 });

    const half = await lanczos(a, { k: 3, lanczosSteps: 18, seed: 5 });
    const rest = await lanczos(a, { k: 3, lanczosSteps: 30, state: half.state });
    const again = await lanczos(a, { k: 2, lanczosSteps: 18, state: rest.state, which: "SA" });

    assert.equal(a.calls, 30);
    assert.deepEqual([half.products, rest.products, again.products], [18, 12, 0]);
    assert.deepEqual(rest.eigenvalues, whole.eigenvalues);
    assert.deepEqual(again.ritzValues, half.ritzValues);
    await assert.rejects(lanczos(a, { state: half.state, seed: 6 }), /seed = 6, but the state was started with seed = 5/);
  });

  it("tells the Ritz values of every earlier step: those of a run that had ended there", async () => {
    const operator = matrixOperator(matrixWithSpectrum([9, 5, 2, 1, 0.5, -3]));
    const run = await lanczos(operator, { lanczosSteps: 6 });

    const history = ritzHistory(run);

    const earlier = await lanczos(operator, { lanczosSteps: 3 });
    assert.deepEqual(history.map((values) => values.length), [1, 2, 3, 4, 5, 6]); // prettier-ignore
    assertClose(history[2]!, earlier.ritzValues, 1e-9);
    assertClose(history[5]!, [-3, 0.5, 1, 2, 5, 9], 1e-5);
  });

  it("finds every copy of a repeated eigenvalue when it takes as many steps as there are rows", async () => {
    const repeated = [3, 3, 3, 1, 1, 0, 0, -2];

    const { eigenvalues, converged, eigenvectors } = await lanczos(matrixOperator(matrixWithSpectrum(repeated)), {
      k: 8,
      lanczosSteps: 8,
    });

    assertClose(eigenvalues, repeated, 1e-5);
    assert.ok(converged.every(Boolean));
    eigenvectors.forEach((x, i) => eigenvectors.forEach((y, j) => assertNear(inner(x, y), i === j ? 1 : 0, 1e-6)));
  });

  it("is exact for the zero matrix and the identity", async () => {
    const zero = await lanczos(
      matrixOperator(() => new Float32Array(6), { size: 6 }),
      { k: 6 },
    );
    const identity = await lanczos(
      matrixOperator((v) => v, { size: 6 }),
      { k: 6 },
    );

    assertClose(zero.eigenvalues, [0, 0, 0, 0, 0, 0], 0);
    assertClose(identity.eigenvalues, [1, 1, 1, 1, 1, 1], 1e-6);
    assert.ok(zero.converged.every(Boolean) && identity.converged.every(Boolean));
  });

  it("gives the same for the same seed, another start for another seed, and takes a start vector", async () => {
    const a = matrixOperator(matrix);
    const run = (seed: number) => lanczos(a, { k: 2, lanczosSteps: 10, seed });

    assert.deepEqual(await run(1), await run(1));
    assert.notDeepEqual((await run(1)).alphas, (await run(2)).alphas);
    const e0 = new Float32Array(77);
    e0[0] = 2;
    assertNear((await lanczos(a, { startVector: e0 })).alphas[0]!, matrix[0]![0]!, 1e-6);
  });

  it("says which number does not fit", async () => {
    const a = matrixOperator(matrixWithSpectrum(Array.from({ length: 100 }, (_, i) => i)));

    await assert.rejects(lanczos(a, { lanczosSteps: 120 }), /lanczosSteps = 120 exceeds the operator's size 100/);
    await assert.rejects(lanczos(a, { k: 101 }), /k = 101 exceeds the operator's size 100/);
    await assert.rejects(lanczos(a, { k: 30, lanczosSteps: 20 }), /k = 30 exceeds lanczosSteps = 20/);
    await assert.rejects(lanczos(a, { k: 0 }), /k = 0: expected a whole number ≥ 1/);
    await assert.rejects(lanczos(a, { startVector: new Float32Array(100) }), /startVector has norm 0/);
  });

  it("gives λmax with its residual and stops when that is small", async () => {
    const a = counting(matrixOperator(matrix));

    const result = await lambdaMax(a, { tolerance: 1e-3 });

    assertNear(result.lambdaMax, 24.2, 24.2e-3);
    assert.ok(result.converged && result.residual <= 24.2e-3);
    assert.equal(result.products, a.calls);
    assert.ok(result.products <= 20, `${result.products}`);
  });

  it("gives λmax, not the larger magnitude at the negative end", async () => {
    const a = matrixOperator(matrixWithSpectrum([-9, 2, 1, 0.5, 0.1, 0]));

    assertNear((await lambdaMax(a)).lambdaMax, 2, 1e-5);
  });

  it("gives λmax/λ5 with an error that holds", async () => {
    const { ratio, error, converged, eigenvalues } = await lambdaMaxOverLambda5(matrixOperator(matrix));

    assertNear(ratio, 24.2 / 2.1, error);
    assert.ok(error < 0.02 && converged);
    assert.equal(eigenvalues.length, 5);
  });
});

describe("sharpness/powerIteration", () => {
  it("finds the same eigenvalues as Lanczos, with more products", async () => {
    const a = matrixOperator(matrix);

    const power = await powerIteration(a, { k: 3, iterations: 300 });
    const { products } = await lanczos(a, { k: 3, stopEarly: true, lanczosSteps: 77 });

    assertClose(power.eigenvalues, outliers.slice(0, 3), 1e-3);
    assert.ok(power.converged.every(Boolean));
    assert.ok(products < power.products);
    assert.equal(power.shift, 0);
  });

  it("finds λmax also where the negative end is larger in magnitude, by a shift", async () => {
    const a = matrixOperator(matrixWithSpectrum([-9, 5, 1, 0.5, 0.1, 0]));

    const largest = await powerIteration(a, { k: 2, iterations: 500 });
    const smallest = await powerIteration(a, { k: 1, which: "SA" });
    const magnitude = await powerIteration(a, { k: 2, which: "LM" });

    assertClose(largest.eigenvalues, [5, 1], 1e-4);
    assertNear(largest.shift, -9, 1e-3);
    assertClose(smallest.eigenvalues, [-9], 1e-4);
    assertClose(magnitude.eigenvalues, [-9, 5], 1e-4);
  });

  it("says when it has not converged", async () => {
    const a = matrixOperator(matrixWithSpectrum([1, 0.99, 0.98, 0.5]));

    const { converged, residuals } = await powerIteration(a, { iterations: 5 });

    assert.deepEqual(converged, [false]);
    assert.ok(residuals[0]! > 1e-3);
  });

  it("is exact for the zero matrix", async () => {
    const { eigenvalues, converged } = await powerIteration(
      matrixOperator(() => new Float32Array(3), { size: 3 }),
      { k: 3 },
    );

    assert.deepEqual(eigenvalues, [0, 0, 0]);
    assert.ok(converged.every(Boolean));
  });
});
