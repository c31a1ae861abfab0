/** One run as plain data: data set, noise, network, training. Its key is a hash of what it says, so that no run is repeated or mistaken. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { explainIssues } from "../training/configErrors";
import { trainConfigSchema } from "../training/config";
import { classChoices, datasetNames } from "./datasets";
import { bareNetwork, networkSchema, requiredFields } from "./networks";

const dataset = z.strictObject({
  name: z.enum(datasetNames),
  /** Training images used, the first ones; 0 is all. */
  trainSize: z.int().min(0).default(0),
  /** Test images used, the first ones; 0 is all. */
  testSize: z.int().min(0).default(0),
  /** Above 0: tested on this many training images, those after the ones trained on, in place of the test set (to tune ρ). */
  validationSize: z.int().min(0).default(0),
  /** Half of the classes, numbered anew from 0, for finetuning; the sizes above count images of these classes. */
  classes: z.enum(classChoices).default("all"),
  /** Side in pixels at which the network sees the images; 0 is the set's own, and 224 for folders of JPEG files. */
  imageSize: z.int().min(0).default(0),
});

const noise = z
  .strictObject({
    noiseType: z.enum(["symmetric", "pair-flip", "asymmetric", "instance"]).default("symmetric"),
    noiseRate: z.number().min(0).max(1),
    /** Of symmetric noise alone: a chosen label may come out as it was. */
    includeTrueClass: z.boolean().default(false),
    noiseSeed: z.int().min(0).default(0),
  })
  .superRefine(({ noiseType, includeTrueClass }, { addIssue }) => {
    if (includeTrueClass && noiseType !== "symmetric")
      addIssue(`includeTrueClass goes with symmetric noise, not with ${noiseType}`);
  });

/** The images of a run with every default filled in. */
export function datasetConfig(options: RunOptions["dataset"]): RunConfig["dataset"] {
  return dataset.parse(options);
}

/** Curvature, measured on the training set, without augmentation or L2, in inference mode. */
const curvature = z.strictObject({
  /** Epochs after which the Hessian's spectrum is measured; 0 is the start, which is not measured. */
  spectrumEpochs: z.array(z.int().min(1)).default([]),
  numProbes: z.int().min(1).default(1),
  lanczosSteps: z.int().min(1).default(90), // the documented example of google/spectral-density
  /** Points on each axis of the loss surface after the last epoch; 0 is no surface. */
  surfacePoints: z.int().min(0).default(0),
  /** Seed of probes and directions: the same for all runs of an item, so that they can be compared. */
  probeSeed: z.int().min(0).default(0),
});

/** Either the same network, trained on these images first (runs that share that training train it once), or a file of its variables. */
const origin = z
  .strictObject({
    dataset: dataset.optional(),
    training: trainConfigSchema.optional(),
    /** In data/cache/weights, in the form that src/models/WEIGHTS.md describes. */
    file: z
      .string()
      .regex(/^[\w.-]+\.safetensors$/, "expected the name of a .safetensors file in data/cache/weights")
      .optional(),
  })
  .superRefine(({ dataset, training, file }, { addIssue }) => {
    if (file === undefined ? !dataset || !training : dataset || training)
      addIssue("finetune.from: expected either dataset and training, or file");
  });

/** Finetuning: where the network's variables come from, in place of random ones. */
const finetune = z.strictObject({
  from: origin,
  /** The last layer starts at random, for other classes. */
  newHead: z.boolean().default(true), // paper App. C.2
});

const runFields = z.strictObject({
  dataset,
  noise: noise.optional(),
  model: networkSchema,
  training: trainConfigSchema,
  /** Paper Sec. 3.3: train, relabel the training set with the network's own predictions, train again from scratch. */
  bootstrap: z.strictObject({}).optional(),
  finetune: finetune.optional(),
  curvature: curvature.optional(),
});

