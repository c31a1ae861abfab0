/** A committed notebook as Markdown: its text, its code and the outputs that it was committed with. Nothing is executed. */
import { joinLines, type Notebook, type NotebookCell, type NotebookOutput } from "../cli/notebookFile";

/** The cells in order, with a blank line between. */
export function notebookMarkdown({ cells }: Notebook): string {
  return cells.map(cellMarkdown).filter(Boolean).join("\n\n");
}

function cellMarkdown({ cell_type, source, outputs = [] }: NotebookCell): string {
  const text = joinLines(source).trim();
  if (cell_type !== "code") return text;
  return [text && fenced(text, "ts"), ...outputs.map(outputMarkdown)].filter(Boolean).join("\n\n");
}

/** The richest form that a page without scripts can show. */
function outputMarkdown({ text, data = {}, ename, evalue }: NotebookOutput): string {
  if (ename) return fenced(`${ename}: ${evalue}`, "text");
  if (text) return fenced(joinLines(text).trimEnd(), "text");
  for (const [type, show] of Object.entries(forms)) if (type in data) return show(joinLines(data[type] as string | string[]));
  return "";
}

const forms: Record<string, (content: string) => string> = {
  "image/svg+xml": (svg) => block(svg),
  "image/png": (base64) => block(picture("png", base64)),
  "image/jpeg": (base64) => block(picture("jpeg", base64)),
  "text/html": (html) => block(html),
  "text/markdown": (markdown) => `<div class="output">\n\n${markdown.trim()}\n\n</div>`,
  "text/latex": (latex) => `<div class="output">\n\n${latex.trim()}\n\n</div>`,
  "text/plain": (text) => fenced(text.trimEnd(), "text"),
};

// A blank line would end the block of HTML, and what follows would be read as Markdown.
function block(html: string): string {
  const oneBlock = html.replace(/<script\b[\s\S]*?<\/script>/gi, "").replace(/\n\s*\n/g, "\n");
  return `<div class="output">\n${oneBlock.trim()}\n</div>`;
}

function picture(type: string, base64: string): string {
  return `<img alt="figure" src="data:image/${type};base64,${base64.replace(/\s/g, "")}">`;
}

/** A fence longer than any run of backticks inside. */
function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}
