/** `train`, `runOne`, `runRecord` and `runMissing` for notebooks: curves while they run, and an interrupt that keeps what there is. */
import path from "node:path";
import * as experiments from "../experiments";
import type { Run, RunCallbacks, RunMissingOptions, RunOptions, RunProgress, RunRecord } from "../experiments";
import type { Model } from "../models";
import * as training from "../training";
import type { TrainCallbacks, TrainData, TrainOptions, TrainResult } from "../training";
import { cellDisplay, interruptible, isNotebook } from "./kernel";
import { liveCurves, stopNotice } from "./liveCurves";

interface Live {
  /** False: no curves while it runs. Default true, which has an effect in notebooks only: see `liveCurves`. */
  readonly live?: boolean;
}

export interface LiveTrainCallbacks extends TrainCallbacks, Live {}

export interface LiveRunCallbacks extends RunCallbacks, Live {}

/**
 * Trains `model` on `data.train`. The same config gives the same result on the same engine and number of threads, also
 * when the run was stopped, or killed, and resumed from its checkpoint. Stopped, it returns its history so far.
 * @throws if the config does not fit the schema, the data or the network
 */
export function train(
  model: Model,
  data: TrainData,
  config: TrainOptions,
  callbacks: LiveTrainCallbacks = {},
): Promise<TrainResult> {
  return interruptible(watched(callbacks), (own) => training.train(model, data, config, own));
}

/**
 * Trains what the config says and keeps the network. Stopped in a notebook, it returns the run so far, with the outcome "aborted".
 * @throws RunAborted if it was stopped, outside of notebooks or within its first epoch; if the config does not fit, or files are missing
 */
export function runOne(options: RunOptions, callbacks: LiveRunCallbacks = {}): Promise<Run> {
  return interruptible(watchedRun(callbacks), (own) => experiments.runOne(options, own));
}

/** Trains what the config says and gives the record alone. @throws as `runOne` does */
export function runRecord(options: RunOptions, callbacks: LiveRunCallbacks = {}): Promise<RunRecord> {
  return interruptible(watchedRun(callbacks), (own) => experiments.runRecord(options, own));
}

/**
 * Records of all `configs`, in their order; those that had none are run and appended to `<folder>/<item>.jsonl`, one line each, as they
 * finish. Stopped in a notebook, it returns the records that there are; the same call goes on from there.
 * @param options `folder` is by default the folder results of the working directory, which is the notebook's own
 * @throws the first error of a run, after the others have stopped; outside of notebooks also if it was interrupted
 */
export function runMissing(configs: readonly RunOptions[], options: RunMissingOptions): Promise<RunRecord[]> {
  return interruptible({ folder: path.resolve("results"), ...options }, (own) =>
    experiments.runMissing(configs, withProgress(own)),
  );
}

function withProgress(options: RunMissingOptions): RunMissingOptions {
  const display = options.onProgress ? undefined : cellDisplay();
  if (!display) return options;
  const onProgress = ({ done, total, fraction }: RunProgress) =>
    display.markdown(`${done} of ${total} runs finished, ${Math.floor(100 * fraction)} % of the work done`);
  return { ...options, onProgress };
}

function watchedRun(callbacks: LiveRunCallbacks): RunCallbacks {
  return { keepStopped: isNotebook(), ...watched(callbacks) };
}

/** The caller's callbacks, each followed by its counterpart of the live curves. */
function watched<Callbacks extends TrainCallbacks & Live>({ live = true, ...own }: Callbacks): Omit<Callbacks, "live"> {
  const curves: TrainCallbacks = live ? liveCurves() : stopNotice();
  const all = (["onStep", "onEpoch", "onEnd"] as const).map((name) => [name, both(own[name], curves[name])]);
  return { ...own, ...Object.fromEntries(all.filter(([, callback]) => callback)) };
}

type Callback = ((...args: never[]) => void | Promise<void>) | undefined;

function both(first: Callback, second: Callback): Callback {
  if (!first || !second) return first ?? second;
  return async (...args) => {
    await first(...args);
    await second(...args);
  };
}
