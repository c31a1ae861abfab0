/** Schedules: a factor in [0, 1] on the learning rate (or on ρ) as a function of the step. */
import { checkOptions } from "../engine";

/**
 * Factor of the learning rate, in [0, 1].
 * @param step updates made so far
 * @param totalSteps updates of the whole run
 */
export type Schedule = (step: number, totalSteps: number) => number;

/** Names of the schedules, as `training.schedule` takes them. */
export type ScheduleName = "constant" | "cosine" | "step";

/** ½(1 + cos(π·step/total)): per step, no warm-up, as the official code. */
export const cosine: Schedule = (step, totalSteps) => 0.5 * (1 + Math.cos((Math.PI * step) / totalSteps));

/** The learning rate stays as it is. */
export const constant: Schedule = () => 1;

/** Options of `stepDecay`. */
export interface StepDecayOptions {
  /** Fractions of the run at which the factor drops; default 0.5 and 0.75 (He et al. 2016). */
  readonly milestones?: readonly number[];
  /** Default 0.1. */
  readonly factor?: number;
}

/** The factor is multiplied by `factor` at each milestone. */
export function stepDecay(options: StepDecayOptions = {}): Schedule {
  checkOptions(options, { milestones: "array", factor: "number" }, "stepDecay");
  const { milestones = [0.5, 0.75], factor = 0.1 } = options;
  return (step, totalSteps) => factor ** milestones.filter((milestone) => step >= milestone * totalSteps).length;
}

/** The schedule of this name. */
export function scheduleByName(name: ScheduleName): Schedule {
  const schedules: Record<ScheduleName, Schedule> = { constant, cosine, step: stepDecay() };
  if (!Object.hasOwn(schedules, name)) throw new Error(`schedule = ${name}: expected constant, cosine or step`);
  return schedules[name];
}
