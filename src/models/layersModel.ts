/** A stock TensorFlow.js layers model as a network of this kit: a pure function of named weights, averages and a random stream. */
import { applyLayersModel, batchNormTraining, checkOneInOneOut, checkOptions, tf, withRandom, type LayerSlot } from "../engine";
import { movingAverage } from "./layers";
import { NetworkLayer } from "./networkLayer";
import { ModelBuilder, type Context, type Model, type Variables } from "./model";

/** Options of `fromLayersModel`. */
export interface FromLayersModelOptions {
  /** Height, width, channels; needed where the model leaves them open. Default of a model of flat inputs: [1, 1, inputs]. */
  readonly inputShape?: Model["inputShape"];
}

/**
 * The layers model as a network. A softmax at its end is left out, as networks give logits; regularizers are not part of it.
 * `init` returns the model's values at that moment and ignores the stream; training does not change the model itself.
 * Weights are named by layer and role, `conv2d/kernel`; batch norm's are `scale`, `offset`, `mean` and `variance`. Frozen weights
 * are among the statistics. Name the layers where weights are to be kept in a file: stock names count on through a process.
 * @throws if it has several inputs or outputs, outputs that are not (n, classes), another activation at its end, a layer that
 * keeps a state from batch to batch, or two weights of the same name
 */
export function fromLayersModel(layersModel: tf.LayersModel, options: FromLayersModelOptions = {}): Model {
  checkOptions(options, { inputShape: "array" }, "fromLayersModel");
  checkOneInOneOut(layersModel);
  const layers = layersWithin(layersModel);
  const stateful = layers.find((layer) => layer.stateful && !layer.layers);
  if (stateful)
    throw new Error(`${stateful.name} keeps its state from batch to batch (stateful: true): not a function of its weights`);
  if (layers.some((layer) => layer.getClassName() === NetworkLayer.className))
    throw new Error(`${layersModel.name} is a network of this kit already: use the one that toLayersModel was given`);
  const builder = new ModelBuilder();
  const trainable = slotsOf(layersModel.trainableWeights);
  const fixed = slotsOf(layersModel.nonTrainableWeights);
  for (const slot of trainable) builder.parameter(keyOf(slot), shapeOf(slot), () => valuesOf(slot));
  for (const slot of fixed) builder.statistic(keyOf(slot), shapeOf(slot), () => valuesOf(slot));
  checkNames([...trainable, ...fixed].map(keyOf));
  const last = lastLayer(layersModel);
  const logitsOnly = overridesOfSoftmax(last);
  const shapes = { inputShape: inputShapeOf(layersModel, options), numClasses: numClassesOf(layersModel) };
  const settings = { layers: layers.filter((layer) => !layer.layers).map(settingsOf) };
  return builder.build(layersModel.name, { ...shapes, settings }, (x, context) => {
    const kept: Record<string, tf.Tensor> = {};
    const overrides = [...logitsOnly, ...layers.flatMap((layer) => overridesOf(layer, context, kept))];
    const at = { ...context.weights, ...averagesOf(fixed, context, layersModel.name) };
    const call = { slots: [...trainable, ...fixed], at, keyOf, training: context.training ?? false };
    const run = () => withOverrides(overrides, () => applyLayersModel(layersModel, x, call));
    const logits = context.rng ? withRandom(context.rng.split(layersModel.name), run) : run();
    // Layers free what they made, so these were kept; now they are the caller's.
    for (const [name, tensor] of Object.entries(kept)) {
      context.newStats[name] = tf.clone(tensor);
      tensor.dispose();
    }
    return logits as tf.Tensor2D;
  });
}

/**
 * Writes a network's variables into the layers model that it was made of.
 * @throws if names or shapes differ; nothing is written then
 */
export function writeToLayersModel(layersModel: tf.LayersModel, { weights, stats }: Variables): void {
  const given = { ...weights, ...stats };
  const slots = slotsOf(layersModel.weights);
  for (const slot of slots) {
    const tensor = given[keyOf(slot)];
    if (!tensor) throw new Error(`${layersModel.name}: no value for ${keyOf(slot)}; there are ${Object.keys(given).join(", ")}`);
    if (String(tensor.shape) !== String(slot.shape))
      throw new Error(`${keyOf(slot)} has shape [${tensor.shape}], expected [${slot.shape}]`);
  }
  const unknown = Object.keys(given).filter((name) => !slots.some((slot) => keyOf(slot) === name));
  if (unknown.length > 0) throw new Error(`${layersModel.name} has no weight ${unknown.join(", ")}`);
  for (const slot of slots) (slot.val as tf.Variable).assign(given[keyOf(slot)]!);
}

