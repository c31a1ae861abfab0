/** Table 2: ResNets on ImageNet at 100, 200 and 400 epochs. With more epochs SAM goes on improving where SGD stops. */
import type { RunOptions } from "../../experiments/config";
import { describeModel } from "../../experiments/plan";
import { formatSize, pairedDifference, type SeedMean, type SeedValue } from "../../experiments/statistics";
import { verdictsOn, type Claim } from "../claims";
import type { Budget } from "../item";
import { paperNumbers, selectNumbers } from "../numbers";
import { errorsBySeed, type Comparison, type ComparisonMethod, type Condition, type ConditionResult } from "./comparison";
import { comparisonClaims, comparisonItem, type ComparisonItem } from "./comparisonItem";
import { comparisonScales, quickCondition, settingsNotes, type QuickBudget } from "./scales";

// The baseline of a row has the row's epochs: twice as many are the next row.
const methods: readonly ComparisonMethod[] = ["SGD", "SAM"];

const base = comparisonItem({
  id: "table-2",
  recordsIn: "table-5",
  title: "Table 2",
  claim: "SAM lowers the test error at every number of epochs, and goes on lowering it where more epochs no longer help SGD.",
  comparison,
  measure: "top1ErrorRate",
  alsoMeasure: "top5ErrorRate",
  notes: (budget) => ["ours is top-1 error alone.", ...settingsNotes(budget)],
});

/** Table 2: SAM and SGD on ImageNet, by number of epochs. */
export const table2: ComparisonItem = {
  ...base,
  claims: (results) => [...comparisonClaims(results), ...trends(results)],
};

function comparison(budget: Budget): Comparison {
  if (budget === "paper") return { conditions: paperRuns(), methods, seeds: 5 }; // paper Sec. 3.2
  const { seeds, validationSize } = comparisonScales[budget];
  return { conditions: quickConditions(budget), methods, seeds, validationSize };
}

// A quarter, half and all of the epochs of Table 5, so that runs are shared; at least 1 epoch.
function quickConditions(budget: QuickBudget): Condition[] {
  const { training, network } = comparisonScales[budget];
  const least = Math.max(1, training.epochs / 4);
  const one = quickCondition(budget, { model: network, augment: "basic", paper: undefined });
  return [1, 2, 4].map((times) => ({
    ...one,
    labels: { model: describeModel(network), epochs: times * least },
    config: { ...one.config, training: { ...one.config.training, epochs: times * least } },
    tunedOn: one.config,
    paper: { model: "ResNet-50", epochs: 100 * times },
  }));
}

const depths = { "ResNet-50": 50, "ResNet-101": 101, "ResNet-152": 152 } as const;

function paperRuns(): Condition[] {
  const rows = selectNumbers(paperNumbers("table-2"), { method: "sam", measure: "top1ErrorRate" });
  return rows.map(({ model, epochs }) => ({
    labels: { model: String(model), epochs: Number(epochs) },
    config: imageNetRun(depths[model as keyof typeof depths], Number(epochs)),
    rhos: [0.05], // paper Sec. 3.2: found on ResNet-50 at 100 epochs
    paper: { model: model!, epochs: epochs! },
  }));
}

// paper Sec. 3.2; 32 cores share a batch
function imageNetRun(depth: (typeof depths)[keyof typeof depths], epochs: number): RunOptions {
  const batchSize = 4096;
  return {
    dataset: { name: "imagenet" },
    model: { name: "resNetImageNet", depth },
    training: {
      ...{ epochs, batchSize, m: batchSize / 32, learningRate: 1, weightDecay: 0.0001, labelSmoothing: 0.1 },
      augment: "random-resized-crop", // official code
    },
  };
}

/** One claim for each network: what the last doubling of the epochs does to SGD's and to SAM's error. */
function trends(results: readonly ConditionResult[]): Claim[] {
  const networks = [...new Set(results.map(({ condition }) => condition.labels.model!))];
  const doublings = networks.flatMap((network) => {
    const rows = results.filter(({ condition }) => condition.labels.model === network);
    return rows.length < 2 ? [] : [{ shorter: rows.at(-2)!, longer: rows.at(-1)! }];
  });
  const verdicts = verdictsOn(doublings.map(extraGain));
  return doublings.map((doubling, i) => ({
    statement: "SAM gains more from more epochs than SGD",
    where: `for ${doubling.longer.condition.labels.model}`,
    verdict: verdicts[i]!,
    evidence: evidenceOf(doubling),
  }));
}

interface Doubling {
  readonly shorter: ConditionResult;
  readonly longer: ConditionResult;
}

// "From 200 to 400 epochs of WRN-10-1 SGD's error falls by 0.20±0.90 points and SAM's by 1.10±0.60 points; seed by seed SAM gains …"
function evidenceOf({ shorter, longer }: Doubling): string {
  const fall = (method: ComparisonMethod) => {
    const difference = pairedDifference(errorsBySeed(shorter, method), errorsBySeed(longer, method));
    return `${difference.mean < 0 ? "rises" : "falls"} by ${points(difference)}`;
  };
  const more = extraGain({ shorter, longer });
  const { epochs, model } = longer.condition.labels;
  return (
    `From ${shorter.condition.labels.epochs} to ${epochs} epochs of ${model} SGD's error ${fall("SGD")} ` +
    `and SAM's ${fall("SAM")}; seed by seed SAM gains ${points(more)} ${more.mean < 0 ? "less" : "more"}.`
  );
}

/** How much further SAM's error falls than SGD's, seed by seed: all four runs of a seed start from the same weights. */
function extraGain({ shorter, longer }: Doubling): SeedMean {
  return pairedDifference(fallBySeed({ shorter, longer }, "SAM"), fallBySeed({ shorter, longer }, "SGD"));
}

function fallBySeed({ shorter, longer }: Doubling, method: ComparisonMethod): SeedValue[] {
  const after = new Map(errorsBySeed(longer, method).map(({ seed, value }) => [seed, value]));
  return errorsBySeed(shorter, method).flatMap(({ seed, value }) =>
    after.has(seed) ? [{ seed, value: value - after.get(seed)! }] : [],
  );
}

function points(value: SeedMean): string {
  return `${formatSize(value, { scale: 100 })} points`;
}
