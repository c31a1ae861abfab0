/**
 * Eigen-SAM (Luo et al. 2024): ε = ρ[ĝ + α sign(gᵀv)(v − (vᵀĝ)ĝ)], turned towards the top eigenvector v of the batch's Hessian. Every so
 * many steps v is improved by a few power iterations from where it was.
 */
import { z } from "zod";
import { addScaledWeights, addWeights, globalNormTensor, mapWeights, scaleWeights, tf, type Weights } from "../../engine";
import { defineVariant, dotTensor, HVP_COST, intoSlot, ratio, slot, type VariantStep } from "./variant";

export const eigenSam = defineVariant({
  schema: z.strictObject({
    name: z.literal("eigenSam"),
    /** α ≥ 0: weight of the eigenvector; 0 is SAM. */
    alpha: z.number().min(0).finite().default(0.2), // the authors' code
    /** Power iterations each time. */
    iterations: z.int().min(1).default(5), // the authors' code
    /** Steps between two improvements of v. */
    every: z.int().min(1).default(100), // the authors' code
  }),
  ownPerturbation: true,
  gradients: ({ iterations, every }) => 2 + (HVP_COST * iterations) / every,
  conflicts: (_, { m }) => (m > 0 ? [`m = ${m}: eigenSam has one eigenvector for the whole batch`] : []),
  memory: (weights, _, rng) => {
    const start = mapWeights(weights, ({ size, shape }, name) => tf.tensor(rng.split(name).array(size), shape));
    return intoSlot("eigenvector", unit(start));
  },
  kind: ({ every }, step) => (step % every === 0 ? "improve" : "reuse"),
  direction: (step, { alpha, iterations, kind }) => {
    const g = step.gradient(step.weights);
    const before = slot("eigenvector", step.memory);
    const v = kind === "improve" ? powerIterations(step, before, iterations) : before;
    const direction = unit(g);
    const cosine = dotTensor(direction, v);
    const turned = addScaledWeights(v, direction, tf.neg(cosine) as tf.Scalar);
    const side = tf.mul(tf.sign(cosine), alpha) as tf.Scalar;
    const epsilon = scaleWeights(addScaledWeights(direction, turned, side), step.sam.rho);
    return { gradient: step.gradient(addWeights(step.weights, epsilon)), memory: intoSlot("eigenvector", v) };
  },
});

function powerIterations(step: VariantStep, start: Weights, iterations: number): Weights {
  let v = start;
  for (let i = 0; i < iterations; i++) v = unit(step.hessianVectorProduct(step.weights, v));
  return v;
}

/** a/‖a‖, and 0 for 0. */
function unit(a: Weights): Weights {
  return scaleWeights(a, ratio(1, globalNormTensor(a)));
}
