/** sharpness-lab: Sharpness-Aware Minimization (Foret et al. 2021) as a notebook research kit. Public names, in the paper's order. */

// The engine
export { BACKENDS, ready, Rng, tf, type BackendName, type EngineInfo } from "./engine";
export {
  addScaledWeights,
  addWeights,
  cloneWeights,
  disposeWeights,
  dotWeights,
  flattenWeights,
  globalNorm,
  mapWeights,
  scaleWeights,
  sizeOfWeights,
  subWeights,
  unflattenWeights,
  valueAndGradient,
  zerosLikeWeights,
  type LossAndAux,
  type ValueAndGradient,
  type Weights,
} from "./engine";

// Section 2: SAM
export * from "./optim";

// Section 3: data, networks, training
export * from "./data";
export * from "./losses";
export * from "./models";
export * from "./training";

// Section 4: sharpness and the Hessian
export * from "./sharpness";

// Tables and figures
export * from "./paper";
export * from "./plots";
export { runSummary } from "./paper/runSummary";
export * from "./tables";
