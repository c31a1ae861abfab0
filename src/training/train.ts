/** The training loop: epochs of trainStep, evaluation on clean test data, checkpoints; repeatable and resumable bit for bit. */
import { createHash } from "node:crypto";
import { batchStream, imagesIdentity, numBatches, type Batch, type BatchStream, type Dataset } from "../data";
import { checkOptions, GraphCache, pause, Rng, showValue, tf, type OptionKinds, type Weights } from "../engine";
import { lossByName, smoothLabels } from "../losses";
import type { Model, Variables } from "../models";
import { loadCheckpoint, saveCheckpoint } from "./checkpoint";
import { trainConfig, type TrainConfig, type TrainOptions } from "./config";
import { evaluateAny, memorization, type Evaluated } from "./evaluate";
import { summarize, type EpochRecord, type TrainMetrics } from "./history";
import { withInterrupt, type Stoppable } from "./interrupt";
import { createMethod, networksOf } from "./methods";
import { labeled, mixedUp, networkStream, toStepBatch, type Method, type MethodContext } from "./methods/method";
import { refreshedStatistics } from "./refresh";
import {
  disposeState,
  firstAveragedEpoch,
  initialState,
  learningRateAt,
  trainStep,
  type BatchLoss,
  type GradientRule,
  type StepContext,
  type StepResult,
  type TrainState,
} from "./step";
import { TensorBoard, type TensorBoardOptions } from "./tensorBoard";

/** The data of a training. */
export interface TrainData {
  readonly train: Dataset;
  /** Clean; error is measured on it. */
  readonly test: Dataset;
  /** (train.size) true labels, if `train.labels` are noisy; memorization is then measured. */
  readonly cleanLabels?: Int32Array;
}

/** Result of `train`. */
export interface TrainResult {
  readonly metrics: TrainMetrics;
  readonly history: readonly EpochRecord[];
  /** Whether steps or evaluations were replayed as graphs: such numbers differ from those of eager steps by float32's rounding. */
  readonly replayed: boolean;
  /** The final weights (their average where `emaDecay` is on) and batch-norm averages. The caller disposes of them. */
  readonly variables: Variables;
  /** "finished", "diverged", or "aborted" by the signal. */
  readonly outcome: "finished" | "diverged" | "aborted";
}

/**
 * The signal, Ctrl-C and a notebook's interrupt end a training after its current step: it keeps a checkpoint where one was asked for,
 * and returns its history so far with the outcome "aborted". A loop over several trainings should look at that outcome.
 */
export interface TrainCallbacks extends Stoppable {
  /** Called after each epoch with its record. */
  onEpoch?(record: EpochRecord, epochs: number): void | Promise<void>;
  /**
   * Anything else to be recorded after an epoch, such as a spectrum; must survive JSON. It must not dispose of the variables,
   * nor keep them.
   */
  measure?(epoch: number, variables: Variables): unknown;
  /** `loss` is the batch's mean loss at w. */
  onStep?(progress: { step: number; totalSteps: number; loss: number }): void | Promise<void>;
  /**
   * ρ of the next step, in place of the config's `rho` and `rhoSchedule`; asked before every step, so that ρ can be changed while the
   * network trains: `{ rho: () => control.rho }`.
   */
  rho?(progress: { step: number; totalSteps: number }): number;
  /**
   * The gradient of a step, in place of SAM's: `({ lossGradient, weights, rho }) => lossGradient(pointOfYours)`. Such steps are not
   * replayed as graphs. A training can be resumed if its rule keeps nothing from step to step.
   */
  readonly gradientRule?: GradientRule;
  /** Called once after the training, whatever its outcome; not where it throws. */
  onEnd?(result: TrainResult): void | Promise<void>;
  /** File of the checkpoint; an existing one of the same run is resumed. */
  readonly checkpoint?: string;
  /** Steps between checkpoints; default: at the end of each epoch only. */
  readonly checkpointEvery?: number;
  /** Folder for this run's TensorBoard event files; a resumed run adds to it. */
  readonly tensorBoard?: string | TensorBoardOptions;
  /**
   * True: a worker thread makes the batches while the steps before them run; false: they are made between the steps. The numbers
   * are the same. Default: a thread where that pays, see `batchStream`.
   */
  readonly prefetch?: boolean;
  /**
   * True: steps and evaluations are replayed by TensorFlow's graph executor where they can be, which is faster; false: they run eagerly. The numbers
   * differ by float32's rounding. Default: runs of at least 100 steps are replayed, shorter ones do not earn the recording.
   */
  readonly graph?: boolean;
  /** Another name gives another start, order and augmentation from the same seed: for one of several trainings of a run. */
  readonly stream?: string;
}

