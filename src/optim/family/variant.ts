/**
 * The interface of a SAM variant: the direction that it hands to the base optimizer, its memory, and its cost. Each variant is a file in
 * this folder; its entry in index.ts makes it known to configs. Steps may be recorded as graphs, so whatever changes from step to step
 * reaches a variant as a tensor, and a variant that reads a tensor's values runs eagerly.
 */
import type { z } from "zod";
import { tf, type Rng, type Weights } from "../../engine";
import { epsilonHat, type SamOptions } from "../sam";

/** One update as a variant sees it: a block of m examples, or the whole batch. */
export interface VariantStep {
  /** w */
  readonly weights: Weights;
  /** The config's own perturbation, with this step's ρ > 0. */
  readonly sam: SamOptions & { readonly rho: number };
  /** The variant's memory before this step, by the names that `memory` gave. */
  readonly memory: Weights;
  /** This step's random tensors, by the names that `draw` gave. */
  readonly drawn: Weights;
  /** Moving sum or mean of the gradients in the base optimizer, before this step; undefined without momentum. */
  readonly momentum: Weights | undefined;
  /** Share of the run that is done, in [0, 1). */
  readonly progress: tf.Scalar;
  /** ∇L_B at these weights, of the block's examples or of those in `rows`. Costs one gradient, or the rows' share of one. */
  gradient(weights: Weights, rows?: tf.Tensor1D): Weights;
  /** (m) losses of the newest call of `gradient`, at no cost. */
  newestLosses(): tf.Tensor1D;
  /** (m) losses at these weights. Costs a third of a gradient. */
  losses(weights: Weights): tf.Tensor1D;
  /** H(w)v of the loss of `gradient`. Costs `HVP_COST` gradients. */
  hessianVectorProduct(weights: Weights, vector: Weights): Weights;
}

/** In gradients: a Hessian-vector product differentiates a gradient (Pearlmutter 1994). */
export const HVP_COST = 2;

/** In gradients: two thirds of a gradient are its backward pass. */
export const FORWARD_COST = 1 / 3;

/** What a variant of SAM returns for a step. */
export interface VariantResult {
  /** The direction for the base optimizer. */
  readonly gradient: Weights;
  /** Default: as before the step. The memories of several blocks are averaged. */
  readonly memory?: Weights;
}

/** The part of a training's config that variants read. */
export interface VariantSetting {
  readonly rho: number;
  readonly normP: number | "infinity";
  readonly normalize: boolean;
  readonly adaptive: false | "weights" | "all";
  readonly ascentSteps: number;
  readonly secondOrder: boolean;
  readonly samInterval: number;
  readonly m: number;
  readonly optimizer: "sgd" | "adamW";
  readonly momentum: number;
  readonly method: { readonly name: string };
}

/** A variant of SAM: its options and its step. */
export interface VariantDefinition<Schema extends z.ZodType<{ name: string }> = z.ZodType<{ name: string }>> {
  /** `{ name, ...options }` in a config. */
  readonly schema: Schema;
  /** True: it does not use the config's ε̂, so `normP`, `normalize` and `adaptive` must have their defaults. */
  readonly ownPerturbation?: true;
  /** Gradients that a step is expected to take, for planning; a training counts those that it takes. */
  gradients(options: z.output<Schema>, setting: VariantSetting): number;
  /** Conflicts with the rest of the config, one sentence each; default: none. */
  conflicts?(options: z.output<Schema>, setting: VariantSetting): readonly string[];
  /** Memory before the first step; kept in checkpoints. Default: none. */
  memory?(weights: Weights, options: z.output<Schema>, rng: Rng): Weights;
  /** Random tensors for one step; the blocks of a step share them. Default: none. */
  draw?(weights: Weights, options: z.output<Schema>, rng: Rng): Weights;
  /** Names the kind of a step, where steps differ in what they compute: each kind is recorded as a graph of its own. */
  kind?(options: z.output<Schema>, step: number): string;
  direction(step: VariantStep, options: z.output<Schema> & { readonly kind: string }): VariantResult;
}

/** A variant, its options typed by its schema. */
export function defineVariant<Schema extends z.ZodType<{ name: string }>>(definition: VariantDefinition<Schema>) {
  return definition;
}

/** ε̂ of the config for this gradient: eq. (2), or its adaptive, unnormalized or p-norm form. */
export function epsilonOf({ weights, sam }: VariantStep, gradient: Weights): Weights {
  const { rho, normP, normalize, adaptive, eta } = sam;
  return epsilonHat(gradient, { rho, normP, normalize, adaptive, eta, weights });
}

/** ⟨a, b⟩ over all tensors, in float32, without waiting for the device. */
export function dotTensor(a: Weights, b: Weights): tf.Scalar {
  return tf.addN(Object.keys(a).map((name) => tf.sum(tf.mul(a[name]!, b[name]!)) as tf.Scalar));
}

/** x / y, and 0 where y is 0. */
export function ratio(x: tf.Scalar | number, y: tf.Scalar): tf.Scalar {
  return tf.divNoNan(x, y) as tf.Scalar;
}

/** The part of a that is orthogonal to b, over all tensors together. */
export function orthogonalTo(b: Weights, a: Weights): Weights {
  const share = ratio(dotTensor(a, b), dotTensor(b, b));
  return Object.fromEntries(Object.keys(a).map((name) => [name, tf.sub(a[name]!, tf.mul(b[name]!, share))]));
}

/** The tensors under `prefix/`, without it. */
export function slot(prefix: string, memory: Weights): Weights {
  const start = `${prefix}/`;
  const own = Object.entries(memory).filter(([name]) => name.startsWith(start));
  return Object.fromEntries(own.map(([name, tensor]) => [name.slice(start.length), tensor]));
}

/** The tensors, each under `prefix/`. */
export function intoSlot(prefix: string, weights: Weights): Weights {
  return Object.fromEntries(Object.entries(weights).map(([name, tensor]) => [`${prefix}/${name}`, tensor]));
}
