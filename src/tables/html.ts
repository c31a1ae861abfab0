/** Tables as HTML. */
import { headings, isNumeric, levelMark, show, type TableOptions, type TableRow } from "./table";

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

export function escapeHtml(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (character) => entities[character]!);
}
