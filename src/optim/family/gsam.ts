/**
 * GSAM (Zhuang et al. 2022): g_s − α g_⊥ with g_s = ∇L(w + ε̂) and g_⊥ the part of g = ∇L(w) that is orthogonal to g_s. It lowers the
 * surrogate gap L(w + ε̂) − L(w) without raising L(w + ε̂). The paper also lets ρ follow the learning rate: `rhoSchedule: "cosine"`.
 */
import { z } from "zod";
import { addScaledWeights, addWeights } from "../../engine";
import { defineVariant, epsilonOf, orthogonalTo } from "./variant";

export const gsam = defineVariant({
  schema: z.strictObject({
    name: z.literal("gsam"),
    /** α ≥ 0; 0 is SAM. */
    alpha: z.number().min(0).finite().default(0.2), // ours: the paper tunes it; public code has 0.01 to 0.5
  }),
  gradients: () => 2,
  direction: (step, { alpha }) => {
    const g = step.gradient(step.weights);
    const atPerturbed = step.gradient(addWeights(step.weights, epsilonOf(step, g)));
    return { gradient: addScaledWeights(atPerturbed, orthogonalTo(atPerturbed, g), -alpha) };
  },
});
