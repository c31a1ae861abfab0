/** The paper's own numbers, from data/paper/*.json: one file per table and figure, one row per number, checked as it is read. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";

/** Items whose numbers are in data/paper. */
export const paperItems = [
  ...["table-1", "table-2", "table-3", "table-4", "table-5", "table-6", "table-7", "table-8", "table-9", "table-10", "table-11"],
  ...["figure-1", "figure-2", "figure-3", "figure-4", "figure-5", "figure-6", "figure-7"],
] as const;

/** How certain a number is: read in the text, measured on the vector graphics (±1 in the last digit), or only seen. */
export type Certainty = "checked" | "measured" | "seen";

/** One number of the paper. Fields beyond these say which number it is: dataset, model, method, rho, m, step … */
export interface PaperNumber {
  /** A key of PaperNumbers.measures. */
  readonly measure: string;
  /** In the unit of its measure; error rates are in per cent. */
  readonly value: number;
  /** Half-width printed after ±; PaperNumbers.spread says what it means. */
  readonly interval?: number;
  /** "<" if the paper prints ±<0.1. */
  readonly bound?: "<";
  readonly note?: string;
  readonly certainty?: Certainty;
  readonly [key: string]: string | number | undefined;
}

/** The paper's numbers of one item. */
export interface PaperNumbers {
  readonly item: string;
  readonly caption: string;
  readonly source: string;
  readonly certainty: Certainty;
  /** The meaning of `interval`, such as "95% confidence interval over 5 replicas"; null if the paper gives none. */
  readonly spread: string | null;
  readonly notes: readonly string[];
  /** Unit and number of printed decimals, by measure. */
  readonly measures: Readonly<Record<string, { readonly unit: string; readonly decimals: number }>>;
  readonly rows: readonly PaperNumber[];
}

const certainty = z.enum(["checked", "measured", "seen"]);
const row = z
  .object({ measure: z.string(), value: z.number(), interval: z.number().nonnegative().optional() })
  .extend({ bound: z.literal("<").optional(), note: z.string().optional(), certainty: certainty.optional() })
  .catchall(z.union([z.string(), z.number()]));
const measures = z.record(z.string(), z.strictObject({ unit: z.string(), decimals: z.int().nonnegative() }));
const file = z
  .strictObject({ item: z.string(), caption: z.string(), source: z.string(), certainty, spread: z.string().nullable() })
  .extend({ notes: z.array(z.string()), measures, rows: z.array(row) });

const folder = path.join(__dirname, "../../data/paper");

/** Every number of one table or figure of the paper. @throws if there is no such item, or its file breaks the schema */
export function paperNumbers(item: string): PaperNumbers {
  if (!(paperItems as readonly string[]).includes(item))
    throw new Error(`The paper has no "${item}"; its tables and figures are ${paperItems.join(", ")}`);
  return parsePaperNumbers(item, JSON.parse(readFileSync(path.join(folder, `${item}.json`), "utf8")));
}

/** Checks one file's content against the schema, and that it is the item that its name says. */
export function parsePaperNumbers(item: string, content: unknown): PaperNumbers {
  const { data, error } = file.safeParse(content);
  if (!data) throw new Error(`data/paper/${item}.json: ${z.prettifyError(error)}`);
  if (data.item !== item) throw new Error(`data/paper/${item}.json says that it is "${data.item}"`);
  const unknown = data.rows.find((number) => !(number.measure in data.measures));
  if (unknown) throw new Error(`data/paper/${item}.json: the measure "${unknown.measure}" has no unit`);
  return data as PaperNumbers;
}

/** The rows whose fields equal all of `where`, such as { dataset: "fashion-mnist", method: "sam" }. */
export function selectNumbers(numbers: PaperNumbers, where: Readonly<Record<string, string | number>>): PaperNumber[] {
  return numbers.rows.filter((number) => Object.entries(where).every(([key, value]) => number[key] === value));
}

/** The one number that `where` names. @throws if it names none, or several */
export function paperNumber(numbers: PaperNumbers, where: Readonly<Record<string, string | number>>): PaperNumber {
  const found = selectNumbers(numbers, where);
  const [number] = found;
  if (!number || found.length > 1)
    throw new Error(`${numbers.item} has ${found.length} numbers for ${JSON.stringify(where)}, expected 1`);
  return number;
}
