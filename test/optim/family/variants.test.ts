/** Each variant's step on a quadratic worked out by hand, its limits, and what it remembers. */
import assert from "node:assert/strict";
import { tf, type Weights } from "../../../src/engine";
import { variantDirection } from "../../../src/optim/family";
import { closeTo } from "../../support/closeTo";
import { tidyTests } from "../../support/noLeak";
import { norm, polynomial, toVector, type Vector } from "../../support/tinyProblems";
import { stepOfVariant, variantOf, variantStep } from "../../support/variants";

// L(w) = ½(w₁² + 2w₂² + 0·w₃²), so ∇L = (w₁, 2w₂, 0). At w = (3, 2, 7): g = (3, 4, 0), ‖g‖ = 5, ĝ = (0.6, 0.8, 0).
// ρ = 0.5: ε̂ = (0.3, 0.4, 0), and SAM's gradient is g_s = ∇L(3.3, 2.4, 7) = (3.3, 4.8, 0).
const bowl = polynomial([
  [1, 0, 0],
  [0, 2, 0],
  [0, 0, 0],
]);
const w: Vector = [3, 2, 7];
const g: Vector = [3, 4, 0];
const gSam: Vector = [3.3, 4.8, 0];
const rho = 0.5;
const plainSam = () => stepOfVariant({ name: "sam" }, bowl, w, { rho }).gradient;

function unlike(a: Vector, b: Vector): void {
  assert.ok(Math.max(...a.map((x, i) => Math.abs(x - b[i]!))) > 1e-3, `[${a}] should differ from [${b}]`);
}

