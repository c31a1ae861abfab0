export { writeFilesWhole, writeFileWhole } from "./atomicFile";
export { tf } from "./tf";
export { BACKENDS, ready, type BackendName, type EngineInfo } from "./backend";
export { checkOptions, nearestName, showValue, suggestName, type OptionKind, type OptionKinds } from "./options";
export { GraphCache, NotReplayable, recordGraph, type Graph, type GroupFunction, type TensorGroups } from "./graph";
export { pause } from "./pause";
export { Rng } from "./rng";
export { entryNamed, nameOf, schemasOf } from "./schemas";
export * from "./weights";
export { applyLayersModel, checkOneInOneOut, withRandom, type LayerSlot, type LayersModelCall } from "./layersModel";
export { checkScalarLoss, gradientOfTensors, hessianVectorProduct, hvpOfTensors, innerProduct, type TensorLoss } from "./hvp";
export { recomputed, type ValueAndAux } from "./recompute";
export {
  batchNormInference,
  batchNormTraining,
  installGradients,
  installStockGradients,
  type BatchNormResult,
} from "./gradients";
