/** Each item of the paper as a table and a figure, paper beside ours; shared by notebooks, the command line and the README. */
import { findItem } from "./catalog";
import { figure1Left } from "./figure1Left";
import { figure1Surfaces } from "./curvature/figure1Surfaces";
import { figure3Spectra } from "./curvature/figure3Spectra";
import {
  figure3Middle,
  figure3MiddleCurves,
  figure3MiddleGain,
  figure3MiddlePlainGain,
  figure3MiddleRows,
} from "./ablations/figure3Middle";
import { figureMemorization } from "./noise/figureMemorization";
import { completeRecords, type CompleteOptions } from "./completeRecords";
import { budgets, isComplete, itemRecords, largestBudget, type Budget, type LabeledRow } from "./item";
import { paperNumbers } from "./numbers";
import type { RunRecord } from "../experiments/records";
import { formatEstimate } from "../experiments/statistics";
import { table1 } from "./comparison/table1";
import { table2 } from "./comparison/table2";
import { table10 } from "./finetuning/table10";
import { table3 } from "./finetuning/table3";
import { table4 } from "./noise/table4";
import { table5 } from "./comparison/table5";
import { table6, table7 } from "./comparison/settingsTables";
import { table8 } from "./noise/table8";
import { table9, tunedResults } from "./comparison/table9";
import { comparisonContent } from "./comparison/report";
import { figure1LeftContent } from "./figure1LeftReport";
import { figure1SurfacesContent, figure3SpectraContent } from "./curvature/reports";
import { table10Content, table3Content } from "./finetuning/reports";
import { memorizationContent, table4Content, table8Content } from "./noise/reports";
import { settingsContent } from "./comparison/settingsReport";
import { errorVersusRho, inPercent, type RhoPoint, type FigureSpec } from "../plots";
import { runFootnotes, toHtml, toMarkdown, type TableOptions, type TableRow } from "../tables";
import type { ItemContent, MakeContent } from "./itemContent";

/** A finished table and figure of one item at one budget. */
export interface ItemReport {
  readonly id: string;
  readonly title: string;
  readonly budget: Budget;
  /** What was trained, on what, how often. */
  readonly description: string;
  readonly rows: readonly TableRow[];
  /** Title, columns, footnotes and bold cells of the table, for `toText`, `toCsv` and `toLatex`. */
  readonly table: TableOptions;
  readonly markdown: string;
  readonly html: string;
  readonly figure: FigureSpec;
  /** What our records say of the paper's claim. */
  readonly conclusions: readonly string[];
}

const contents: Readonly<Record<string, MakeContent>> = {
  [figure1Left.id]: figure1LeftContent,
  [figure1Surfaces.id]: figure1SurfacesContent,
  [figure3Spectra.id]: figure3SpectraContent,
  [table1.id]: comparisonContent(table1),
  [table2.id]: comparisonContent(table2, {
    measure: "top1ErrorRate",
    alsoMeasure: "top5ErrorRate",
    notes: ["ours is top-1 error alone."],
  }),
  [table3.id]: table3Content,
  [table4.id]: table4Content,
  [table5.id]: comparisonContent(table5),
  [table6.id]: settingsContent(table6),
  [table7.id]: settingsContent(table7),
  [table8.id]: table8Content,
  [table9.id]: comparisonContent(table9, { beside: tunedResults }),
  [table10.id]: table10Content,
  [figure3Middle.id]: figure3MiddleContent,
  [figureMemorization.id]: memorizationContent,
};

export interface ReportOptions {
  /** Default: the largest budget whose runs all have records. */
  readonly budget?: Budget;
  /** Default: the committed records and this machine's own. */
  readonly records?: readonly RunRecord[];
}

/**
 * Table, figure and conclusions of an item, such as "table-5", from records that exist.
 * @throws where there is no such item, or it has no complete set of records yet
 */
