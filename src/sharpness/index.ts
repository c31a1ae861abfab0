export { hvp, hvpFiniteDifference, type FiniteDifferenceOptions } from "./hvp";
export * from "./operator";
export * from "./lanczos";
export * from "./powerIteration";
export * from "./spectralDensity";
export * from "./trace";
export type { Estimate } from "./statistics";
