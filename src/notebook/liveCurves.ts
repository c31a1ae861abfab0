/** Loss, error and measures of a training while it runs: one display of the cell, updated in place, that ends as one picture. */
import { checkOptions } from "../engine";
import { learningCurves, renderSvg, type CurvePoint, type FigureSpec } from "../plots";
import type { EpochRecord, TrainCallbacks, TrainResult } from "../training";
import { cellDisplay, type CellDisplay } from "./kernel";

export interface LiveCurvesOptions {
  /** Title of the picture. Default: the number of epochs and the last test error. */
  readonly title?: string;
  /** Shows the picture. Default: an output of the running cell; outside of notebooks nothing is drawn. */
  readonly display?: CellDisplay;
}

type LiveCallbacks = Pick<TrainCallbacks, "onStep" | "onEpoch" | "onEnd">;

/**
 * Callbacks that draw the training's curves. `train`, `runOne` and `runRecord` use them in notebooks unless `live: false` is given.
 * Pictures are drawn between steps, at most once a second and for at most a twentieth of the time; the training's numbers stay the same.
 */
export function liveCurves(options: LiveCurvesOptions = {}): LiveCallbacks {
  checkOptions(options, { title: "string", display: "object" }, "liveCurves");
  const { title, display = cellDisplay() } = options;
  if (!display) return {};
  const curves = new LiveCurves(display, title);
  return {
    onStep: (progress) => curves.step(progress),
    onEpoch: (record, epochs) => curves.epoch(record, epochs),
    onEnd: (result) => curves.end(result),
  };
}

const MIN_PAUSE_MS = 1000;
const MAX_SHARE = 1 / 20;

class LiveCurves {
  private history: EpochRecord[] = [];
  private readonly started = Date.now();
  private due = Date.now();
  private timeLeft = "";

  constructor(
    private readonly display: CellDisplay,
    private readonly title: string | undefined,
  ) {}

  step({ step, totalSteps, loss }: { step: number; totalSteps: number; loss: number }): void {
    const seconds = ((Date.now() - this.started) / 1000 / step) * (totalSteps - step);
    this.timeLeft = `about ${seconds < 100 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`} left`;
    if (this.history.length > 1 || Date.now() < this.due) return;
    this.display.markdown(`Step ${step} of ${totalSteps}: loss ${loss.toFixed(3)}, ${this.timeLeft}`);
    this.due = Date.now() + MIN_PAUSE_MS;
  }

  async epoch(record: EpochRecord, epochs: number): Promise<void> {
    // The second training of a bootstrap starts again.
    this.history = [...this.history.filter(({ epoch }) => epoch < record.epoch), record];
    if (this.history.length < 2 || Date.now() < this.due) return;
    const begun = Date.now();
    await this.draw(`Epoch ${record.epoch} of ${epochs}, ${this.timeLeft}`);
    this.due = Date.now() + Math.max(MIN_PAUSE_MS, (Date.now() - begun) / MAX_SHARE);
  }

  async end(result: Ended): Promise<void> {
    this.history = [...result.history];
    if (this.history.length > 1) await this.draw(describeEnd(result));
    else if (this.history.length > 0) this.display.markdown(describeEnd(result));
  }

  private async draw(heading: string): Promise<void> {
    this.display.svg(await renderSvg(trainingCurves(this.history, this.title ?? heading)));
  }
}

type Ended = Pick<TrainResult, "history" | "outcome">;

/** Where there are no curves: one line for a training that was stopped. */
export function stopNotice(): Pick<TrainCallbacks, "onEnd"> {
  const onEnd = (result: Ended) => {
    if (result.outcome === "aborted" && result.history.length > 0) cellDisplay()?.markdown(describeEnd(result));
  };
  return { onEnd };
}

function describeEnd({ history, outcome }: Ended): string {
  if (outcome === "finished") return summary(history);
  return `${outcome === "diverged" ? "Diverged" : "Stopped"} after ${summary(history)}`;
}

function summary(history: readonly EpochRecord[]): string {
  const rate = history.at(-1)?.testErrorRate;
  const count = history.length === 1 ? "1 epoch" : `${history.length} epochs`;
  return rate === undefined ? count : `${count}: test error ${(100 * rate).toFixed(1)} %`;
}

/** Panels of loss, error and up to two measures; at most 900 pixels wide. */
export function trainingCurves(history: readonly EpochRecord[], title: string): FigureSpec {
  return learningCurves({ rows: history.flatMap(curvePoints), title, yTitle: "", independentY: true, height: 150 });
}

const MAX_MEASURES = 2;

function curvePoints(record: EpochRecord): CurvePoint[] {
  const { epoch, trainLoss, perturbedLoss, testLoss, trainErrorRate, testErrorRate, measures } = record;
  const point = (panel: string, series: string, value: number | undefined): CurvePoint[] =>
    value === undefined || !Number.isFinite(value) ? [] : [{ x: epoch, mean: value, panel, series }];
  const percent = (rate: number | undefined) => rate && 100 * rate;
  return [
    ...point("loss", "training", trainLoss),
    ...(perturbedLoss === trainLoss ? [] : point("loss", "training, at w + ε̂", perturbedLoss)),
    ...point("loss", "test", testLoss),
    ...point("error (%)", "training", percent(trainErrorRate)),
    ...point("error (%)", "test", percent(testErrorRate)),
    ...numbersIn(measures)
      .slice(0, MAX_MEASURES)
      .flatMap(([name, value]) => point(name, "measured", value)),
  ];
}

/** The numbers that the caller's `measure` gave: a number alone, or the numeric fields of a record. */
function numbersIn(measures: unknown): [string, number][] {
  if (typeof measures === "number") return [["measure", measures]];
  if (typeof measures !== "object" || measures === null || Array.isArray(measures)) return [];
  return Object.entries(measures).filter((entry): entry is [string, number] => typeof entry[1] === "number");
}
