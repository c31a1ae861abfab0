/** From a config to a record: loads the data, adds the noise, builds the network, trains it. */
import fs from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { inspect } from "node:util";
import { heldOutIndices, shareOfFlipped, subset, withLabels, type Dataset } from "../data";
import { ready, tf } from "../engine";
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
import type { ModelAt } from "../sharpness";
import { measureAscent } from "./ascent";
import { measureCurvature, measureMSharpness } from "./curvature";
import { configKey, pretrainingOf, runConfig, type RunConfig, type RunOptions } from "./config";
import { isInFolders, loadSplit } from "./datasets";
import { pretrainedError, savePretrained, weightsFolder, type Start } from "./finetune";
import { describeHolder, isLock, tryLock, type Lock } from "./locks";
import { buildNetwork } from "./networks";
import { knownTransition, noisyLabelsOf, type CleanImages } from "./noise";
import type { RunMetrics, RunRecord, Versions } from "./records";

/** Training and test data of a run, with its label noise. */
export async function runData({ dataset, noise }: RunConfig): Promise<TrainData> {
  const { test, ...images } = await loadClean(dataset);
  const { train: trainSet } = images;
  if (!noise) return { train: trainSet, test };
  const noisyLabels = await noisyLabelsOf(images, { dataset, noise });
  return { train: withLabels(trainSet, noisyLabels), test, cleanLabels: trainSet.labels };
}

async function loadClean(dataset: RunConfig["dataset"]): Promise<CleanImages & { test: Dataset }> {
  const { trainSize, testSize, heldOutSize, validationSize } = dataset;
  const held = heldOutSize + validationSize;
  const whole = await loadSplit(dataset, "train", trainSize && trainSize + held);
  if (held === 0)
    return { whole, train: whole, positions: range(0, whole.size), test: await loadSplit(dataset, "test", testSize) };
  // The test set is not looked at.
  const { train: positions, heldOut } = heldOutOf(whole, dataset);
  return { whole, train: subset(whole, positions), positions, test: subset(whole, heldOut) };
}

function heldOutOf(whole: Dataset, dataset: RunConfig["dataset"]): ReturnType<typeof heldOutIndices> {
  const { name, trainSize, heldOutSize, heldOutSeed, validationSize } = dataset;
  // Old records were tuned on the images after the first `trainSize` ones; the files of their sets are in random order.
  if (validationSize > 0 && trainSize > 0 && !isInFolders(name))
    return { train: range(0, trainSize), heldOut: range(trainSize, whole.size) };
  return heldOutIndices(whole, { fraction: (heldOutSize + validationSize) / whole.size, seed: heldOutSeed });
}

function range(from: number, to: number): Int32Array {
  return Int32Array.from({ length: to - from }, (_, i) => from + i);
}

/** The network of a run, for data of the given kind. Images are resized before its first layer if the config names another size. */
export function runModel(
  { model, dataset }: Pick<RunConfig, "model" | "dataset">,
  { shape, numClasses }: Pick<Dataset, "shape" | "numClasses">,
): Model {
  const [height, width, channels] = shape;
  const inputShape = [dataset.imageSize || height, dataset.imageSize || width, channels] as const;
  const network = buildNetwork(model, { inputShape, numClasses });
  return String(inputShape) === String(shape) ? network : withResizedInput(network, shape);
}

/** One finished run with its trained network. */
export interface Run {
  readonly record: RunRecord;
  readonly model: Model;
  readonly data: TrainData;
  /** The caller disposes of them. */
  readonly variables: Variables;
}

/** Thrown if a run was stopped before its end: it has no record then, but a checkpoint if one was asked for. */
export class RunAborted extends Error {
  constructor(key: string) {
    super(`run ${key} was stopped before its end`);
    this.name = "RunAborted";
  }

  /** One line without a stack: whoever interrupts a notebook's cell knows where it stood. */
  [inspect.custom](): string {
    return `${this.name}: ${this.message}`;
  }
}

