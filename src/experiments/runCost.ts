/** The cost of a run, before it is made. */
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

/** A Hessian-vector product differentiates a gradient: about twice its cost (Pearlmutter 1994; engine/hvp.ts). */
const HVP_COST = 2;

/** `runCost` of a config whose defaults are filled in. */
export function configCost({ dataset, training, bootstrap }: RunConfig): number {
  const { loss, method, rho, ascentSteps, secondOrder, samInterval, epochs } = training;
  const gradients = rho > 0 ? 1 + (ascentSteps + (secondOrder ? HVP_COST : 0)) / samInterval : 1;
  const update = updateCost(method, gradients);
  const estimate = "transitionMatrix" in loss && loss.transitionMatrix === "estimated" ? gradients : 0;
  return epochs * factsOf(dataset).trainSize * ((bootstrap ? 2 : 1) * update + estimate);
}
