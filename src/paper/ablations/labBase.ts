/** Data, network and training of the ablations at budget "lab", all ours: small enough for minutes, and SAM's effect is visible. */
import type { RunOptions } from "../../experiments/config";

/** Few and small images without augmentation, so that the training loss comes near 0. */
export const labBase = {
  dataset: { name: "fashion-mnist", trainSize: 300, imageSize: 14 },
  model: { name: "wideResNet", depth: 10, widen: 1 },
  training: { epochs: 60, batchSize: 32 },
} as const satisfies RunOptions;

/** Chosen on seed 1000, which is never reported: at 0.1 and 0.2 no error is left at w + ε̂ near the end, at 0.1 from a third of training on. */
export const LAB_RHO = 0.3;

/** What was tried before, one sentence for a footnote. */
export const labDropped =
  "Tried and dropped on seeds that are not reported: ρ = 0.1 and 0.2, where no error is left at w + ε̂ at the end, and 200 images with flips and crops, where 100 epochs do not bring the training loss near 0. The runs of all seeds at ρ = 0.1 had been made by then; they are in the records, and decided nothing.";
