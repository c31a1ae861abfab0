/** Table 10: Table 3's finetuning of EfficientNet-b7 with ρ = 0.05 everywhere, beside the tuned ρ and no SAM. */
import {
  atRho,
  comparisonPlan,
  comparisonResults,
  conditionName,
  distinctRuns,
  pairedResults,
  type Comparison,
  type Condition,
  type ConditionResult,
} from "../comparison/comparison";
import type { Budget, PaperItem } from "../item";
import type { RunRecord } from "../../experiments/records";
import { estimate, estimateDifference, formatEstimate, formatSize, type SeedMean } from "../../experiments/statistics";
import { describeFinetuning, finetuneComparison } from "./table3";
import { FIXED_RHO } from "../comparison/table9";

export const table10: PaperItem = {
  id: "table-10",
  recordsIn: "table-3",
  title: "Table 10",
  claim: "Finetuning with SAM at an untuned ρ = 0.05 still lowers the test error, if less than at the tuned ρ.",
  describe: describeFinetuning,
  plan: (budget, records) => {
    const { tuned, fixed } = comparisons(budget);
    return distinctRuns([...comparisonPlan(tuned, records), ...comparisonPlan(fixed, records)]);
  },
  conclusions: (budget, records) => table10Rows(budget, records).map(conclude),
};

/** Table 3's conditions that Table 10 has: EfficientNet-b7 without ImageNet, and every one of ours. */
function comparisons(budget: Budget): { tuned: Comparison; fixed: Comparison } {
  const { conditions, ...rest } = finetuneComparison(budget);
  const here = conditions.filter(({ paper }) => paper?.model === "EfficientNet-b7" && paper.dataset !== "imagenet");
  const tuned = { ...rest, conditions: here };
  return { tuned, fixed: atRho(tuned, FIXED_RHO) };
}

export interface Table10Row {
  readonly condition: Condition;
  readonly tuned: ConditionResult;
  readonly fixed: ConditionResult;
}

/** The conditions that have records of every method, in the table's order. */
export function table10Rows(budget: Budget, records: readonly RunRecord[]): Table10Row[] {
  const { tuned, fixed } = comparisons(budget);
  const pairs = pairedResults(comparisonResults(fixed, records), comparisonResults(tuned, records));
  return pairs.map(({ result, other }) => ({ condition: result.condition, tuned: other, fixed: result }));
}

function conclude({ condition, tuned, fixed }: Table10Row): string {
  const name = conditionName(condition);
  const gain = `SAM at ρ = ${FIXED_RHO} has ${more(negative(fixed.gain))} than ${fixed.baseline}`;
  if (tuned.rho === FIXED_RHO) return `${name}: ${gain}; the tuned ρ is the same.`;
  const loss = estimateDifference(fixed.errors.SAM, tuned.errors.SAM);
  return `${name}: ${gain}, and ${more(loss)} than at the tuned ρ = ${tuned.rho} (${percent(tuned)} against ${percent(fixed)} %).`;
}

const negative = (difference: SeedMean): SeedMean => ({ ...difference, mean: -difference.mean });
const percent = ({ errors }: ConditionResult) => formatEstimate(estimate(errors.SAM), { scale: 100 });

/** "1.11±1.93 points less error" */
function more(difference: SeedMean): string {
  return `${formatSize(difference, { scale: 100 })} points ${difference.mean > 0 ? "more" : "less"} error`;
}
