/** Figure 1, left: by which share SAM lowers the error, a dot for each data set, network and augmentation, recomputed from the tables. */
import { comparisonResults, conditionName, distinctRuns, type ComparisonItem } from "./comparison/comparison";
import type { Budget, PaperItem } from "./item";
import { noiseRates } from "./noise/runs";
import { paperNumber, paperNumbers, selectNumbers } from "./numbers";
import { comparisonPaperRows, paperRowName, type PaperRow } from "./comparison/paperRows";
import type { RunRecord } from "../experiments/records";
import { estimate, estimateDifference, formatEstimate, isSupported, median, type SeedMean } from "../experiments/statistics";
import { table1 } from "./comparison/table1";
import { table2 } from "./comparison/table2";
import { table3 } from "./finetuning/table3";
import { accuracies, table4, table4Rows } from "./noise/table4";
import { table5 } from "./comparison/table5";

/** The figure's rows from top to bottom, by the paper's names. Its Cifar100 has no counterpart in our runs. */
export const reductionFamilies = ["Cifar10", "Cifar100", "Imagenet", "Finetuning", "SVHN / F-MNIST", "Noisy Cifar"] as const;
export type ReductionFamily = (typeof reductionFamilies)[number];

/** One dot. Errors in [0, 1]. */
export interface Reduction {
  readonly family: ReductionFamily;
  /** "WRN-28-10, CIFAR-10, cutout". */
  readonly name: string;
  /** What SAM is held against: the better of SGD's two trainings, or mixup. */
  readonly baseline: string;
  readonly baselineError: number;
  readonly samError: number;
  /** (baselineError − samError) / baselineError: above 0, SAM is better. */
  readonly reduction: number;
}

export interface OurReduction extends Reduction {
  /** The reduction over the seeds; its interval is that of the difference, the baseline taken as exact. */
  readonly size: SeedMean;
}

const parts = [table1, table2, table3, table4, table5];

export const figure1Left: PaperItem = {
  id: "figure-1-left",
  title: "Figure 1, left",
  claim:
    "Switching to SAM lowers the test error on nearly every data set, with every network and augmentation, most of all where labels are wrong.",
  parts,
  describe: (budget) =>
    `every run of Tables 1 to 5 at this budget. ${parts.map(({ title, describe }) => `${title}: ${describe(budget)}`).join("; ")}`,
  plan: (budget, records) => distinctRuns(parts.flatMap((part) => part.plan(budget, records))),
  conclusions: (budget, records) => conclude(ourReductions(budget, records)),
};

/** The paper's dots, from the errors that its tables print: rounded, so a reduction may differ from the figure's in the last digits. */
export function paperReductions(): Reduction[] {
  const rows = ({ id }: ComparisonItem, measure?: string) => comparisonPaperRows(paperNumbers(id), measure);
  return [
    ...paperFamily("Cifar10", rows(table1).filter(({ where }) => where.dataset === "cifar-10")),
    ...paperFamily("Cifar100", rows(table1).filter(({ where }) => where.dataset === "cifar-100")),
    ...paperFamily("Imagenet", rows(table2, "top1ErrorRate")),
    // paper.md Sec. 5: EfficientNet-b7 alone, and ImageNet has no number without SAM
    ...paperFamily("Finetuning", rows(table3).filter(({ where }) => where.model === "EfficientNet-b7" && where.dataset !== "imagenet")),
    ...paperFamily("SVHN / F-MNIST", rows(table5)),
    ...paperNoise(),
  ]; // prettier-ignore
}

function paperFamily(family: ReductionFamily, rows: readonly PaperRow[]): Reduction[] {
  return rows.map((row) =>
    reductionOf({
      family,
      name: paperRowName(row),
      baseline: "SGD",
      baselineError: row.sgd.value / 100,
      samError: row.sam.value / 100,
    }),
  );
}

// The paper's figure holds SAM against its own mixup (paper.md Sec. 5).
function paperNoise(): Reduction[] {
  const numbers = paperNumbers("table-4");
  return selectNumbers(numbers, { method: "sam" }).map(({ noiseRate, value }) => {
    const mixup = paperNumber(numbers, { method: "mixup", noiseRate: noiseRate! }).value;
    const errors = { baselineError: 1 - mixup / 100, samError: 1 - value / 100 };
    return reductionOf({ family: "Noisy Cifar", name: noiseName(Number(noiseRate)), baseline: "Mixup", ...errors });
  });
}

function noiseName(noiseRate: number): string {
  return `${Math.round(100 * noiseRate)} % noise`;
}

