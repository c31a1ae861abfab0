/** Rows as danfojs DataFrames. danfojs is loaded on first use. */
import type { DataFrame } from "danfojs-node";
import { levelMark, type TableCell, type TableRow } from "./table";

/** Rows as a danfojs DataFrame, for sorting, filtering and grouping in a notebook. */
export async function dataFrame(rows: readonly TableRow[]): Promise<DataFrame> {
  return frameOf(await loadDanfo(), rows);
}

export interface PivotOptions {
  /** fields that name a row */
  readonly index: readonly string[];
  /** field whose values become columns */
  readonly columns: string;
  /** fields printed under each of them */
  readonly values: readonly string[];
}

/** Long rows to wide ones: for each value v of `columns`, the fields "v · value"; missing cells are "–". */
export async function pivot(rows: readonly TableRow[], { index, columns, values }: PivotOptions): Promise<TableRow[]> {
  let wide: TableRow[] = [];
  let fields: string[] = [];
  for (const name of new Set(rows.map((row) => String(row[columns])))) {
    const group = rows.filter((row) => String(row[columns]) === name);
    const under = (row: TableRow) => Object.fromEntries(values.map((value) => [name + levelMark + value, row[value]]));
    fields = [...fields, ...Object.keys(under({}))];
    const part = group.map((row) => ({ ...pick(row, index), ...under(row) }));
    wide = await merge(wide, part, { on: index, fields });
  }
  return wide;
}

type Danfo = typeof import("danfojs-node");
let danfo: Promise<Danfo> | undefined;

/** danfojs takes seconds to load, and brings its own TensorFlow.js: only who joins or pivots pays. */
function loadDanfo(): Promise<Danfo> {
  return (danfo ??= import("danfojs-node"));
}

function frameOf({ DataFrame }: Danfo, rows: readonly TableRow[]): DataFrame {
  const fields = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const data = rows.map((row) => fields.map((field) => row[field] ?? null));
  return new DataFrame(data, { columns: fields });
}

interface MergeOptions {
  readonly on: readonly string[];
  /** the other fields of the result, in order */
  readonly fields: readonly string[];
}

/** Outer join by danfojs. Its keys go in as one string each: columns of mixed types make it guess. */
async function merge(left: readonly TableRow[], right: readonly TableRow[], { on, fields }: MergeOptions): Promise<TableRow[]> {
  const shape = (row: TableRow) => ({
    ...pick(row, on),
    ...Object.fromEntries(fields.map((field) => [field, row[field] ?? "–"])),
  });
  if (left.length === 0 || right.length === 0) return [...left, ...right].map(shape);
  const lib = await loadDanfo();
  const keyed = (rows: readonly TableRow[], side: string) =>
    frameOf(lib, rows.map((row, i) => ({ key: keyOf(row, on), [side]: String(i) }))); // prettier-ignore
  const joined = lib.merge({ left: keyed(left, "left"), right: keyed(right, "right"), on: ["key"], how: "outer" });
  const pairs = lib.toJSON(joined) as { left: unknown; right: unknown }[];
  return pairs.map((pair) => shape({ ...left[Number(pair.left)], ...right[Number(pair.right)] }));
}

function keyOf(row: TableRow, on: readonly string[]): string {
  return JSON.stringify(on.map((field) => String(row[field] ?? "")));
}

function pick(row: TableRow, fields: readonly string[]): Record<string, TableCell> {
  return Object.fromEntries(fields.map((field) => [field, row[field]]));
}
