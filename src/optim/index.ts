export { adamW, sgd, type AdamWOptions, type BaseOptimizer, type SgdOptions, type UpdateOptions } from "./optimizers";
export {
  constant,
  cosine,
  scheduleByName,
  stepDecay,
  type Schedule,
  type ScheduleName,
  type StepDecayOptions,
} from "./schedules";
export {
  adaptiveScale,
  checkSamOptions,
  epsilonHat,
  evaluateSam,
  meanWeights,
  mSamGradient,
  projectToBall,
  samGradient,
} from "./sam";
export type { Block, EpsilonHatOptions, Evaluation, LossGradient, SamEvaluation, SamOptions } from "./sam";
export { SAM, type NamedTensor, type SamDiagnosis, type SamOptimizerOptions } from "./samOptimizer";
