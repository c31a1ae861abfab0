/** The kinds of label noise that a run can name, each with its transition matrix. A new one is its generator in src/data and an entry here. */
import {
  asymmetricNoise,
  asymmetricTransition,
  compareLabels,
  instanceNoise,
  normalizeImages,
  pairFlipNoise,
  pairFlipTransition,
  symmetricNoise,
  symmetricTransition,
  type ClassMap,
  type Dataset,
  type NoisyLabels,
} from "../data";
import type { TrainData } from "../training";
import { lookalikesOf, type ChosenData } from "./datasets";

/** The part of a run's config that says which noise. */
export interface ChosenNoise {
  readonly noiseType: string;
  readonly noiseRate: number;
  readonly includeTrueClass: boolean;
  readonly noiseSeed: number;
}

type Chosen = { readonly dataset: ChosenData; readonly noise: ChosenNoise };

interface NoiseKind {
  /** Noisy labels of a clean training set. */
  labels(trainSet: Dataset, chosen: Chosen): NoisyLabels;
  /** (numClasses, numClasses) the generator's matrix; absent: it has none, so the matrix is counted from the labels. */
  transition?(numClasses: number, chosen: Chosen): number[][];
  /** Fields of the config that this kind alone has. */
  readonly fields?: readonly string[];
}

const kinds = {
  symmetric: {
    labels: (trainSet, { noise }) => symmetricNoise(trainSet.labels, { ...optionsOf(trainSet, noise), includeTrueClass: noise.includeTrueClass }), // prettier-ignore
    transition: (numClasses, { noise: { noiseRate, includeTrueClass } }) =>
      symmetricTransition({ noiseRate, numClasses, includeTrueClass }),
    fields: ["includeTrueClass"],
  },
  "pair-flip": {
    labels: (trainSet, { noise }) => pairFlipNoise(trainSet.labels, optionsOf(trainSet, noise)),
    transition: (numClasses, { noise: { noiseRate } }) => pairFlipTransition({ noiseRate, numClasses }),
  },
  asymmetric: {
    labels: (trainSet, { noise, dataset }) =>
      asymmetricNoise(trainSet.labels, { ...optionsOf(trainSet, noise), map: classMap(dataset) }),
    transition: (numClasses, { noise: { noiseRate }, dataset }) =>
      asymmetricTransition({ noiseRate, numClasses, map: classMap(dataset) }),
  },
  instance: {
    labels: (trainSet, { noise }) =>
      instanceNoise(trainSet.labels, { ...optionsOf(trainSet, noise), features: normalizeImages(trainSet.images, trainSet) }),
  },
} satisfies Record<string, NoiseKind>;

export type NoiseType = keyof typeof kinds;

export const noiseTypes = Object.keys(kinds) as NoiseType[];

/** Which kind a field belongs to, if only one has it. */
export function kindWithField(field: string): NoiseType | undefined {
  return noiseTypes.find((name) => kindOf(name).fields?.includes(field));
}

/** A clean training set's labels with the noise that the config names. @throws if the noise does not go with the data set */
export function noiseOf(trainSet: Dataset, chosen: Chosen): NoisyLabels {
  return kindOf(chosen.noise.noiseType).labels(trainSet, chosen);
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

function optionsOf({ numClasses }: Dataset, { noiseRate, noiseSeed }: ChosenNoise) {
  return { noiseRate, numClasses, seed: noiseSeed };
}

function classMap({ name, classes }: ChosenData): ClassMap {
  const map = lookalikesOf(name);
  if (classes !== "all") throw new Error(`asymmetric noise maps all classes of ${name}: classes = "${classes}", expected "all"`);
  return map;
}
