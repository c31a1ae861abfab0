/** Fisher SAM (Kim et al. 2022): ε = ρ F⁻¹g/√(gᵀF⁻¹g) with a diagonal F⁻¹ ≈ 1/(1 + ηg²), so that the ball follows the Fisher metric. */
import { z } from "zod";
import { addScaledWeights, mapWeights, tf } from "../../engine";
import { defineVariant, dotTensor, ratio } from "./variant";

export const fisherSam = defineVariant({
  schema: z.strictObject({
    name: z.literal("fisherSam"),
    /** η ≥ 0: weight of the Fisher information; 0 is SAM. */
    eta: z.number().min(0).finite().default(1), // public code; the paper tunes it
  }),
  ownPerturbation: true,
  gradients: () => 2,
  direction: ({ weights, sam, gradient }, { eta }) => {
    const g = gradient(weights);
    const direction = mapWeights(g, (each) => tf.div(each, tf.add(tf.mul(tf.square(each), eta), 1)));
    const factor = ratio(sam.rho, tf.sqrt(dotTensor(g, direction)));
    return { gradient: gradient(addScaledWeights(weights, direction, factor)) };
  },
});