export function itemReport(id: string, { records = itemRecords(findItem(id)), budget }: ReportOptions = {}): ItemReport {
  const item = findItem(id);
  const chosen = budget ?? largestBudget(item, records);
  if (!chosen) throw new Error(`${id} has no complete records yet; make some with: npm run reproduce -- ${id} --budget demo`);
  if (!isComplete(item, chosen, records))
    throw new Error(`${id} lacks records of budget ${chosen}; make them with: npm run reproduce -- ${id} --budget ${chosen}`);
  const { rows, table, figure } = contents[id]!(chosen, records);
  const description = item.describe(chosen);
  const options = { title: `${item.title}: paper and ours`, ...table };
  return {
    ...{ id, title: item.title, budget: chosen, description, rows, table: options, figure },
    markdown: toMarkdown(rows, options),
    html: toHtml(rows, options),
    conclusions: item.conclusions(chosen, records),
  };
}

export interface ReproduceOptions extends Omit<CompleteOptions, "budget"> {
  /** One of `budgets`; absent: the largest whose runs all have records, so that nothing is run. */
  readonly budget?: string;
}

/**
 * The report of an item at a budget; runs that have no record yet are made first, in worker processes.
 * @throws where there is no such item or budget, or a run fails
 */
export async function reproduceItem(id: string, { budget, ...options }: ReproduceOptions = {}): Promise<ItemReport> {
  const item = findItem(id);
  if (budget === undefined) return itemReport(id);
  if (!isBudget(budget)) throw new Error(`budget = "${budget}": expected one of ${budgets.join(", ")}`);
  return itemReport(id, { budget, records: await completeRecords(item, { ...options, budget }) });
}

function isBudget(name: string): name is Budget {
  return (budgets as readonly string[]).includes(name);
}

function figure3MiddleContent(budget: Budget, records: readonly RunRecord[]): ItemContent {
  const curves = figure3MiddleCurves(budget, records);
  const runs = figure3MiddleRows(budget, records);
  const ours: RhoPoint[] = curves.map((point) => ({ rho: point.rho, series: point.m, ...inPercent(point) }));
  const paper = paperNumbers("figure-3").rows.filter(({ m, rho }) => m !== undefined && rho !== undefined && !Number.isNaN(rho));
  const paperPoints: RhoPoint[] = paper.map((number) => ({
    rho: Number(number.rho),
    series: Number(number.m),
    mean: number.value,
  }));
  const percent = { scale: 100 };
  const ms = [...new Set(curves.map(({ m }) => m))];
  const rhos = [...new Set(curves.map(({ rho }) => rho))].sort((a, b) => a - b);
  const rows = rhos.map((rho) => ({
    rho,
    ...Object.fromEntries(
      ms.map((m) => {
        const point = curves.find((each) => each.m === m && each.rho === rho);
        return [`m${m}`, point && formatEstimate(point, percent)];
      }),
    ),
  }));
  const seeds = Math.max(...curves.map(({ n }) => n));
  return {
    rows,
    table: {
      title: "Figure 3 middle: our test error in per cent, by ρ and m",
      columns: { rho: "ρ", ...Object.fromEntries(ms.map((m) => [`m${m}`, `m = ${m}`])) },
      footnotes: runFootnotes({ budget, seeds, notes: [`${figure3Middle.describe(budget)}.`] }),
    },
    figure: errorVersusRho({
      title: titleOfFigure3Middle(runs),
      subtitle: `Test error against ρ. Paper: CIFAR-10, a small ResNet. Ours: ${figure3Middle.describe(budget)}.`,
      rows: ours,
      paper: paperPoints,
    }),
  };
}

function titleOfFigure3Middle(rows: readonly LabeledRow[]): string {
  const [{ mean, interval = Infinity }, without] = [figure3MiddleGain(rows), figure3MiddlePlainGain(rows)];
  if (mean <= 0) return "Here a smaller m does not reach a lower error";
  // At least half of it is there before any perturbation.
  const alsoWithout = without.mean > mean / 2 ? ", but so it does without SAM" : "";
  return `A smaller m reaches a lower error${mean > interval ? "" : ", within the seeds' noise"}${alsoWithout}`;
}
