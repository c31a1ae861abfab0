/** Points that a teacher gives by hand: manual.csv has a line for each student and a column for each written answer. */
import { toCsv, type TableRow } from "../tables";
import type { Assignment } from "./assignment";

/** Points by student and cell; a cell that is not graded yet is missing. */
export type ManualPoints = ReadonlyMap<string, Readonly<Record<string, number>>>;

/** @throws where a column is none of the assignment's, or a value is not between 0 and the cell's points; the message names the line */
export function readManualPoints(text: string, { cells }: Assignment): ManualPoints {
  const [head = [], ...lines] = parseCsv(text);
  const points = new Map<string, Record<string, number>>();
  lines.forEach((line, i) => {
    const row: Record<string, number> = {};
    head.forEach((id, column) => {
      const value = (line[column] ?? "").trim();
      if (column === 0 || value === "") return;
      const cell = cells.find((each) => each.id === id && each.role === "answer");
      if (!cell) throw new Error(`manual.csv: "${id}" is no written answer of this assignment`);
      const number = Number(value.replace(",", "."));
      if (!(number >= 0 && number <= cell.points))
        throw new Error(`manual.csv, line ${i + 2}, ${id}: expected points from 0 to ${cell.points}, got "${value}"`);
      row[id] = number;
    });
    if (line[0]) points.set(line[0], row);
  });
  return points;
}

/** The file for all students: points that were given stay, the others are empty cells to be filled. */
export function manualCsv(students: readonly string[], { cells }: Assignment, given: ManualPoints): string {
  const ids = cells.filter(({ role }) => role === "answer").map(({ id }) => id);
  const all = [...new Set([...students, ...given.keys()])].sort((a, b) => a.localeCompare(b));
  const rows: TableRow[] = all.map((student) => ({
    student,
    ...Object.fromEntries(ids.map((id) => [id, given.get(student)?.[id]])),
  }));
  return toCsv(rows, { columns: Object.fromEntries(["student", ...ids].map((id) => [id, id])) });
}

/** RFC 4180, also with the semicolons that spreadsheets write where a comma is the decimal mark. */
export function parseCsv(text: string): string[][] {
  const separator = /^[^\n,]*;/.test(text) ? ";" : ",";
  const field = new RegExp(`("(?:[^"]|"")*"|[^"${separator}\\r\\n]*)(${separator}|\\r?\\n|$)`, "y");
  const rows: string[][] = [[]];
  const body = text.replace(/^\uFEFF/, "").replace(/(\r?\n)+$/, "");
  while (field.lastIndex < body.length || rows.length === 1) {
    const match = field.exec(body);
    if (!match) throw new Error("the CSV has a quote that is not closed");
    const [, value = "", end = ""] = match;
    rows.at(-1)!.push(value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value);
    if (end === "") break;
    if (end !== separator) rows.push([]);
  }
  return rows;
}
