/** The interface of a network: named parameters and a pure function of them. */
import { tf, type Rng, type Weights } from "../engine";

/** Initial values of one tensor. */
export type Initializer = (rng: Rng, shape: readonly number[]) => Float32Array;

/** Name, shape and initializer of a tensor. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly init: Initializer;
}

/** How a network is applied. */
export interface ApplyMode {
  /** Dropout, stochastic depth and batch statistics on; default false. */
  readonly training?: boolean;
  /** Moving averages of batch norm, as `init` and earlier calls returned them; needed when the network has any. */
  readonly stats?: Weights;
  /** Masks of dropout and stochastic depth; needed in training mode when the network has any. */
  readonly rng?: Rng;
  /** Shake-Shake and ShakeDrop: the gate of the forward pass in the backward pass too (SAM's pass 1, official code). */
  readonly trueGradient?: boolean;
  /** Batch norm by the batch's own statistics; default: as `training`. False with `training: true` is frozen batch norm. */
  readonly batchStatistics?: boolean;
}

/** What a network returns for a batch. */
export interface ModelOutput {
  /** (n, numClasses) */
  readonly logits: tf.Tensor2D;
  /** Moving averages after this batch where batch statistics were used, else the ones given. */
  readonly stats: Weights;
}

/** A trained or untrained point: the weights and the moving averages that belong to them. */
export interface Variables {
  readonly weights: Weights;
  readonly stats: Weights;
}

/** A network as a pure function of named weights; it holds no tensors. */
export interface Model {
  readonly name: string;
  /** height, width, channels */
  readonly inputShape: readonly [number, number, number];
  readonly numClasses: number;
  /**
   * Options that change what the network computes but neither its name nor its shapes, such as an activation. A checkpoint of a
   * network with other settings is refused.
   */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Trainable, in the order of the network. */
  readonly parameters: readonly ParameterSpec[];
  /** Moving averages of batch norm. */
  readonly statistics: readonly ParameterSpec[];
  /** Random initial variables; the same stream gives the same ones. The caller owns them. */
  init(rng: Rng): Variables;
  /**
   * The network's output for a batch, in inference mode unless `mode` says otherwise.
   * @param x (n, height, width, channels)
   */
  apply(weights: Weights, x: tf.Tensor4D, mode?: ApplyMode): ModelOutput;
}

/** Number of trainable parameters of a network. */
export function countParameters(model: Pick<Model, "parameters">): number {
  return model.parameters.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
}

/** The same network for images of another size: they are resized to its own, bilinearly, before its first layer. */
export function withResizedInput(model: Model, inputShape: Model["inputShape"]): Model {
  const [height, width, channels] = model.inputShape;
  if (inputShape[2] !== channels)
    throw new Error(`inputShape = [${inputShape.join(", ")}]: ${model.name} expects ${channels} channels`);
  // Half-pixel centers: the images' middle stays their middle.
  const resize = (x: tf.Tensor4D) => tf.image.resizeBilinear(x, [height, width], false, true);
  return { ...model, inputShape, apply: (weights, x, mode) => model.apply(weights, resize(x), mode) };
}

/** State that one call of `apply` carries through the layers. */
export interface Context extends ApplyMode {
  readonly weights: Weights;
  readonly newStats: Weights;
}

/** A step of a network: from activations to activations. */
export type Layer = (x: tf.Tensor4D, context: Context) => tf.Tensor4D;

/** The last step: from activations to (n, numClasses) logits. */
export type Head = (x: tf.Tensor4D, context: Context) => tf.Tensor2D;

/** Properties of a network besides its layers; see Model. */
export type BuildOptions = Pick<Model, "inputShape" | "numClasses" | "settings">;

/** Collects the parameters of a network while its layers are made. */
export class ModelBuilder {
  readonly parameters: ParameterSpec[] = [];
  readonly statistics: ParameterSpec[] = [];

  /** Declares a trainable tensor. @returns its full name */
  parameter(name: string, shape: readonly number[], init: Initializer): string {
    this.parameters.push({ name, shape, init });
    return name;
  }

  /** Declares a tensor that is not trained, such as a moving average. @returns its full name */
  statistic(name: string, shape: readonly number[], init: Initializer): string {
    this.statistics.push({ name, shape, init });
    return name;
  }

  /** The network of what was declared, with `forward` as its function. */
  build(name: string, { inputShape, numClasses, settings }: BuildOptions, forward: Head): Model {
    const { parameters, statistics } = this;
    checkCount("numClasses", numClasses);
    checkInputShape(inputShape);
    return {
      name,
      inputShape,
      numClasses,
      ...(settings && { settings }),
      parameters,
      statistics,
      init: (rng) => ({ weights: initialize(parameters, rng), stats: initialize(statistics, rng) }),
      apply: (weights, x, mode = {}) => {
        if (x.shape[3] !== inputShape[2])
          throw new Error(`${name}: x has shape [${x.shape.join(", ")}], expected (n, height, width, ${inputShape[2]})`);
        const context: Context = { ...mode, weights, newStats: {} };
        const logits = forward(x, context);
        return { logits, stats: { ...mode.stats, ...context.newStats } };
      },
    };
  }
}

/** @throws if a count is not a whole number of at least 1 */
export function checkCount(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name} = ${value}: expected a whole number of at least 1`);
}

/** @throws if these are not three positive integers */
export function checkInputShape(inputShape: readonly number[]): void {
  const good =
    Array.isArray(inputShape) && inputShape.length === 3 && inputShape.every((side) => Number.isInteger(side) && side > 0);
  if (!good) throw new Error(`inputShape = [${inputShape}]: expected height, width and channels, such as [28, 28, 1]`);
}

function initialize(specs: readonly ParameterSpec[], rng: Rng): Weights {
  return Object.fromEntries(
    specs.map(({ name, shape, init }) => [name, tf.tensor(init(rng.split(name), shape), [...shape], "float32")]),
  );
}
