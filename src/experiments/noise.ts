/** The label noise of a run, and the transition matrix that it has. */
import {
  asymmetricMaps,
  asymmetricNoise,
  asymmetricTransition,
  compareLabels,
  instanceNoise,
  normalize,
  pairFlipNoise,
  pairFlipTransition,
  symmetricNoise,
  symmetricTransition,
  type ClassMap,
  type Dataset,
  type NoisyLabels,
} from "../data";
import type { TrainData } from "../training";
import type { RunConfig } from "./config";
import type { DatasetName } from "./datasets";

type Noise = NonNullable<RunConfig["noise"]>;

// Classes that look alike; generated ones do not, and have the literature's default.
const mistaken: Partial<Record<DatasetName, ClassMap>> = {
  "fashion-mnist": asymmetricMaps.fashionMnist,
  generated: asymmetricMaps.cifar10,
  mnist: asymmetricMaps.mnist,
  "cifar-10": asymmetricMaps.cifar10,
};

function classMap({ name, classes }: RunConfig["dataset"]): ClassMap {
  const map = mistaken[name];
  const known = Object.keys(mistaken).join(", ");
  if (!map) throw new Error(`asymmetric noise has no map of classes for ${name}; there are maps for ${known}`);
  if (classes !== "all") throw new Error(`asymmetric noise maps all classes of ${name}: classes = "${classes}", expected "all"`);
  return map;
}

/** The clean training set's labels with the noise that the config names. @throws where asymmetric noise has no map for the classes */
export function noiseOf(trainSet: Dataset, { dataset, noise }: { dataset: RunConfig["dataset"]; noise: Noise }): NoisyLabels {
  const { labels, numClasses, images } = trainSet;
  const { noiseType, noiseRate, includeTrueClass, noiseSeed } = noise;
  const options = { noiseRate, numClasses, seed: noiseSeed };
  if (noiseType === "pair-flip") return pairFlipNoise(labels, options);
  if (noiseType === "asymmetric") return asymmetricNoise(labels, { ...options, map: classMap(dataset) });
  if (noiseType === "instance") return instanceNoise(labels, { ...options, features: normalize(images, trainSet) });
  return symmetricNoise(labels, { ...options, includeTrueClass });
}

/** (numClasses, numClasses) the matrix of the run's generator; of instance-dependent noise, which has none, what came out. */
export function knownTransition({ dataset, noise }: RunConfig, { train, cleanLabels }: TrainData): number[][] {
  const { numClasses, labels } = train;
  if (!noise || !cleanLabels) throw new Error(`transitionMatrix = "known": the run has no noise`);
  const { noiseType, noiseRate, includeTrueClass } = noise;
  if (noiseType === "pair-flip") return pairFlipTransition({ noiseRate, numClasses });
  if (noiseType === "asymmetric") return asymmetricTransition({ noiseRate, numClasses, map: classMap(dataset) });
  if (noiseType === "symmetric") return symmetricTransition({ noiseRate, numClasses, includeTrueClass });
  return compareLabels(cleanLabels, labels, { numClasses }).transitionMatrix.map((row) => [...row]);
}
