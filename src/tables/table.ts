/** Tables as Markdown and HTML from plain rows. danfojs joins and pivots; it is loaded on first use, and only arrays cross its edge. */
import type { DataFrame } from "danfojs-node";
import { estimateBy, formatEstimate, type FormatOptions } from "../experiments/statistics";
import type { PaperNumber } from "../paper/numbers";

export type TableCell = string | number | null | undefined;
export type TableRow = Readonly<Record<string, TableCell>>;

export interface TableOptions {
  readonly title?: string;
  /** field → heading, in printed order; fields that are not named are left out. All fields by default */
  readonly columns?: Readonly<Record<string, string>>;
  /** printed below, one a line: budget, seeds, what ± means */
  readonly footnotes?: readonly string[];
  /** true where a cell is to be printed bold */
  readonly strong?: (row: TableRow, field: string) => boolean;
}

/** What separates the two levels of a heading: "SAM · paper" is the column "paper" under "SAM". */
const levelMark = " · ";

/** Rows as a danfojs DataFrame, for sorting, filtering and grouping in a notebook. */
export async function dataFrame(rows: readonly TableRow[]): Promise<DataFrame> {
  return frameOf(await loadDanfo(), rows);
}

export interface BesidePaperOptions extends FormatOptions {
  /** our runs: one row a seed, with the fields of `on`, and `field` in our unit */
  readonly ours: readonly TableRow[];
  /** the paper's numbers; `value` and `interval` are printed as they are */
  readonly paper: readonly PaperNumber[];
  /** the fields that say which number it is, the same in both */
  readonly on: readonly string[];
  /** the measured field of `ours` */
  readonly field: string;
}

/**
 * The paper's number beside ours (mean ± 95 % interval over seeds), one row for each combination of `on`, in the order of the
 * paper's rows, then ours that the paper lacks. Fields: those of `on`, `paper`, `ours`, `seeds`. A missing side is "–".
 */
