/** Figures: plain rows in, a Vega-Lite or Vega specification out, and its rendering as SVG and PNG. */
export { classPoints, type ClassPointsOptions, type ExercisePoints } from "./classPoints";
export * from "./costFrontier";
export * from "./dotIntervals";
export * from "./errorReductions";
export * from "./errorVersusRho";
export * from "./hessianSpectra";
export * from "./imageStrip";
export { inPercent, type IntervalPoint } from "./intervals";
export { learningCurves, type CurvePoint, type LearningCurvesOptions } from "./learningCurves";
export * from "./lossSurfaces";
export * from "./memorizationCurves";
export * from "./predictorScores";
export * from "./render";
export * from "./ritzConvergence";
export * from "./samStep";
export * from "./sharpnessProfiles";
export type { FigureSpec, FigureTitle } from "./theme";
