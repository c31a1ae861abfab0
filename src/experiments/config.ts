/** One run as plain data: data set, noise, network, training. Its key is a hash of its content, so that no run is repeated or mistaken. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { explainIssues } from "../training/configErrors";
import { trainConfigSchema, type TrainOptions } from "../training/config";
import { keyedOptions, withFormerOptions } from "../training/formerOptions";
import { ascentConflicts, ascentSchema } from "./ascentConfig";
import { classChoices, datasetFacts, datasetNames, isInFolders, type DatasetName } from "./datasets";
import { formerNames, networkSchema, networkShape, withTodaysNames, type NetworkOptions } from "./networks";
import { noiseConflict, noiseSchema } from "./noise";

/** Ours: ImageNet has 1.3 million images. */
const imageCount = z.int().min(0).max(2_000_000);

const dataset = z
  .strictObject({
    name: z.enum(datasetNames),
    /** Training images used, the first ones; 0 is all. */
    trainSize: imageCount.default(0),
    /** Test images used, the first ones; 0 is all. */
    testSize: imageCount.default(0),
    /**
     * Above 0: the run is tested on this many images held out of the training set, not on the test set, as to tune ρ. They are drawn
     * from the first trainSize + heldOutSize training images, stratified by class.
     */
    heldOutSize: imageCount.default(0),
    /** Seed of the choice of the held-out images; runs that are compared share it. */
    heldOutSeed: z.int().min(0).default(0),
    /** For old records only: as heldOutSize, but with trainSize given, the images right after the first trainSize ones are held out. */
    validationSize: imageCount.default(0),
    /** Half of the classes, renumbered from 0, for finetuning; the sizes above count images of these classes. */
    classes: z.enum(classChoices).default("all"),
    /** Side in pixels at which the network sees the images; 0 is the set's own, and 224 for folders of JPEG files. */
    imageSize: z.int().min(0).max(4096).default(0),
  })
  .superRefine((config, { addIssue }) => sizeConflicts(config).forEach((conflict) => addIssue(conflict)));

/** Generated images are made in memory: far more than any run needs, far less than brings a machine down. */
const MAX_GENERATED = 200_000;

function sizeConflicts(config: Sizes & { readonly name: DatasetName }): string[] {
  const { name, trainSize, testSize, heldOutSize, validationSize } = config;
  if (heldOutSize > 0 && validationSize > 0) return ["heldOutSize and validationSize exclude each other"];
  const facts = datasetFacts[name];
  const has = (size: number) => (name === "generated" ? MAX_GENERATED : isInFolders(name) ? Infinity : size);
  const trained = trainSize + heldOutSize + validationSize;
  return [
    ...(trained > has(facts.trainSize)
      ? [`${trained} training images asked for; ${facts.title} has ${has(facts.trainSize)}`]
      : []),
    ...(testSize > has(facts.testSize) ? [`${testSize} test images asked for; ${facts.title} has ${has(facts.testSize)}`] : []),
  ];
}

type Sizes = Readonly<Record<"trainSize" | "testSize" | "heldOutSize" | "validationSize", number>>;

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
  /** True: the largest eigenvalue of the Hessian after the last epoch, alone and to 1 %: cheaper than a spectrum. */
  finalLambdaMax: z.boolean().default(false),
  /** Seed of probes and directions: the same for all runs of an item, so that they can be compared. */
  probeSeed: z.int().min(0).default(0),
});

/** m-sharpness of the finished network for several m: one ascent step a block, in inference mode, without augmentation or L2. */
const mSharpness = z.strictObject({
  /** Examples per block. */
  ms: z.array(z.int().min(1)).min(1),
  rho: z.number().positive().finite().default(0.05), // paper App. C.3: the untuned default
  /** Training images that it is measured on, the first ones; 0 is all. */
  images: imageCount.default(0),
  /** Seed of the partition into blocks: the same for all runs of an item, so that they can be compared. */
  blockSeed: z.int().min(0).default(0),
});

