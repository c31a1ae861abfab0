/** From a config to a record: loads the data, adds the noise, builds the network, trains it. */
import fs from "node:fs";
import path from "node:path";
import { shareOfFlipped, splitHeldOut, subset, takeFirst, withLabels, type Dataset } from "../data";
import { Rng, ready, tf } from "../engine";
import { countParameters, loadPretrained, withResizedInput, type Model, type Variables } from "../models";
import {
  filesOf,
  train,
  trainBootstrapped,
  trainWithEstimatedTransition,
  type BootstrapResult,
  type EstimatedTransitionResult,
  type TrainCallbacks,
  type TrainData,
} from "../training";
import { withInterrupt } from "../training/interrupt";
import { measureCurvature } from "./curvature";
import { pretrainingOf, runConfig, runKey, type RunConfig, type RunOptions } from "./config";
import { isFolder, loadSplit } from "./datasets";
import { pretrainedError, savePretrained, weightsFolder, type Start } from "./finetune";
import { buildNetwork } from "./networks";
import { knownTransition, noiseOf } from "./noise";
import type { RunMetrics, RunRecord, Versions } from "./records";

/** Training and test data of a run, with its label noise. */
export async function runData(options: RunOptions): Promise<TrainData> {
  const { dataset, noise } = runConfig(options);
  const { train: trainSet, test } = dataset.validationSize > 0 ? await loadForTuning(dataset) : await loadBoth(dataset);
  if (!noise) return { train: trainSet, test };
  const { noisyLabels } = noiseOf(trainSet, { dataset, noise });
  return { train: withLabels(trainSet, noisyLabels), test, cleanLabels: trainSet.labels };
}

async function loadBoth(dataset: RunConfig["dataset"]): Promise<TrainData> {
  return {
    train: await loadSplit(dataset, "train", dataset.trainSize),
    test: await loadSplit(dataset, "test", dataset.testSize),
  };
}

// The test set is not looked at.
async function loadForTuning(dataset: RunConfig["dataset"]): Promise<TrainData> {
  const { name, trainSize, validationSize } = dataset;
  const both = await loadSplit(dataset, "train", trainSize && trainSize + validationSize);
  // Committed records tuned on the images after the first trainSize ones; the files of these sets are in random order.
  if (trainSize > 0 && !isFolder(name)) return { train: takeFirst(both, trainSize), test: takeLast(both, validationSize) };
  const { train: trainSet, heldOut } = splitHeldOut(both, { fraction: validationSize / both.size });
  return { train: trainSet, test: heldOut };
}

function takeLast(dataset: Dataset, count: number): Dataset {
  return subset(
    dataset,
    Array.from({ length: count }, (_, i) => dataset.size - count + i),
  );
}

/** The network of a run, for data of the given kind; images of another size than it is to see are resized before its first layer. */
export function runModel(options: RunOptions, { shape, numClasses }: Pick<Dataset, "shape" | "numClasses">): Model {
  const { model, dataset } = runConfig(options);
  const [height, width, channels] = shape;
  const inputShape = [dataset.imageSize || height, dataset.imageSize || width, channels] as const;
  const network = buildNetwork(model, { inputShape, numClasses });
  return String(inputShape) === String(shape) ? network : withResizedInput(network, shape);
}

/** One run, with the trained network where its variables are wanted too. */
export interface Run {
  readonly record: RunRecord;
  readonly model: Model;
  readonly data: TrainData;
  /** The caller disposes of them. */
  readonly variables: Variables;
}

/** Thrown where a run was stopped before its end: there is no record then, but a checkpoint if one was asked for. */
export class RunAborted extends Error {
  constructor(key: string) {
    super(`run ${key} was stopped before its end`);
    this.name = "RunAborted";
  }
}

export interface RunCallbacks extends TrainCallbacks {
  /** Where networks to be finetuned are kept; default data/cache/weights. */
  readonly weightsFolder?: string;
}

/** Trains what the config says and keeps the network. @throws RunAborted where it was stopped */
export function runOne(options: RunOptions, callbacks: RunCallbacks = {}): Promise<Run> {
  return withInterrupt(callbacks, (own) => loadAndTrain(options, own));
}

async function loadAndTrain(options: RunOptions, callbacks: RunCallbacks): Promise<Run> {
  const versions = await currentVersions();
  const config = runConfig(options);
  const data = await runData(config);
  const { model, ...origin } = await startOf(config, data.train, callbacks);
  const training = withKnownTransition(config, data);
  const result = await trainerOf(config)(model, data, training, { ...callbacks, measure: measureOf(config, model, data) });
  if (result.outcome === "aborted") {
    disposeVariables(result.variables);
    throw new RunAborted(runKey(config));
  }
  return { record: makeRecord({ config, data, model, result, versions, ...origin }), model, data, variables: result.variables };
}