export async function besidePaper({ ours, paper, on, field, decimals = 2, scale = 1 }: BesidePaperOptions): Promise<TableRow[]> {
  const left = paper.map((number) => ({
    ...pick(number as TableRow, on),
    paper: formatEstimate({ mean: number.value, interval: number.interval, bound: number.bound }, { decimals }),
  }));
  const right = estimateBy(ours, on, field).map(({ mean, interval, n, ...rest }) => ({
    ...pick(rest as unknown as TableRow, on),
    ours: formatEstimate({ mean, interval }, { decimals, scale }),
    seeds: n,
  }));
  return merge(left, right, { on, fields: ["paper", "ours", "seeds"] });
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

/** A Markdown table, its title in bold above and its footnotes below. Numbers are right-aligned. */
export function toMarkdown(rows: readonly TableRow[], { title, columns, footnotes = [], strong }: TableOptions = {}): string {
  const fields = headings(rows, columns);
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  const head = line(Object.values(fields).map(escapeMarkdown));
  const rule = line(Object.keys(fields).map((field) => (isNumeric(rows, field) ? "--:" : "---")));
  const cell = (row: TableRow, field: string) => {
    const text = escapeMarkdown(show(row[field]));
    return strong?.(row, field) ? `**${text}**` : text;
  };
  const body = rows.map((row) => line(Object.keys(fields).map((field) => cell(row, field))));
  const table = [head, rule, ...body].join("\n");
  return [title && `**${title}**`, table, footnotes.map((note) => `<sub>${escapeHtml(note)}</sub>`).join("<br>\n")]
    .filter(Boolean)
    .join("\n\n");
}

/** An HTML table that takes its colors from the page (JupyterLab light and dark); "SAM · paper" is grouped under "SAM". */
export function toHtml(rows: readonly TableRow[], { title, columns, footnotes = [], strong }: TableOptions = {}): string {
  const fields = headings(rows, columns);
  const side = (field: string) => `text-align:${isNumeric(rows, field) ? "right" : "left"};padding:0.25em 0.8em;`;
  const cell = (row: TableRow, field: string) => {
    const weight = strong?.(row, field) ? "font-weight:600;" : "";
    return `<td style="${side(field)}${weight}white-space:nowrap">${escapeHtml(show(row[field]))}</td>`;
  };
  const body = rows.map((row) => `<tr>${Object.keys(fields).map((field) => cell(row, field)).join("")}</tr>`); // prettier-ignore
  const caption = title ? `<caption style="${captionStyle}">${escapeHtml(title)}</caption>` : "";
  const notes = footnotes.map((note) => `<div style="${noteStyle}">${escapeHtml(note)}</div>`).join("\n");
  const head = htmlHead(fields, side);
  return `<table style="${tableStyle}">${caption}\n<thead>${head}</thead>\n<tbody>\n${body.join("\n")}\n</tbody></table>\n${notes}`.trim();
}

const tableStyle =
  "border-collapse:collapse;font-variant-numeric:tabular-nums;color:inherit;background:transparent;margin:0.5em 0";
const captionStyle = "caption-side:top;text-align:left;font-weight:600;padding:0.3em 0.8em;color:inherit";
const noteStyle = "font-size:0.85em;opacity:0.75;padding-left:0.9em";

/** One heading row, or two where some heading has two levels. */
function htmlHead(fields: Record<string, string>, side: (field: string) => string): string {
  const rule = "border-bottom:1px solid currentColor;";
  const entries = Object.entries(fields).map(([field, heading]) => ({ field, parts: heading.split(levelMark) }));
  const last = ({ field, parts }: (typeof entries)[number]) =>
    `<th style="${side(field)}${rule}">${escapeHtml(parts.at(-1)!)}</th>`;
  const lower = `<tr>${entries.map(last).join("")}</tr>`;
  if (entries.every(({ parts }) => parts.length === 1)) return lower;
  const groups: { name: string; span: number }[] = [];
  for (const { parts } of entries) {
    const name = parts.length > 1 ? parts[0]! : "";
    if (groups.at(-1)?.name === name) groups.at(-1)!.span++;
    else groups.push({ name, span: 1 });
  }
  const upper = groups.map(({ name, span }) => `<th colspan="${span}" style="text-align:center">${escapeHtml(name)}</th>`);
  return `<tr>${upper.join("")}</tr>${lower}`;
}

export interface RunFootnotes {
  readonly budget: string;
  /** seeds behind each of our numbers; several where they are not the same for all */
  readonly seeds: number | readonly number[];
  /** PaperNumbers.spread */
  readonly paperSpread?: string | null;
  /** anything else a reader must know: data, networks */
  readonly notes?: readonly string[];
}

/** The lines below a "paper | ours" table that say what each number is. */
export function runFootnotes({ budget, seeds, paperSpread, notes = [] }: RunFootnotes): string[] {
  const counts = [seeds].flat();
  const bar =
    Math.max(...counts) > 1 ? `mean ± 95 % interval (Student's t) over ${counts.join(" or ")} seeds` : "one seed, so no interval";
  const paper = paperSpread === undefined ? [] : [`paper: ${paperSpread ? `mean ± ${paperSpread}` : "no error bars given"}.`];
  return [...paper, `ours: ${bar}; budget "${budget}".`, ...notes];
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

function headings(rows: readonly TableRow[], columns?: Readonly<Record<string, string>>): Record<string, string> {
  if (columns) return { ...columns };
  return Object.fromEntries(rows.flatMap((row) => Object.keys(row)).map((field) => [field, field]));
}

function show(cell: TableCell): string {
  return cell === null || cell === undefined || cell === "" || Number.isNaN(cell) ? "–" : String(cell);
}

/** Numbers as the paper prints them: "3.98±0.05", "−3.9", "2.1±<0.1", and "–" for none. */
function isNumeric(rows: readonly TableRow[], field: string): boolean {
  const number = /^[−-]?\d[\d .]*(e-?\d+)?\s?%?(±<?[\d.]+)?$/;
  const cells = rows.map((row) => show(row[field])).filter((text) => text !== "–");
  return cells.length > 0 && cells.every((text) => number.test(text));
}

function escapeMarkdown(text: string): string {
  return text.replace(/\|/g, "\\|").replace(/\n/g, " ");
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (character) => entities[character]!);
}
