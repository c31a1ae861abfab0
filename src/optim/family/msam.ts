/**
 * Momentum-SAM (Becker et al. 2024): ∇L(w − ρ v/‖v‖) with the base optimizer's momentum buffer v before the step, so one gradient a
 * step. The first step, where v = 0, is the base optimizer's. The losses of its steps are those at the perturbed point alone.
 */
import { z } from "zod";
import { addScaledWeights, globalNormTensor, tf } from "../../engine";
import { defineVariant, ratio } from "./variant";

export const msam = defineVariant({
  schema: z.strictObject({ name: z.literal("msam") }),
  ownPerturbation: true,
  gradients: () => 1,
  conflicts: (_, { optimizer, momentum }) =>
    optimizer === "sgd" && momentum === 0 ? ["momentum = 0: msam perturbs along the momentum buffer, which is then absent"] : [],
  direction: ({ weights, momentum, sam, gradient }) => {
    const factor = tf.neg(ratio(sam.rho, globalNormTensor(momentum!))) as tf.Scalar;
    return { gradient: gradient(addScaledWeights(weights, momentum!, factor)) };
  },
});