// Weights

function slotsOf(variables: readonly unknown[]): LayerSlot[] {
  return variables as LayerSlot[];
}

const ROLES: Readonly<Record<string, string>> = {
  gamma: "scale",
  beta: "offset",
  moving_mean: "mean",
  moving_variance: "variance",
};

function keyOf({ originalName }: LayerSlot): string {
  return originalName.replace(/[^/]+$/, (role) => ROLES[role] ?? role);
}

function shapeOf({ shape }: LayerSlot): number[] {
  return shape as number[];
}

function valuesOf(slot: LayerSlot): Float32Array {
  return (slot.val.dataSync() as Float32Array).slice();
}

function checkNames(names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`two weights of the model are named ${twice}: give its layers names of their own`);
  if (names.length === 0) throw new Error("the model has no weights");
}

function averagesOf(fixed: readonly LayerSlot[], { stats = {} }: Context, name: string): Record<string, tf.Tensor> {
  return Object.fromEntries(
    fixed.map((slot) => {
      const value = stats[keyOf(slot)];
      if (!value) throw new Error(`${name}: ${keyOf(slot)} is missing in mode.stats, which init() returned`);
      return [keyOf(slot), value];
    }),
  );
}

// Shapes

function inputShapeOf(model: tf.LayersModel, { inputShape }: FromLayersModelOptions): Model["inputShape"] {
  const own = model.inputs[0]!.shape.slice(1);
  const shape: readonly (number | null)[] = inputShape ?? (own.length === 1 ? [1, 1, own[0]!] : own);
  const product = shape.reduce<number>((sides, side) => sides * (side ?? NaN), 1);
  const fits = own.length === 1 ? product === own[0] : own.every((side, i) => side === null || side === shape[i]);
  if (!fits || shape.length !== 3 || Number.isNaN(product))
    throw new Error(`inputShape = [${shape}]: ${model.name} takes [${own}]; expected height, width and channels that fit`);
  return shape as unknown as Model["inputShape"];
}

function numClassesOf(model: tf.LayersModel): number {
  const [, numClasses, ...rest] = model.outputs[0]!.shape;
  if (rest.length > 0 || !numClasses) throw new Error(`${model.name} gives [${model.outputs[0]!.shape}], expected (n, classes)`);
  return numClasses;
}

// Layers

/** The members of a stock layer that are read or replaced. */
interface StockLayer {
  readonly name: string;
  getClassName(): string;
  call(inputs: tf.Tensor | tf.Tensor[], kwargs: Record<string, unknown>): tf.Tensor | tf.Tensor[];
  readonly stateful?: boolean;
  readonly layers?: readonly StockLayer[];
  readonly layer?: StockLayer;
  readonly forwardLayer?: StockLayer;
  readonly backwardLayer?: StockLayer;
  readonly cell?: StockLayer;
  readonly cells?: readonly StockLayer[];
  readonly outputs?: readonly { sourceLayer: StockLayer }[];
  readonly activation?: { getClassName(): string };
  readonly seed?: number;
  readonly rate?: number;
  readonly stddev?: number;
  readonly dropout?: number;
  readonly recurrentDropout?: number;
}

interface StockBatchNorm extends StockLayer {
  readonly axis: number;
  readonly momentum: number;
  readonly epsilon: number;
  readonly gamma?: LayerSlot;
  readonly beta?: LayerSlot;
  readonly movingMean: LayerSlot;
  readonly movingVariance: LayerSlot;
}

/** The model's layers, those of models and wrappers in it too, each once. */
function layersWithin(model: tf.LayersModel): StockLayer[] {
  const found = new Set<StockLayer>();
  const visit = (layer: StockLayer | undefined) => {
    if (!layer || found.has(layer)) return;
    found.add(layer);
    const { layers = [], cells = [], layer: wrapped, forwardLayer, backwardLayer, cell } = layer;
    [...layers, ...cells, wrapped, forwardLayer, backwardLayer, cell].forEach(visit);
  };
  visit(model as unknown as StockLayer);
  return [...found];
}

