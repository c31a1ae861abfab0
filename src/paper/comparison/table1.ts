/** Table 1: test error on CIFAR-10 and CIFAR-100 of four kinds of networks, with basic augmentation, cutout and AutoAugment. */
import type { Budget } from "../item";
import { comparisonMethods, conditionName, type Comparison, type Condition } from "./comparison";
import { comparisonItem } from "./comparisonItem";
import { paperConditions } from "./paperConditions";
import {
  comparisonScales,
  quickComparison,
  settingsNotes,
  type Augment,
  type ComparisonScale,
  type QuickCondition,
} from "./scales";
import { table5 } from "./table5";

/** Table 1: SAM and SGD on CIFAR. */
export const table1 = comparisonItem({
  id: "table-1",
  recordsIn: "table-5",
  title: "Table 1",
  claim: "SAM lowers the test error of every network, with every augmentation.",
  comparison: table1Comparison,
  notes: settingsNotes,
  countedIn: ({ condition }, budget) => (isOfTable5(condition, budget) ? table5.title : undefined),
});

/** Whether Table 5 shows the same runs. */
export function isOfTable5(condition: Condition, budget: Budget): boolean {
  return table5.comparison(budget).conditions.some((other) => conditionName(other) === conditionName(condition));
}

/** Below the budget "paper" ours are on Fashion-MNIST, beside the paper's WRN-28-10 (200 epochs) on CIFAR-10. */
export function table1Comparison(budget: Budget): Comparison {
  if (budget === "paper") return { conditions: paperConditions("table-1"), methods: comparisonMethods, seeds: 5 }; // paper Sec. 3
  return quickComparison(budget, quickConditions(comparisonScales[budget]));
}

/** The paper's name of each augmentation. */
const augments: Partial<Record<Augment, string>> = { basic: "basic", cutout: "cutout", "autoaugment-scaled": "autoaugment" };

// Table 5 trains the first network too, so Table 1 has the same augmentations of it; all, if it is the only one.
function quickConditions({ network, otherNetworks = [] }: ComparisonScale): QuickCondition[] {
  const own: readonly Augment[] = otherNetworks.length > 0 ? ["basic", "cutout"] : ["basic", "cutout", "autoaugment-scaled"];
  return [
    ...own.map((augment) => ({ model: network, augment, paper: paperRow(augment) })),
    ...otherNetworks.flatMap(({ augments, standsFor, ...other }) =>
      augments.map((augment) => ({ ...other, augment, paper: paperRow(augment, standsFor) })),
    ),
  ];
}

function paperRow(augment: Augment, model = "WRN-28-10"): QuickCondition["paper"] {
  const row = { dataset: "cifar-10", model, augmentation: augments[augment]! };
  return model === "WRN-28-10" ? { ...row, epochs: 200 } : row;
}
