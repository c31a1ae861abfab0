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
/** Assignments for a class: the function that their tests call. */
export * as classroom from "./classroom";
/** Data sets and their readers, batches, augmentation and label noise. */
export * as data from "./data";
/** Which engine computes, arithmetic on named weights, derivatives and random streams. */
export * as engine from "./engine";
/** Runs as plain data: configs, records, running what has no record yet, and statistics over seeds. */
export * as experiments from "./experiments";
/** Losses per example, robust ones against wrong labels, and mixtures fitted to losses. */
export * as losses from "./losses";
/** Networks, their building blocks, and weights in and out. */
export * as models from "./models";
/** SAM, base optimizers and learning-rate schedules. */
export * as optim from "./optim";
/** The paper's tables and figures: the catalog, each item's rows, the paper's own numbers, claims. */
export * as paper from "./paper";
/** Figures: plain rows in, a Vega-Lite or Vega specification out, and its rendering as SVG and PNG. */
export * as plots from "./plots";
/** Curvature operators, Lanczos, spectral density, trace, sharpness measures and loss surfaces. */
export * as sharpness from "./sharpness";
/** Tables: plain rows in; Markdown, HTML, plain text, CSV, LaTeX or a danfojs DataFrame out. */
export * as tables from "./tables";
/** The training loop, its steps, evaluation, checkpoints, and methods against wrong labels. */
export * as training from "./training";
