/** One step of a SAM variant on a quadratic with a diagonal Hessian, in float64 on our side and by hand on the test's. */
import assert from "node:assert/strict";
import { Rng, tf, type Weights } from "../../src/engine";
import { initialMemory, drawFor, kindOfStep, variantConfigSchema, variantDirection } from "../../src/optim/family";
import type { VariantConfig, VariantOptions, VariantStep } from "../../src/optim/family";
import { times, toVector, toWeights, type Problem, type Vector } from "./tinyProblems";

export interface StepSetting {
  readonly rho: number;
  readonly memory?: Weights;
  readonly momentum?: Vector;
  readonly step?: number;
  readonly progress?: number;
}

export interface SteppedVariant {
  readonly gradient: number[];
  readonly memory: Weights;
  /** Points at which gradients were taken. */
  readonly visited: number[][];
}

export const variantOf = (options: VariantOptions): VariantConfig => variantConfigSchema.parse(options);

/** The variant's direction at w, and where it looked. */
export function stepOfVariant(options: VariantOptions, problem: Problem, w: Vector, setting: StepSetting): SteppedVariant {
  const { rho, momentum, step = 0, progress = 0 } = setting;
  const variant = variantOf(options);
  const weights = toWeights(w);
  const visited: number[][] = [];
  const memory = setting.memory ?? initialMemory(variant, weights, new Rng("memory"));
  const given = variantStep({
    ...{ weights, memory, sam: { rho }, momentum: momentum && toWeights(momentum), progress: tf.scalar(progress) },
    drawn: drawFor(variant, weights, new Rng("draw")),
    gradient: (at) => {
      visited.push(toVector(at));
      return toWeights(problem.gradient(toVector(at)));
    },
    newestLosses: () => tf.tensor1d([problem.loss(visited.at(-1)!)]),
    losses: (at) => tf.tensor1d([problem.loss(toVector(at))]),
    hessianVectorProduct: (at, v) => toWeights(times(problem.hessian(toVector(at)), toVector(v))),
  });
  const result = variantDirection(variant, given, kindOfStep(variant, step));
  return { gradient: toVector(result.gradient), memory: result.memory ?? memory, visited };
}

/** A step of which only these parts are used. */
export function variantStep(parts: Pick<VariantStep, "weights" | "sam" | "gradient"> & Partial<VariantStep>): VariantStep {
  const unused = () => assert.fail("the variant should not ask for this");
  return {
    ...{ memory: {}, drawn: {}, momentum: undefined, progress: tf.scalar(0) },
    ...{ newestLosses: unused, losses: unused, hessianVectorProduct: unused },
    ...parts,
  };
}
