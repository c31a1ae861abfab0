import assert from "node:assert/strict";
import { lanczosQuadrature, matrixOperator, smoothSpectrum, spectralDensity, spectralSum } from "../../src/sharpness";
import { drawProbe } from "../../src/sharpness/spectralDensity";
import { assertClose, assertNear, inner, matrixWithSpectrum, multiply, unit } from "../support/matrices";

// Three clusters: 60 % at 0, 30 % at 1, 10 % at 5.
const spectrum = Array.from({ length: 100 }, (_, i) => (i < 60 ? 0 : i < 90 ? 1 : 5) + 1e-3 * Math.sin(i));
const matrix = matrixWithSpectrum(spectrum);
const operator = matrixOperator(matrix);

describe("sharpness/spectralDensity", () => {
  it("gives rows of (numProbes, lanczosSteps) whose weights sum to one", async () => {
    const { nodes, weights, size, products } = await lanczosQuadrature(operator, { numProbes: 3, lanczosSteps: 12, seed: 1 });

    assert.deepEqual([nodes.length, weights.length, size, products], [3, 3, 100, 36]);
    for (const row of weights) {
      assert.equal(row.length, 12);
      assertNear(row.reduce((a, b) => a + b), 1, 1e-12); // prettier-ignore
    }
  });

  it("has the moments of its probes: Σωθ = vᵀAv, Σωθ² = ‖Av‖², Σωθ³ = (Av)ᵀA(Av)", async () => {
    for (const distribution of ["gaussian", "rademacher"] as const) {
      const { nodes, weights } = await lanczosQuadrature(operator, { numProbes: 2, lanczosSteps: 8, seed: 4, distribution });

      nodes.forEach((row, probe) => {
        const v = unit(Float64Array.from(drawProbe(100, 4, probe, distribution)));
        const av = multiply(matrix, v);
        const moment = (power: number) => row.reduce((sum, node, i) => sum + weights[probe]![i]! * node ** power, 0);
        assertNear(moment(1), inner(v, av), 2e-6);
        assertNear(moment(2), inner(av, av), 1e-5);
        assertNear(moment(3), inner(av, multiply(matrix, av)), 5e-5);
      });
    }
  });

  it("ends a row with its Krylov space and fills it up with weights of zero", async () => {
    const twoValues = matrixOperator((v) => v.map((x, i) => (i < 5 ? 2 * x : x)), { size: 10 });

    const { nodes, weights, products } = await lanczosQuadrature(twoValues, { lanczosSteps: 6, seed: 0 });

    assert.equal(products, 2);
    assertClose(nodes[0]!.slice(0, 2), [1, 2], 1e-6);
    assert.equal(nodes[0]!.length, 6);
    assertNear(weights[0]![0]! + weights[0]![1]!, 1, 1e-12);
    assert.deepEqual(weights[0]!.slice(2), [0, 0, 0, 0]);
  });

  it("puts its mass where the eigenvalues are, within its standard error, and integrates to one", async () => {
    const { grid, density, standardError } = await spectralDensity(operator, {
      numProbes: 10,
      lanczosSteps: 20,
      sigma: 0.05,
      seed: 0,
    });

    const step = grid[1]! - grid[0]!;
    const mass = (from: number, to: number, y = density) =>
      y.reduce((sum, p, i) => (grid[i]! >= from && grid[i]! < to ? sum + p * step : sum), 0);
    assertNear(mass(-Infinity, Infinity), 1, 1e-5);
    for (const [from, to, share] of [
      [-0.5, 0.5, 0.6],
      [0.5, 1.5, 0.3],
      [4.5, 5.5, 0.1],
    ]) {
      const error = mass(from!, to!, standardError); // one cluster moves as one: its errors add up
      assertNear(mass(from!, to!), share!, 4 * error);
      assert.ok(error < 0.05);
    }
    assertNear(mass(1.5, 4.5), 0, 1e-6);
  });

  it("smooths again without products, on a grid of one's own too", async () => {
    const quadrature = await lanczosQuadrature(operator, { numProbes: 2, lanczosSteps: 10 });

    const own = smoothSpectrum(quadrature, { grid: [0, 1, 5], sigma: 0.1 });
    const wide = smoothSpectrum(quadrature, { sigma: 1, gridPoints: 50 });

    assert.deepEqual(own.grid, [0, 1, 5]);
    assert.equal(wide.density.length, 50);
    // p(θ) of a single peak is ω/(σ√2π)
    const topWeight = quadrature.weights.map((row, probe) =>
      row.reduce((sum, w, i) => (quadrature.nodes[probe]![i]! > 4 ? sum + w : sum), 0),
    );
    assertNear(own.density[2]!, (topWeight[0]! + topWeight[1]!) / 2 / (0.1 * Math.sqrt(2 * Math.PI)), 1e-3);
  });

  it("has the default width of google/spectral-density, √(1e-5 · range)", async () => {
    const { sigma, density, grid } = smoothSpectrum(
      await lanczosQuadrature(matrixOperator((v) => v.map((x, i) => 40 * i * x), { size: 2 })),
    );

    assertNear(sigma, Math.sqrt(1e-5 * 40), 1e-6);
    assertNear(density.reduce((a, b) => a + b) * (grid[1]! - grid[0]!), 1, 1e-6); // prettier-ignore
  });

  it("refuses a grid that would lose the peaks, and more steps than rows", async () => {
    const quadrature = await lanczosQuadrature(operator, { lanczosSteps: 10 });

    assert.throws(
      () => smoothSpectrum(quadrature, { sigma: 0.001, gridPoints: 100 }),
      /gridPoints = 100 are too few: .* need \d+/,
    );
    assert.throws(() => smoothSpectrum(quadrature, { sigma: 0 }), /sigma = 0: expected a number > 0/);
    await assert.rejects(
      lanczosQuadrature(operator, { lanczosSteps: 120 }),
      /lanczosSteps = 120 exceeds the operator's size 100/,
    );
  });

  it("has no standard error with one probe", async () => {
    const { standardError } = await spectralDensity(operator, { lanczosSteps: 10 });

    assert.ok(standardError.every(Number.isNaN));
  });

  it("sums any function over the spectrum, within its standard error", async () => {
    const quadrature = await lanczosQuadrature(operator, { numProbes: 20, lanczosSteps: 20, seed: 2 });

    const trace = spectralSum(quadrature, (x) => x);
    const logDeterminant = spectralSum(quadrature, (x) => Math.log(1 + x));

    assertNear(trace.estimate, spectrum.reduce((a, b) => a + b), 4 * trace.standardError); // prettier-ignore
    assertNear(logDeterminant.estimate, spectrum.reduce((sum, x) => sum + Math.log(1 + x), 0), 4 * logDeterminant.standardError); // prettier-ignore
  });

  it("draws a probe by its number: more probes keep the first ones", async () => {
    const [two, three] = [
      await lanczosQuadrature(operator, { numProbes: 2, lanczosSteps: 5 }),
      await lanczosQuadrature(operator, { numProbes: 3, lanczosSteps: 5 }),
    ];

    assert.deepEqual(three.nodes.slice(0, 2), two.nodes);
  });
});