/**
 * Trains `model` on `data.train`. The same config gives the same result on the same engine and number of threads, also
 * when the run was stopped, or killed, and resumed from its checkpoint.
 * @throws if the config does not fit the schema, the data or the network
 */
export async function train(
  model: Model,
  data: TrainData,
  config: TrainOptions,
  callbacks: TrainCallbacks = {},
): Promise<TrainResult> {
  checkCallbacks(callbacks);
  return withInterrupt(callbacks, async (own) => {
    const run = new Run(model, data, trainConfig(config), own);
    try {
      const result = await run.go();
      await callbacks.onEnd?.(result);
      return result;
    } catch (error) {
      run.states.forEach(disposeState);
      throw error;
    } finally {
      await run.close();
    }
  });
}

interface Sums {
  loss: number;
  perturbed: number;
}

interface LoopRecord {
  history: EpochRecord[];
  sums: Sums;
  /** Gradients of all steps and networks. */
  gradients: number;
  /** Whether anything was replayed; a resumed run need not do so again. */
  replayed?: boolean;
}

const REPLAYED_STEPS = 100; // ours: recording takes about as long as ten steps

class Run {
  /** One for each network; the first is the one that is reported. */
  states: readonly TrainState[];
  private readonly board: TensorBoard | undefined;
  private readonly method: Method;
  private epoch = 1;
  private batch = 0;
  private record: LoopRecord = { history: [], sums: { loss: 0, perturbed: 0 }, gradients: 0 };
  private readonly rng: Rng;
  private readonly batchesPerEpoch: number;
  private readonly totalSteps: number;
  private readonly batches: BatchStream;
  private readonly graphs: GraphCache | undefined;
  private readonly losses = new Map<boolean, BatchLoss>();
  private readonly key: string;

  constructor(
    private readonly model: Model,
    private readonly data: TrainData,
    private readonly config: TrainConfig,
    private readonly callbacks: TrainCallbacks,
  ) {
    checkFit(model, data, config);
    if (callbacks.gradientRule && config.variant.name !== "sam")
      throw new Error(`gradientRule takes the place of variant.name = "${config.variant.name}": give one of the two`);
    const seeded = new Rng(config.seed);
    this.rng = callbacks.stream === undefined ? seeded : seeded.split("training").split(callbacks.stream);
    this.batchesPerEpoch = numBatches(data.train.size, config);
    this.totalSteps = config.epochs * this.batchesPerEpoch;
    this.graphs = (callbacks.graph ?? this.totalSteps >= REPLAYED_STEPS) ? new GraphCache() : undefined;
    this.key = checkpointKey(model, data, config, callbacks);
    this.board = callbacks.tensorBoard === undefined ? undefined : new TensorBoard(callbacks.tensorBoard);
    this.method = createMethod(config.method, { config, dataset: data.train, cleanLabels: data.cleanLabels });
    this.states = this.resumed() ?? this.initialStates();
    this.batches = this.batchesToCome();
  }

  private batchesToCome(): BatchStream {
    const { batchSize, augment, epochs } = this.config;
    const streams = Array.from({ length: epochs - this.epoch + 1 }, (_, k) => this.streamOfEpoch(this.epoch + k));
    const thread = this.callbacks.prefetch;
    return batchStream(this.data.train, { batchSize, augment, epochs: streams, firstBatch: this.batch, thread });
  }

  private streamOfEpoch(epoch: number): Rng {
    return this.rng.split("epoch").split(epoch);
  }

  /** Stops the batches and closes the event files. */
  async close(): Promise<void> {
    this.board?.close();
    this.graphs?.dispose();
    await this.batches.return();
  }

  private initialStates(): TrainState[] {
    const { model, config, rng } = this;
    const stream = rng.split("init");
    return Array.from({ length: networksOf(config.method) }, (_, k) => initialState(model, config, networkStream(stream, k)));
  }

  async go(): Promise<TrainResult> {
    this.board?.start(this.steps, { epochEnds: this.batch === this.batchesPerEpoch });
    for (; this.epoch <= this.config.epochs; this.epoch++) {
      const outcome = await this.runEpoch();
      if (outcome !== "finished") return this.result(outcome);
    }
    return this.result("finished");
  }

