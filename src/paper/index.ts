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
  streamOf,
  type Run,
  type RunCallbacks,
} from "../experiments/run";
export { runCost, runMissing, type RunMissingOptions, type RunProgress } from "../experiments/runMissing";
export { completeRecords, type CompleteOptions } from "./completeRecords";
export { budgets, isComplete, labeledRows, largestBudget } from "./item";
export type { Budget, LabeledRow, Labels, PaperItem, PlannedRun } from "./item";
export { catalog, findItem } from "./catalog";
export * from "./comparison/comparison";
export { paperHyperParameters, type PaperHyperParameters } from "./comparison/hyperParameters";
export { table1 } from "./comparison/table1";
export { table2 } from "./comparison/table2";
export { table4, table4Rows } from "./noise/table4";
export { table5, table5Methods, table5Rows } from "./comparison/table5";
export { settingsRows, table6, table7, type Settings, type SettingsItem } from "./comparison/settingsTables";
export { table9 } from "./comparison/table9";
export { table8, table8Rows, type Table8Row } from "./noise/table8";
export { noiseMethods, type NoiseMethod } from "./noise/methods";
export type { NoiseRow } from "./noise/runs";
export { figureMemorization, memorizationRows, type MemorizationRow } from "./noise/figureMemorization";
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
