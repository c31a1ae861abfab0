/** The one shape of a table that every writer takes: plain rows, and options that name and order the columns. */
import { checkOptions, type OptionKinds } from "../engine";

/** The value of a cell; null or undefined if it is missing. */
export type TableCell = string | number | null | undefined;
/** A row: the value of each column by name. */
export type TableRow = Readonly<Record<string, TableCell>>;

/** Title, headings and footnotes of a table, for every printer. */
export interface TableOptions {
  readonly title?: string;
  /** Heading of each field, in the order of the columns; "paper · SGD" puts the column "SGD" under "paper". Default: every field. */
  readonly columns?: Readonly<Record<string, string>>;
  /** Lines below the table: budget, seeds, the meaning of ±. */
  readonly footnotes?: readonly string[];
  /** True for the cells to be printed bold. */
  readonly strong?: (row: TableRow, field: string) => boolean;
}

export const tableOptionKinds: OptionKinds<TableOptions> = {
  title: "string",
  columns: "object",
  footnotes: "array",
  strong: "function",
};

/** @throws where the rows are not a list of objects, or an option is unknown or of the wrong type */
export function checkTable<Options extends object>(
  rows: readonly TableRow[],
  options: Options,
  { kinds, what }: { kinds: OptionKinds<Options>; what: string },
): void {
  if (!Array.isArray(rows) || rows.some((row) => typeof row !== "object" || row === null))
    throw new Error(`${what}: expected the rows as an array of objects such as [{ method: "SAM", error: 3.98 }]`);
  checkOptions(options, kinds, what);
}

/** Separates the two levels of a heading. */
export const levelMark = " · ";

export interface Column {
  readonly field: string;
  /** The whole heading: "paper · SGD". */
  readonly heading: string;
  /** Its upper level, "" where it has one level only. */
  readonly group: string;
  /** Its lower level. */
  readonly name: string;
  /** Whether every cell is a number; numbers stand on the right. */
  readonly numeric: boolean;
}

export function columnsOf(rows: readonly TableRow[], headings?: Readonly<Record<string, string>>): Column[] {
  const fields = headings ?? Object.fromEntries(rows.flatMap((row) => Object.keys(row)).map((field) => [field, field]));
  return Object.entries(fields).map(([field, heading]) => {
    const parts = heading.split(levelMark);
    const group = parts.length > 1 ? parts[0]! : "";
    return { field, heading, group, name: parts.at(-1)!, numeric: isNumeric(rows, field) };
  });
}

/** Neighboring columns under one heading, and how many they are; undefined where no heading has two levels. */
export function groupsOf(columns: readonly Column[]): { name: string; span: number }[] | undefined {
  if (columns.every(({ group }) => group === "")) return undefined;
  const groups: { name: string; span: number }[] = [];
  for (const { group } of columns) {
    if (groups.at(-1)?.name === group) groups.at(-1)!.span++;
    else groups.push({ name: group, span: 1 });
  }
  return groups;
}

/** A cell as a reader sees it: fractions with 6 significant digits, "–" where there is no value. */
export function cellText(cell: TableCell): string {
  if (isMissing(cell)) return "–";
  return String(typeof cell === "number" && !Number.isInteger(cell) ? Number(cell.toPrecision(6)) : cell);
}

export function isMissing(cell: TableCell): boolean {
  return cell === null || cell === undefined || cell === "" || Number.isNaN(cell);
}

/** Numbers as the paper prints them: "3.98±0.05", "−3.9", "2.1±<0.1", and "–" for none. */
function isNumeric(rows: readonly TableRow[], field: string): boolean {
  const number = /^[−-]?\d[\d .]*(e-?\d+)?\s?%?(±<?[\d.]+)?$/;
  const cells = rows.map((row) => cellText(row[field])).filter((text) => text !== "–");
  return cells.length > 0 && cells.every((text) => number.test(text));
}
