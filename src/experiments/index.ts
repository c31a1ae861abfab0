/** Runs as plain data: configs, records, running what has no record yet, and statistics over seeds. */
export { ascentsOf, type MeasuredAscent } from "./ascent";
export { runConfig, runKey, type RunConfig, type RunOptions } from "./config";
export { spectraOf, surfaceOf } from "./curvature";
export type { MeasuredCurvature, MeasuredSpectrum, MeasuredSurface } from "./curvature";
export { datasetFacts, datasetNames, type DatasetFacts, type DatasetName } from "./datasets";
export { weightsFolder } from "./finetune";
export { labeledRows, type LabeledRow, type PlannedRun, type RunTags } from "./plan";
export { appendRecord, localResultsFolder, readRecords, recordsFile, resultsFolder } from "./records";
export type { ReadOptions, RunMetrics, RunRecord, Versions } from "./records";
export { disposeVariables, RunAborted, runData, runModel, runOne, runRecord, type Run, type RunCallbacks } from "./run";
export { runCost } from "./runCost";
export { runMissing, type RunMissingOptions, type RunProgress } from "./runMissing";
export * from "./statistics";
