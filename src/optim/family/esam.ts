/**
 * ESAM (Du et al. 2022), both parts. Stochastic weight perturbation: ε = ε̂ ⊙ mask/β, each weight in the mask with probability β.
 * Sharpness-sensitive data selection: the second gradient is that of the γ·n examples whose loss rises most from w to w + ε. A step costs
 * 4/3 + γ gradients, or 2 with γ = 1; the paper also saves work on unperturbed weights, which masks of single weights do not.
 */
import { z } from "zod";
import { addWeights, mapWeights, tf, type Rng } from "../../engine";
import { defineVariant, epsilonOf, FORWARD_COST } from "./variant";

export const esam = defineVariant({
  schema: z.strictObject({
    name: z.literal("esam"),
    /** β: probability that a weight is perturbed; 1 is every weight. */
    beta: z.number().gt(0).max(1).default(0.5), // the paper: 0.5 to 0.6
    /** γ: share of the examples in the second gradient; 1 is all. */
    gamma: z.number().gt(0).max(1).default(0.5), // the paper: 0.5
  }),
  gradients: ({ gamma }) => (gamma === 1 ? 2 : 1 + FORWARD_COST + gamma),
  conflicts: ({ gamma }, { method }) =>
    gamma < 1 && method.name !== "standard"
      ? [`gamma = ${gamma}: esam selects examples for its second pass, which ${method.name} does as well; gamma = 1 selects none`]
      : [],
  draw: (weights, { beta }, rng) =>
    beta === 1 ? {} : mapWeights(weights, ({ shape }, name) => mask(shape, beta, rng.split(name))),
  direction: (step, { gamma }) => {
    const { weights, drawn } = step;
    const epsilon = epsilonOf(step, step.gradient(weights));
    const before = step.newestLosses();
    const perturbed = addWeights(
      weights,
      mapWeights(epsilon, (e, name) => (name in drawn ? tf.mul(e, drawn[name]!) : e)),
    );
    if (gamma === 1) return { gradient: step.gradient(perturbed) };
    const rise = tf.sub(step.losses(perturbed), before) as tf.Tensor1D;
    const { indices } = tf.topk(rise, Math.max(1, Math.round(gamma * rise.size)));
    return { gradient: step.gradient(perturbed, indices as tf.Tensor1D) };
  },
});

/** 1/β with probability β, else 0. */
function mask(shape: number[], beta: number, rng: Rng): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, () => (rng.next() < beta * 2 ** 32 ? 1 / beta : 0)),
    shape,
  );
}
