/** λmax of a WRN-10-2 after a few steps: Lanczos until its residual is below 1e-3 of λmax, against 100 power iterations. */
import { Rng, tf } from "../../engine";
import { crossEntropy } from "../../losses";
import { hessianOperator, lambdaMax, powerIteration, type LinearOperator } from "../../sharpness";
import { disposeState, initialState, trainConfig, trainStep, type TrainState } from "../../training";
import { batchAt, type Workload } from "./workload";

export interface LambdaMaxCost {
  readonly products: number;
  readonly ms: number;
  readonly value: number;
}

export interface LambdaMaxComparison {
  readonly lanczos: LambdaMaxCost;
  readonly powerIteration: LambdaMaxCost;
}

export interface LambdaMaxPlan {
  /** Steps of SGD before the measurement. */
  readonly trainingSteps: number;
  readonly trainingImages: number;
  readonly batchSize: number;
  /** The data set's first ones; all of them in each product. */
  readonly numImages: number;
  readonly powerIterations: number;
}

const SEED = 0;

/** Both methods on one operator, one after the other. */
export async function compareLambdaMax(workload: Workload, plan: LambdaMaxPlan): Promise<LambdaMaxComparison> {
  const { model, data } = workload;
  const { weights, stats, ...rest } = trained(workload, plan);
  try {
    const images = { ...data, size: plan.numImages };
    const operator = hessianOperator({ model, weights, stats }, images, { batchSize: 128 });
    await operator.matvec(new Float32Array(operator.size).fill(1)); // checks the loss, and warms up
    return { lanczos: await byLanczos(operator), powerIteration: await byPowerIteration(operator, plan.powerIterations) };
  } finally {
    disposeState({ weights, stats, ...rest });
  }
}

async function byLanczos(operator: LinearOperator): Promise<LambdaMaxCost> {
  const start = performance.now();
  const { lambdaMax: value, products } = await lambdaMax(operator, { tolerance: 1e-3, seed: SEED });
  return { products, ms: performance.now() - start, value };
}

async function byPowerIteration(operator: LinearOperator, iterations: number): Promise<LambdaMaxCost> {
  const start = performance.now();
  const { eigenvalues, products } = await powerIteration(operator, { iterations, tolerance: 0, seed: SEED });
  return { products, ms: performance.now() - start, value: eigenvalues[0]! };
}

function trained({ model, data }: Workload, { trainingSteps, trainingImages, batchSize }: LambdaMaxPlan): TrainState {
  const config = trainConfig({ epochs: 1, batchSize });
  const rng = new Rng("bench");
  let state = initialState(model, config, rng);
  for (let step = 0; step < trainingSteps; step++) {
    const batch = batchAt(data, (step * batchSize) % trainingImages, batchSize);
    const next = trainStep(state, batch, { model, config, loss: crossEntropy, totalSteps: trainingSteps, rng });
    tf.dispose([batch.images, batch.targets]);
    disposeState(state);
    state = next.state;
  }
  return state;
}
