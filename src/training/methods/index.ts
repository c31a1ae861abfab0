/** Methods against wrong labels, by name: { name, ...options } in a config. */
import { z } from "zod";
import { entryNamed, nameOf, schemasOf } from "../../engine";
import type { StepConfig } from "../fields";
import { coTeaching } from "./coTeaching";
import { elr } from "./elr";
import { mentorMix } from "./mentorMix";
import type { Method, MethodDefinition, MethodSetting } from "./method";
import { mixtureCorrection } from "./mixtureCorrection";
import { pruning } from "./pruning";
import { standard } from "./standard";

/** Every method that a config may name. A new one is a file in this folder and an entry here. */
const definitions = [standard, elr, coTeaching, mixtureCorrection, mentorMix, pruning] as const;

/** A config's method. Each default's source is in the method's file. */
export const methodConfigSchema = z.discriminatedUnion("name", schemasOf(definitions));

/** A method with all its options. */
export type MethodConfig = z.output<typeof methodConfigSchema>;

/** A method as a config names it: options that are left out have their defaults. */
export type MethodOptions = z.input<typeof methodConfigSchema>;

/** Names that a config may give. */
export const methodNames = definitions.map(nameOf);

function definitionOf({ name }: MethodConfig): MethodDefinition {
  return entryNamed(definitions, name) as unknown as MethodDefinition;
}

/** Former values of the options of the method with this name; none if there is no such method. */
export function formerOptionsOf(name: unknown): Readonly<Record<string, unknown>> {
  const definition: Pick<MethodDefinition, "formerly"> | undefined = entryNamed(definitions, name);
  return definition?.formerly ?? {};
}

/** A fresh one, for one training. */
export function createMethod(method: MethodConfig, setting: MethodSetting): Method {
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

/** Contradictions between a method and the rest of its config, one sentence each. */
export function methodConflicts(method: MethodConfig, config: StepConfig): readonly string[] {
  return definitionOf(method).conflicts?.(method, config) ?? [];
}