/** Either the same network, first trained on these images (once for all runs that share that training), or a file of its variables. */
const origin = z
  .strictObject({
    dataset: dataset.optional(),
    training: trainConfigSchema.optional(),
    /** A file in data/cache/weights; src/models/WEIGHTS.md describes its form. */
    file: z
      .string()
      .regex(/^[\w.-]+\.safetensors$/, "expected the name of a .safetensors file in data/cache/weights")
      .optional(),
  })
  .superRefine(({ dataset, training, file }, { addIssue }) => {
    if (file === undefined ? !dataset || !training : dataset || training)
      addIssue("finetune.from: expected either dataset and training, or file");
  });

/** Finetuning: the network starts from given variables, not from random ones. */
const finetune = z.strictObject({
  from: origin,
  /** True: the last layer starts at random, for other classes. */
  newHead: z.boolean().default(true), // paper App. C.2
});

const runFields = z.strictObject({
  dataset,
  noise: noiseSchema.optional(),
  model: networkSchema,
  training: trainConfigSchema,
  /** Paper Sec. 3.3: train, relabel the training set with the network's own predictions, train again from scratch. */
  bootstrap: z.strictObject({}).optional(),
  finetune: finetune.optional(),
  curvature: curvature.optional(),
  /** The ascent of SAM's updates, measured on batches of the training set. */
  ascent: ascentSchema.optional(),
  mSharpness: mSharpness.optional(),
});

/** The parts, each within its range, and together without contradiction. */
export const runConfigSchema = runFields.superRefine(({ dataset, noise, training, bootstrap, ascent }, { addIssue }) => {
  const { loss } = training;
  if (ascent) ascentConflicts(ascent, training).forEach((conflict) => addIssue(`ascent: ${conflict}`));
  if (ascent && bootstrap) addIssue("ascent: it is measured on the given labels, and bootstrap trains on others");
  const conflict = noise && noiseConflict({ dataset, noise });
  if (conflict) addIssue(`noise: ${conflict}`);
  if (!("transitionMatrix" in loss)) return;
  if (loss.transitionMatrix === "known" && !noise)
    addIssue('training.loss.transitionMatrix = "known": the run has no noise, so there is no matrix to know');
  if (bootstrap)
    addIssue(`training.loss.name = "${loss.name}": bootstrap trains on predictions, whose errors the matrix does not describe`);
});

/** A run with every default filled in. */
export interface RunConfig extends Readonly<z.output<typeof runConfigSchema>> {}

/** A run as it is written down: fields that are left out have their defaults. */
export interface RunOptions extends Readonly<Omit<z.input<typeof runConfigSchema>, "dataset" | "noise" | "model" | "training">> {
  readonly dataset: DatasetOptions;
  readonly noise?: NoiseOptions;
  readonly model: NetworkOptions;
  readonly training: TrainOptions;
}

// Interfaces with a member of their own: the compiler prints their names, not all of their fields.

/** Data set of a run, as a user writes it. */
export interface DatasetOptions extends Readonly<Omit<z.input<typeof dataset>, "name">> {
  readonly name: DatasetName;
}

/** Label noise of a run, as a user writes it. */
export interface NoiseOptions extends Readonly<Omit<z.input<typeof noiseSchema>, "noiseRate">> {
  /** Share of wrong labels in [0, 1]; every kind but "human" needs it. */
  readonly noiseRate?: number;
}

/**
 * Fills in the defaults. Call it once, at the edge: whatever makes or describes runs takes its result.
 * @throws an Error that names unknown fields with the nearest known one, and values that do not fit
 */
export function runConfig(options: RunOptions): RunConfig {
  const isObject = options !== null && typeof options === "object";
  const input: unknown = isObject ? { ...options, model: withTodaysNames(options.model) } : options;
  const parsed = runConfigSchema.safeParse(input);
  if (!parsed.success) throw new Error(explainIssues(parsed.error, { what: "run config", input, schema: runConfigSchema }));
  return parsed.data;
}

