import assert from "node:assert/strict";
import { addScaledWeights, addWeights, flattenWeights, valueAndGradient, type Weights } from "../../src/engine";
import { epsilonHat, samGradient } from "../../src/optim";
import { renderSvg, samStep } from "../../src/plots";
import { quadratic } from "../../src/sharpness";
import { closeTo } from "../support/closeTo";
import { tidyTests } from "../support/noLeak";

const matrix = [[5, 2], [2, 2]] as const; // prettier-ignore
const options = { matrix, weights: [-1, 1.5], rho: 0.5, learningRate: 0.2 } as const;

/** The figure's signals once w, ρ and η have been moved. */
async function signalsAt(w: number[], rho: number, eta: number) {
  const vega = await import("vega");
  const view = new vega.View(vega.parse(samStep(options) as never), { renderer: "none" });
  try {
    await view.signal("w", w).signal("rho", rho).signal("eta", eta).runAsync();
    return Object.fromEntries(["g", "adv", "gAdv", "sgd", "sam"].map((name) => [name, view.signal(name) as number[]]));
  } finally {
    view.finalize();
  }
}

describe("plots/samStep", () => {
  tidyTests();

  it("has the gradient of ½wᵀAw, and both steps, as worked out by hand", async () => {
    const { g, adv, gAdv, sgd } = await signalsAt([-1, 1.5], 0.5, 0.2);

    // Aw = (−5 + 3, −2 + 3); ‖(−2, 1)‖ = √5
    closeTo(g!, [-2, 1], 1e-12);
    closeTo(adv!, [-1 - 1 / Math.sqrt(5), 1.5 + 0.5 / Math.sqrt(5)], 1e-12);
    closeTo(gAdv!, [-2 - 4 / Math.sqrt(5), 1 - 1 / Math.sqrt(5)], 1e-12); // Aε̂ = (−5 + 1, −2 + 1)/√5
    closeTo(sgd!, [-0.6, 1.3], 1e-12);
  });

  for (const [
    w,
    rho,
    eta,
  ] of [[[-1, 1.5], 0.5, 0.2], [[1.7, -0.3], 0.9, 0.05], [[-0.4, -2], 0.1, 0.4], [[0.6, 0.8], 0, 0.3]] as [number[], number, number][]) // prettier-ignore
    it(`takes the steps of the library at w = (${w.join(", ")}), ρ = ${rho}, η = ${eta}`, async () => {
      const bowl = quadratic(matrix);
      const { weights } = bowl.at(w);
      const gradientAt = (at: Weights) => valueAndGradient(bowl.value, at).gradient;
      const numbers = (at: Weights) => Array.from(flattenWeights(at));

      const { g, adv, sgd, sam } = await signalsAt(w, rho, eta);

      const gradient = gradientAt(weights);
      closeTo(g!, numbers(gradient), 1e-5);
      closeTo(adv!, numbers(addWeights(weights, epsilonHat(gradient, { rho }))), 1e-5);
      closeTo(sgd!, numbers(addScaledWeights(weights, gradient, -eta)), 1e-5);
      closeTo(sam!, numbers(addScaledWeights(weights, samGradient(gradientAt, weights, { rho }), -eta)), 1e-5);
    });

  it("stays at the minimum, where there is no direction to ascend", async () => {
    const { adv, sgd, sam } = await signalsAt([0, 0], 0.5, 0.2);

    assert.deepEqual([adv, sgd, sam], [[0, 0], [0, 0], [0, 0]]); // prettier-ignore
  });

  it("draws level sets on which the loss is what they say", async () => {
    const vega = await import("vega");
    const view = new vega.View(vega.parse(samStep({ ...options, levels: [0.3, 4] }) as never), { renderer: "none" });
    await view.runAsync();
    const points = view.data("levels") as { level: number; x: number; y: number }[];
    view.finalize();

    assert.ok(points.length > 200);
    for (const { level, x, y } of points) closeTo((5 * x * x + 4 * x * y + 2 * y * y) / 2, level, 1e-9);
  });

  it("is drawn with the paper's four arrows, two orange and two blue", async () => {
    const svg = await renderSvg(samStep({ ...options, title: "One step" }));

    const lines = [...svg.matchAll(/<line[^>]*stroke="(#\w+)" stroke-width="2.75"/g)].map((match) => match[1]);
    assert.deepEqual(lines, ["#E69F00", "#E69F00", "#0072B2", "#0072B2"]);
  });

  it("refuses a matrix whose level sets are no ellipses", () => {
    assert.throws(() => samStep({ ...options, matrix: [[1, 2], [2, 1]] }), /expected a symmetric, positive definite one/); // prettier-ignore
  });
});
