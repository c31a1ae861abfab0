/** Tables 1, 2, 3, 5 and 9 have one shape: conditions (data set, network, augmentation, epochs) × methods (SGD, SGD at twice the epochs, SAM) × seeds. */
import type { RunOptions } from "../../experiments/config";
import {
  bestTags,
  describeDataset,
  describeModel,
  distinctRuns,
  labeledRows,
  TUNING_SEEDS,
  tuningRuns,
  type LabeledRow,
  type PlannedRun,
  type RunTags,
} from "../../experiments/plan";
import type { RunRecord } from "../../experiments/records";
import { pairedDifference, type SeedMean, type SeedValue } from "../../experiments/statistics";

/** "SGD, twice the epochs" costs what SAM costs: two gradients for each of SAM's steps. */
export const comparisonMethods = ["SGD", "SGD, twice the epochs", "SAM"] as const;
/** Names of the methods that a comparison trains. */
export type ComparisonMethod = (typeof comparisonMethods)[number];

/** One row of a comparison: a network, a data set and an augmentation. */
export interface Condition {
  /** What tells it from the table's others, in words: `{ model: "WRN-10-1", augment: "cutout" }`. */
  readonly labels: RunTags;
  /** The run of SGD. Method and seed set `rho`, `epochs` and `seed`. */
  readonly config: RunOptions;
  /** ρ to try on held-out images; a single value is used untuned. */
  readonly rhos: readonly number[];
  /** The run whose ρ is tuned; default: `config`. */
  readonly tunedOn?: RunOptions;
  /** Images held out of the training set to tune ρ on; default: as many as are trained on. */
  readonly heldOutSize?: number;
  /** Default: the comparison's. */
  readonly seeds?: number;
  /** The paper's row that it stands for: fields of data/paper/<table>.json; absent if the paper has none like it. */
  readonly paper?: Readonly<Record<string, string | number>>;
}

/** A table at one budget. */
export interface Comparison {
  readonly conditions: readonly Condition[];
  readonly methods: readonly ComparisonMethod[];
  readonly seeds: number;
  /** Tunes with one seed on the images that follow those trained on, as records from before `heldOutSize` did. */
  readonly validationSize?: number;
}

/** The tuning runs and those of SGD, then SAM's at the best ρ of each condition whose tuning runs all have records. No run twice. */
export function comparisonPlan(comparison: Comparison, records: readonly RunRecord[]): PlannedRun[] {
  const tuning = comparison.conditions.flatMap((condition) => searchRuns(condition, comparison));
  return distinctRuns([...tuning, ...reportedRuns(comparison, records)]);
}

/** One row for each finished run: the condition's tags, method, rho, seed, error rates in [0, 1]. */
export function comparisonRows(comparison: Comparison, records: readonly RunRecord[]): LabeledRow[] {
  return labeledRows(reportedRuns(comparison, records), records);
}

/** "WRN-10-1, 1000 training and 10000 test images of Fashion-MNIST, 100 epochs, 3 seeds". */
export function describeComparison(comparison: Comparison): string {
  const { conditions } = comparison;
  const list = (describe: (config: RunOptions) => string | number) => listed(conditions.map(({ config }) => describe(config)));
  const epochs = list(({ training }) => training.epochs);
  const network = list(({ model }) => describeModel(model));
  const data = list(({ dataset }) => describeDataset(dataset));
  const counts = listed(seedCounts(comparison));
  return `${network}, ${data}, ${epochs} epoch${epochs === "1" ? "" : "s"}, ${counts} seed${counts === "1" ? "" : "s"}`;
}

// "160 and 200", without repetition.
function listed(values: readonly (string | number)[]): string {
  const distinct = [...new Set(values.map(String))];
  return [distinct.slice(0, -1).join(", "), ...distinct.slice(-1)].filter(Boolean).join(" and ");
}

function seedsOf(condition: Condition, comparison: Comparison): number {
  return condition.seeds ?? comparison.seeds;
}

/** Numbers of seeds over the conditions, without repetition, ascending. */
export function seedCounts(comparison: Comparison): number[] {
  return [...new Set(comparison.conditions.map((each) => seedsOf(each, comparison)))].sort((a, b) => a - b);
}

function searchRuns(condition: Condition, { validationSize }: Comparison): PlannedRun[] {
  const { rhos, config, tunedOn = config, labels, heldOutSize = tunedOn.dataset.trainSize ?? 0 } = condition;
  if (rhos.length === 1) return [];
  const runs = rhos.map((rho) => ({
    config: { ...tunedOn, training: { ...tunedOn.training, rho } },
    labels: { stage: "tuning", ...labels, rho },
  }));
  return runs.flatMap((run) =>
    validationSize === undefined ? tuningRuns(run, { heldOutSize }) : [validationRun(run, validationSize)],
  );
}

function validationRun({ config, labels }: PlannedRun, validationSize: number): PlannedRun {
  const { dataset, training } = config;
  const seed = TUNING_SEEDS[0]!;
  return { config: { ...config, dataset: { ...dataset, validationSize }, training: { ...training, seed } }, labels };
}

