export { trainConfig, type TrainConfig, type TrainOptions } from "./config";
export { evaluate, memorisation, type Evaluated, type EvaluateOptions, type Memorisation } from "./evaluate";
export { baseOptimizer, disposeState, initialState, trainStep } from "./step";
export type { BatchLoss, StepBatch, StepContext, StepResult, TrainState } from "./step";
export { SummaryWriter, type SummaryWriterOptions } from "./summaryWriter";
export type { TensorBoardOptions } from "./tensorBoard";
export { train } from "./train";
export type { EpochRecord, TrainCallbacks, TrainData, TrainMetrics, TrainResult } from "./train";