function lastLayer(model: tf.LayersModel): StockLayer {
  let layer = model.outputs[0]!.sourceLayer as unknown as StockLayer;
  while (layer.outputs) layer = layer.outputs[0]!.sourceLayer;
  return layer;
}

/** Settings that change what a layer computes but not the shapes of its weights. */
function settingsOf(layer: StockLayer): Record<string, unknown> {
  const own = layer as unknown as Record<string, unknown>;
  const numbers = Object.fromEntries(SETTINGS.filter((name) => own[name] !== undefined).map((name) => [name, own[name]]));
  return { kind: layer.getClassName(), activation: layer.activation?.getClassName(), ...numbers };
}

const SETTINGS = ["rate", "stddev", "dropout", "recurrentDropout", "alpha", "strides", "padding", "dilationRate", "poolSize"];

interface Override {
  readonly layer: StockLayer;
  readonly property: string;
  readonly value: unknown;
}

/** Runs `fn` while properties of layers have other values. */
function withOverrides<T>(overrides: readonly Override[], fn: () => T): T {
  const undo = overrides.map(({ layer, property, value }) => {
    const target = layer as unknown as Record<string, unknown>;
    const before = Object.getOwnPropertyDescriptor(target, property);
    target[property] = value;
    return () => (before ? Object.defineProperty(target, property, before) : delete target[property]);
  });
  try {
    return fn();
  } finally {
    undo.reverse().forEach((restore) => restore());
  }
}

function overridesOfSoftmax(layer: StockLayer): Override[] {
  if (layer.getClassName() === "Softmax") return [{ layer, property: "call", value: only }];
  const activation = layer.activation?.getClassName() ?? "linear";
  if (activation === "linear") return [];
  if (activation !== "softmax")
    throw new Error(`${layer.name}, the last layer, has activation ${activation}; expected softmax, or none for logits`);
  const { activation: linear } = tf.layers.activation({ activation: "linear" }) as unknown as StockLayer;
  return [{ layer, property: "activation", value: linear }];
}

function overridesOf(layer: StockLayer, context: Context, kept: Record<string, tf.Tensor>): Override[] {
  const { training = false, batchStatistics = training, rng } = context;
  if (layer.getClassName() === "BatchNormalization") {
    const norm = layer as StockBatchNorm;
    const value = batchStatistics ? batchNormCall(norm, kept) : inferenceCall(layer);
    return training || batchStatistics ? [{ layer, property: "call", value }] : [];
  }
  if (!training || !isRandom(layer)) return [];
  if (!rng) throw new Error(`${layer.name}: ${layer.getClassName()} in training mode needs mode.rng`);
  // A seed of its own would give one and the same mask for ever.
  return layer.seed === undefined ? [] : [{ layer, property: "seed", value: undefined }];
}

function isRandom({ rate = 0, stddev = 0, dropout = 0, recurrentDropout = 0 }: StockLayer): boolean {
  return Math.max(rate, stddev, dropout, recurrentDropout) > 0;
}

function inferenceCall(layer: StockLayer): StockLayer["call"] {
  const { call } = layer;
  return (inputs, kwargs) => call.call(layer, inputs, { ...kwargs, training: false });
}

/** Batch norm with the batch's statistics; the stock layer would change its averages, and fails without scale or center. */
function batchNormCall(layer: StockBatchNorm, kept: Record<string, tf.Tensor>): StockLayer["call"] {
  const { axis, momentum, epsilon, movingMean, movingVariance } = layer;
  return (inputs) => {
    const x = only(inputs);
    if (axis !== -1 && axis !== x.rank - 1)
      throw new Error(`${layer.name}: batch norm over axis ${axis} of ${x.rank}, expected the last where it is trained`);
    const channels = x.shape[x.rank - 1]!;
    const scale = (layer.gamma?.val ?? tf.ones([channels])) as tf.Tensor1D;
    const offset = (layer.beta?.val ?? tf.zeros([channels])) as tf.Tensor1D;
    const { y, mean, variance } = batchNormTraining(tf.reshape(x, [-1, 1, 1, channels]), scale, offset, epsilon);
    for (const [slot, now] of [[movingMean, mean], [movingVariance, variance]] as const) // prettier-ignore
      kept[keyOf(slot)] = tf.keep(movingAverage(slot.val, now, momentum));
    return tf.reshape(y, x.shape);
  };
}

function only(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
  return Array.isArray(inputs) ? inputs[0]! : inputs;
}