/** Callbacks of a training, but for those that change its steps: a record describes what its config says. */
export interface RunCallbacks extends Omit<TrainCallbacks, "rho" | "gradientRule"> {
  /** Folder of the networks to be finetuned; default data/cache/weights. */
  readonly weightsFolder?: string;
  /** Receives a sentence if the run waits for a network that another process is training. */
  readonly onNotice?: (message: string) => void;
  /**
   * True: a run that was stopped after its first epoch is returned as it is, with its history so far and the outcome "aborted".
   * Default false: `RunAborted` is thrown.
   */
  readonly keepStopped?: boolean;
}

/**
 * Trains what the config says and keeps the network.
 * @throws RunAborted if it was stopped, but see `keepStopped`; if the config does not fit, or files are missing
 */
export function runOne(options: RunOptions, callbacks: RunCallbacks = {}): Promise<Run> {
  return withInterrupt(callbacks, (own) => makeRun(runConfig(options), own));
}

async function makeRun(config: RunConfig, callbacks: RunCallbacks): Promise<Run> {
  const versions = await currentVersions();
  const data = await runData(config);
  const { model, ...origin } = await startOf(config, data.train, callbacks);
  const training = withKnownTransition(config, data);
  const { weightsFolder: _, onNotice: __, keepStopped = false, ...own } = callbacks;
  const foreign = ["rho", "gradientRule"].filter((name) => name in own);
  if (foreign.length > 0)
    throw new Error(`${foreign.join(", ")}: only train takes it, since a run's record holds its config alone`);
  if (own.measure && config.curvature) throw new Error("config.curvature and the callback measure exclude each other");
  const measure = own.measure ?? measureOf(config, { model, dataset: data.train, training, signal: own.signal });
  const result = await trainerOf(config)(model, data, training, { ...own, measure });
  try {
    const isKept = keepStopped && result.history.length > 0;
    if (result.outcome === "aborted" && !isKept) throw new RunAborted(configKey(config));
    const sharpness = await finalSharpness(config, { model, ...result.variables }, { data, result, signal: own.signal });
    const record = makeRecord({ config, data, model, result, versions, sharpness, ...origin });
    return { record, model, data, variables: result.variables };
  } catch (error) {
    disposeVariables(result.variables);
    throw error;
  }
}

/** The result of any kind of training: what all have, and what some add. */
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
  const name = pretraining ? `${configKey(pretraining)}.safetensors` : finetune.from.file!;
  const file = path.join(callbacks.weightsFolder ?? weightsFolder, name);
  if (pretraining) await pretrain(pretraining, file, callbacks);
  else if (!fs.existsSync(file)) throw new Error(`${file}: no such file; src/models/WEIGHTS.md says how to get it`);
  return { model: loadPretrained(file, model, { newHead: finetune.newHead }), ...pretrainedError(file) };
}

/** Trains the network to be finetuned, unless an earlier run did. Runs that need one network at once train it once; the others wait. */
async function pretrain(pretraining: RunConfig, file: string, callbacks: RunCallbacks): Promise<void> {
  const { checkpoint, tensorBoard, onStep: _, onEpoch: __, onEnd: ___, keepStopped: ____, ...same } = callbacks;
  const own = filesOf({ checkpoint, tensorBoard }, "pretraining");
  const claim = await claimNetwork(file, configKey(pretraining), callbacks);
  try {
    if (!fs.existsSync(file)) await trainAndSave(pretraining, file, { ...same, ...own });
  } finally {
    claim?.release();
  }
  if (own.checkpoint) fs.rmSync(own.checkpoint, { force: true });
}

/** Killed or stopped, the training goes on from its own checkpoint next time. */
async function trainAndSave(pretraining: RunConfig, file: string, callbacks: RunCallbacks): Promise<void> {
  const { record, variables } = await makeRun(pretraining, callbacks);
  try {
    savePretrained(file, variables, record);
  } finally {
    disposeVariables(variables);
  }
}

