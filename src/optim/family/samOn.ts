/** SAM-ON (Mueller et al. 2023): ε on the gains and offsets of normalization layers only, its norm over those only. */
import { z } from "zod";
import { addWeights, mapWeights, tf } from "../../engine";
import { defineVariant, epsilonOf } from "./variant";

export const samOn = defineVariant({
  schema: z.strictObject({ name: z.literal("samOn") }),
  gradients: () => 2,
  direction: (step) => {
    if (!Object.keys(step.weights).some(isNormalization))
      throw new Error("variant samOn perturbs gains and offsets of normalization layers, and this network has none");
    const g = mapWeights(step.gradient(step.weights), (each, name) => (isNormalization(name) ? each : tf.zerosLike(each)));
    return { gradient: step.gradient(addWeights(step.weights, epsilonOf(step, g))) };
  },
});

// Our names, and those of TensorFlow.js's layers, which adds _1, _2 … to the names of a second model's variables.
function isNormalization(name: string): boolean {
  return /(^|\/)(scale|offset|gamma|beta)(_\d+)?$/.test(name);
}
