export { trainBootstrapped, type BootstrapResult } from "./bootstrap";
export { readCheckpoint } from "./checkpoint";
export { trainConfig, type TrainConfig, type TrainOptions } from "./config";
export { trainWithEstimatedTransition, type EstimatedTransitionResult } from "./estimatedTransition";
export {
  evaluate,
  evaluateAny,
  memorization,
  predictedProbabilities,
  type Evaluated,
  type EvaluateOptions,
  type Memorization,
} from "./evaluate";
export type { EpochRecord, TrainMetrics } from "./history";
export { methodNames, networksOf, updateCost, type MethodConfig, type MethodOptions } from "./methods";
export { checkpointsOf, filesOf } from "./parts";
export { baseOptimizer, disposeState, initialState, trainStep } from "./step";
export type {
  BatchLoss,
  GradientRule,
  GradientRuleInput,
  LossPlace,
  StepBatch,
  StepContext,
  StepResult,
  TrainState,
} from "./step";
export { SummaryWriter, type SummaryWriterOptions } from "./summaryWriter";
export type { TensorBoardOptions } from "./tensorBoard";
export { train } from "./train";
export type { TrainCallbacks, TrainData, TrainResult } from "./train";
