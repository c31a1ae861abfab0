/** Table 1: test error on CIFAR-10 and CIFAR-100 of four kinds of networks, with basic augmentation, cutout and AutoAugment. */
import { comparisonItem, comparisonMethods, type Comparison } from "./comparison";
import { comparisonScales, quickComparison, type Augment, type ComparisonScale, type QuickCondition } from "./comparisonScales";
import type { Budget } from "./item";
import { paperConditions } from "./paperConditions";

export const table1 = comparisonItem({
  id: "table-1",
  recordsIn: "table-5",
  title: "Table 1",
  claim: "SAM lowers the test error of every network, with every augmentation.",
  comparison: table1Comparison,
});

/** Below the budget "paper" ours are on Fashion-MNIST, beside the paper's WRN-28-10 (200 epochs) on CIFAR-10. */
export function table1Comparison(budget: Budget): Comparison {
  if (budget === "paper") return { conditions: paperConditions("table-1"), methods: comparisonMethods, seeds: 5 }; // paper Sec. 3
  return quickComparison(budget, quickConditions(comparisonScales[budget]));
}

const augments = { basic: "basic", cutout: "cutout", "autoaugment-scaled": "autoaugment" } as const satisfies Partial<
  Record<Augment, string>
>;

// The larger of two networks, which Table 5 trains too, is not trained a third time.
function quickConditions({ network, secondNetwork }: ComparisonScale): QuickCondition[] {
  const condition = (model: QuickCondition["model"], augment: keyof typeof augments): QuickCondition => {
    const paper = { dataset: "cifar-10", model: "WRN-28-10", epochs: 200, augmentation: augments[augment] };
    return { model, augment, paper };
  };
  const all = (model: QuickCondition["model"]) => (Object.keys(augments) as (keyof typeof augments)[]).map((each) => condition(model, each)); // prettier-ignore
  if (!secondNetwork) return all(network);
  return [condition(network, "basic"), condition(network, "cutout"), ...all(secondNetwork)];
}
