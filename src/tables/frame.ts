/** Rows as danfojs DataFrames, to filter, group and pivot in a notebook. danfojs stays in this file and is loaded on first use. */
import type { DataFrame } from "danfojs-node";
import { checkOptions, suggestName } from "../engine";
import { checkTable, isMissing, levelMark, type TableCell, type TableRow } from "./table";

export type { DataFrame } from "danfojs-node";

type Danfo = typeof import("danfojs-node");
let danfo: Promise<Danfo> | undefined;

/** danfojs takes seconds to load and brings a TensorFlow.js of its own: only who asks for a frame pays. */
function loadDanfo(): Promise<Danfo> {
  return (danfo ??= import("danfojs-node"));
}

/**
 * Rows as a danfojs DataFrame. A missing value is NaN in a column of numbers and "–" in a column of text:
 * danfojs refuses null in `describe()` and in means.
 * @throws where the rows are not a list of objects, or there is none
 */
export async function dataFrame(rows: readonly TableRow[]): Promise<DataFrame> {
  checkTable(rows, {}, { kinds: {}, what: "dataFrame" });
  if (rows.length === 0) throw new Error("dataFrame: expected at least one row, got none");
  const fields = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const fillers = fields.map((field) => (rows.some((row) => typeof row[field] === "string") ? "–" : Number.NaN));
  const data = rows.map((row) => fields.map((field, i) => (isMissing(row[field]) ? fillers[i]! : row[field]!)));
  const { DataFrame } = await loadDanfo();
  return new DataFrame(data, { columns: fields });
}

/** The rows of a DataFrame as plain objects, for `toHtml`, `toCsv` and the figures. */
export function frameRows(frame: DataFrame): TableRow[] {
  const fields = frame.columns.map(String);
  return (frame.values as TableCell[][]).map((cells) => Object.fromEntries(fields.map((field, i) => [field, cells[i]])));
}

/** Options of `pivotFrame`. */
export interface PivotFrameOptions {
  /** Columns whose values name a row. */
  readonly index: readonly string[];
  /** The column whose values become columns. */
  readonly columns: string;
  /** The column of numbers that fills the cells. */
  readonly values: string;
  /** Joins the rows that share a cell. danfojs gives 0 for the "std" of a single row. */
  readonly aggregate?: "mean" | "std" | "min" | "max" | "sum" | "count";
}

/**
 * A frame with one row for each value of `index` and one column "name · value" for each value of `columns`,
 * such as "rho · 0.05"; pairs that do not occur are NaN. danfojs groups, but has no pivot of its own.
 * @throws where a column is unknown
 */
export async function pivotFrame(frame: DataFrame, options: PivotFrameOptions): Promise<DataFrame> {
  const kinds = { index: "array", columns: "string", values: "string", aggregate: { values: aggregates } } as const;
  checkOptions(options, kinds, "pivotFrame");
  const { index, columns, values, aggregate = "mean" } = options;
  const known = frame.columns.map(String);
  for (const name of [...index, columns, values])
    if (!known.includes(name)) throw new Error(`pivotFrame: unknown column "${name}"${suggestName(name, known)}`);
  const grouped = frame.groupby([...index, columns]).agg({ [values]: aggregate });
  const wide = new Map<string, Record<string, TableCell>>();
  for (const row of frameRows(grouped)) {
    const named = Object.fromEntries(index.map((field) => [field, row[field]]));
    const key = JSON.stringify(Object.values(named));
    if (!wide.has(key)) wide.set(key, named);
    wide.get(key)![columns + levelMark + row[columns]] = row[`${values}_${aggregate}`];
  }
  return dataFrame([...wide.values()]);
}

const aggregates = ["mean", "std", "min", "max", "sum", "count"] as const;
