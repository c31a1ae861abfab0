/** Methods by name: { name, ...options } in a config. */
import { z } from "zod";
import type { TrainConfig } from "../config";
import { coTeaching, coTeachingSchema } from "./coTeaching";
import { elr, elrSchema } from "./elr";
import { mentorMix, mentorMixSchema } from "./mentorMix";
import type { Method, MethodDefinition, MethodSetting } from "./method";
import { mixtureCorrection, mixtureCorrectionSchema } from "./mixtureCorrection";
import { standard, standardSchema } from "./standard";

const definitions = { standard, elr, coTeaching, mixtureCorrection, mentorMix } as const;

/** What a config may say of a method. Each default's source is with the method. */
export const methodConfigSchema = z.discriminatedUnion("name", [
  standardSchema,
  elrSchema,
  coTeachingSchema,
  mixtureCorrectionSchema,
  mentorMixSchema,
]);

/** A method with all its options. */
export type MethodConfig = z.output<typeof methodConfigSchema>;

/** A method as it is written down: options that are left out have their defaults. */
export type MethodOptions = z.input<typeof methodConfigSchema>;

/** Names that a config may give. */
export const methodNames = Object.keys(definitions) as readonly MethodConfig["name"][];

function definitionOf({ name }: MethodConfig): MethodDefinition {
  return definitions[name] as unknown as MethodDefinition;
}

/** A fresh one, for one training. */
export function createMethod(setting: MethodSetting): Method {
  const { method } = setting.config;
  return definitionOf(method).create(method, setting);
}

/** Networks that the method trains side by side. */
export function networksOf(method: MethodConfig): number {
  return definitionOf(method).networks ?? 1;
}

/** Gradients that an update of all its networks costs, where one network's takes `gradients`; a forward pass alone is a third of one. */
export function updateCost(method: MethodConfig, gradients: number): number {
  return networksOf(method) * (gradients + (definitionOf(method).extraPasses ?? 0) / 3);
}

/** What in the config contradicts its method, one sentence each. */
export function methodConflicts({ method, ...config }: TrainConfig): readonly string[] {
  return definitionOf(method).conflicts?.(method, config) ?? [];
}
