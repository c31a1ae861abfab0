/** Table 5: test error on SVHN and Fashion-MNIST with and without SAM, with basic augmentation and with AutoAugment or cutout. */
import type { Budget } from "../item";
import { comparisonMethods, type Comparison } from "./comparison";
import { comparisonItem } from "./comparisonItem";
import { paperConditions } from "./paperConditions";
import { comparisonScales, quickComparison, settingsNotes } from "./scales";

// The paper's "auto augment" on Fashion-MNIST is cutout alone.
const augments = [
  { augment: "basic", augmentation: "basic" },
  { augment: "cutout", augmentation: "autoaugment" },
] as const;

/** Table 5: SAM and SGD on SVHN and Fashion-MNIST. */
export const table5 = comparisonItem({
  id: "table-5",
  title: "Table 5",
  claim: "SAM lowers the test error on Fashion-MNIST and SVHN, with basic augmentation and with stronger ones.",
  comparison,
  notes: settingsNotes,
});

function comparison(budget: Budget): Comparison {
  if (budget === "paper") return { conditions: paperConditions("table-5"), methods: comparisonMethods, seeds: 5 }; // paper Sec. 3
  const { network: model } = comparisonScales[budget];
  const paper = { dataset: "fashion-mnist", model: "WRN-28-10" };
  return quickComparison(
    budget,
    augments.map(({ augment, augmentation }) => ({ model, augment, paper: { ...paper, augmentation } })),
  );
}
