export { adamW, sgd } from "./optimizers";
export type { AdamWOptions, BaseOptimizer, SgdOptions, UpdateFactors, UpdateOptions, WeightsAndSlots } from "./optimizers";
export {
  constant,
  cosine,
  scheduleByName,
  stepDecay,
  type Schedule,
  type ScheduleName,
  type StepDecayOptions,
} from "./schedules";
export { adaptiveScale, checkSamOptions, epsilonHat, meanWeights, mSamGradient, projectToBall, samGradient } from "./sam";
export type { Block, EpsilonHatOptions, LossGradient, SamOptions } from "./sam";
export { SAM, type NamedTensor, type SamDiagnosis, type SamOptimizerOptions } from "./samOptimizer";
export { variantNames, type VariantConfig, type VariantOptions } from "./family";
