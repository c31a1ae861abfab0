/** The README's results table, generated from committed records between two markers, so that no number in it is typed by hand. */
import type { RunRecord } from "../experiments/records";
import { toMarkdown, type TableRow } from "../tables";
import { describeVerdicts, verdictNote } from "./claims";
import { largestBudget, recordsNames, type PaperItem } from "./item";

export const readmeMarkers = { start: "<!-- results:start -->", end: "<!-- results:end -->" } as const;

/** item | notebook | paper | ours | budget | seeds | does the claim hold here?: one row for each item, in the order given. */
export function readmeTable(items: readonly PaperItem[], recordsOf: (name: string) => readonly RunRecord[]): string {
  const rows = items.map((item) => ({
    item: item.title,
    notebook: `[${item.id}](notebooks/${item.id}.ipynb)`,
    ...(summaryCells(item, recordsNames(item).flatMap(recordsOf)) ?? { ours: "no runs yet" }),
  }));
  const columns = { item: "item", notebook: "notebook", paper: "paper", ours: "ours", budget: "budget", seeds: "seeds" };
  return toMarkdown(rows, { columns: { ...columns, verdict: "does the claim hold here?" }, footnotes: [verdictNote] });
}

/** paper, ours, budget, seeds and verdict at the largest budget whose records are complete; undefined if there is none. */
export function summaryCells(item: PaperItem, records: readonly RunRecord[]): TableRow | undefined {
  const budget = largestBudget(item, records);
  if (!budget) return undefined;
  const { claims, elsewhere, ...summary } = item.summary(item.rows(budget, records), budget);
  const verdict = claims.length === 0 && elsewhere ? elsewhere : describeVerdicts(claims) + (elsewhere ? ` (${elsewhere})` : "");
  return { ...summary, budget, verdict };
}

/** The README with `table` between its markers. @throws if a marker is missing or stands twice, or they are in the wrong order */
export function insertTable(readme: string, table: string): string {
  const { start, end } = readmeMarkers;
  const counts = [start, end].map((marker) => readme.split(marker).length - 1);
  if (counts.some((count) => count !== 1) || readme.indexOf(start) > readme.indexOf(end))
    throw new Error(`The README needs ${start} and, below it, ${end}, once each; it has ${counts[0]} and ${counts[1]}`);
  const [before, rest] = readme.split(start) as [string, string];
  return `${before}${start}\n\n${table}\n\n${end}${rest.split(end)[1]}`;
}
