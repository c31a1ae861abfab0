/** Records made by hand. */
import { runConfig, runKey, type RunConfig, type RunOptions } from "../../src/experiments/config";
import { missingRuns, type PlannedRun } from "../../src/experiments/plan";
import { conclusionsOf, type Budget, type PaperItem } from "../../src/paper/item";
import type { RunMetrics, RunRecord } from "../../src/experiments/records";

/** A run of a second: 64 generated images, an MLP of four units. */
export function tinyRun(training: Partial<RunOptions["training"]> = {}, parts: Partial<RunOptions> = {}): RunOptions {
  return {
    dataset: { name: "generated", trainSize: 64, testSize: 40 },
    model: { name: "mlp", hidden: [4] },
    training: { epochs: 2, batchSize: 16, ...training },
    ...parts,
  };
}

/** The same with every default filled in. */
export function tinyConfig(training: Partial<RunOptions["training"]> = {}, parts: Partial<RunOptions> = {}): RunConfig {
  return runConfig(tinyRun(training, parts));
}

/** The record of a run that ended with these metrics. */
export function recordOf(options: RunOptions, metrics: Partial<RunMetrics> = {}): RunRecord {
  const { testErrorRate = 0.25 } = metrics;
  return {
    key: runKey(options),
    config: runConfig(options),
    metrics: { outcome: "finished", testErrorRate, bestTestErrorRate: testErrorRate, parameters: 1, ...metrics },
    history: [],
    versions: { lab: "0", tfjs: "0", engine: "by hand", threads: 1 },
  };
}

/** Records of all planned runs, each with the error that `errorOf` gives it. */
export function recordsOf(plan: readonly PlannedRun[], errorOf: (run: PlannedRun) => number): RunRecord[] {
  return plan.map((run) => recordOf(run.config, { testErrorRate: errorOf(run) }));
}

/** Records of an item's runs at every stage, each with the error that `errorOf` gives it. */
export function stagedRecords(item: PaperItem, budget: Budget, errorOf: (run: PlannedRun) => number): RunRecord[] {
  const first = recordsOf(item.plan(budget, []), errorOf);
  return [...first, ...recordsOf(missingRuns(item.plan(budget, first), first), errorOf)];
}

/** The sentences that an item concludes from records. */
export function conclude(item: PaperItem, budget: Budget, records: readonly RunRecord[]): string[] {
  return conclusionsOf(item, item.rows(budget, records), budget);
}