/** What a run may find: each kind of training has its own beside what all have. */
type Result = BootstrapResult & EstimatedTransitionResult;

function trainerOf({ bootstrap, training: { loss } }: RunConfig): (...args: Parameters<typeof train>) => Promise<Result> {
  if (bootstrap) return trainBootstrapped;
  return "transitionMatrix" in loss && loss.transitionMatrix === "estimated" ? trainWithEstimatedTransition : train;
}

function withKnownTransition(config: RunConfig, data: TrainData): RunConfig["training"] {
  const { loss } = config.training;
  if (!("transitionMatrix" in loss) || loss.transitionMatrix !== "known") return config.training;
  return { ...config.training, loss: { ...loss, transitionMatrix: knownTransition(config, data) } };
}

/** The network with the variables that it starts from. */
async function startOf(config: RunConfig, trainSet: Dataset, callbacks: RunCallbacks): Promise<Start> {
  const model = runModel(config, trainSet);
  const { finetune } = config;
  if (!finetune) return { model };
  const pretraining = pretrainingOf(config);
  const name = pretraining ? `${runKey(pretraining)}.safetensors` : finetune.from.file!;
  const file = path.join(callbacks.weightsFolder ?? weightsFolder, name);
  if (pretraining) await pretrain(pretraining, file, callbacks);
  else if (!fs.existsSync(file)) throw new Error(`${file}: no such file; src/models/WEIGHTS.md says how to bring it`);
  return { model: loadPretrained(file, model, finetune), ...pretrainedError(file) };
}

/** Trains the network to be finetuned, unless an earlier run did. Killed or stopped, it goes on from its own checkpoint. */
async function pretrain(pretraining: RunOptions, file: string, callbacks: RunCallbacks): Promise<void> {
  const { checkpoint, tensorBoard, onStep: _, onEpoch: __, ...same } = callbacks;
  const own = filesOf({ checkpoint, tensorBoard }, "pretraining");
  if (!fs.existsSync(file)) {
    const { record, variables } = await runOne(pretraining, { ...same, ...own });
    try {
      savePretrained(file, variables, record);
    } finally {
      disposeVariables(variables);
    }
  }
  if (own.checkpoint) fs.rmSync(own.checkpoint, { force: true });
}

function measureOf({ curvature, training }: RunConfig, model: Model, { train: dataset }: TrainData) {
  return (epoch: number, { weights, stats }: Variables) =>
    curvature && measureCurvature({ model, weights, stats }, dataset, { ...curvature, epoch, epochs: training.epochs });
}

/** Trains what the config says; the record alone. @throws RunAborted where it was stopped */
export async function runRecord(options: RunOptions, callbacks: RunCallbacks = {}): Promise<RunRecord> {
  const { record, variables } = await runOne(options, callbacks);
  disposeVariables(variables);
  return record;
}

interface Parts {
  readonly config: RunConfig;
  readonly data: TrainData;
  readonly model: Model;
  readonly result: Result;
  readonly versions: Versions;
  readonly pretrainedErrorRate?: number;
}

function makeRecord({ config, data, model, result, versions, pretrainedErrorRate }: Parts): RunRecord {
  const { metrics, outcome, history } = result;
  const noise = data.cleanLabels ? { actualNoiseRate: shareOfFlipped(data.train.labels, data.cleanLabels) } : {};
  return {
    key: runKey(config),
    config,
    metrics: {
      outcome,
      ...metrics,
      ...extraMetrics(result),
      ...noise,
      ...(pretrainedErrorRate === undefined ? {} : { pretrainedErrorRate }),
      parameters: countParameters(model),
    },
    history,
    versions,
  };
}

function extraMetrics({ firstMetrics, relabeledNoiseRate, transitionMatrix: matrix }: Result): Partial<RunMetrics> {
  return {
    ...(firstMetrics?.testErrorRate === undefined ? {} : { firstTestErrorRate: firstMetrics.testErrorRate }),
    ...(relabeledNoiseRate === undefined ? {} : { relabeledNoiseRate }),
    ...(matrix ? { estimatedNoiseRate: 1 - matrix.reduce((sum, row, i) => sum + row[i]! / matrix.length, 0) } : {}),
  };
}

export function disposeVariables({ weights, stats }: Variables): void {
  tf.dispose([...Object.values(weights), ...Object.values(stats)]);
}

/** What computes here. */
export async function currentVersions(): Promise<Versions> {
  const { backend, version, threads } = await ready();
  return { lab: labVersion(), tfjs: tf.version.tfjs, engine: `${backend} ${version}`, threads };
}

function labVersion(): string {
  return (require("../../package.json") as { version: string }).version;
}

/** A stream that names what is drawn from it, for notebooks: `streamOf(config, "probes")`. */
export function streamOf(options: RunOptions, purpose: string): Rng {
  return new Rng(runKey(options)).split(purpose);
}
