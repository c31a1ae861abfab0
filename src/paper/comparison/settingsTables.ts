/** Tables 6 and 7: the paper's hyper-parameters, with the runs that train with them. Nothing is trained for these tables themselves. */
import { dotIntervals } from "../../plots";
import type { TableRow } from "../../tables";
import type { ItemTable, PaperItem } from "../item";
import { paperNumbers, selectNumbers } from "../numbers";
import type { Condition } from "./comparison";
import type { ComparisonItem } from "./comparisonItem";
import { paperHyperParameters, type PaperHyperParameters } from "./hyperParameters";
import { isTrainedWith } from "./paperConditions";
import { titleOfDataset } from "./paperRows";
import { table1 } from "./table1";
import { table5 } from "./table5";

export interface SettingsItem extends PaperItem<Settings> {
  readonly id: "table-6" | "table-7";
  readonly withoutRuns: true;
  /** The table whose runs at the budget "paper" have these settings. */
  readonly of: ComparisonItem;
}

/** One row of the table. */
export interface Settings extends PaperHyperParameters {
  /** The paper's table's name for it. */
  readonly model: string;
  readonly dataset: string;
  /** Present if the table tells two numbers of epochs apart. */
  readonly epochs?: number;
  /** The conditions of Table 1 or 5 at the budget "paper" that are trained with these settings. */
  readonly conditions: readonly Condition[];
  /** The number of those runs: conditions × methods × seeds. */
  readonly runs: number;
}

/** Table 6: the settings of Table 1. */
export const table6 = settingsItem({ id: "table-6", title: "Table 6", of: table1 });
/** Table 7: the settings of Table 5. */
export const table7 = settingsItem({ id: "table-7", title: "Table 7", of: table5 });

function settingsItem(which: Pick<SettingsItem, "id" | "title" | "of">): SettingsItem {
  const { title, of } = which;
  return {
    ...which,
    withoutRuns: true,
    claim: "Learning rate and weight decay were chosen without SAM, then ρ alone, for each data set and network.",
    describe: () => `the settings of the runs of ${of.title} at the budget "paper"; nothing is trained`,
    plan: () => [],
    rows: () => settingsRows(which),
    claims: () => [],
    remarks: (rows) => [`${describeSettings(rows)}.`],
    table: (rows) => settingsTable(rows, which),
    figure: (rows) => settingsFigure(rows, title),
    summary: (rows) => ({
      paper: describeSettings(rows),
      ours: `the settings of ${rows.reduce((sum, { runs }) => sum + runs, 0)} runs of ${of.title}`,
      claims: [],
    }),
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

// "ρ is 0.05 in 5 of 10 settings, from 0.02 to 0.2; the learning rate is from 0.02 to 0.1"
function describeSettings(rows: readonly Settings[]): string {
  const rhos = rows.map(({ rho }) => rho);
  const rates = rows.map(({ learningRate }) => learningRate);
  const { value, count } = mostFrequent(rhos);
  const range = (values: readonly number[]) => `from ${Math.min(...values)} to ${Math.max(...values)}`;
  return `ρ is ${value} in ${count} of ${rows.length} settings, ${range(rhos)}; the learning rate is ${range(rates)}`;
}

/** The value that occurs most often, the first among ties. */
function mostFrequent(values: readonly number[]): { value: number; count: number } {
  const counts = [...new Set(values)].map((value) => ({ value, count: values.filter((each) => each === value).length }));
  return counts.reduce((a, b) => (b.count > a.count ? b : a));
}

function settingsTable(rows: readonly Settings[], { title, of }: Pick<SettingsItem, "title" | "of">): ItemTable {
  return {
    rows: rows.map(cellsOf),
    title: `${title}: the paper's hyper-parameters, and the runs of ${of.title} that are trained with them`,
    columns: {
      dataset: "data",
      model: "network",
      ...(rows.some(({ epochs }) => epochs) ? { epochs: "epochs" } : {}),
      learningRate: "paper · learning rate",
      weightDecay: "paper · weight decay",
      rho: "paper · SAM's ρ",
      batchSize: "paper · batch",
      runs: 'runs at budget "paper" · number',
      epochsOfRuns: 'runs at budget "paper" · epochs of SAM',
      m: 'runs at budget "paper" · m',
    },
    footnotes: [
      "Cosine schedule, momentum 0.9, and m = batch / 8, since eight devices shared a batch (paper Sec. 3.1 and its footnote 5).",
      "number: augmentations × SGD, SGD at twice the epochs, SAM × 5 seeds. Epochs that the paper's table does not name are ours.",
    ],
  };
}

function cellsOf({ conditions, dataset, ...settings }: Settings): TableRow {
  const distinct = (values: readonly (number | undefined)[]) => [...new Set(values)].join(", ");
  return {
    dataset: titleOfDataset(dataset),
    ...settings,
    epochsOfRuns: distinct(conditions.map(({ config }) => config.training.epochs)),
    m: distinct(conditions.map(({ config }) => config.training.m)),
  };
}

function settingsFigure(rows: readonly Settings[], title: string) {
  const { value, count } = mostFrequent(rows.map(({ rho }) => rho));
  return dotIntervals({
    title: `The paper's ρ is ${value} in ${count} of ${rows.length} settings`,
    subtitle: `${title}: ρ for each data set and network`,
    xTitle: "ρ",
    rows: rows.map((row) => ({ row: nameOf(row), series: titleOfDataset(row.dataset), mean: row.rho })),
  });
}

function nameOf({ model, epochs }: Settings): string {
  return epochs === undefined ? model : `${model}, ${epochs} epochs`;
}