describe("optim/family", () => {
  tidyTests();

  it("has SAM itself as its first member: g_s of eq. (3)", () => {
    closeTo(plainSam(), gSam, 1e-5);
  });

  describe("GSAM", () => {
    const step = (alpha: number) => stepOfVariant({ name: "gsam", alpha }, bowl, w, { rho });

    it("steps along g_s − α g_⊥, g_⊥ orthogonal to g_s: two gradients", () => {
      // ⟨g, g_s⟩ = 9.9 + 19.2 = 29.1, ‖g_s‖² = 10.89 + 23.04 = 33.93; g_⊥ = g − (29.1/33.93) g_s.
      const share = 29.1 / 33.93;
      const orthogonal = [3 - share * 3.3, 4 - share * 4.8, 0];

      const { gradient, visited } = step(2);

      closeTo(gradient, [3.3 - 2 * orthogonal[0]!, 4.8 - 2 * orthogonal[1]!, 0], 1e-5);
      unlike(gradient, gSam);
      closeTo(visited.flat(), [...w, 3.3, 2.4, 7], 1e-5);
    });

    it("with α = 0 is SAM", () => {
      assert.deepEqual(step(0).gradient, plainSam());
    });
  });

  describe("LookSAM", () => {
    // g_v = g_s − ⟨g_s, ĝ⟩ĝ: ⟨g_s, ĝ⟩ = 1.98 + 3.84 = 5.82, so g_v = (3.3 − 3.492, 4.8 − 4.656, 0) = (−0.192, 0.144, 0), ‖g_v‖ = 0.24.
    const kept = [-0.192, 0.144, 0];
    const look = () => stepOfVariant({ name: "lookSam", k: 3, alpha: 0.5 }, bowl, w, { rho });

    it("is SAM on every k-th step, and keeps the part of g_s that is orthogonal to g", () => {
      const { gradient, memory } = look();

      assert.deepEqual(gradient, plainSam());
      closeTo(Object.values(memory).flatMap((tensor) => [...tensor.dataSync()]), kept, 1e-5); // prettier-ignore
    });

    it("adds α(‖g‖/‖g_v‖)g_v to one gradient between", () => {
      // At w = (0, 1, 0): g = (0, 2, 0); α‖g‖/‖g_v‖ = 0.5 · 2/0.24 = 25/6; direction (−0.8, 2 + 0.6, 0).
      const { memory } = look();

      const { gradient, visited } = stepOfVariant({ name: "lookSam", k: 3, alpha: 0.5 }, bowl, [0, 1, 0], {
        rho,
        memory,
        step: 4,
      });

      closeTo(gradient, [-0.8, 2.6, 0], 1e-4);
      assert.deepEqual(visited, [[0, 1, 0]]);
    });

    it("with α = 0 takes the plain gradient between, and with k = 1 is SAM in every step", () => {
      const { memory } = look();

      closeTo(stepOfVariant({ name: "lookSam", alpha: 0 }, bowl, w, { rho, memory, step: 1 }).gradient, g, 1e-6);
      assert.deepEqual(stepOfVariant({ name: "lookSam", k: 1 }, bowl, w, { rho, memory, step: 7 }).gradient, plainSam());
    });

    it("keeps the plain gradient where nothing has been kept", () => {
      closeTo(stepOfVariant({ name: "lookSam" }, bowl, w, { rho, step: 1 }).gradient, g, 1e-6);
    });
  });

  describe("Friendly SAM", () => {
    const options = { name: "friendlySam", sigma: 0.5, lambda: 0.75 } as const;

    it("perturbs along g − σm, m the moving average of g itself", () => {
      // m starts at 0. First step: m = g/4 and d = g − g/8 is parallel to g: SAM. At w = (2, 0, 0) then: g = (2, 0, 0),
      // m = ¾·(0.75, 1, 0) + ¼·(2, 0, 0) = (1.0625, 0.75, 0), d = (1.46875, −0.375, 0).
      const first = stepOfVariant(options, bowl, w, { rho });
      const second = stepOfVariant(options, bowl, [2, 0, 0], { rho, memory: first.memory });

      const d = [1.46875, -0.375];
      const length = Math.hypot(d[0]!, d[1]!);
      closeTo(first.gradient, gSam, 1e-5);
      closeTo(Object.values(second.memory).flatMap((tensor) => [...tensor.dataSync()]), [1.0625, 0.75, 0], 1e-6); // prettier-ignore
      closeTo(second.gradient, [2 + (rho * d[0]!) / length, (2 * rho * d[1]!) / length, 0], 1e-5);
      unlike(second.gradient, stepOfVariant({ name: "sam" }, bowl, [2, 0, 0], { rho }).gradient);
    });

    it("with σ = 0 is SAM", () => {
      const { memory } = stepOfVariant(options, bowl, [1, -5, 2], { rho });

      assert.deepEqual(stepOfVariant({ ...options, sigma: 0 }, bowl, w, { rho, memory }).gradient, plainSam());
    });
  });

  describe("Momentum-SAM", () => {
    it("takes its one gradient at w − ρv/‖v‖", () => {
      // v = (0, −3, 4): w − 0.5·(0, −0.6, 0.8) = (3, 2.3, 6.6), where the gradient is (3, 4.6, 0).
      const { gradient, visited } = stepOfVariant({ name: "msam" }, bowl, w, { rho, momentum: [0, -3, 4] });

      closeTo(gradient, [3, 4.6, 0], 1e-5);
      closeTo(visited.flat(), [3, 2.3, 6.6], 1e-5);
      unlike(gradient, gSam);
    });

    it("takes the plain gradient in the first step, before there is momentum", () => {
      closeTo(stepOfVariant({ name: "msam" }, bowl, w, { rho, momentum: [0, 0, 0] }).gradient, g, 1e-6);
    });
  });

  describe("ESAM", () => {
    it("perturbs each weight with probability β, by ε̂/β", () => {
      // ε̂/β = (0.6, 0.8, 0) with β = ½; where a weight is left out it stays: w₁ is 3 or 3.6, w₂ is 2 or 2.8.
      const { visited } = stepOfVariant({ name: "esam", beta: 0.5, gamma: 1 }, bowl, w, { rho });

      const [first, second] = visited[1]!;
      closeTo([Math.min(Math.abs(first! - 3), Math.abs(first! - 3.6)), Math.min(Math.abs(second! - 2), Math.abs(second! - 2.8))], [0, 0], 1e-5); // prettier-ignore
    });

    it("with β = γ = 1 is SAM", () => {
      assert.deepEqual(stepOfVariant({ name: "esam", beta: 1, gamma: 1 }, bowl, w, { rho }).gradient, plainSam());
    });
  });

  describe("AE-SAM", () => {
    const options = { name: "aeSam", delta: 0.5, lambda1: -1, lambda2: 1 } as const;
    const remembered = (mean: number, variance: number) => ({ mean: tf.scalar(mean), variance: tf.scalar(variance) });
    const after = (mean: number, variance: number, progress: number) =>
      stepOfVariant(options, bowl, w, { rho, memory: remembered(mean, variance), progress });

    it("is SAM where ‖g‖² is at least μ + cσ, and takes one gradient elsewhere", () => {
      // ‖g‖² = 25. From (5, 0): μ = 15, σ² = ½·10² = 50, μ + σ = 22.1 < 25. From (45, 0): μ = 35, σ² = 50, μ + σ = 42.1 > 25.
      assert.deepEqual(after(5, 0, 0).gradient, plainSam());
      assert.deepEqual(after(45, 0, 0).visited, [[...w]]);
      closeTo(after(45, 0, 0).gradient, g, 1e-6);
      closeTo([...after(45, 0, 0).memory.mean!.dataSync(), ...after(45, 0, 0).memory.variance!.dataSync()], [35, 50], 1e-4);
    });

    it("lowers its threshold from μ + σ to μ − σ over the training", () => {
      // From (25, 98): μ = 25, σ² = 49, thresholds 32 at the start and 18 at the end; c = 0 halfway, where 25 ≥ 25.
      assert.deepEqual([0, 0.4, 0.5, 1].map((progress) => after(25, 98, progress).visited.length), [1, 1, 2, 2]); // prettier-ignore
    });
  });

  describe("SAM on normalization layers", () => {
    it("perturbs gains and offsets only, by a radius over them alone", () => {
      const own = { "dense/kernel": tf.tensor1d([3]), "norm/scale": tf.tensor1d([1]), "norm/offset": tf.tensor1d([2]) };
      const visited: number[][] = [];
      const gradient = (at: Weights) => {
        visited.push(toVector(at));
        return { "dense/kernel": tf.tensor1d([12]), "norm/scale": tf.tensor1d([3]), "norm/offset": tf.tensor1d([4]) };
      };

      variantDirection(variantOf({ name: "samOn" }), variantStep({ weights: own, sam: { rho: 0.5 }, gradient }), "");

      // ‖(3, 4)‖ = 5: ε = 0.5·(0.6, 0.8) on the norm layer.
      closeTo(visited[1]!, [3, 1.3, 2.4], 1e-6);
    });

    it("is refused by a network without normalization layers", () => {
      assert.throws(() => stepOfVariant({ name: "samOn" }, bowl, w, { rho }), /samOn perturbs gains and offsets .* this network has none/); // prettier-ignore
    });
  });

  describe("Fisher SAM", () => {
    it("perturbs by ρF⁻¹g/√(gᵀF⁻¹g) with F = 1 + ηg²", () => {
      // η = 0.5: F = (5.5, 9, 1), F⁻¹g = (6/11, 4/9, 0), gᵀF⁻¹g = 18/11 + 16/9.
      const u = [6 / 11, 4 / 9];
      const length = Math.sqrt(18 / 11 + 16 / 9);

      const { gradient } = stepOfVariant({ name: "fisherSam", eta: 0.5 }, bowl, w, { rho });

      closeTo(gradient, [3 + (rho * u[0]!) / length, 4 + (2 * rho * u[1]!) / length, 0], 1e-5);
      unlike(gradient, gSam);
    });

    it("with η = 0 is SAM, within rounding", () => {
      closeTo(stepOfVariant({ name: "fisherSam", eta: 0 }, bowl, w, { rho }).gradient, gSam, 1e-5);
    });
  });

  describe("sparse SAM", () => {
    it("perturbs the weights of largest gradient, by their part of ε̂, and keeps the mask until it is renewed", () => {
      // A third of three weights: w₂, where |g| is 4. ε = (0, 0.4, 0).
      const options = { name: "sparseSam", sparsity: 0.67, every: 3 } as const;
      const first = stepOfVariant(options, bowl, w, { rho });
      // At (4, 1, 0): g = (4, 2, 0), ‖g‖ = √20; the mask is still w₂ in step 2, and w₁ in step 3.
      const kept = stepOfVariant(options, bowl, [4, 1, 0], { rho, memory: first.memory, step: 2 });
      const renewed = stepOfVariant(options, bowl, [4, 1, 0], { rho, memory: first.memory, step: 3 });

      closeTo(first.gradient, [3, 4.8, 0], 1e-5);
      closeTo(kept.visited[1]!, [4, 1 + 1 / Math.sqrt(20), 0], 1e-5);
      closeTo(renewed.visited[1]!, [4 + 2 / Math.sqrt(20), 1, 0], 1e-5);
    });

    it("with sparsity 0 is SAM", () => {
      assert.deepEqual(stepOfVariant({ name: "sparseSam", sparsity: 0 }, bowl, w, { rho }).gradient, plainSam());
    });
  });

  describe("Eigen-SAM", () => {
    const step = (alpha: number) => stepOfVariant({ name: "eigenSam", alpha, iterations: 40 }, bowl, w, { rho });

    it("turns the perturbation towards the top eigenvector, on the gradient's side of it", () => {
      // v = ±(0, 1, 0) has λ = 2. v − (vᵀĝ)ĝ = (−0.48, 0.36, 0) for the sign of gᵀv; ε = 0.5·[(0.6, 0.8) + 0.5·(−0.48, 0.36)] = (0.18, 0.49).
      const { gradient, visited } = step(0.5);

      closeTo(gradient, [3.18, 4.98, 0], 1e-4);
      closeTo(visited[1]!, [3.18, 2.49, 7], 1e-4);
      unlike(gradient, gSam);
    });

    it("with α = 0 is SAM, within rounding", () => {
      closeTo(step(0).gradient, gSam, 1e-5);
    });

    it("keeps its eigenvector between", () => {
      const { memory } = step(0.5);

      const later = stepOfVariant({ name: "eigenSam" }, bowl, w, { rho, memory, step: 1 });

      closeTo(Object.values(later.memory).flatMap((t) => [...t.dataSync()].map(Math.abs)), [0, 1, 0], 1e-4); // prettier-ignore
    });
  });

  describe("a random direction", () => {
    it("is ρ away from w, not along the gradient, and costs one gradient", () => {
      const { visited } = stepOfVariant({ name: "random" }, bowl, w, { rho });

      const moved = visited[0]!.map((x, i) => x - w[i]!);
      assert.equal(visited.length, 1);
      closeTo([norm(moved)], [rho], 1e-5);
      unlike(moved, [0.3, 0.4, 0]);
    });
  });
});
