/**
 * SAM's family, by name: `variant: { name, ...options }` in a config, for what is done with the gradients of one step. Other members of
 * the family are fields of their own, which combine with most variants:
 *
 * | method | config |
 * | --- | --- |
 * | SAM (Foret et al. 2021) | `rho` |
 * | ASAM (Kwon et al. 2021), as published and as ported | `adaptive: "weights"`, `adaptive: "all"` |
 * | USAM (Andriushchenko and Flammarion 2022), unnormalized | `normalize: false` |
 * | SAM every n steps | `samInterval: n` |
 * | m-sharpness (Foret et al. 2021, Sec. 4.1) | `m` |
 * | another norm, several ascent steps | `normP`, `ascentSteps` |
 * | WASAM (Kaddour et al. 2022), SAM with averaged weights | `averageLast` |
 */
import { z } from "zod";
import { entryNamed, nameOf, schemasOf, tf, type Rng, type Weights } from "../../engine";
import { aeSam } from "./aeSam";
import { eigenSam } from "./eigenSam";
import { esam } from "./esam";
import { fisherSam } from "./fisherSam";
import { friendlySam } from "./friendlySam";
import { gsam } from "./gsam";
import { lookSam } from "./lookSam";
import { msam } from "./msam";
import { random } from "./random";
import { sam } from "./sam";
import { samOn } from "./samOn";
import { sparseSam } from "./sparseSam";
export { FORWARD_COST, HVP_COST, slot } from "./variant";
export type { VariantResult, VariantSetting, VariantStep } from "./variant";
import type { VariantDefinition, VariantResult, VariantSetting, VariantStep } from "./variant";

/** Every variant that a config may name. A new one is a file in this folder and an entry here. */
const definitions = [
  sam, // the default
  gsam,
  lookSam,
  esam,
  aeSam,
  msam,
  friendlySam,
  samOn,
  fisherSam,
  sparseSam,
  eigenSam,
  random,
] as const;

/** A config's variant. Each default's source is in the variant's file. */
export const variantConfigSchema = z.discriminatedUnion("name", schemasOf(definitions));

/** A variant with all its options. */
export type VariantConfig = z.output<typeof variantConfigSchema>;

/** A variant as a config names it: options that are left out have their defaults. */
export type VariantOptions = z.input<typeof variantConfigSchema>;

/** Names that a config may give. */
export const variantNames = definitions.map(nameOf);

function definitionOf({ name }: VariantConfig): VariantDefinition {
  return entryNamed(definitions, name) as unknown as VariantDefinition;
}

/** Memory before the first step. The caller owns it. */
export function initialMemory(variant: VariantConfig, weights: Weights, rng: Rng): Weights {
  return tf.tidy(() => definitionOf(variant).memory?.(weights, variant, rng) ?? {});
}

/** The random tensors of a step; the caller owns them. */
export function drawFor(variant: VariantConfig, weights: Weights, rng: Rng): Weights {
  return definitionOf(variant).draw?.(weights, variant, rng) ?? {};
}

/** What a step computes, by name: steps of one kind can share a recorded graph. */
export function kindOfStep(variant: VariantConfig, step: number): string {
  return definitionOf(variant).kind?.(variant, step) ?? "";
}

/** The direction of one block for the base optimizer, and the memory after the step. */
export function variantDirection(variant: VariantConfig, step: VariantStep, kind: string): VariantResult {
  return definitionOf(variant).direction(step, { ...variant, kind });
}

/** Gradients that an update is expected to take on average. */
export function expectedGradients(variant: VariantConfig, setting: VariantSetting): number {
  const { rho, samInterval } = setting;
  return rho === 0 ? 1 : 1 + (definitionOf(variant).gradients(variant, setting) - 1) / samInterval;
}

/** Contradictions between a variant and the rest of its config, one sentence each. */
export function variantConflicts(variant: VariantConfig, setting: VariantSetting): readonly string[] {
  const { name } = variant;
  if (name === "sam") return [];
  const { rho, ascentSteps, secondOrder, samInterval, normP, normalize, adaptive } = setting;
  const definition = definitionOf(variant);
  const found: (string | false | undefined)[] = [
    rho === 0 && `rho = 0: ${name} perturbs by ρ, so give rho above 0`,
    ascentSteps > 1 && `ascentSteps = ${ascentSteps}: ${name} makes one ascent step`,
    secondOrder && `secondOrder = true: ${name} has no second-order term here`,
    samInterval > 1 &&
      definition.memory !== undefined &&
      `samInterval = ${samInterval}: ${name} remembers the step before, so it takes every step`,
    definition.ownPerturbation &&
      (normP !== 2 || !normalize || adaptive !== false) &&
      `${name} makes a perturbation of its own, so normP, normalize and adaptive must be left out`,
  ];
  return [...(found.filter(Boolean) as string[]), ...(definition.conflicts?.(variant, setting) ?? [])];
}
