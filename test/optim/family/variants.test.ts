/** Each variant's step on a quadratic worked out by hand, its limits, and what it remembers. */
import assert from "node:assert/strict";
import { closeTo } from "../../support/closeTo";
import { tidyTests } from "../../support/noLeak";
import { polynomial, type Vector } from "../../support/tinyProblems";
import { stepOfVariant } from "../../support/variants";

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
});
