/** Tables 6 and 7: the paper's hyper-parameters, looked up by those who train with them. */
import { paperNumber, paperNumbers } from "../numbers";

export interface PaperHyperParameters {
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly batchSize: number;
  readonly rho: number;
}

/** Of one row, such as `("table-7", { dataset: "svhn", model: "WRN-28-10" })`. @throws where the paper's table has no such row */
export function paperHyperParameters(
  table: "table-6" | "table-7",
  where: Readonly<Record<string, string | number>>,
): PaperHyperParameters {
  const numbers = paperNumbers(table);
  const value = (measure: string) => paperNumber(numbers, { ...where, measure }).value;
  return {
    learningRate: value("learningRate"),
    weightDecay: value("weightDecay"),
    batchSize: value("batchSize"),
    rho: value("rho"),
  };
}
