/** The paper's tables of errors as rows with and without SAM. */
import { datasetFacts, type DatasetName } from "../../experiments/datasets";
import { formatEstimate } from "../../experiments/statistics";
import { selectNumbers, type PaperNumber, type PaperNumbers } from "../numbers";
import type { Condition } from "./comparison";

/** One row of the paper: the fields that identify it, and its numbers with and without SAM. */
export interface PaperRow {
  readonly where: Readonly<Record<string, string | number>>;
  readonly sgd: PaperNumber;
  readonly sam: PaperNumber;
  /** Decimals that the paper prints. */
  readonly decimals: number;
}

const whereFields = ["model", "epochs", "dataset", "augmentation"] as const;

/** Every row of the paper's table, in its order. */
export function comparisonPaperRows(numbers: PaperNumbers, measure = "testErrorRate"): PaperRow[] {
  const { decimals } = numbers.measures[measure]!;
  const sams = selectNumbers(numbers, { method: "sam", measure });
  return sams.map((sam) => {
    const where = Object.fromEntries(whereFields.flatMap((field) => (sam[field] === undefined ? [] : [[field, sam[field]!]])));
    const [sgd] = selectNumbers(numbers, { ...where, method: "sgd", measure });
    return { where, sgd: sgd!, sam, decimals };
  });
}

/** "WRN-28-10, CIFAR-10, cutout". */
export function paperRowName({ where }: PaperRow): string {
  const { model, epochs, dataset, augmentation } = where;
  const parts = [model, epochs && `${epochs} epochs`, titleOfDataset(String(dataset)), augmentation];
  return parts.filter(Boolean).join(", ");
}

/** "CIFAR-10" for "cifar-10". */
export function titleOfDataset(dataset: string): string {
  return datasetFacts[dataset as DatasetName]?.title ?? dataset;
}

/** Whether a condition of ours is shown beside the paper's row. */
export function standsFor({ paper }: Condition, { where }: PaperRow): boolean {
  const named = Object.entries(paper ?? {});
  return named.length > 0 && named.every(([field, value]) => where[field] === value);
}

/** "4.57±0.07": both errors as the paper prints them. */
export function printedErrors({ sgd, sam, decimals }: PaperRow): { readonly sgd: string; readonly sam: string } {
  const printed = ({ value, interval, bound }: PaperNumber) => formatEstimate({ mean: value, interval, bound }, { decimals });
  return { sgd: printed(sgd), sam: printed(sam) };
}
