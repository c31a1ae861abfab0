/** Tables: plain rows in; Markdown, HTML, plain text, CSV, LaTeX or a danfojs DataFrame out. */
export { toCsv } from "./csv";
export { runFootnotes, type RunFootnotes } from "./footnotes";
export { dataFrame, frameRows, pivotFrame, type DataFrame, type PivotFrameOptions } from "./frame";
export { historyTable } from "./history";
export { toHtml } from "./html";
export { toLatex } from "./latex";
export { toMarkdown } from "./markdown";
export type { TableCell, TableOptions, TableRow } from "./table";
export { toText, type TextOptions } from "./text";
