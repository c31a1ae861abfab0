/**
 * LookSAM (Liu et al. 2022): SAM on every k-th step, where g_v = g_s − ⟨g_s, ĝ⟩ĝ is kept; between, g + α(‖g‖/‖g_v‖)g_v with the gradient
 * g alone. Norms and the projection are over all tensors together, and the steps between take exactly one gradient: ports miss both.
 */
import { z } from "zod";
import { addScaledWeights, addWeights, globalNormTensor, tf, zerosLikeWeights } from "../../engine";
import { defineVariant, epsilonOf, intoSlot, orthogonalTo, ratio, slot } from "./variant";

export const lookSam = defineVariant({
  schema: z.strictObject({
    name: z.literal("lookSam"),
    /** SAM on every k-th step, the first included; 1 is SAM. */
    k: z.int().min(1).default(5), // the paper: 5 to 10
    /** Weight of the kept direction; 0 is SAM on every k-th step and the base optimizer between. */
    alpha: z.number().min(0).finite().default(0.7), // the paper
  }),
  gradients: ({ k }) => 1 + 1 / k,
  memory: (weights) => intoSlot("direction", zerosLikeWeights(weights)),
  kind: ({ k }, step) => (step % k === 0 ? "look" : "reuse"),
  direction: (step, { alpha, kind }) => {
    const g = step.gradient(step.weights);
    if (kind === "look") {
      const gradient = step.gradient(addWeights(step.weights, epsilonOf(step, g)));
      return { gradient, memory: intoSlot("direction", orthogonalTo(g, gradient)) };
    }
    const kept = slot("direction", step.memory);
    const factor = tf.mul(ratio(globalNormTensor(g), globalNormTensor(kept)), alpha) as tf.Scalar;
    return { gradient: addScaledWeights(g, kept, factor) };
  },
});
