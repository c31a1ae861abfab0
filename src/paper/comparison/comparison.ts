/** Tables 1, 2, 5 and 9 have one shape: conditions (data set, network, augmentation, epochs) × methods (SGD, SGD at twice the epochs, SAM) × seeds. */
import type { RunOptions } from "../../experiments/config";
import {
  bestRun,
  describeDataset,
  describeModel,
  labeledRows,
  TUNING_SEED,
  type Budget,
  type LabeledRow,
  type Labels,
  type PaperItem,
  type PlannedRun,
} from "../item";
import type { RunRecord } from "../../experiments/records";
import { estimate, estimateDifference, formatSize, isSupported, type SeedMean } from "../../experiments/statistics";

/** "SGD, twice the epochs" costs what SAM costs: two gradients for each of SAM's steps. */
export const comparisonMethods = ["SGD", "SGD, twice the epochs", "SAM"] as const;
export type ComparisonMethod = (typeof comparisonMethods)[number];

export interface Condition {
  /** What tells it from the table's others, in words: `{ model: "WRN-10-1", augment: "cutout" }`. */
  readonly labels: Labels;
  /** The run of SGD; method and seed set `rho`, `epochs` and `seed`. */
  readonly config: RunOptions;
  /** ρ that are tried on held-out images; one value is taken as it is. */
  readonly rhos: readonly number[];
  /** The run whose ρ is tuned, where it is not `config`. */
  readonly tunedOn?: RunOptions;
  /** Where they are not the comparison's. */
  readonly validationSize?: number;
  readonly seeds?: number;
  /** The paper's row that it stands beside: fields of data/paper/<table>.json; absent where the paper has none like it. */
  readonly paper?: Readonly<Record<string, string | number>>;
}

/** A table at one budget. */
export interface Comparison {
  readonly conditions: readonly Condition[];
  readonly methods: readonly ComparisonMethod[];
  readonly seeds: number;
  /** Training images, after those that are trained on, on which ρ is tuned. */
  readonly validationSize?: number;
}

/** A table of this shape. */
export interface ComparisonItem extends PaperItem {
  comparison(budget: Budget): Comparison;
}

export interface ComparisonOptions extends Pick<PaperItem, "id" | "recordsIn" | "title" | "claim"> {
  readonly comparison: (budget: Budget) => Comparison;
  /** Sentences after those that every such table has. */
  readonly further?: (results: readonly ConditionResult[], budget: Budget, records: readonly RunRecord[]) => readonly string[];
}

/** A table of this shape: its plan, rows and conclusions follow from its conditions. */
export function comparisonItem({ comparison, further = () => [], ...item }: ComparisonOptions): ComparisonItem {
  return {
    ...item,
    comparison,
    describe: (budget) => describeComparison(comparison(budget)),
    plan: (budget, records) => comparisonPlan(comparison(budget), records),
    conclusions: (budget, records) => {
      const results = comparisonResults(comparison(budget), records);
      return [...concludeResults(results), ...further(results, budget, records)];
    },
  };
}

/** The tuning runs and those of SGD; then, where every ρ of a condition has its record, SAM's at the best. No run twice. */
export function comparisonPlan(comparison: Comparison, records: readonly RunRecord[]): PlannedRun[] {
  const tuning = comparison.conditions.flatMap((condition) => tuningRuns(condition, comparison));
  return distinctRuns([...tuning, ...reportedRuns(comparison, records)]);
}

/** One row per finished run: the condition's labels, method, rho, seed, error rates in [0, 1]. */
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

// "160 and 200", each once.
function listed(values: readonly (string | number)[]): string {
  const distinct = [...new Set(values.map(String))];
  return [distinct.slice(0, -1).join(", "), ...distinct.slice(-1)].filter(Boolean).join(" and ");
}

function seedsOf(condition: Condition, comparison: Comparison): number {
  return condition.seeds ?? comparison.seeds;
}

/** How many seeds a condition has, each number once, in ascending order. */
export function seedCounts(comparison: Comparison): number[] {
  return [...new Set(comparison.conditions.map((each) => seedsOf(each, comparison)))].sort((a, b) => a - b);
}

