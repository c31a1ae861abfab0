export { runConfig, runKey, type RunConfig, type RunOptions } from "../experiments/config";
export { appendRecord, localResultsFolder, readRecords, recordsFile, resultsFolder } from "../experiments/records";
export type { ReadOptions, RunMetrics, RunRecord, Versions } from "../experiments/records";
export {
  disposeVariables,
  RunAborted,
  runData,
  runModel,
  runOne,
  runRecord,
  type Run,
  type RunCallbacks,
} from "../experiments/run";
export { runCost } from "../experiments/runCost";
export { runMissing, type RunMissingOptions, type RunProgress } from "../experiments/runMissing";
export { labeledRows, type LabeledRow, type PlannedRun, type RunTags } from "../experiments/plan";
export { completeRecords, itemReport, reproduceItem } from "./reproduce";
export type { CompleteOptions, ItemReport, ReportOptions, ReproduceOptions } from "./reproduce";
export { budgets, isComplete, largestBudget } from "./item";
export type { Budget, ItemSummary, ItemTable, PaperItem } from "./item";
export { claimSentence, countClaims, verdictOn, type Claim, type ClaimCounts, type Verdict } from "./claims";
export { catalog, findItem } from "./catalog";
export * from "./comparison/comparison";
export { comparisonItem, type ComparisonItem, type ComparisonOptions } from "./comparison/comparisonItem";
export { paperHyperParameters, type PaperHyperParameters } from "./comparison/hyperParameters";
export { table1 } from "./comparison/table1";
export { table2 } from "./comparison/table2";
export { table4 } from "./noise/table4";
export { table5 } from "./comparison/table5";
export { settingsRows, table6, table7, type Settings, type SettingsItem } from "./comparison/settingsTables";
export { table9 } from "./comparison/table9";
export { table8, table8Rows, type Table8Row } from "./noise/table8";
export { noiseMethods, type NoiseMethod } from "./noise/methods";
export type { NoiseRow } from "./noise/runs";
export { figureMemorization, memorizationPoints, memorizationRows, type MemorizationRow } from "./noise/figureMemorization";
export { figure3Middle, figure3MiddleCurves, figure3MiddleRows, type CurvePointByM } from "./ablations/figure3Middle";
export * from "./numbers";
export * from "../experiments/statistics";
export * from "./figure1Left";
export { figure1Surfaces, figure1SurfacesRows, meanRise, type SurfaceRow } from "./curvature/figure1Surfaces";
export { figure3Spectra, figure3SpectraRows, type SpectrumRow } from "./curvature/figure3Spectra";
export {
  spectraOf,
  surfaceOf,
  type MeasuredCurvature,
  type MeasuredSpectrum,
  type MeasuredSurface,
} from "../experiments/curvature";
export { datasetFacts, datasetNames, type DatasetFacts, type DatasetName } from "../experiments/datasets";
export { weightsFolder } from "../experiments/finetune";
export { table3 } from "./finetuning/table3";
export { table10, table10Rows, type Table10Row } from "./finetuning/table10";
export { recordsFrame, recordsRows, type RecordsOptions } from "./recordsFrame";