  private async runEpoch(): Promise<TrainResult["outcome"]> {
    const stream = this.streamOfEpoch(this.epoch);
    const batchLoss = this.lossOfEpoch();
    if (this.batch === 0) await this.method.startEpoch?.({ ...this.place(), config: this.config });
    while (this.batch < this.batchesPerEpoch) {
      if (this.callbacks.signal?.aborted) return this.abort();
      const batch = (await this.batches.next()).value as Batch;
      const { loss, sum } = this.update(batch, batchLoss, stream.split("step").split(this.batch));
      if (!Number.isFinite(sum)) return "diverged";
      this.batch++;
      await this.afterStep(loss);
    }
    return this.endEpoch().catch((error: unknown) => {
      if (error === undefined || error !== this.callbacks.signal?.reason) throw error;
      return this.abort();
    });
  }

  /** The same function in all epochs that have the same loss: a recorded step belongs to one. */
  private lossOfEpoch(): BatchLoss {
    const { loss } = this.config;
    const isWarmup = "warmupEpochs" in loss && this.epoch <= loss.warmupEpochs;
    const known = this.losses.get(isWarmup) ?? lossOfEpoch(this.config, this.epoch);
    this.losses.set(isWarmup, known);
    return known;
  }

  private place() {
    return { model: this.model, states: this.states, epoch: this.epoch, dataset: this.data.train };
  }

  /** @returns the first network's loss, and the sum of all, which is not finite if any network diverged */
  private update(batch: Batch, loss: BatchLoss, rng: Rng): { loss: number; sum: number } {
    const { model, config, totalSteps, method } = this;
    const context: MethodContext = { ...this.place(), config, loss, totalSteps, rng };
    const plain = method.prepare?.(batch, context) ?? mixedUp(labeled(batch, this.data.train), context);
    const stepBatch = toStepBatch(plain, this.data.train);
    try {
      const losses = method.losses?.(batch, stepBatch, context) ?? this.states.map(() => undefined);
      const learningRate = learningRateAt(config, this.steps, totalSteps);
      const changes = this.changesOfStep();
      const results = losses.map((lossAt, network) => {
        const place = { model, config, loss, lossAt, totalSteps, rng: networkStream(rng, network), graphs: this.graphs };
        const own = { ...place, ...changes };
        const { state, ...values } = trainStep(this.states[network]!, stepBatch, own);
        this.replace(network, state);
        return values;
      });
      this.board?.step(this.steps, { ...results[0]!, learningRate });
      return { loss: results[0]!.loss, sum: this.add(results) };
    } finally {
      tf.dispose([stepBatch.images, stepBatch.targets]);
    }
  }

  /** What the callbacks change about the next step. */
  private changesOfStep(): Pick<StepContext, "rho" | "gradientRule"> {
    const { rho, gradientRule } = this.callbacks;
    const step = this.steps;
    return {
      rho: rho?.({ step, totalSteps: this.totalSteps }),
      gradientRule: gradientRule && ((input) => gradientRule({ ...input, step })),
    };
  }

  private replace(network: number, state: TrainState): void {
    disposeState(this.states[network]!);
    this.states = this.states.map((each, k) => (k === network ? state : each));
  }

  /** Adds the first network's losses to the sums. @returns the sum over all networks, which is not finite if any of them diverged */
  private add(results: readonly Omit<StepResult, "state">[]): number {
    const { sums } = this.record;
    for (const { gradients } of results) this.record.gradients += gradients;
    sums.loss += results[0]!.loss;
    sums.perturbed += results[0]!.perturbedLoss;
    return results.reduce((sum, { loss, perturbedLoss }) => sum + loss + perturbedLoss, 0);
  }

  private async afterStep(loss: number): Promise<void> {
    const { checkpointEvery, onStep } = this.callbacks;
    if (checkpointEvery && this.steps % checkpointEvery === 0) this.save();
    await onStep?.({ step: this.steps, totalSteps: this.totalSteps, loss });
    await pause();
  }

