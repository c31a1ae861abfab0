import assert from "node:assert/strict";
import { checkOperator, lambdaMax, matrixOperator } from "../../src/sharpness";
import { assertClose } from "../support/matrices";

describe("sharpness/operator", () => {
  it("makes an operator of a dense matrix", async () => {
    const operator = matrixOperator([
      [2, 1],
      [1, 3],
    ]);

    assert.equal(operator.size, 2);
    assertClose(await operator.matvec(Float32Array.of(1, -1)), [1, -2], 0);
  });

  it("makes an operator of a synchronous or an asynchronous function, whatever list it returns", async () => {
    const twice = matrixOperator((v) => Array.from(v, (x) => 2 * x), { size: 3 });
    const later = matrixOperator(async (v) => Float64Array.from(v, (x) => 2 * x), { size: 3 });

    assertClose(await twice.matvec(Float32Array.of(1, 2, 3)), [2, 4, 6], 0);
    assertClose(await later.matvec(Float32Array.of(1, 2, 3)), [2, 4, 6], 0);
    assert.ok((await later.matvec(new Float32Array(3))) instanceof Float32Array);
  });

  it("says what is wrong with a matrix that is not square or not symmetric", () => {
    assert.throws(() => matrixOperator([[1, 2]]), /row 0 of the matrix has 2 values, expected 1/);
    assert.throws(() => matrixOperator([[1, 2], [0, 1]]), /not symmetric: \(1, 0\) is 0, \(0, 1\) is 2/); // prettier-ignore
    assert.throws(() => matrixOperator([[1]], { size: 2 }), /1 rows, expected size 2/);
    assert.throws(() => matrixOperator((v) => v), /size is missing/);
  });

  it("tells an operator that draws random numbers, and one that is not symmetric", async () => {
    let calls = 0;
    const random = matrixOperator((v) => v.map((x) => x * (1 + 0.01 * calls++)), { size: 5 });
    const rotation = matrixOperator((v) => [v[1]!, -v[0]!], { size: 2 });

    await assert.rejects(checkOperator(random), /two products of one vector differ by .*%.*dropout/);
    await assert.rejects(checkOperator(rotation), /not symmetric/);
    const check = await checkOperator(matrixOperator([[2, 1], [1, 3]])); // prettier-ignore
    assert.equal(check.repeatability, 0);
    assert.ok(check.asymmetry < 1e-6);
  });

  it("is not taken in by a matvec that works in place, or returns one buffer every time", async () => {
    const buffer = new Float32Array(4);
    const inPlace = matrixOperator((v) => v.map((_, i) => (v[i]! *= i + 1)), { size: 4 });
    const reused = { size: 4, matvec: (v: Float32Array) => (v.forEach((x, i) => (buffer[i] = x * (i + 1))), buffer) };

    assert.ok(Math.abs((await lambdaMax(inPlace)).lambdaMax - 4) < 1e-5);
    assert.ok(Math.abs((await lambdaMax(reused)).lambdaMax - 4) < 1e-5);
  });

  it("refuses products of the wrong length, or with NaN in them", async () => {
    await assert.rejects(
      lambdaMax(matrixOperator(() => [1], { size: 2 })),
      /matvec returned 1 values, expected the operator's size 2/,
    );
    await assert.rejects(lambdaMax(matrixOperator(() => [1, NaN], { size: 2 })), /matvec returned NaN at index 1/);
  });

  it("reports each product, and stops when the signal says so", async () => {
    const seen: string[] = [];
    const controller = new AbortController();
    const onProgress = ({ done, total }: { done: number; total: number }) => {
      seen.push(`${done}/${total}`);
      if (done === 3) controller.abort(new Error("enough"));
    };
    const operator = matrixOperator((v) => v.map((x, i) => x * i), { size: 50 });

    await assert.rejects(lambdaMax(operator, { onProgress, signal: controller.signal, lanczosSteps: 20 }), /enough/);
    assert.deepEqual(seen, ["1/20", "2/20", "3/20"]);
  });
});
