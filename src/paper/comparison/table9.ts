/** Table 9: Table 1 with ρ = 0.05 everywhere, as if it had not been tuned. */
import {
  atRho,
  comparisonItem,
  comparisonResults,
  conditionName,
  pairedResults,
  type Comparison,
  type ConditionResult,
} from "./comparison";
import type { Budget } from "../item";
import { paperConditions } from "./paperConditions";
import type { RunRecord } from "../../experiments/records";
import { estimate, estimateDifference, formatEstimate } from "../../experiments/statistics";
import { table1Comparison } from "./table1";

/** Where it is not tuned: paper App. C.1, for Tables 9 and 10. */
export const FIXED_RHO = 0.05;

export const table9 = comparisonItem({
  id: "table-9",
  recordsIn: "table-5",
  title: "Table 9",
  claim: "SAM at an untuned ρ = 0.05 still lowers the test error, nearly as far as at the tuned ρ.",
  comparison,
  further: (fixed, budget, records) => besideTuned(fixed, tunedResults(budget, records)),
});

function comparison(budget: Budget): Comparison {
  const table1 = table1Comparison(budget);
  return budget === "paper" ? { ...table1, conditions: paperConditions("table-9", FIXED_RHO) } : atRho(table1, FIXED_RHO);
}

/** Table 1's results at the same budget, as far as they are recorded. */
export function tunedResults(budget: Budget, records: readonly RunRecord[]): ConditionResult[] {
  return comparisonResults(table1Comparison(budget), records);
}

// "At ρ = 0.05 SAM's mean error is above that at the tuned ρ in 2 of 5 conditions, by 1.20±0.80 points at most (WRN-10-1, basic)."
function besideTuned(fixed: readonly ConditionResult[], tuned: readonly ConditionResult[]): string[] {
  const pairs = pairedResults(fixed, tuned).map(({ result, other }) => ({
    name: conditionName(result.condition),
    loss: estimateDifference(result.errors.SAM, other.errors.SAM),
    rho: other.rho,
  }));
  if (pairs.length === 0) return [];
  const same = pairs.filter(({ rho }) => rho === FIXED_RHO).length;
  const above = pairs.filter(({ loss }) => loss.mean > 0);
  const worst = pairs.reduce((a, b) => (b.loss.mean > a.loss.mean ? b : a));
  const most = above.length > 0 ? `, by ${formatEstimate(worst.loss, { scale: 100 })} points at most (${worst.name})` : "";
  const mean = formatEstimate({ mean: estimate(pairs.map(({ loss }) => loss.mean)).mean }, { scale: 100 });
  return [
    `At ρ = ${FIXED_RHO} SAM's mean error is above that at the tuned ρ in ${above.length} of ${pairs.length} conditions${most}; the mean over all is ${mean} points. ρ = ${FIXED_RHO} is the tuned value in ${same}.`,
  ];
}
