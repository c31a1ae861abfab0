/**
 * AE-SAM (Jiang et al. 2023): a SAM step where ‖g‖² ≥ μ + cσ, else the gradient alone. μ and σ² are moving averages of ‖g‖² and of its
 * squared deviation; c runs linearly from λ₂ to λ₁ over the training. The choice reads the gradient, so these steps run eagerly.
 */
import { z } from "zod";
import { addWeights, globalNormTensor, tf } from "../../engine";
import { defineVariant, epsilonOf } from "./variant";

export const aeSam = defineVariant({
  schema: z.strictObject({
    name: z.literal("aeSam"),
    /** λ₁: c at the end of the training. */
    lambda1: z.number().finite().default(-1), // the paper
    /** λ₂: c at its start; the larger, the fewer SAM steps. */
    lambda2: z.number().finite().default(1), // the paper
    /** δ: share of the averages that each step keeps. */
    delta: z.number().min(0).lt(1).default(0.9), // the paper
  }),
  gradients: () => 1.5, // the paper: about half of the steps
  conflicts: (_, { m }) => (m > 0 ? [`m = ${m}: aeSam decides once for the whole batch`] : []),
  memory: () => ({ mean: tf.scalar(0), variance: tf.scalar(0) }),
  direction: (step, { lambda1, lambda2, delta }) => {
    const g = step.gradient(step.weights);
    const squaredNorm = tf.square(globalNormTensor(g));
    const average = (before: tf.Tensor, now: tf.Tensor) => tf.add(tf.mul(before, delta), tf.mul(now, 1 - delta));
    const mean = average(step.memory.mean!, squaredNorm);
    const variance = average(step.memory.variance!, tf.square(tf.sub(squaredNorm, mean)));
    const c = tf.add(tf.mul(step.progress, lambda1 - lambda2), lambda2);
    const isSharp = tf.greaterEqual(squaredNorm, tf.add(mean, tf.mul(c, tf.sqrt(variance)))).dataSync()[0];
    const gradient = isSharp ? step.gradient(addWeights(step.weights, epsilonOf(step, g))) : g;
    return { gradient, memory: { mean, variance } };
  },
});
