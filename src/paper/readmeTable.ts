/** The README's results table, generated from committed records between two markers, so that no number in it is typed by hand. */
import type { RunRecord } from "../experiments/records";
import { isSupported, type SeedMean } from "../experiments/statistics";
import { toMarkdown } from "../tables";

export interface ResultSummary {
  /** the paper's numbers, one short line */
  readonly paper: string;
  /** ours, in the same order */
  readonly ours: string;
  readonly budget: string;
  /** seeds behind each of our numbers; absent where nothing is trained */
  readonly seeds?: number;
  /** whether the paper's claim shows in our numbers: see `verdict` */
  readonly agrees: string;
}

export interface ReadmeItem {
  /** "table-5": also the name of the records and of the notebook */
  readonly id: string;
  readonly title: string;
  /** files of the records, where they are not its own */
  readonly records?: readonly string[];
  /** path from the README; notebooks/<id>.ipynb by default */
  readonly notebook?: string;
  /** undefined where no budget has all its records */
  summary(records: readonly RunRecord[]): ResultSummary | undefined;
}

export const readmeMarkers = { start: "<!-- results:start -->", end: "<!-- results:end -->" } as const;

/** item | notebook | paper | ours | budget | seeds | agrees, one row an item, in the order given. */
export function readmeTable(items: readonly ReadmeItem[], recordsOf: (id: string) => readonly RunRecord[]): string {
  const rows = items.map(({ id, title, records = [id], notebook = `notebooks/${id}.ipynb`, summary }) => {
    const result = summary(records.flatMap(recordsOf)) ?? { paper: "", ours: "no runs yet", budget: "", seeds: null, agrees: "" };
    return { item: title, notebook: `[${id}](${notebook})`, ...result };
  });
  const columns = { item: "item", notebook: "notebook", paper: "paper", ours: "ours", budget: "budget", seeds: "seeds" };
  return toMarkdown(rows, { columns: { ...columns, agrees: "does the claim hold here?" } });
}

/** The README with `table` between its markers. @throws where a marker is missing, stands twice, or they are in the wrong order */
export function insertTable(readme: string, table: string): string {
  const { start, end } = readmeMarkers;
  const counts = [start, end].map((marker) => readme.split(marker).length - 1);
  if (counts.some((count) => count !== 1) || readme.indexOf(start) > readme.indexOf(end))
    throw new Error(`The README needs ${start} and, below it, ${end}, once each; it has ${counts[0]} and ${counts[1]}`);
  const [before, rest] = readme.split(start) as [string, string];
  return `${before}${start}\n\n${table}\n\n${end}${rest.split(end)[1]}`;
}

/** "yes in 2, undecided in 1": of several comparisons, in how many SAM is better, worse, or neither beyond the seeds' noise. */
export function countsInWords({ better, worse, total }: { better: number; worse: number; total: number }): string {
  const counts = { yes: better, no: worse, undecided: total - better - worse };
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([word, count]) => `${word} in ${count}`)
    .join(", ");
}

/** In one word or two, what seeds say of a difference that the paper has positive, such as error of SGD less error of SAM. */
export function verdict(difference: SeedMean): string {
  const { mean } = difference;
  if (!isSupported(difference)) return mean > 0 ? "in the mean, within noise" : "undecided";
  return mean > 0 ? "yes" : "no";
}
