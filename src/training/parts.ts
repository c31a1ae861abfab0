/** A run of several trainings, one after the other: each keeps its own files, and their steps are counted together. */
import path from "node:path";
import type { TensorBoardOptions } from "./tensorBoard";
import type { TrainCallbacks } from "./train";

export interface Part {
  /** From 0. */
  readonly index: number;
  /** Trainings of the run, all of one length. */
  readonly count: number;
  /** Suffix of its file names; absent for the training that is reported. */
  readonly suffix?: (typeof suffixes)[number];
  /** See TrainCallbacks. */
  readonly stream?: string;
}

const suffixes = ["first", "estimate", "pretraining"] as const;

/** All files that a run may keep for its `checkpoint`: one for each of its trainings. */
export function checkpointsOf(checkpoint: string): readonly string[] {
  return [checkpoint, ...suffixes.map((suffix) => `${checkpoint}.${suffix}`)];
}

/** The run's callbacks for one of its trainings; only the reported one calls `measure`. */
export function callbacksOf(callbacks: TrainCallbacks, { index, count, suffix, stream }: Part): TrainCallbacks {
  const { checkpoint, tensorBoard, onStep, measure, ...rest } = callbacks;
  return {
    ...rest,
    ...filesOf({ checkpoint, tensorBoard }, suffix),
    ...(suffix || !measure ? {} : { measure }),
    ...(stream === undefined ? {} : { stream }),
    onStep: ({ step, totalSteps, ...progress }) =>
      onStep?.({ ...progress, step: index * totalSteps + step, totalSteps: count * totalSteps }),
  };
}

type Files = Pick<TrainCallbacks, "checkpoint" | "tensorBoard">;

/** The run's files for one of its trainings. */
export function filesOf(
  { checkpoint, tensorBoard }: { [File in keyof Files]: Files[File] | undefined },
  suffix?: Part["suffix"],
): Files {
  return {
    ...(checkpoint === undefined ? {} : { checkpoint: suffix ? `${checkpoint}.${suffix}` : checkpoint }),
    ...(tensorBoard === undefined ? {} : { tensorBoard: boardOf(tensorBoard, suffix) }),
  };
}

// A folder inside the reported training's, so that TensorBoard compares the two as runs.
function boardOf(options: string | TensorBoardOptions, suffix: Part["suffix"]): TensorBoardOptions {
  const board = typeof options === "string" ? { folder: options } : options;
  return suffix ? { ...board, folder: path.join(board.folder, suffix) } : board;
}
