import assert from "node:assert/strict";
import { frobeniusNorm, hessianDiagonal, hutchinsonTrace, hutchPlusPlus, matrixOperator } from "../../src/sharpness";
import { assertNear, matrixWithSpectrum } from "../support/matrices";

const spectrum = [30, 20, 10, 5, ...Array.from({ length: 60 }, (_, i) => 0.2 * Math.cos(i))];
const matrix = matrixWithSpectrum(spectrum);
const operator = matrixOperator(matrix);
const trace = spectrum.reduce((a, b) => a + b);

describe("sharpness/trace", () => {
  it("Hutchinson's estimate is the trace within its standard error", async () => {
    for (const distribution of ["rademacher", "gaussian"] as const) {
      const { estimate, standardError, samples } = await hutchinsonTrace(operator, { numProbes: 200, seed: 1, distribution });

      assert.equal(samples.length, 200);
      assertNear(estimate, trace, 4 * standardError);
    }
  });

  it("Hutchinson's standard error is the spread of its estimates over seeds", async () => {
    const runs = await Promise.all(Array.from({ length: 60 }, (_, seed) => hutchinsonTrace(operator, { numProbes: 20, seed })));

    const mean = runs.reduce((sum, run) => sum + run.estimate, 0) / 60;
    const spread = Math.sqrt(runs.reduce((sum, run) => sum + (run.estimate - mean) ** 2, 0) / 59);
    const claimed = Math.sqrt(runs.reduce((sum, run) => sum + run.standardError ** 2, 0) / 60);
    assertNear(claimed / spread, 1, 0.4); // a deviation from 60 samples is known to about 10 %, 4 of them
  });

  it("Hutchinson is exact for a diagonal matrix with signs as probes, and for numProbes = 1 knows no error", async () => {
    const diagonal = matrixOperator((v) => v.map((x, i) => i * x), { size: 10 });

    const exact = await hutchinsonTrace(diagonal, { numProbes: 3 });
    const single = await hutchinsonTrace(diagonal, { numProbes: 1 });

    assert.deepEqual([exact.estimate, exact.standardError], [45, 0]);
    assert.ok(Number.isNaN(single.standardError));
  });

  it("Hutch++ is right within its standard error, far smaller than Hutchinson's at the same cost", async () => {
    const plain = await hutchinsonTrace(operator, { numProbes: 45, seed: 2 });
    const plus = await hutchPlusPlus(operator, { numProbes: 45, seed: 2 });

    assertNear(plus.estimate, trace, 4 * plus.standardError);
    assert.ok(plus.standardError < plain.standardError / 10, `${plus.standardError} against ${plain.standardError}`);
  });

  it("Hutch++ takes numProbes products, and is exact where its range holds the matrix", async () => {
    let calls = 0;
    const lowRank = matrixOperator((v) => (calls++, v.map((x, i) => (i < 3 ? (i + 1) * x : 0))), { size: 50 });
    const small = matrixOperator((v) => v.map((x) => 2 * x), { size: 3 });

    const low = await hutchPlusPlus(lowRank, { numProbes: 20 });

    assert.ok(calls <= 20);
    assertNear(low.estimate, 6, 1e-5);
    assert.ok(low.standardError < 1e-5);
    const full = await hutchPlusPlus(small, { numProbes: 30 });
    assertNear(full.estimate, 6, 1e-5);
    assert.equal(full.standardError, 0);
    await assert.rejects(hutchPlusPlus(small, { numProbes: 5 }), /numProbes = 5: expected a whole number ≥ 6/);
  });

  it("the diagonal is right within its standard errors", async () => {
    const { estimate, standardError } = await hessianDiagonal(operator, { numProbes: 400, seed: 3 });

    const outside = matrix.filter((row, i) => Math.abs(estimate[i]! - row[i]!) > 3 * standardError[i]!);
    assert.ok(outside.length <= 2, `${outside.length} of 64 outside three errors`);
  });

  it("the Frobenius norm is right within its standard error", async () => {
    const { estimate, standardError } = await frobeniusNorm(operator, { numProbes: 200, seed: 4 });

    assertNear(estimate, Math.sqrt(spectrum.reduce((sum, x) => sum + x * x, 0)), 4 * standardError); // prettier-ignore
    assert.ok(standardError < 3);
  });

  it("gives the same for the same seed", async () => {
    const run = (seed: number) => hutchPlusPlus(operator, { numProbes: 9, seed });

    assert.deepEqual(await run(1), await run(1));
    assert.notEqual((await run(1)).estimate, (await run(2)).estimate);
  });

  it("stops when the signal says so", async () => {
    await assert.rejects(hutchinsonTrace(operator, { signal: AbortSignal.abort(new Error("stop")) }), /stop/);
  });
});
