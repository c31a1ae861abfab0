/** How many times sharper SGD's solution is than SAM's, and whether the seeds support it: one decision for text and README. */
import { estimate, type SeedMean } from "../../experiments/statistics";

interface MethodRow {
  readonly method: string;
  readonly seed: number;
}

/** SGD's value over SAM's, seed by seed: both start from the same weights and see the same batches. */
export function factorBySeed<Row extends MethodRow>(rows: readonly Row[], valueOf: (row: Row) => number): SeedMean {
  const of = (method: string) => rows.filter((row) => row.method === method);
  const sam = of("SAM");
  return estimate(
    of("SGD").flatMap((sgd) => sam.filter(({ seed }) => seed === sgd.seed).map((each) => valueOf(sgd) / valueOf(each))),
  );
}

/** Of a factor that the paper has above 1. */
export function factorVerdict({ mean, interval = Infinity }: SeedMean): string {
  if (!(mean > 1)) return "does not replicate";
  return mean - interval > 1 ? "replicates" : "shows in the mean, within the seeds' noise";
}
