/** Table 5: test error on SVHN and Fashion-MNIST with and without SAM, with basic augmentation and with AutoAugment or cutout. */
import { comparisonItem, comparisonMethods, comparisonRows, type Comparison, type Condition } from "./comparison";
import type { RunOptions } from "./config";
import { describeModel, quickDataset, type Budget, type LabelledRow } from "./item";
import { labNetworks, labScale } from "./labScale";
import { paperConditions } from "./paperConditions";
import type { RunRecord } from "./records";

export const table5Methods = comparisonMethods;

// The paper's "auto augment" on Fashion-MNIST is cutout alone.
const fashionMnist = [
  { augment: "basic", augmentation: "basic" },
  { augment: "cutout", augmentation: "autoaugment" },
] as const;

interface Quick {
  readonly dataset: RunOptions["dataset"];
  readonly model: RunOptions["model"];
  readonly training: RunOptions["training"];
  readonly rhos: readonly number[];
}

const scales: Record<Budget, () => Comparison> = {
  smoke: () => ({
    conditions: onFashionMnist({
      dataset: quickDataset({ trainSize: 256, testSize: 200 }),
      model: { name: "convNet", widths: [4, 8] },
      training: { epochs: 1, batchSize: 64 },
      rhos: [0.05],
    }),
    methods: comparisonMethods,
    seeds: 2,
  }),
  demo: () => ({
    conditions: onFashionMnist({
      dataset: quickDataset({ trainSize: 1000, testSize: 2000 }),
      model: { name: "convNet", widths: [16, 32, 64] },
      training: { epochs: 20, batchSize: 64, evaluateEvery: 5 },
      rhos: [0.1], // ours: found on other seeds
    }),
    methods: comparisonMethods,
    seeds: 3,
  }),
  lab: () => ({
    conditions: onFashionMnist({ ...labScale, model: labNetworks.wideResNet }),
    methods: comparisonMethods,
    seeds: labScale.seeds,
    validationSize: labScale.validationSize,
  }),
  paper: () => ({
    conditions: paperConditions("table-5"),
    methods: comparisonMethods,
    seeds: 5, // paper Sec. 3
  }),
};

export const table5 = comparisonItem({
  id: "table-5",
  title: "Table 5",
  claim: "SAM lowers the test error on Fashion-MNIST and SVHN, with basic augmentation and with stronger ones.",
  comparison: (budget) => scales[budget](),
});

/** One row per finished run: augment, method ("SGD" | "SGD, twice the epochs" | "SAM"), rho, seed, error rates in [0, 1]. */
export function table5Rows(budget: Budget, records: readonly RunRecord[]): LabelledRow[] {
  return comparisonRows(scales[budget](), records);
}

function onFashionMnist({ dataset, model, training, rhos }: Quick): Condition[] {
  return fashionMnist.map(({ augment, augmentation }) => ({
    labels: { model: describeModel(model), augment },
    config: { dataset, model, training: { ...training, augment } },
    rhos,
    paper: { dataset: "fashion-mnist", model: "WRN-28-10", augmentation },
  }));
}