/** The parts, each as it should be, and together without contradiction. */
export const runConfigSchema = runFields.superRefine(({ noise, training: { loss }, bootstrap }, { addIssue }) => {
  if (!("transitionMatrix" in loss)) return;
  if (loss.transitionMatrix === "known" && !noise)
    addIssue('training.loss.transitionMatrix = "known": the run has no noise, so there is no matrix to know');
  if (bootstrap)
    addIssue(`training.loss.name = "${loss.name}": bootstrap trains on predictions, whose errors the matrix does not describe`);
});

/** A run with every default filled in. */
export interface RunConfig extends Readonly<z.output<typeof runConfigSchema>> {}

/** A run as it is written down: what is left out has its default. */
export interface RunOptions extends Readonly<z.input<typeof runConfigSchema>> {}

/**
 * Fills in the defaults.
 * @throws an Error that names unknown fields with the nearest known one, and values that do not fit
 */
export function runConfig(options: RunOptions): RunConfig {
  const parsed = runConfigSchema.safeParse(options);
  if (!parsed.success)
    throw new Error(explainIssues(parsed.error, { what: "run config", input: options, schema: runConfigSchema }));
  return parsed.data;
}

/**
 * 16 hex digits that depend on every field that differs from its default, and not on their order: a new option with a
 * default leaves the keys of old records as they are.
 */
export function runKey(options: RunOptions): string {
  return configKey(runConfig(options));
}

/** `runKey` of a config whose defaults are filled in. */
export function configKey(config: RunConfig): string {
  return createHash("sha256")
    .update(canonical({ ...(withoutDefaults(config) as object), ...finetuneKey(config) }))
    .digest("hex")
    .slice(0, 16);
}

/** The training that a run's network comes from, as a run of its own; undefined where there is none. */
export function pretrainingOf({ finetune, model }: RunConfig): RunConfig | undefined {
  const { dataset, training } = finetune?.from ?? {};
  return dataset && training && { dataset, model, training };
}

/** What a run's training sets otherwise than by default; the number of epochs always. */
export function trainingDifferences(options: RunOptions): Readonly<Record<string, unknown>> {
  const { training } = withoutDefaults(runConfig(options)) as { training: Record<string, unknown> };
  return training;
}

function finetuneKey(config: RunConfig): object {
  const { finetune } = config;
  if (!finetune) return {};
  const pretraining = pretrainingOf(config);
  const from = pretraining ? configKey(pretraining) : finetune.from.file;
  return { finetune: { from, ...(finetune.newHead ? {} : { newHead: false }) } };
}

/** Section → field → value of what a config says beyond its defaults, and of what has none. */
export function withoutDefaults(config: RunConfig): Record<string, Record<string, unknown>> {
  const bare = runConfig({
    dataset: { name: config.dataset.name },
    ...(config.noise ? { noise: { noiseRate: config.noise.noiseRate } } : {}),
    model: bareNetwork(config.model),
    training: { epochs: config.training.epochs },
    ...(config.bootstrap ? { bootstrap: {} } : {}),
    ...(config.curvature ? { curvature: {} } : {}),
  });
  const sections = { dataset: ["name"], noise: ["noiseRate"], model: requiredFields(config.model.name), training: ["epochs"] };
  const required: Record<string, readonly string[]> = {
    ...sections,
    ...(config.bootstrap ? { bootstrap: [] } : {}),
    ...(config.curvature ? { curvature: [] } : {}),
  };
  const kept = Object.entries(required).map(([section, keep]) => {
    const [given, defaults] = [config, bare].map((c) => (c[section as keyof RunConfig] ?? {}) as Record<string, unknown>);
    const differs = (key: string) => keep.includes(key) || canonical(given![key]) !== canonical(defaults![key]);
    return [section, Object.fromEntries(Object.entries(given!).filter(([key]) => differs(key)))];
  });
  return Object.fromEntries(kept);
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`).join(",")}}`;
}
