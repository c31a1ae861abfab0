/** The one shape of a table that all writers take: plain rows, and options that name and order their columns. */

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

/** Separates the two levels of a heading: "SAM · paper" is the column "paper" under "SAM". */
export const levelMark = " · ";

export function headings(rows: readonly TableRow[], columns?: Readonly<Record<string, string>>): Record<string, string> {
  if (columns) return { ...columns };
  return Object.fromEntries(rows.flatMap((row) => Object.keys(row)).map((field) => [field, field]));
}

export function show(cell: TableCell): string {
  return cell === null || cell === undefined || cell === "" || Number.isNaN(cell) ? "–" : String(cell);
}

/** Numbers as the paper prints them: "3.98±0.05", "−3.9", "2.1±<0.1", and "–" for none. */
export function isNumeric(rows: readonly TableRow[], field: string): boolean {
  const number = /^[−-]?\d[\d .]*(e-?\d+)?\s?%?(±<?[\d.]+)?$/;
  const cells = rows.map((row) => show(row[field])).filter((text) => text !== "–");
  return cells.length > 0 && cells.every((text) => number.test(text));
}
