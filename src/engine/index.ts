export { tf } from "./tf";
export { Rng } from "./rng";
export * from "./weights";
export {
  batchNormInference,
  batchNormTraining,
  installGradients,
  installStockGradients,
  type BatchNormResult,
} from "./gradients";