  private async endEpoch(): Promise<"finished" | "diverged"> {
    if (this.graphs?.size) this.record.replayed = true;
    const { sums, history } = this.record;
    await this.refreshAverages();
    const evaluation = await this.evaluation();
    // The epoch's last update may have diverged.
    if (!Number.isFinite(evaluation.testLoss ?? 0)) return "diverged";
    const losses = { trainLoss: sums.loss / this.batchesPerEpoch, perturbedLoss: sums.perturbed / this.batchesPerEpoch };
    const measures: unknown = await this.callbacks.measure?.(this.epoch, this.evaluated());
    const method = this.method.report?.();
    const extra = { ...(method ? { method } : {}), ...(measures === undefined ? {} : { measures }) };
    const record: EpochRecord = { epoch: this.epoch, ...losses, ...evaluation, ...extra };
    this.record = { ...this.record, history: [...history, record], sums: { loss: 0, perturbed: 0 } };
    this.batch = 0;
    // Before the checkpoint: a run killed between the two repeats the epoch, and its curves.
    this.board?.epoch(this.steps, record);
    if (this.callbacks.checkpoint) this.save(this.epoch + 1);
    await this.callbacks.onEpoch?.(record, this.config.epochs);
    return "finished";
  }

  /** Gives averaged weights batch-norm statistics of their own. */
  private async refreshAverages(): Promise<void> {
    const { model, config, data } = this;
    if (config.averageLast === 0 || model.statistics.length === 0 || this.epoch < firstAveragedEpoch(config)) return;
    for (const [network, state] of this.states.entries()) {
      const stats = await refreshedStatistics(model, evaluatedOf(state), data.train, config);
      tf.dispose(Object.keys(stats).map((name) => state.ema![name]!));
      this.states = this.states.map((each, k) => (k === network ? { ...state, ema: { ...state.ema, ...stats } } : each));
    }
  }

  private async evaluation(): Promise<Partial<EpochRecord>> {
    const { evaluateEvery, epochs, trackTraining } = this.config;
    if (this.epoch % evaluateEvery !== 0 && this.epoch !== epochs) return {};
    const [state, peer] = this.states as [TrainState, TrainState?];
    const { errorRate, loss } = await this.evaluate(evaluatedOf(state), this.data.test);
    return {
      testErrorRate: errorRate,
      testLoss: loss,
      ...(peer ? { peerTestErrorRate: (await this.evaluate(evaluatedOf(peer), this.data.test)).errorRate } : {}),
      ...(trackTraining ? await this.trainingEvaluation() : {}),
    };
  }

  private async trainingEvaluation(): Promise<Partial<EpochRecord>> {
    const { train: dataset, cleanLabels } = this.data;
    const { errorRate, predictions } = await this.evaluate(this.evaluated(), dataset);
    if (!cleanLabels) return { trainErrorRate: errorRate };
    return { trainErrorRate: errorRate, memorization: memorization(predictions, dataset.labels, cleanLabels) };
  }

  private evaluate(variables: Variables, dataset: Dataset): Promise<Evaluated> {
    return evaluateAny(this.model, variables, dataset, { signal: this.callbacks.signal, graphs: this.graphs });
  }

  private evaluated(): Variables {
    return evaluatedOf(this.states[0]!);
  }

  /** Updates made. */
  private get steps(): number {
    return this.states[0]!.step;
  }

  private result(outcome: TrainResult["outcome"]): TrainResult {
    const { history } = this.record;
    const { weights, stats } = this.evaluated();
    const variables = tf.tidy(() => ({ weights: cloneAll(weights), stats: cloneAll(stats) }));
    this.states.forEach(disposeState);
    const diverged = outcome === "diverged" ? { divergedInEpoch: this.epoch } : {};
    const { replayed = false } = this.record;
    return { metrics: { ...summarize(history), ...this.cost(), ...diverged }, history, variables, outcome, replayed };
  }

  // Other trainings take as many as their config says; their records have no such field.
  private cost(): Pick<TrainMetrics, "gradientsPerStep"> {
    if (this.config.variant.name === "sam" || this.steps === 0) return {};
    return { gradientsPerStep: Number((this.record.gradients / this.steps).toPrecision(6)) };
  }

  private abort(): "aborted" {
    if (this.callbacks.checkpoint) this.save();
    return "aborted";
  }

  private save(epoch = this.epoch): void {
    const { key, batch, record, method } = this;
    const [state, ...peers] = this.states as [TrainState, ...TrainState[]];
    saveCheckpoint(this.callbacks.checkpoint!, state, { key, epoch, batch, record }, { peers, memory: method.memory });
  }

