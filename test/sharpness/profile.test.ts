/** The quadratic of a matrix, and how its loss rises with the radius: everything is known in closed form. */
import assert from "node:assert/strict";
import { flattenWeights, tf, valueAndGradient } from "../../src/engine";
import { hessianOperator, hvp, quadratic, sharpnessProfile } from "../../src/sharpness";
import { closeTo } from "../support/closeTo";
import { expectNoLeakAsync, tidyTests } from "../support/noLeak";

// Eigenvalues 6 and 1, eigenvectors (2, 1) and (1, −2): trace 7, determinant 6.
const A = [
  [5, 2],
  [2, 2],
];

describe("sharpness/quadratic", () => {
  tidyTests();

  it("has the value ½wᵀAw and the gradient Aw", () => {
    const bowl = quadratic(A);

    // A(1, −1) = (3, 0); ½(1, −1)·(3, 0) = 1.5
    const { value, gradient } = valueAndGradient(bowl.value, bowl.at([1, -1]).weights);

    closeTo(value.dataSync(), [1.5]);
    closeTo(flattenWeights(gradient), [3, 0]);
  });

  it("has the Hessian A everywhere, as an operator and as a product of tensors", async () => {
    const bowl = quadratic(A);
    const operator = hessianOperator(bowl.at([0.3, 4]), bowl.data, { loss: bowl.loss });

    const [hv] = hvp(([w]) => bowl.value({ w: w! }), [tf.tensor1d([1, -1])], [tf.tensor1d([2, 1])]);

    closeTo(hv!.dataSync(), [12, 6]); // 6·(2, 1)
    closeTo(await operator.matvec(Float32Array.of(1, -2)), [1, -2]);
  });

  it("may be a saddle", () => {
    const saddle = quadratic([[1, 0], [0, -1]]); // prettier-ignore

    closeTo(saddle.value(saddle.at([0, 2]).weights).dataSync(), [-2]);
  });

  it("says which sizes do not fit", () => {
    assert.throws(() => quadratic(A).at([1]), /the point has 1 coordinates, expected the matrix's size 2/);
    assert.throws(() => quadratic([[1, 2], [0, 1]]), /not symmetric/); // prettier-ignore
  });
});

describe("sharpness/sharpnessProfile", () => {
  tidyTests();

  it("at a minimum is ½ρ²λmax, and SAM's one step finds nothing", async () => {
    const bowl = quadratic(A);

    const points = await sharpnessProfile(bowl.at([0, 0]), bowl.data, { loss: bowl.loss, radii: [0.1, 0.4], restarts: 4 });

    for (const { rho, worstCase, oneStep, gradientTerm, curvatureTerm } of points) {
      closeTo(worstCase, 3 * rho ** 2, 1e-3 * 3 * rho ** 2);
      closeTo(curvatureTerm, 3 * rho ** 2, 1e-5);
      assert.deepEqual([oneStep, gradientTerm], [0, 0]);
    }
  });

  it("off it, where the gradient is along the top eigenvector, is ρ‖g‖ + ½ρ²λmax, and one step finds all of it", async () => {
    const bowl = quadratic(A);

    // A(2, 1) = 6·(2, 1), of norm 6√5
    const points = await sharpnessProfile(bowl.at([2, 1]), bowl.data, { loss: bowl.loss, radii: [0.1, 0.4] });

    for (const { rho, worstCase, oneStep, gradientTerm, curvatureTerm } of points) {
      closeTo([gradientTerm, curvatureTerm], [6 * Math.sqrt(5) * rho, 3 * rho ** 2], 1e-5);
      closeTo([worstCase, oneStep], Array(2).fill(gradientTerm + curvatureTerm), 1e-4);
    }
  });

  it("leaves no tensors behind", async () => {
    const bowl = quadratic(A);
    const network = bowl.at([1, 1]);

    await expectNoLeakAsync(() => sharpnessProfile(network, bowl.data, { loss: bowl.loss, radii: [0.1], restarts: 2 }));
  });
});