/** The sole right to write a file of pretrained weights; undefined once it is there. @throws RunAborted if the signal stops the wait */
async function claimNetwork(file: string, key: string, { signal, onNotice }: RunCallbacks): Promise<Lock | undefined> {
  for (let told = false; !fs.existsSync(file); told = true) {
    const claim = tryLock(file);
    if (isLock(claim)) return claim;
    if (signal?.aborted) throw new RunAborted(key);
    if (!told) onNotice?.(`waits for the network of run ${key}, which ${describeHolder(claim)} is training`);
    await pause(LOOK_AGAIN_MS, undefined, { signal }).catch(() => {});
  }
  return undefined;
}

/** Time between two looks at a network that another process trains. */
const LOOK_AGAIN_MS = 1000;

function measureOf({ curvature, ascent }: RunConfig, parts: MeasuredParts) {
  const { model, dataset, training, signal } = parts;
  const { epochs } = training;
  return async (epoch: number, variables: Variables) => {
    const network = { model, ...variables };
    const curved = curvature && (await measureCurvature(network, dataset, { ...curvature, epoch, epochs, signal }));
    const climbed = ascent && (await measureAscent(variables, ascent, { ...parts, epoch }));
    return curved || climbed ? { ...curved, ...(climbed ? { ascent: climbed } : {}) } : undefined;
  };
}

interface MeasuredParts {
  readonly model: Model;
  readonly dataset: Dataset;
  readonly training: RunConfig["training"];
  readonly signal?: AbortSignal;
}

/** A network that diverged, or was stopped before the end, has none. */
async function finalSharpness(
  config: RunConfig,
  network: ModelAt,
  { data, result, signal }: { data: TrainData; result: Result; signal?: AbortSignal },
): Promise<RunMetrics["mSharpness"]> {
  if (!config.mSharpness || result.outcome !== "finished") return undefined;
  try {
    return await measureMSharpness(network, data.train, { ...config.mSharpness, signal });
  } catch (error) {
    throw signal?.aborted ? new RunAborted(configKey(config)) : error;
  }
}

/** Trains what the config says and gives the record alone. @throws as `runOne` does */
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
  readonly sharpness: RunMetrics["mSharpness"];
  readonly pretrainedErrorRate?: number;
}

function makeRecord({ config, data, model, result, versions, sharpness, pretrainedErrorRate }: Parts): RunRecord {
  const { metrics, outcome, history } = result;
  const noise = data.cleanLabels ? { actualNoiseRate: shareOfFlipped(data.train.labels, data.cleanLabels) } : {};
  return {
    key: configKey(config),
    config,
    metrics: {
      outcome,
      ...metrics,
      ...extraMetrics(result),
      ...noise,
      ...(pretrainedErrorRate === undefined ? {} : { pretrainedErrorRate }),
      ...(sharpness === undefined ? {} : { mSharpness: sharpness }),
      parameters: countParameters(model),
    },
    history,
    versions: result.replayed ? { ...versions, graph: true } : versions,
  };
}

function extraMetrics({ firstMetrics, relabeledNoiseRate, transitionMatrix: matrix }: Result): Partial<RunMetrics> {
  return {
    ...(firstMetrics?.testErrorRate === undefined ? {} : { firstTestErrorRate: firstMetrics.testErrorRate }),
    ...(relabeledNoiseRate === undefined ? {} : { relabeledNoiseRate }),
    ...(matrix ? { estimatedNoiseRate: 1 - matrix.reduce((sum, row, i) => sum + row[i]! / matrix.length, 0) } : {}),
  };
}

/** Frees a network's weights and statistics. */
export function disposeVariables({ weights, stats }: Variables): void {
  tf.dispose([...Object.values(weights), ...Object.values(stats)]);
}

/** Versions of the kit, TensorFlow.js and the engine, and the engine's number of threads. */
export async function currentVersions(): Promise<Versions> {
  const { backend, version, threads } = await ready();
  return { lab: labVersion(), tfjs: tf.version.tfjs, engine: `${backend} ${version}`, threads };
}

function labVersion(): string {
  return (require("../../package.json") as { version: string }).version;
}
