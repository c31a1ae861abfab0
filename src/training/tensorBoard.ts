/** A training's curves for TensorBoard: batch losses and the learning rate, and the numbers of each epoch's record. */
import { checkOptions } from "../engine";
import type { EpochRecord } from "./history";
import { SummaryWriter } from "./summaryWriter";

/** Where and how often curves are written. */
export interface TensorBoardOptions {
  /** Folder of the event files, one per run; `tensorboard --logdir` of its parent compares runs. */
  readonly folder: string;
  /** Steps between two points of the batch curves; default 10. */
  readonly everySteps?: number;
}

export interface StepCurves {
  /** Mean batch loss at w. */
  readonly loss: number;
  /** The same at w + ε̂. */
  readonly perturbedLoss: number;
  readonly learningRate: number;
}

/** Every curve is over updates made. */
export class TensorBoard {
  private readonly writer: SummaryWriter;
  private readonly everySteps: number;

  /** @throws if `everySteps` is not a whole number of at least 1 */
  constructor(options: string | TensorBoardOptions) {
    const given = typeof options === "string" ? { folder: options } : options;
    checkOptions(given, { folder: "string", everySteps: "number" }, "tensorBoard");
    const { folder, everySteps = 10 } = given;
    if (!folder) throw new Error("tensorBoard.folder is missing: expected the folder for this run's event files");
    if (!Number.isInteger(everySteps) || everySteps < 1)
      throw new Error(`tensorBoard.everySteps = ${everySteps}: expected a whole number of at least 1`);
    this.writer = new SummaryWriter(folder);
    this.everySteps = everySteps;
  }

  /**
   * Called before the first update, or the first after a checkpoint; `step` updates are done. If they complete an epoch that has not
   * ended yet, its curves may have been written already: they become void, at the cost of that step's point in the batch curves.
   */
  start(step: number, { epochEnds }: { epochEnds: boolean }): void {
    this.writer.start(epochEnds ? step : step + 1);
  }

  step(step: number, { loss, perturbedLoss, learningRate }: StepCurves): void {
    if (step % this.everySteps !== 0) return;
    this.writer.scalars(step, { "batch/loss": loss, "batch/perturbedLoss": perturbedLoss, "batch/learningRate": learningRate });
  }

  epoch(step: number, record: EpochRecord): void {
    this.writer.scalars(step, epochScalars(record));
  }

  close(): void {
    this.writer.close();
  }
}

/**
 * Tag → value of the numbers in a record: losses, errors, memorization, and the caller's own measures, such as
 * `measures/spectrum/eigenvalues/1`, which is λmax. Lists longer than ten are left out.
 */
export function epochScalars(record: EpochRecord): Record<string, number> {
  const { epoch, trainLoss, perturbedLoss, testLoss, trainErrorRate, testErrorRate, peerTestErrorRate } = record;
  const { memorization, method, measures } = record;
  const loss = { train: trainLoss, perturbed: perturbedLoss, test: testLoss };
  const error = { train: trainErrorRate, test: testErrorRate, peerTest: peerTestErrorRate };
  return { epoch, ...numbersIn({ loss, error, memorization, method, measures }) };
}

function numbersIn(value: object, prefix = ""): Record<string, number> {
  const counted = (list: readonly unknown[]) => Object.fromEntries(list.map((each, i) => [i + 1, each]));
  const entries = Object.entries(Array.isArray(value) ? counted(value) : value);
  if (Array.isArray(value) && value.length > LONGEST_LIST) return {};
  return Object.fromEntries(
    entries.flatMap(([name, each]: [string, unknown]) => {
      if (typeof each === "number") return [[prefix + name, each]];
      return typeof each === "object" && each !== null ? Object.entries(numbersIn(each, `${prefix}${name}/`)) : [];
    }),
  );
}

const LONGEST_LIST = 10; // ours
