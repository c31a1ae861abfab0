/** The kinds of label noise that a run can name, each with its transition matrix. A new one is its generator in src/data and an entry here. */
import { z } from "zod";
import {
  asymmetricNoise,
  asymmetricTransition,
  compareLabels,
  humanLabelSets,
  instanceNoise,
  loadCifarN,
  normalizeImages,
  pairFlipNoise,
  pairFlipTransition,
  symmetricNoise,
  symmetricTransition,
  type ClassMap,
  type Dataset,
  type HumanLabelSet,
  type NoisyLabels,
} from "../data";
import type { TrainData } from "../training";
import { lookalikesOf, type ChosenData, type DatasetName } from "./datasets";

/** The part of a run's config that says which noise. */
export interface ChosenNoise {
  readonly noiseType: string;
  readonly noiseRate?: number;
  readonly includeTrueClass: boolean;
  readonly noiseSeed: number;
  readonly annotators?: HumanLabelSet;
}

type Chosen = { readonly dataset: ChosenData; readonly noise: ChosenNoise };

interface NoiseKind {
  /** Fields of the config that go with this kind; those without a default must be given. */
  readonly fields: readonly (keyof ChosenNoise)[];
  /** Noisy labels of a clean training set. */
  labels(trainSet: Dataset, chosen: Chosen): NoisyLabels | Promise<NoisyLabels>;
  /** True: the labels belong to images in their published order, so they are given before any are held out. */
  readonly inPublishedOrder?: true;
  /** (numClasses, numClasses) the generator's matrix; absent: it has none, so the matrix is counted from the labels. */
  transition?(numClasses: number, chosen: Chosen): number[][];
  /** A sentence on why the noise does not go with the data set. */
  conflict?(chosen: Chosen): string | undefined;
}

const drawn = ["noiseRate", "noiseSeed"] as const;

const kinds = {
  symmetric: {
    fields: [...drawn, "includeTrueClass"],
    labels: ({ labels, numClasses }, { noise }) =>
      symmetricNoise(labels, { ...optionsOf(noise), numClasses, includeTrueClass: noise.includeTrueClass }),
    transition: (numClasses, { noise }) =>
      symmetricTransition({ noiseRate: rateOf(noise), numClasses, includeTrueClass: noise.includeTrueClass }),
  },
  "pair-flip": {
    fields: drawn,
    labels: ({ labels, numClasses }, { noise }) => pairFlipNoise(labels, { ...optionsOf(noise), numClasses }),
    transition: (numClasses, { noise }) => pairFlipTransition({ noiseRate: rateOf(noise), numClasses }),
  },
  asymmetric: {
    fields: drawn,
    labels: ({ labels, numClasses }, { noise, dataset }) =>
      asymmetricNoise(labels, { ...optionsOf(noise), numClasses, map: classMap(dataset) }),
    transition: (numClasses, { noise, dataset }) =>
      asymmetricTransition({ noiseRate: rateOf(noise), numClasses, map: classMap(dataset) }),
  },
  instance: {
    fields: drawn,
    labels: (trainSet, { noise }) => {
      const { labels, numClasses, images } = trainSet;
      return instanceNoise(labels, { ...optionsOf(noise), numClasses, features: normalizeImages(images, trainSet) });
    },
  },
  human: {
    fields: ["annotators"],
    labels: (trainSet, { noise }) => loadCifarN(trainSet, { annotators: noise.annotators! }),
    inPublishedOrder: true,
    conflict: annotatorConflict,
  },
} satisfies Record<string, NoiseKind>;

export type NoiseType = keyof typeof kinds;

const noiseTypes = Object.keys(kinds) as NoiseType[];

export const noiseSchema = z
  .strictObject({
    noiseType: z.enum(noiseTypes).default("symmetric"),
    /** Share of wrong labels in [0, 1]; every kind but "human" needs it. */
    noiseRate: z.number().min(0).max(1).optional(),
    /** Symmetric noise only: a chosen label may stay as it was. */
    includeTrueClass: z.boolean().default(false),
    noiseSeed: z.int().min(0).default(0),
    /** Human labels only, and needed there: "aggregate", "random1" … "random3" or "worst" for CIFAR-10, "fine" for CIFAR-100. */
    annotators: z.enum(Object.keys(humanLabelSets) as HumanLabelSet[]).optional(),
  })
  .superRefine((noise, { addIssue }) => fieldConflicts(noise).forEach((conflict) => addIssue(conflict)));