/**
 * The config of a record: fields that it lacks have the values that runs had before these fields were there.
 * @throws as `runConfig`
 */
export function recordedConfig(recorded: RunOptions): RunConfig {
  const { training, finetune, ...rest } = recorded;
  const origin = finetune?.from.training;
  const from = origin && { ...finetune.from, training: withFormerOptions(origin) };
  const options = {
    ...rest,
    training: withFormerOptions(training),
    ...(finetune && { finetune: { ...finetune, ...(from && { from }) } }),
  };
  return runConfig(options as RunOptions);
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
  const { model, training, ...sections } = withoutDefaults(config);
  const keyed = { ...sections, training: keyedOptions(training!, config.training) };
  return createHash("sha256")
    .update(canonical({ ...keyed, model: withFormerNames(model!, config.model.name), ...finetuneKey(config) }))
    .digest("hex")
    .slice(0, 16);
}

/** The training that a run's network comes from, as a run of its own; undefined if there is none. */
export function pretrainingOf({ finetune, model }: RunConfig): RunConfig | undefined {
  const { dataset, training } = finetune?.from ?? {};
  return dataset && training && { dataset, model, training };
}

/** Fields of a run's training that differ from their defaults; the number of epochs always. */
export function trainingDifferences({ training }: RunConfig): Readonly<Record<string, unknown>> {
  return differences(training, trainConfigSchema.shape);
}

function finetuneKey(config: RunConfig): object {
  const { finetune } = config;
  if (!finetune) return {};
  const pretraining = pretrainingOf(config);
  const from = pretraining ? configKey(pretraining) : finetune.from.file;
  return { finetune: { from, ...(finetune.newHead ? {} : { newHead: false }) } };
}

function withFormerNames(model: Readonly<Record<string, unknown>>, name: string): object {
  const formerly = formerNames(name);
  return Object.fromEntries(Object.entries(model).map(([field, value]) => [formerly[field] ?? field, value]));
}

/** Section → field → value of what a config says beyond its defaults, and of fields that have none. */
export function withoutDefaults(config: RunConfig): Record<string, Readonly<Record<string, unknown>>> {
  return {
    dataset: differences(config.dataset, dataset.shape),
    noise: config.noise ? differences(config.noise, noiseSchema.shape) : {},
    model: differences(config.model, networkShape(config.model.name)),
    training: trainingDifferences(config),
    ...(config.bootstrap ? { bootstrap: {} } : {}),
    ...(config.curvature ? { curvature: differences(config.curvature, curvature.shape) } : {}),
    ...(config.ascent ? { ascent: differences(config.ascent, ascentSchema.shape) } : {}),
    ...(config.mSharpness ? { mSharpness: differences(config.mSharpness, mSharpness.shape) } : {}),
  };
}

function differences(section: object, shape: z.ZodRawShape): Readonly<Record<string, unknown>> {
  const defaults = defaultsOf(shape);
  const entries = Object.entries(section).filter(([field, value]) => {
    const standard = defaults.get(field);
    return standard === undefined || canonical(value) !== standard;
  });
  return Object.fromEntries(entries);
}

const knownDefaults = new WeakMap<z.ZodRawShape, ReadonlyMap<string, string>>();

/** Field → its default as canonical JSON; fields without a default are not in it. */
function defaultsOf(shape: z.ZodRawShape): ReadonlyMap<string, string> {
  const known = knownDefaults.get(shape);
  if (known) return known;
  const parsed = Object.entries(shape).map(([field, schema]) => [field, z.safeParse(schema, undefined)] as const);
  const defaults = new Map(parsed.flatMap(([field, { success, data }]) => (success ? [[field, canonical(data)] as const] : [])));
  knownDefaults.set(shape, defaults);
  return defaults;
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`).join(",")}}`;
}
