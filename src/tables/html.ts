/** Tables as HTML. */
import {
  cellText,
  checkTable,
  columnsOf,
  groupsOf,
  tableOptionKinds,
  type Column,
  type TableOptions,
  type TableRow,
} from "./table";

/**
 * An HTML table that takes its colors from the page, so that it suits JupyterLab's light and dark themes.
 * Columns with two-level headings such as "SAM · paper" are grouped.
 * @throws where the rows are not a list of objects, or an option is unknown
 */
export function toHtml(rows: readonly TableRow[], options: TableOptions = {}): string {
  checkTable(rows, options, { kinds: tableOptionKinds, what: "toHtml" });
  const { title, footnotes = [], strong } = options;
  const columns = columnsOf(rows, options.columns);
  const cell = (row: TableRow, column: Column) => {
    const weight = strong?.(row, column.field) ? "font-weight:600;" : "";
    return `<td style="${sideOf(column)}${weight}white-space:nowrap">${escapeHtml(cellText(row[column.field]))}</td>`;
  };
  const body = rows.map((row) => `<tr>${columns.map((column) => cell(row, column)).join("")}</tr>`);
  const caption = title ? `<caption style="${captionStyle}">${escapeHtml(title)}</caption>` : "";
  const notes = footnotes.map((note) => `<div style="${noteStyle}">${escapeHtml(note)}</div>`).join("\n");
  const head = htmlHead(columns);
  return `<table style="${tableStyle}">${caption}\n<thead>${head}</thead>\n<tbody>\n${body.join("\n")}\n</tbody></table>\n${notes}`.trim();
}

const tableStyle =
  "border-collapse:collapse;font-variant-numeric:tabular-nums;color:inherit;background:transparent;margin:0.5em 0";
const captionStyle = "caption-side:top;text-align:left;font-weight:600;padding:0.3em 0.8em;color:inherit";
const noteStyle = "font-size:0.85em;opacity:0.75;padding-left:0.9em";

function sideOf({ numeric }: Column): string {
  return `text-align:${numeric ? "right" : "left"};padding:0.25em 0.8em;`;
}

function htmlHead(columns: readonly Column[]): string {
  const rule = "border-bottom:1px solid currentColor;";
  const names = columns.map((column) => `<th style="${sideOf(column)}${rule}">${escapeHtml(column.name)}</th>`);
  const groups = (groupsOf(columns) ?? []).map(
    ({ name, span }) => `<th colspan="${span}" style="text-align:center">${escapeHtml(name)}</th>`,
  );
  return [groups, names]
    .filter((cells) => cells.length > 0)
    .map((cells) => `<tr>${cells.join("")}</tr>`)
    .join("");
}

export function escapeHtml(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (character) => entities[character]!);
}