function tuningRuns(condition: Condition, comparison: Comparison): PlannedRun[] {
  const { rhos, config, tunedOn = config, labels, validationSize = comparison.validationSize } = condition;
  if (rhos.length === 1) return [];
  if (!validationSize) throw new Error(`ρ of ${rhos.join(", ")} cannot be tuned: expected a validationSize above 0`);
  const dataset = { ...tunedOn.dataset, validationSize };
  return rhos.map((rho) => ({
    config: { ...tunedOn, dataset, training: { ...tunedOn.training, rho, seed: TUNING_SEED } },
    labels: { stage: "tuning", ...labels, rho },
  }));
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

/** The ρ with the lowest error on held-out images, the smaller of equals; undefined until every run of the grid has a record. */
export function tunedRho(condition: Condition, comparison: Comparison, records: readonly RunRecord[]): number | undefined {
  const { rhos } = condition;
  if (rhos.length === 1) return rhos[0];
  return bestRun(tuningRuns(condition, comparison), records)?.rho as number | undefined;
}

/** The first of each that has the same config. By their text, not their key: a key costs a check of the whole config, and the paper's tables have hundreds of runs. */
export function distinctRuns(runs: readonly PlannedRun[]): PlannedRun[] {
  const byText = new Map<string, PlannedRun>();
  for (const run of runs) {
    const text = JSON.stringify(run.config);
    if (!byText.has(text)) byText.set(text, run);
  }
  return [...byText.values()];
}

/** What the seeds say of one condition. */
export interface ConditionResult {
  readonly condition: Condition;
  /** SAM's. */
  readonly rho: number;
  /** Error rates in [0, 1], one for each seed; [] where a method is not of the table. */
  readonly errors: Readonly<Record<ComparisonMethod, readonly number[]>>;
  readonly bestErrors: Readonly<Record<ComparisonMethod, readonly number[]>>;
  /** The method without SAM of the lower mean error: the paper reports the better of SGD and SGD at twice the epochs. */
  readonly baseline: ComparisonMethod;
  /** The baseline's error less SAM's: above 0, SAM is better. */
  readonly gain: SeedMean;
}

/** The conditions that have records of every method, in the table's order. */
export function comparisonResults(comparison: Comparison, records: readonly RunRecord[]): ConditionResult[] {
  const rows = comparisonRows(comparison, records);
  return comparison.conditions.flatMap((condition) => {
    const own = rows.filter((row) => Object.entries(condition.labels).every(([label, value]) => row[label] === value));
    return comparison.methods.every((method) => own.some((row) => row.method === method)) ? [resultOf(condition, own)] : [];
  });
}

function resultOf(condition: Condition, rows: readonly LabeledRow[]): ConditionResult {
  const by = (field: "testErrorRate" | "bestTestErrorRate") => (method: ComparisonMethod) =>
    rows.filter((row) => row.method === method).map((row) => row[field]);
  const errors = byMethod(by("testErrorRate"));
  const baseline = betterBaseline(errors);
  const rho = rows.find(({ method }) => method === "SAM")!.rho as number;
  const gain = estimateDifference(errors[baseline], errors.SAM);
  return { condition, rho, errors, bestErrors: byMethod(by("bestTestErrorRate")), baseline, gain };
}

function byMethod<T>(valueOf: (method: ComparisonMethod) => T): Record<ComparisonMethod, T> {
  return Object.fromEntries(comparisonMethods.map((method) => [method, valueOf(method)])) as Record<ComparisonMethod, T>;
}

function betterBaseline(errors: ConditionResult["errors"]): ComparisonMethod {
  const [once, twice] = [errors.SGD, errors["SGD, twice the epochs"]];
  return twice.length > 0 && estimate(twice).mean < estimate(once).mean ? "SGD, twice the epochs" : "SGD";
}

/** The same table with one ρ for every condition, untuned. */
export function atRho(comparison: Comparison, rho: number): Comparison {
  return { ...comparison, conditions: comparison.conditions.map((condition) => ({ ...condition, rhos: [rho] })) };
}

/** Each result with the other table's of the same condition, where that has one. */
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

/** Whether the seeds support that SAM is better or worse in a condition. */
export function verdictOf({ gain }: ConditionResult): "better" | "worse" | "undecided" {
  if (!isSupported(gain)) return "undecided";
  return gain.mean > 0 ? "better" : "worse";
}

/** In how many conditions SAM's mean error is lower, in how many beyond the seeds' noise, and in how many it is higher beyond it. */
export function countVerdicts(results: readonly ConditionResult[]): {
  total: number;
  lower: number;
  better: number;
  worse: number;
} {
  const count = (is: (result: ConditionResult) => boolean) => results.filter(is).length;
  return {
    total: results.length,
    lower: count(({ gain }) => gain.mean > 0),
    better: count((result) => verdictOf(result) === "better"),
    worse: count((result) => verdictOf(result) === "worse"),
  };
}

/** A sentence for each condition, and one for the whole table where it has several. */
export function concludeComparison(comparison: Comparison, records: readonly RunRecord[]): string[] {
  return concludeResults(comparisonResults(comparison, records));
}

function concludeResults(results: readonly ConditionResult[]): string[] {
  const sentences = results.map((result) => `${conditionName(result.condition)}: ${concludeCondition(result)}`);
  return results.length > 1 ? [...sentences, concludeAll(results)] : sentences;
}

/** "WRN-10-1, cutout", "WRN-28-10, SVHN, basic, 160 epochs". */
export function conditionName({ labels }: Condition): string {
  const words = Object.entries(labels).map(([label, value]) => (label === "epochs" ? `${value} epochs` : value));
  return words.join(", ");
}

const verdicts = {
  better: "The claim replicates",
  worse: "The claim does not replicate: SAM is worse",
  undecided: "The claim is not decided by these seeds",
} as const;

function concludeCondition(result: ConditionResult): string {
  const { errors, baseline, gain, rho } = result;
  const against = describeGain(gain, estimate(errors[baseline]).mean);
  const than = baseline === "SGD" ? "SGD" : "SGD at twice the epochs";
  return `SAM's error (ρ = ${rho}) is ${against} that of ${than}${atEqualEpochs(result)}. ${verdicts[verdictOf(result)]}.`;
}

// Where the baseline has twice as many.
function atEqualEpochs({ errors, baseline }: ConditionResult): string {
  if (baseline === "SGD") return "";
  return `, ${describeGain(estimateDifference(errors.SGD, errors.SAM), estimate(errors.SGD).mean)} that of SGD at the same`;
}

// "0.59±0.10 points (12.9 %) below"
function describeGain(gain: SeedMean, baseline: number): string {
  const { mean } = gain;
  const points = formatSize(gain, { scale: 100 });
  const share = baseline > 0 ? ` (${((100 * Math.abs(mean)) / baseline).toFixed(1)} %)` : "";
  return `${points} points${share} ${mean < 0 ? "above" : "below"}`;
}

function concludeAll(results: readonly ConditionResult[]): string {
  const { total, lower, better, worse } = countVerdicts(results);
  return `SAM's mean error is lower in ${lower} of ${total} conditions: beyond the seeds' noise in ${better}, and higher beyond it in ${worse}.`;
}
