/** Replaces gradients that TensorFlow.js gets wrong or computes slowly. */
import { installBatchNormGradient } from "./batchNorm";
import { installConvolutionGradients } from "./convolution";
import { installElementwiseGradients } from "./elementwise";
import { installPoolingGradients } from "./pooling";
import { installReductionGradients } from "./reductions";
import { restoreStockGradients } from "./registry";
import { installReluGradient } from "./relu";
import { installResizingGradients } from "./resizing";
import { installShapingGradients } from "./shaping";
import { repairTape, restoreStockTape } from "./tape";
import { repairVolumes } from "./volumes";

export { batchNormInference, batchNormTraining, type BatchNormResult } from "./batchNorm";

/** Our gradients; `tf.ts` calls it once the engine is there. May be called again after `installStockGradients`. */
export function installGradients(): void {
  repairTape();
  installReluGradient();
  installElementwiseGradients();
  installReductionGradients();
  installConvolutionGradients();
  repairVolumes();
  installPoolingGradients();
  installResizingGradients();
  installShapingGradients();
  installBatchNormGradient();
}

/** TensorFlow.js's own gradients, for comparison: slow on the native engine, some wrong, many wrong at second order. */
export function installStockGradients(): void {
  restoreStockTape();
  restoreStockGradients();
}
