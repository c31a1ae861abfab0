/**
 * Friendly SAM (Li et al. 2024): ε = ρ d/‖d‖ with d = g − σ m and m ← λ m + (1 − λ) g, so that the ascent follows the batch's noise and
 * not the full gradient. The average is fed with g itself; ports that feed it d track something else. The authors' code subtracts the
 * average before the update, which for σ = 1 is the same direction, since g − m = λ(g − m_before).
 */
import { z } from "zod";
import { addScaledWeights, addWeights, scaleWeights, zerosLikeWeights } from "../../engine";
import { defineVariant, epsilonOf, intoSlot, slot } from "./variant";

export const friendlySam = defineVariant({
  schema: z.strictObject({
    name: z.literal("friendlySam"),
    /** σ ≥ 0: share of the average that is taken out; 0 is SAM. */
    sigma: z.number().min(0).finite().default(1), // the paper
    /** λ: share of the average that each step keeps. */
    lambda: z.number().min(0).lt(1).default(0.6), // the authors' logs: 0.6 to 0.95
  }),
  gradients: () => 2,
  memory: (weights) => intoSlot("average", zerosLikeWeights(weights)),
  direction: (step, { sigma, lambda }) => {
    const g = step.gradient(step.weights);
    const average = addScaledWeights(scaleWeights(slot("average", step.memory), lambda), g, 1 - lambda);
    const epsilon = epsilonOf(step, addScaledWeights(g, average, -sigma));
    return { gradient: step.gradient(addWeights(step.weights, epsilon)), memory: intoSlot("average", average) };
  },
});
