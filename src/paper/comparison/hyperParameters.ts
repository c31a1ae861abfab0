/** The paper's hyper-parameters, looked up in its Tables 6 and 7. */
import { paperNumber, paperNumbers } from "../numbers";

/** The paper's settings of one row. */
export interface PaperHyperParameters {
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly batchSize: number;
  readonly rho: number;
}

/** The hyper-parameters of one row, such as `("table-7", { dataset: "svhn", model: "WRN-28-10" })`. @throws if there is no such row */
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
