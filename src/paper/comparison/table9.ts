/** Table 9: Table 1 with ρ = 0.05 everywhere, as if it had not been tuned. */
import type { RunRecord } from "../../experiments/records";
import { estimate, formatEstimate, pairedDifference } from "../../experiments/statistics";
import type { Budget } from "../item";
import {
  atRho,
  comparisonResults,
  conditionName,
  errorsBySeed,
  pairedResults,
  type Comparison,
  type ConditionResult,
} from "./comparison";
import { comparisonItem, type ComparisonItem } from "./comparisonItem";
import { paperConditions } from "./paperConditions";
import { settingsNotes } from "./scales";
import { isOfTable5, table1Comparison } from "./table1";

/** The untuned ρ of Tables 9 and 10: paper App. C.1. */
export const FIXED_RHO = 0.05;

/** Table 9: CIFAR with ρ as it is, not tuned. */
export const table9: ComparisonItem = {
  ...comparisonItem({
    id: "table-9",
    recordsIn: "table-5",
    title: "Table 9",
    claim: "SAM at an untuned ρ = 0.05 still lowers the test error, nearly as far as at the tuned ρ.",
    comparison,
    notes: settingsNotes,
    countedIn,
    remarks: besideTuned,
  }),
  rows: (budget, records) => withTuned(budget, records),
};

function comparison(budget: Budget): Comparison {
  const table1 = table1Comparison(budget);
  return budget === "paper" ? { ...table1, conditions: paperConditions("table-9", FIXED_RHO) } : atRho(table1, FIXED_RHO);
}

/** Results at ρ = 0.05, each with Table 1's at the tuned ρ if that is recorded. */
function withTuned(budget: Budget, records: readonly RunRecord[]): ConditionResult[] {
  const tuned = comparisonResults(table1Comparison(budget), records);
  return comparisonResults(comparison(budget), records).map((result) => {
    const [pair] = pairedResults([result], tuned);
    return pair ? { ...result, tuned: pair.other } : result;
  });
}

/** The table that counts a condition whose tuned ρ is 0.05 too: its runs are the same. */
function countedIn({ condition, tuned }: ConditionResult, budget: Budget): string | undefined {
  if (tuned?.rho !== FIXED_RHO) return undefined;
  return isOfTable5(condition, budget) ? "Table 5" : "Table 1";
}

// "At ρ = 0.05 SAM's mean error is above that at the tuned ρ in 2 of 5 conditions, by 1.20±0.80 points at most (WRN-10-1, basic)."
function besideTuned(results: readonly ConditionResult[]): string[] {
  const pairs = results.flatMap((result) => {
    if (!result.tuned) return [];
    const loss = pairedDifference(errorsBySeed(result, "SAM"), errorsBySeed(result.tuned, "SAM"));
    return [{ name: conditionName(result.condition), loss, rho: result.tuned.rho }];
  });
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
