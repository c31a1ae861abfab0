export { theorem2Bound, type BoundOptions, type SharpnessBound } from "./bound";
export { hvp, hvpFiniteDifference, type FiniteDifferenceOptions } from "./hvp";
export {
  empiricalFisherOperator,
  gaussNewtonOperator,
  hessianOperator,
  type CurvatureKind,
  type CurvatureOperator,
  type CurvatureOptions,
  type HessianOptions,
} from "./hessianOperator";
export {
  checkOperator,
  matrixOperator,
  type CheckOptions,
  type DenseMatrix,
  type LinearOperator,
  type MatrixOperatorOptions,
  type Matvec,
  type OperatorCheck,
  type ProductOptions,
  type ProductProgress,
} from "./operator";
export {
  lambdaMax,
  lambdaMaxOverLambda5,
  lanczos,
  ritzHistory,
  type EigenResult,
  type LambdaMax,
  type LambdaMaxOptions,
  type LambdaRatio,
  type LanczosOptions,
  type LanczosResult,
  type LanczosState,
  type Which,
} from "./lanczos";
export { powerIteration, type PowerIterationOptions, type PowerIterationResult } from "./powerIteration";
export type {
  ExampleLoss,
  FunctionalModel,
  InferenceMode,
  LabeledImages,
  ModelAt,
  Network,
  ProblemData,
  ProblemOptions,
  TensorData,
} from "./problem";
export {
  lanczosQuadrature,
  smoothSpectrum,
  spectralDensity,
  spectralSum,
  type Distribution,
  type Quadrature,
  type QuadratureOptions,
  type SmoothOptions,
  type SpectralDensity,
} from "./spectralDensity";
export type { RandomEstimate } from "./statistics";
export {
  frobeniusNorm,
  hessianDiagonal,
  hutchinsonTrace,
  hutchPlusPlus,
  type DiagonalEstimate,
  type TraceOptions,
} from "./trace";
export {
  averageSharpness,
  mSharpness,
  worstCaseSharpness,
  type AverageSharpness,
  type AverageSharpnessOptions,
  type MSharpness,
  type MSharpnessOptions,
  type SharpnessOptions,
  type WorstCaseOptions,
  type WorstCaseSharpness,
} from "./measures";
export {
  linearInterpolation,
  lossAlong,
  planarInterpolation,
  randomDirection,
  randomLine,
  randomPlane,
  type DirectionOptions,
  type GridOptions,
  type LossLine,
  type LossPlane,
} from "./lossSurface";
export { sharpnessProfile, type ProfileOptions, type ProfilePoint } from "./profile";
export { quadratic, type Quadratic } from "./quadratic";
