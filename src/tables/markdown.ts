/** Tables as Markdown. */
import { escapeHtml } from "./html";
import { cellText, checkTable, columnsOf, tableOptionKinds, type TableOptions, type TableRow } from "./table";

/**
 * A Markdown table with its title in bold above it and its footnotes below it. Numbers are aligned right.
 * @throws where the rows are not a list of objects, or an option is unknown
 */
export function toMarkdown(rows: readonly TableRow[], options: TableOptions = {}): string {
  checkTable(rows, options, { kinds: tableOptionKinds, what: "toMarkdown" });
  const { title, footnotes = [], strong } = options;
  const columns = columnsOf(rows, options.columns);
  const cell = (row: TableRow, field: string) => {
    const text = escapeMarkdown(cellText(row[field]));
    return strong?.(row, field) ? `**${text}**` : text;
  };
  const table = [
    columns.map(({ heading }) => escapeMarkdown(heading)),
    columns.map(({ numeric }) => (numeric ? "--:" : "---")),
    ...rows.map((row) => columns.map(({ field }) => cell(row, field))),
  ].map((cells) => `| ${cells.join(" | ")} |`);
  const notes = footnotes.map((note) => `<sub>${escapeHtml(note)}</sub>`).join("<br>\n");
  return [title && `**${title}**`, table.join("\n"), notes].filter(Boolean).join("\n\n");
}

function escapeMarkdown(text: string): string {
  return text.replace(/\|/g, "\\|").replace(/\n/g, " ");
}