function reportedRuns(comparison: Comparison, records: readonly RunRecord[]): PlannedRun[] {
  return comparison.conditions.flatMap((condition) => {
    const seeds = Array.from({ length: seedsOf(condition, comparison) }, (_, seed) => seed);
    const rho = tunedRho(condition, comparison, records);
    return seeds.flatMap((seed) =>
      comparison.methods.flatMap((method) => {
        if (method !== "SAM") return [reportedRun(condition, { method, seed, rho: 0 })];
        return rho === undefined ? [] : [reportedRun(condition, { method, seed, rho })];
      }),
    );
  });
}

function reportedRun(
  { config, labels }: Condition,
  { method, seed, rho }: { method: ComparisonMethod; seed: number; rho: number },
): PlannedRun {
  const epochs = method === "SGD, twice the epochs" ? 2 * config.training.epochs : config.training.epochs;
  return { config: { ...config, training: { ...config.training, epochs, rho, seed } }, labels: { ...labels, method, rho } };
}

/** The ρ with the lowest error on held-out images, the smaller among ties; undefined until every run of the grid has a record. */
export function tunedRho(condition: Condition, comparison: Comparison, records: readonly RunRecord[]): number | undefined {
  const { rhos } = condition;
  if (rhos.length === 1) return rhos[0];
  return bestTags(searchRuns(condition, comparison), records)?.rho as number | undefined;
}

/** One condition's errors over the seeds. */
export interface ConditionResult {
  readonly condition: Condition;
  /** SAM's. */
  readonly rho: number;
  /** The seeds that all methods have, ascending. */
  readonly seeds: readonly number[];
  /** Error rates in [0, 1], one for each of `seeds`; [] for a method that the table lacks. */
  readonly errors: Readonly<Record<ComparisonMethod, readonly number[]>>;
  readonly bestErrors: Readonly<Record<ComparisonMethod, readonly number[]>>;
  /** SGD at as many gradients as SAM, twice the epochs, if the table has it; else SGD at the same epochs. Fixed before any run. */
  readonly baseline: ComparisonMethod;
  /** The baseline's error minus SAM's, seed by seed: above 0, SAM is better. */
  readonly gain: SeedMean;
  /** The same condition at its tuned ρ, for tables at a fixed ρ. */
  readonly tuned?: ConditionResult;
}

/** The conditions that have records of every method, in the table's order. */
export function comparisonResults(comparison: Comparison, records: readonly RunRecord[]): ConditionResult[] {
  const rows = comparisonRows(comparison, records);
  return comparison.conditions.flatMap((condition) => {
    const own = rows.filter((row) => Object.entries(condition.labels).every(([label, value]) => row[label] === value));
    const seeds = sharedSeeds(own, comparison.methods);
    return seeds.length > 0 ? [resultOf(condition, own, seeds)] : [];
  });
}

function sharedSeeds(rows: readonly LabeledRow[], methods: readonly ComparisonMethod[]): number[] {
  const seedsOf = (method: ComparisonMethod) => new Set(rows.filter((row) => row.method === method).map(({ seed }) => seed));
  const [first, ...others] = methods.map(seedsOf);
  return [...first!].filter((seed) => others.every((seeds) => seeds.has(seed))).sort((a, b) => a - b);
}

function resultOf(condition: Condition, all: readonly LabeledRow[], seeds: readonly number[]): ConditionResult {
  const by = (field: "testErrorRate" | "bestTestErrorRate") => (method: ComparisonMethod) => {
    const rows = all.filter((row) => row.method === method);
    return seeds.flatMap((seed) => rows.find((row) => row.seed === seed)?.[field] ?? []);
  };
  const errors = byMethod(by("testErrorRate"));
  const baseline = errors["SGD, twice the epochs"].length > 0 ? "SGD, twice the epochs" : "SGD";
  const rho = all.find(({ method }) => method === "SAM")!.rho as number;
  const measured = { condition, rho, seeds, errors, bestErrors: byMethod(by("bestTestErrorRate")), baseline } as const;
  return { ...measured, gain: pairedDifference(errorsBySeed(measured, baseline), errorsBySeed(measured, "SAM")) };
}

/** A method's errors with their seeds. */
export function errorsBySeed(
  { errors, seeds }: Pick<ConditionResult, "errors" | "seeds">,
  method: ComparisonMethod,
): SeedValue[] {
  return errors[method].map((value, i) => ({ seed: seeds[i]!, value }));
}

function byMethod<T>(valueOf: (method: ComparisonMethod) => T): Record<ComparisonMethod, T> {
  return Object.fromEntries(comparisonMethods.map((method) => [method, valueOf(method)])) as Record<ComparisonMethod, T>;
}

/** The same table with one ρ for every condition, untuned. */
export function atRho(comparison: Comparison, rho: number): Comparison {
  return { ...comparison, conditions: comparison.conditions.map((condition) => ({ ...condition, rhos: [rho] })) };
}

/** Pairs of results of the same condition in two tables. */
export function pairedResults(
  results: readonly ConditionResult[],
  others: readonly ConditionResult[],
): { readonly result: ConditionResult; readonly other: ConditionResult }[] {
  return results.flatMap((result) => {
    const name = conditionName(result.condition);
    const other = others.find(({ condition }) => conditionName(condition) === name);
    return other ? [{ result, other }] : [];
  });
}

/** "WRN-10-1, cutout", "WRN-28-10, SVHN, basic, 160 epochs". */
export function conditionName({ labels }: Condition): string {
  const words = Object.entries(labels).map(([label, value]) => (label === "epochs" ? `${value} epochs` : value));
  return words.join(", ");
}
