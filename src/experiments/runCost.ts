/** The cost of a run, before it is made. */
import { expectedGradients } from "../optim/family";
import { updateCost } from "../training";
import { runConfig, type RunConfig, type RunOptions } from "./config";
import { factsOf } from "./datasets";

/**
 * Gradients that a run takes, times examples: its duration is proportional to this, for one network. A forward pass alone counts a third.
 * @throws if the config does not fit
 */
export function runCost(options: RunOptions): number {
  return configCost(runConfig(options));
}

/** `runCost` of a config whose defaults are filled in. */
export function configCost({ dataset, training, bootstrap }: RunConfig): number {
  const { loss, method, variant, epochs } = training;
  const gradients = expectedGradients(variant, training);
  const update = updateCost(method, gradients);
  const estimate = "transitionMatrix" in loss && loss.transitionMatrix === "estimated" ? gradients : 0;
  return epochs * factsOf(dataset).trainSize * ((bootstrap ? 2 : 1) * update + estimate);
}
