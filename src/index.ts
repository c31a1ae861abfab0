/**
 * sharpness-lab: Sharpness-Aware Minimization (Foret et al. 2021) as a notebook research kit. The names that most work needs are here, in
 * the paper's order; everything else is in a group, such as `lab.data.mixup`.
 */

// The engine
export { ready, Rng, tf, valueAndGradient } from "./engine";
export { addWeights, disposeWeights, flattenWeights, globalNorm, mapWeights, scaleWeights, unflattenWeights } from "./engine";
export type { Weights } from "./engine";

// Section 2: SAM
export { adamW, epsilonHat, mSamGradient, SAM, samGradient, sgd } from "./optim";
export type { LossGradient, SamOptions } from "./optim";

// Section 3: data sets and label noise
export {
  loadCifar10,
  loadCifar100,
  loadFashionMnist,
  loadImageFolder,
  loadSvhn,
  openImageFolder,
  splitHeldOut,
  syntheticImages,
  withLabels,
} from "./data";
export { asymmetricNoise, compareLabels, instanceNoise, pairFlipNoise, symmetricNoise, symmetricTransition } from "./data";
export { loadCifarN, noisyLabelsFromCsv, readNoisyLabelsCsv } from "./data";
export type { Dataset, NoisyLabels } from "./data";

// Section 3: networks, losses, training
export { convNet, countParameters, mlp, resNetCifar, wideResNet } from "./models";
export { fromLayersModel, loadVariables, saveVariables, toLayersModel, writeToLayersModel } from "./models";
export type { Model, Variables } from "./models";
export { crossEntropy, generalizedCrossEntropy } from "./losses";
export { evaluate } from "./training";
export { liveCurves, train } from "./notebook";
export type { EpochRecord, TrainCallbacks, TrainConfig, TrainData, TrainOptions, TrainResult } from "./training";

// Section 4: the Hessian and sharpness
export { gaussNewtonOperator, hessianOperator, hvp, hvpFiniteDifference, matrixOperator } from "./sharpness";
export { hutchinsonTrace, lambdaMax, lambdaMaxOverLambda5, lanczos, ritzHistory, spectralDensity } from "./sharpness";
export { mSharpness, sharpnessProfile, worstCaseSharpness } from "./sharpness";
export { lossAlong, quadratic, randomLine, randomPlane } from "./sharpness";
export type { LinearOperator, ModelAt, ProfilePoint } from "./sharpness";

// Runs, tables and figures
export { disposeVariables, readRecords, runConfig, runKey } from "./experiments";
export { runMissing, runOne, runRecord } from "./notebook";
export type { Run, RunConfig, RunOptions, RunRecord } from "./experiments";
export { itemReport, memorizationPoints, recordsFrame, reproduceItem, runSummary } from "./paper";
export type { ItemReport } from "./paper";
export {
  hessianSpectra,
  imageStrip,
  learningCurves,
  lossSurfaces,
  memorizationCurves,
  ritzConvergence,
  sharpnessProfiles,
} from "./plots";
export { renderPng, renderSvg, saveFigure } from "./plots";
export type { Ball, CurvePoint, FigureSpec, SharpnessProfileRow, SpectrumMark, SpectrumPoint } from "./plots";
export { dataFrame, historyTable, toCsv, toHtml, toLatex, toMarkdown, toText } from "./tables";
export type { TableRow } from "./tables";

// Groups
export * as classroom from "./classroom";
export * as data from "./data";
export * as engine from "./engine";
export * as experiments from "./experiments";
export * as losses from "./losses";
export * as models from "./models";
export * as optim from "./optim";
export * as paper from "./paper";
export * as plots from "./plots";
export * as sharpness from "./sharpness";
export * as tables from "./tables";
export * as training from "./training";
