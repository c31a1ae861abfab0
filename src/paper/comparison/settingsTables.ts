/** Tables 6 and 7, the paper's hyper-parameters, with the runs that train with them: nothing is trained for these tables themselves. */
import type { ComparisonItem, Condition } from "./comparison";
import { paperHyperParameters, type PaperHyperParameters } from "./hyperParameters";
import type { PaperItem } from "../item";
import { isTrainedWith } from "./paperConditions";
import { paperNumbers, selectNumbers } from "../numbers";
import { table1 } from "./table1";
import { table5 } from "./table5";

export interface SettingsItem extends PaperItem {
  readonly id: "table-6" | "table-7";
  readonly withoutRuns: true;
  /** Whose runs at the budget "paper" have these settings. */
  readonly of: ComparisonItem;
}

/** One row of the table. */
export interface Settings extends PaperHyperParameters {
  /** As the paper's table calls it. */
  readonly model: string;
  readonly dataset: string;
  /** Where the table tells two numbers of epochs apart. */
  readonly epochs?: number;
  /** Those of Table 1 or 5 at the budget "paper" that are trained with them. */
  readonly conditions: readonly Condition[];
  /** How many runs these are: conditions × methods × seeds. */
  readonly runs: number;
}

export const table6 = settingsItem({ id: "table-6", title: "Table 6", of: table1 });
export const table7 = settingsItem({ id: "table-7", title: "Table 7", of: table5 });

function settingsItem(which: Pick<SettingsItem, "id" | "title" | "of">): SettingsItem {
  const summary = () => describeSettings(settingsRows(which));
  return {
    ...which,
    withoutRuns: true,
    claim: "Learning rate and weight decay were chosen without SAM, then ρ alone, for each data set and network.",
    describe: () => `the settings of the runs of ${which.of.title} at the budget "paper"; nothing is trained`,
    plan: () => [],
    conclusions: () => [summary()],
  };
}

/** Every row of the paper's table, in its order. */
export function settingsRows({ id, of }: Pick<SettingsItem, "id" | "of">): Settings[] {
  const { conditions: all, methods, seeds } = of.comparison("paper");
  return selectNumbers(paperNumbers(id), { measure: "rho" }).map(({ model, dataset, epochs }) => {
    const where = { model: String(model), dataset: String(dataset), ...(epochs === undefined ? {} : { epochs: Number(epochs) }) };
    const conditions = all.filter((condition) => isTrainedWith(condition, { table: id, where }));
    return { ...where, ...paperHyperParameters(id, where), conditions, runs: conditions.length * methods.length * seeds };
  });
}

// "ρ is 0.05 in 5 of 10 settings, from 0.02 to 0.2; the learning rate is from 0.02 to 0.1."
function describeSettings(rows: readonly Settings[]): string {
  const rhos = rows.map(({ rho }) => rho);
  const rates = rows.map(({ learningRate }) => learningRate);
  const { value, count } = mostFrequent(rhos);
  const range = (values: readonly number[]) => `from ${Math.min(...values)} to ${Math.max(...values)}`;
  return `ρ is ${value} in ${count} of ${rows.length} settings, ${range(rhos)}; the learning rate is ${range(rates)}.`;
}

/** The value that stands there most often, the first of equals. */
export function mostFrequent(values: readonly number[]): { value: number; count: number } {
  const counts = [...new Set(values)].map((value) => ({ value, count: values.filter((each) => each === value).length }));
  return counts.reduce((a, b) => (b.count > a.count ? b : a));
}
