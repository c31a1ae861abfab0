/**
 * A random direction in place of the gradient's: ∇L(w + ρz/‖z‖) with z standard normal, drawn anew in each step (paper Fig. 6, and the
 * average-case perturbation of Wen et al. 2023). One gradient a step. Useful radii are far above SAM's.
 */
import { z } from "zod";
import { addWeights, mapWeights, tf } from "../../engine";
import { epsilonHat } from "../sam";
import { defineVariant } from "./variant";

export const random = defineVariant({
  schema: z.strictObject({ name: z.literal("random") }),
  ownPerturbation: true,
  gradients: () => 1,
  draw: (weights, _, rng) => mapWeights(weights, ({ size, shape }, name) => tf.tensor(rng.split(name).array(size), shape)),
  direction: ({ weights, drawn, sam, gradient }) => ({
    gradient: gradient(addWeights(weights, epsilonHat(drawn, { rho: sam.rho }))),
  }),
});
