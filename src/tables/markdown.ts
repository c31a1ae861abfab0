/** Tables as Markdown. */
import { escapeHtml } from "./html";
import { headings, isNumeric, show, type TableOptions, type TableRow } from "./table";

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

function escapeMarkdown(text: string): string {
  return text.replace(/\|/g, "\\|").replace(/\n/g, " ");
}
