/** The contenders and their tasks: this kit, the same engine with stock gradients, PyTorch. */
import { GraphCache, hvpOfTensors, installGradients, installStockGradients, Rng, tf, valueAndGradient } from "../../engine";
import type { Weights } from "../../engine";
import { crossEntropy } from "../../losses";
import type { Model } from "../../models";
import { disposeState, initialState, trainStep, type TrainConfig, type TrainState } from "../../training";
import { stockWideResNet10 } from "./stock";
import type { Workload } from "./workload";

export type TaskName = "sgdStep" | "samStep" | "hvp" | "gradient";

/** Milliseconds of each of `count` executions, one after the other. */
export type TimedTask = (count: number) => number[] | Promise<number[]>;

export interface Contender {
  readonly name: "ours" | "stock" | "torch" | keyof InputTimes;
  readonly tasks: Partial<Record<TaskName, TimedTask>>;
  dispose(): void | Promise<void>;
}

/** Times of our SGD step, its augmented batch included. */
export interface InputTimes {
  readonly prepared: number | null;
  /** Batches come from the worker thread. */
  readonly pipeline: number | null;
  readonly mainThread: number | null;
}

/** Training steps, the exact Hessian-vector product and the gradient of the same loss, batch norm in inference mode. */
export function ourContender(workload: Workload): Contender {
  const [sgd, sam] = [workload.sgd, workload.sam].map((config) => new Training(workload.model, config, workload));
  const vector = randomLike(workload.initial.weights);
  return {
    name: "ours",
    tasks: {
      sgdStep: (count) => sgd!.time(count),
      samStep: (count) => sam!.time(count),
      hvp: (count) => times(count, () => hvpOnce(workload, vector)),
      gradient: (count) => times(count, () => gradientOnce(workload)),
    },
    dispose: () => [() => sgd!.dispose(), () => sam!.dispose(), () => tf.dispose(vector)].forEach((free) => free()),
  };
}

/** The same steps with TensorFlow.js's own gradients, batch norm written with its own functions. */
export function stockContender(workload: Workload): Contender {
  const model = stockWideResNet10(workload.model);
  const [sgd, sam] = [workload.sgd, workload.sam].map((config) => new Training(model, config, workload, { graph: false }));
  return {
    name: "stock",
    tasks: {
      sgdStep: (count) => withStockGradients(() => sgd!.time(count)),
      samStep: (count) => withStockGradients(() => sam!.time(count)),
    },
    dispose: () => [sgd, sam].forEach((training) => training!.dispose()),
  };
}

/** Runs `fn` on TensorFlow.js as it is shipped. */
export function withStockGradients<T>(fn: () => T): T {
  installStockGradients();
  try {
    return fn();
  } finally {
    installGradients();
  }
}

/** A training that goes on from one measurement to the next, replayed as a graph, on the workload's batch unless another is given. */
export class Training {
  private state: TrainState;
  private readonly rng = new Rng("bench");
  private readonly graphs: GraphCache | undefined;

  constructor(
    private readonly model: Model,
    private readonly config: TrainConfig,
    private readonly workload: Workload,
    { graph = true } = {},
  ) {
    this.graphs = graph ? new GraphCache() : undefined;
    this.state = initialState(model, config, this.rng);
  }

  time(count: number): number[] {
    return times(count, () => this.step());
  }

  /** Losses at w and at w + ε̂. */
  step(batch = this.workload.batch): [number, number] {
    const { model, config, rng, graphs } = this;
    const context = { model, config, loss: crossEntropy, totalSteps: 1000, rng, graphs };
    const { state, loss, perturbedLoss } = trainStep(this.state, batch, context);
    disposeState(this.state);
    this.state = state;
    return [loss, perturbedLoss];
  }

  dispose(): void {
    disposeState(this.state);
    this.graphs?.dispose();
  }
}

function times(count: number, fn: () => unknown): number[] {
  return Array.from({ length: count }, () => {
    const start = performance.now();
    fn();
    return performance.now() - start;
  });
}

/** Mean loss of the batch in inference mode. */
export function inferenceLoss({ model, batch, initial }: Workload): (weights: Weights) => tf.Scalar {
  const { images, targets } = batch;
  return (weights) => {
    const { logits } = model.apply(weights, images, { stats: initial.stats });
    return tf.mean(crossEntropy(logits, targets)) as tf.Scalar;
  };
}

function hvpOnce(workload: Workload, vector: Weights): void {
  const names = Object.keys(workload.initial.weights);
  const loss = inferenceLoss(workload);
  const weights = names.map((name) => workload.initial.weights[name]!);
  const toRecord = (list: tf.Tensor[]) => Object.fromEntries(names.map((name, i) => [name, list[i]!]));
  const product = hvpOfTensors(
    (list) => loss(toRecord(list)),
    weights,
    names.map((name) => vector[name]!),
  );
  product.at(-1)!.dataSync(); // an engine that works in the background is waited for
  tf.dispose(product);
}

function gradientOnce(workload: Workload): void {
  const { value, gradient } = valueAndGradient(inferenceLoss(workload), workload.initial.weights);
  value.dataSync();
  tf.dispose([value, gradient]);
}

function randomLike(weights: Weights): Weights {
  const rng = new Rng("bench").split("vector");
  return Object.fromEntries(
    Object.entries(weights).map(([name, { size, shape }]) => [name, tf.tensor(rng.split(name).array(size), shape)]),
  );
}
