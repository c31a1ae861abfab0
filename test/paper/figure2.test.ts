import assert from "node:assert/strict";
import { stepPoints } from "../../src/paper/figure2";
import { itemReport } from "../../src/paper/reproduce";
import { closeTo } from "../support/closeTo";
import { tidyTests } from "../support/noLeak";

describe("paper/figure2", () => {
  tidyTests();

  it("computes both steps, as worked out by hand for A = diag(2, 1)", () => {
    const [w, adv, sgd, sam] = stepPoints({ matrix: [[2, 0], [0, 1]], weights: [1.5, 4], rho: 0.5, learningRate: 0.1 }); // prettier-ignore

    // g = (3, 4), ‖g‖ = 5: ε̂ = (0.3, 0.4), w + ε̂ = (1.8, 4.4), its gradient (3.6, 4.4)
    closeTo(w!.gradient, [3, 4], 1e-5);
    closeTo(w!.loss, 1.5 ** 2 + 8, 1e-5);
    closeTo(adv!.weights, [1.8, 4.4], 1e-5);
    closeTo(adv!.gradient, [3.6, 4.4], 1e-5);
    closeTo(sgd!.weights, [1.2, 3.6], 1e-5);
    closeTo(sam!.weights, [1.5 - 0.36, 4 - 0.44], 1e-5);
  });

  it("needs no runs: its report says by how much the steps part", () => {
    const { rows, conclusions, budget } = itemReport("figure-2");

    assert.equal(budget, "paper");
    assert.equal(rows.length, 4);
    // Aw = (−0.4, −0.2), ε̂ = 0.8·(−2, −1)/√5, Aε̂ = (−1.28, 0.32)/√5: the gradients have the slopes 1/2 and 0.0569/0.9724, 26.6° and 3.3°
    assert.match(conclusions[0]!, /the steps of SGD and SAM part by 23°/);
  });
});
