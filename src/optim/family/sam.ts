/** SAM itself (Foret et al. 2021), with the perturbation that the config's other fields describe: ∇L(w + ε̂(w)), eq. (3). */
import { z } from "zod";
import { samGradient } from "../sam";
import { defineVariant, HVP_COST } from "./variant";

export const sam = defineVariant({
  schema: z.strictObject({ name: z.literal("sam") }),
  gradients: (_, { ascentSteps, secondOrder }) => 1 + ascentSteps + (secondOrder ? HVP_COST : 0),
  direction: (step) => ({ gradient: samGradient((weights) => step.gradient(weights), step.weights, step.sam) }),
});
