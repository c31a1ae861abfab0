/** The rows of Table 4 that can be trained here: each method against wrong labels, and the hyper-parameters that are tried for it. */
import { symmetricTransition } from "../../data";
import type { RunOptions } from "../../experiments/config";

export type TrainingPart = RunOptions["training"];

/** The values that a method may be tuned over. */
export interface SearchSpace {
  /** Epochs of a method with two gradients per step. */
  readonly epochs: number;
  /** Factors of `epochs` that are tried for a method with one gradient per step: 2 costs what SAM costs. */
  readonly epochFactors: readonly number[];
  readonly noiseRate: number;
  readonly rhos: readonly number[];
  /** ρ of bootstrapped SAM: Table 8's grid, if it was run. */
  readonly bootstrapRhos: readonly number[];
  /** α of mixup's Beta(α, α). */
  readonly alphas: readonly number[];
}

/** A method of Table 4. */
export interface NoiseMethod {
  readonly name: string;
  /** Its name in data/paper/table-4.json; absent for a row that the paper does not have. */
  readonly paper?: string;
  /** Trained, and trained again from scratch on its own predictions. */
  readonly bootstrap?: true;
  /** The method whose best hyper-parameters it takes, instead of a search of its own. */
  readonly tunedAs?: string;
  /** How our runs differ from the method's own paper or its authors' code, one clause. */
  readonly deviation?: string;
  /** The settings that are tried for the method. */
  search(space: SearchSpace): readonly TrainingPart[];
}

type Options = Omit<TrainingPart, "epochs">;

// With one gradient per step it may have more epochs.
const perEpochs =
  (make: (epochs: number, space: SearchSpace) => Options): NoiseMethod["search"] =>
  (space) =>
    space.epochFactors.map((factor) => ({ epochs: factor * space.epochs, ...make(factor * space.epochs, space) }));

const mixup: NoiseMethod["search"] = (space) => space.alphas.flatMap((mixupAlpha) => perEpochs(() => ({ mixupAlpha }))(space));

const sam = (rhos: readonly number[], { epochs }: SearchSpace) => rhos.map((rho) => ({ epochs, rho }));

// The authors' settings for CIFAR-10 by noise rate: α, the percentile, and whether mixed examples are weighed once more.
const mentorMixSettings: Readonly<Record<number, { alpha: number; percentile: number; secondReweight: boolean }>> = {
  0.2: { alpha: 2, percentile: 0.8, secondReweight: false },
  0.4: { alpha: 8, percentile: 0.6, secondReweight: false },
  0.6: { alpha: 8, percentile: 0.6, secondReweight: true },
  0.8: { alpha: 4, percentile: 0.2, secondReweight: true },
};

/** The paper's methods in its order, then those that it does not have. */
export const noiseMethods: readonly NoiseMethod[] = [
  {
    name: "M-correction",
    paper: "M-correction",
    // Arazo et al.: α = 32, and 105 of 300 epochs on the labels as given.
    search: perEpochs((epochs) => ({
      mixupAlpha: 32,
      method: { name: "mixtureCorrection", warmupEpochs: Math.ceil(0.35 * epochs) },
    })),
  },
  {
    name: "GCE (truncated)",
    paper: "GCE (truncated)",
    // Zhang and Sabuncu prune after 40 of 120 epochs, then every 10.
    search: perEpochs((epochs) => ({
      loss: { name: "generalizedCrossEntropy" },
      method: {
        name: "pruning",
        warmupEpochs: Math.max(1, Math.floor(epochs / 3)),
        pruneEvery: Math.max(1, Math.round(epochs / 12)),
      },
    })),
  },
  {
    name: "MentorMix",
    paper: "MentorMix",
    deviation: "the simplest mentor of the authors' code, a threshold on the loss",
    search: perEpochs((_, { noiseRate }) => ({ method: { name: "mentorMix", ...mentorMixSettings[noiseRate] } })),
  },
  { name: "SGD", paper: "sgd", search: ({ epochs }) => [{ epochs }] },
  { name: "SGD, twice the epochs", paper: "sgd", search: ({ epochs }) => [{ epochs: 2 * epochs }] },
  { name: "Mixup", paper: "mixup", search: mixup },
  { name: "Bootstrap + Mixup", paper: "bootstrap + mixup", bootstrap: true, tunedAs: "Mixup", search: mixup },
  { name: "SAM", paper: "sam", search: (space) => sam(space.rhos, space) },
  { name: "Bootstrap + SAM", paper: "bootstrap + sam", bootstrap: true, search: (space) => sam(space.bootstrapRhos, space) },
  { name: "Label smoothing", search: perEpochs(() => ({ labelSmoothing: 0.1 })) }, // paper App. C: its ImageNet runs
  { name: "Bootstrapping (soft)", search: perEpochs(() => ({ loss: { name: "softBootstrapping" } })) },
  { name: "Bootstrapping (hard)", search: perEpochs(() => ({ loss: { name: "hardBootstrapping" } })) },
  { name: "GCE", search: perEpochs(() => ({ loss: { name: "generalizedCrossEntropy" } })) },
  { name: "SCE", search: perEpochs(() => ({ loss: { name: "symmetricCrossEntropy" } })) },
  {
    name: "Forward correction (known matrix)",
    search: perEpochs((_, { noiseRate }) => ({
      loss: { name: "forwardCorrection", transitionMatrix: symmetricTransition({ noiseRate, numClasses: 10 }) },
    })),
  },
  {
    name: "Co-teaching (two networks)",
    deviation: "Adam with a cosine schedule, not with a constant rate that falls from epoch 80 of 200 on",
    // Han et al.: Adam at 0.001; the noise rate is known, and reached after 10 of 200 epochs. Two gradients per step, like SAM.
    search: ({ epochs, noiseRate }) => [
      {
        ...{ epochs, optimizer: "adamW", learningRate: 0.001, weightDecay: 0 },
        method: { name: "coTeaching", forgetRate: noiseRate, rampEpochs: Math.max(1, epochs / 20) },
      },
    ],
  },
  { name: "ELR", search: perEpochs(() => ({ method: { name: "elr" } })) },
];

/** The method of this name. @throws if there is none; the error names those that there are */
export function noiseMethod(name: string): NoiseMethod {
  const method = noiseMethods.find((each) => each.name === name);
  if (!method) throw new Error(`no method "${name}"; there are ${noiseMethods.map((each) => each.name).join(", ")}`);
  return method;
}

/** The outcome of a search: "ρ 0.1", "α 8, 80 epochs"; "" if there was nothing to choose. */
export function describeChoice(search: readonly TrainingPart[], chosen: TrainingPart): string {
  const varies = (field: keyof TrainingPart) => new Set(search.map((each) => each[field])).size > 1;
  return [
    varies("rho") ? `ρ ${chosen.rho}` : "",
    varies("mixupAlpha") ? `α ${chosen.mixupAlpha}` : "",
    varies("epochs") ? `${chosen.epochs} epochs` : "",
  ]
    .filter(Boolean)
    .join(", ");
}