  private resumed(): TrainState[] | undefined {
    const found = this.callbacks.checkpoint ? loadCheckpoint(this.callbacks.checkpoint, { key: this.key }) : undefined;
    if (!found) return undefined;
    this.epoch = found.progress.epoch;
    this.batch = found.progress.batch;
    this.record = found.progress.record as LoopRecord;
    for (const [name, values] of Object.entries(this.method.memory)) values.set(found.memory[name]!);
    return [found.state, ...found.peers];
  }
}

function evaluatedOf({ weights, stats, ema }: TrainState): Variables {
  return ema ? { weights: pick(ema, weights), stats: pick(ema, stats) } : { weights, stats };
}

/** The loss of an update in this epoch, label smoothing included. */
export function lossOfEpoch({ loss, labelSmoothing }: TrainConfig, epoch: number): BatchLoss {
  const named = lossByName(loss, { epoch });
  return labelSmoothing === 0 ? named : (logits, targets) => named(logits, smoothLabels(targets, labelSmoothing));
}

function pick(from: Weights, like: Weights): Weights {
  return Object.fromEntries(Object.keys(like).map((name) => [name, from[name]!]));
}

function cloneAll(weights: Record<string, tf.Tensor>): Record<string, tf.Tensor> {
  return Object.fromEntries(Object.entries(weights).map(([name, tensor]) => [name, tf.clone(tensor)]));
}

// A checkpoint belongs to one network, its data and every hyper-parameter.
function checkpointKey(model: Model, { train: set, test }: TrainData, config: TrainConfig, callbacks: TrainCallbacks): string {
  const { stream = "", gradientRule = "", rho = "" } = callbacks;
  const hash = createHash("sha256").update(stream).update(String(gradientRule)).update(String(rho));
  const layers = [...model.parameters, ...model.statistics].map(({ name, shape }) => [name, shape]);
  hash.update(JSON.stringify([model.name, model.inputShape, model.numClasses, layers, model.settings ?? {}, config]));
  for (const each of [set, test]) {
    hash.update(`${each.name} ${each.size}`).update(each.labels);
    hash.update(imagesIdentity(each));
  }
  return hash.digest("hex").slice(0, 16);
}

function checkCallbacks(callbacks: TrainCallbacks): void {
  checkOptions(callbacks, CALLBACKS, "train");
  const { checkpoint, checkpointEvery } = callbacks;
  if (checkpointEvery === undefined) return;
  if (!checkpoint) throw new Error("checkpointEvery is set, but checkpoint, the file to write, is not");
  if (!Number.isInteger(checkpointEvery) || checkpointEvery < 1)
    throw new Error(`checkpointEvery = ${checkpointEvery}: expected a whole number of at least 1`);
}

const CALLBACKS: OptionKinds<TrainCallbacks> = {
  ...{
    onEpoch: "function",
    measure: "function",
    onStep: "function",
    onEnd: "function",
    rho: "function",
    gradientRule: "function",
  },
  ...{ checkpoint: "string", checkpointEvery: "number", tensorBoard: { types: ["string", "object"] } },
  ...{ prefetch: "boolean", graph: "boolean", stream: "string", signal: "object", stopOnInterrupt: "boolean" },
};

function checkFit(model: Model, data: TrainData, { batchSize }: TrainConfig): void {
  if (typeof (model as Partial<Model> | undefined)?.apply !== "function")
    throw new Error(`train: model = ${showValue(model)}: expected a network, such as mlp({ inputShape, numClasses })`);
  checkOptions(data, { train: "object", test: "object", cleanLabels: "array" }, "train: data");
  const { train: set, test, cleanLabels } = data;
  if (!set || !test) throw new Error(`train: data.${set ? "test" : "train"} is missing: expected a dataset`);
  for (const each of [set, test]) {
    if (String(each.shape) !== String(model.inputShape) || each.numClasses !== model.numClasses) {
      const has = `${each.shape.join("×")} with ${each.numClasses} classes`;
      throw new Error(
        `${each.name} has images of ${has}; ${model.name} expects ${model.inputShape.join("×")} with ${model.numClasses}`,
      );
    }
  }
  if (batchSize > set.size) throw new Error(`batchSize = ${batchSize} exceeds the ${set.size} training examples of ${set.name}`);
  if (cleanLabels && cleanLabels.length !== set.size)
    throw new Error(`${cleanLabels.length} clean labels for ${set.size} training examples`);
}