function fieldConflicts(noise: ChosenNoise): string[] {
  const { fields } = kindOf(noise.noiseType);
  const having = (field: string) => noiseTypes.filter((name) => (kindOf(name).fields as readonly string[]).includes(field));
  const set = Object.entries(noise).filter(([field, value]) => field !== "noiseType" && Boolean(value));
  const foreign = set.filter(([field]) => !(fields as readonly string[]).includes(field));
  const missing = (["noiseRate", "annotators"] as const).filter((field) => fields.includes(field) && noise[field] === undefined);
  return [
    ...foreign.map(([field]) => `${field} goes with ${having(field).join(" or ")} noise, not with ${noise.noiseType}`),
    ...missing.map((field) => `${field} is missing: ${noise.noiseType} noise needs it`),
  ];
}

// Wei et al. 2022: CIFAR-10 has three annotators for each image, CIFAR-100 one.
const annotatorsOf: Readonly<Partial<Record<DatasetName, readonly HumanLabelSet[]>>> = {
  "cifar-10": ["aggregate", "random1", "random2", "random3", "worst"],
  "cifar-100": ["fine"],
};

function annotatorConflict({ dataset: { name, classes }, noise: { annotators } }: Chosen): string | undefined {
  const known = annotatorsOf[name];
  if (!known) return `human labels are there for ${Object.keys(annotatorsOf).join(" and ")}, not for ${name}`;
  if (!known.includes(annotators!)) return `annotators = "${annotators}": ${name} has ${known.join(", ")}`;
  return classes === "all" ? undefined : `human labels are of all classes: dataset.classes = "${classes}", expected "all"`;
}

/** Why a run's noise does not go with its data set; undefined if it does. */
export function noiseConflict(chosen: Chosen): string | undefined {
  return kindOf(chosen.noise.noiseType).conflict?.(chosen);
}

/** Clean training images and their places in the published set. */
export interface CleanImages {
  readonly train: Dataset;
  /** The images that `train` was taken from, in the order of their files. */
  readonly whole: Dataset;
  /** (train.size) place of each image of `train` in `whole` */
  readonly positions: Int32Array;
}

/** (train.size) the labels with the noise that the config names. @throws if the noise does not go with the data set, or files are missing */
export async function noisyLabelsOf({ train, whole, positions }: CleanImages, chosen: Chosen): Promise<readonly number[]> {
  const kind = kindOf(chosen.noise.noiseType);
  if (!kind.inPublishedOrder) return (await kind.labels(train, chosen)).noisyLabels;
  const { noisyLabels } = await kind.labels(whole, chosen);
  return Array.from(positions, (position) => noisyLabels[position]!);
}

/** (numClasses, numClasses) the matrix of the run's generator; if it has none, the one that its labels show. */
export function knownTransition(
  { dataset, noise }: Partial<Chosen> & Pick<Chosen, "dataset">,
  { train, cleanLabels }: TrainData,
): number[][] {
  const { numClasses, labels } = train;
  if (!noise || !cleanLabels) throw new Error(`transitionMatrix = "known": the run has no noise`);
  const matrix = kindOf(noise.noiseType).transition?.(numClasses, { dataset, noise });
  return matrix ?? compareLabels(cleanLabels, labels, { numClasses }).transitionMatrix.map((row) => [...row]);
}

function kindOf(name: string): NoiseKind {
  return kinds[name as NoiseType];
}

function optionsOf(noise: ChosenNoise) {
  return { noiseRate: rateOf(noise), seed: noise.noiseSeed };
}

// The schema has seen to it that it is there.
function rateOf({ noiseRate }: ChosenNoise): number {
  return noiseRate!;
}

function classMap({ name, classes }: ChosenData): ClassMap {
  const map = lookalikesOf(name);
  if (classes !== "all") throw new Error(`asymmetric noise maps all classes of ${name}: classes = "${classes}", expected "all"`);
  return map;
}
