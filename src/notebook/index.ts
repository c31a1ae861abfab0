/** What notebooks add to trainings and runs: live curves, and interrupts that keep what there is. Scripts get the same without either. */
export type { CellDisplay } from "./kernel";
export { liveCurves, type LiveCurvesOptions } from "./liveCurves";
export { runMissing, runOne, runRecord, train, type LiveRunCallbacks, type LiveTrainCallbacks } from "./train";