function reductionOf(dot: Omit<Reduction, "reduction">): Reduction {
  return { ...dot, reduction: (dot.baselineError - dot.samError) / dot.baselineError };
}

/** Ours, of the conditions that have records of every method. A condition of Table 5 is not shown a second time as Table 1's. */
export function ourReductions(budget: Budget, records: readonly RunRecord[]): OurReduction[] {
  const family = (name: ReductionFamily, item: ComparisonItem) => ourFamily(name, item, { budget, records });
  const table5Dots = family("SVHN / F-MNIST", table5);
  const known = new Set(table5Dots.map(({ name }) => name));
  return [
    ...family("Cifar10", table1).filter(({ name }) => !known.has(name)),
    ...family("Imagenet", table2),
    ...family("Finetuning", table3),
    ...table5Dots,
    ...ourNoise(budget, records),
  ];
}

interface Recorded {
  readonly budget: Budget;
  readonly records: readonly RunRecord[];
}

function ourFamily(family: ReductionFamily, item: ComparisonItem, { budget, records }: Recorded): OurReduction[] {
  return comparisonResults(item.comparison(budget), records).map(({ condition, errors, baseline }) =>
    ourReduction({ family, name: conditionName(condition), baseline }, { baseline: errors[baseline], sam: errors.SAM }),
  );
}

function ourNoise(budget: Budget, records: readonly RunRecord[]): OurReduction[] {
  const rows = table4Rows(budget, records);
  return noiseRates(budget).flatMap((noiseRate) => {
    const errors = (method: string) => accuracies(rows, { method, noiseRate }).map((accuracy) => 1 - accuracy);
    const [baseline, sam] = [errors("Mixup"), errors("SAM")];
    const name = noiseName(noiseRate);
    return baseline.length > 0 && sam.length > 0
      ? [ourReduction({ family: "Noisy Cifar", name, baseline: "Mixup" }, { baseline, sam })]
      : [];
  });
}

function ourReduction(
  which: Pick<Reduction, "family" | "name" | "baseline">,
  errors: { readonly baseline: readonly number[]; readonly sam: readonly number[] },
): OurReduction {
  const [baselineError, samError] = [estimate(errors.baseline).mean, estimate(errors.sam).mean];
  const { mean, interval, n } = estimateDifference(errors.baseline, errors.sam);
  const size = { mean: mean / baselineError, n, ...(interval === undefined ? {} : { interval: interval / baselineError }) };
  return { ...reductionOf({ ...which, baselineError, samError }), size };
}

export function medianReduction(dots: readonly Reduction[]): number {
  return median(dots.map(({ reduction }) => reduction));
}

/** How many dots are above 0; of ours also how many beyond the seeds' noise, and how many below 0 beyond it. */
export function countReductions(dots: readonly OurReduction[]): { lower: number; better: number; worse: number; total: number } {
  const supported = dots.filter(({ size }) => isSupported(size));
  const better = supported.filter(({ reduction }) => reduction > 0).length;
  const lower = dots.filter(({ reduction }) => reduction > 0).length;
  return { lower, better, worse: supported.length - better, total: dots.length };
}

function conclude(ours: readonly OurReduction[]): string[] {
  if (ours.length === 0) return [];
  const paper = paperReductions();
  const { lower, better, worse, total } = countReductions(ours);
  const printedLower = paper.filter(({ reduction }) => reduction > 0).length;
  const best = ours.reduce((a, b) => (b.reduction > a.reduction ? b : a));
  return [
    `SAM's mean error is lower in ${lower} of our ${total} comparisons, beyond the seeds' noise in ${better}, and higher beyond it in ${worse}; in the paper it is lower in ${printedLower} of ${paper.length}.`,
    `The median reduction is ${inWords(medianReduction(ours))} here and ${inWords(medianReduction(paper))} in the paper, the largest of ours ${inWords(best.reduction)} (${best.family}: ${best.name}).`,
    ...families(ours, paper),
  ];
}

// "Medians by row, ours and the paper's: Imagenet 3.0 and 6.1 %, …"
function families(ours: readonly Reduction[], paper: readonly Reduction[]): string[] {
  const both = reductionFamilies.flatMap((family) => {
    const own = ours.filter((dot) => dot.family === family);
    if (own.length === 0) return [];
    const theirs = paper.filter((dot) => dot.family === family);
    return [`${family} ${points(medianReduction(own))} and ${points(medianReduction(theirs))} %`];
  });
  return [`Medians by row, ours and the paper's: ${both.join(", ")}.`];
}

function inWords(reduction: number): string {
  return `${points(reduction)} %`;
}

function points(reduction: number): string {
  return formatEstimate({ mean: reduction }, { scale: 100, decimals: 1 });
}
