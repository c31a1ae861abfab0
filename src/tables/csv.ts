/** Tables as CSV (RFC 4180, with line feeds), for spreadsheets, pandas and R. */
import { checkTable, columnsOf, isMissing, tableOptionKinds, type TableOptions, type TableRow } from "./table";

/**
 * A heading line and one line for each row. Numbers keep all their digits, a missing value is an empty cell,
 * and cells that hold commas, quotes or line breaks are quoted. Title, footnotes and bold have no place in a CSV and are left out.
 * @throws where the rows are not a list of objects, or an option is unknown
 */
export function toCsv(rows: readonly TableRow[], options: TableOptions = {}): string {
  checkTable(rows, options, { kinds: tableOptionKinds, what: "toCsv" });
  const columns = columnsOf(rows, options.columns);
  const head = columns.map(({ heading }) => heading);
  const body = rows.map((row) => columns.map(({ field }) => (isMissing(row[field]) ? "" : String(row[field]))));
  return [head, ...body].map((cells) => cells.map(quoted).join(",") + "\n").join("");
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
