/**
 * Sparse SAM (Mi et al. 2022), form SSAM-F: ε = ε̂ ⊙ mask with the norm of ε̂ over all weights. The mask holds the weights with the
 * largest Fisher information, here the squared gradient of one batch (the paper: of single examples); it is renewed every so many steps.
 */
import { z } from "zod";
import { addWeights, mapWeights, sizeOfWeights, tf, type Weights } from "../../engine";
import { defineVariant, epsilonOf, intoSlot, slot } from "./variant";

export const sparseSam = defineVariant({
  schema: z.strictObject({
    name: z.literal("sparseSam"),
    /** Share of the weights that are not perturbed; 0 is SAM. */
    sparsity: z.number().min(0).lt(1).default(0.5), // the paper: "with a perturbation of merely 50 % sparsity"
    /** Steps between two masks. */
    every: z.int().min(1).default(100), // ours; the authors: once an epoch
  }),
  gradients: () => 2,
  conflicts: (_, { m }) => (m > 0 ? [`m = ${m}: sparseSam has one mask for the whole batch`] : []),
  memory: (weights) =>
    intoSlot(
      "mask",
      mapWeights(weights, (w) => tf.onesLike(w)),
    ),
  kind: ({ every }, step) => (step % every === 0 ? "renew" : "reuse"),
  direction: (step, { sparsity, kind }) => {
    const g = step.gradient(step.weights);
    const mask = kind === "renew" ? largest(g, 1 - sparsity) : slot("mask", step.memory);
    const epsilon = mapWeights(epsilonOf(step, g), (each, name) => tf.mul(each, mask[name]!));
    return { gradient: step.gradient(addWeights(step.weights, epsilon)), memory: intoSlot("mask", mask) };
  },
});

/** 1 for that share of the entries with the largest magnitude over all tensors, and for those that tie with the smallest of them. */
function largest(g: Weights, share: number): Weights {
  const magnitudes = tf.concat(Object.values(g).map((each) => tf.reshape(tf.abs(each), [-1])));
  const count = Math.max(1, Math.round(share * sizeOfWeights(g)));
  const threshold = tf.min(tf.topk(magnitudes, count).values);
  return mapWeights(g, (each) => tf.cast(tf.greaterEqual(tf.abs(each), threshold), "float32"));
}
