/** Tables: plain rows in; Markdown, HTML or a danfojs DataFrame out. */
export { runFootnotes, type RunFootnotes } from "./footnotes";
export { dataFrame, pivot, type PivotOptions } from "./frame";
export { toHtml } from "./html";
export { toMarkdown } from "./markdown";
export type { TableCell, TableOptions, TableRow } from "./table";
