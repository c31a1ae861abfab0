/** Notebook files: what went wrong in one that was executed, and how it is kept so that a diff shows work and nothing else. */

/** Text as nbformat keeps it: one string, or its lines. */
export type Multiline = string | readonly string[];

export interface NotebookOutput {
  readonly output_type: "stream" | "error" | "display_data" | "execute_result";
  readonly name?: string;
  readonly text?: Multiline;
  readonly ename?: string;
  readonly evalue?: string;
  readonly traceback?: readonly string[];
  readonly execution_count?: number | null;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface NotebookCell {
  readonly cell_type: "code" | "markdown" | "raw";
  readonly id?: string;
  readonly source: Multiline;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly outputs?: readonly NotebookOutput[];
  readonly execution_count?: number | null;
  readonly attachments?: unknown;
}

export interface Notebook {
  readonly cells: readonly NotebookCell[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly nbformat: number;
  readonly nbformat_minor: number;
}

export interface CellFailure {
  /** among all cells, from 1 */
  readonly cell: number;
  /** what the cell said, or that it said nothing */
  readonly message: string;
  /** the first line of its source */
  readonly source: string;
}

/** One string of nbformat's text. */
export function joinLines(text: Multiline | undefined): string {
  return typeof text === "string" ? text : (text ?? []).join("");
}

/**
 * Errors of an executed notebook. tslab reports every error as text on stderr, then aborts the cells behind it without a
 * word: stderr text is a failure, and so is silence behind one. A grade cell must speak: nbgrader gives silence full marks.
 */
export function notebookFailures({ cells }: Notebook): CellFailure[] {
  const failures: CellFailure[] = [];
  cells.forEach((cell, i) => {
    const source = joinLines(cell.source).trim();
    if (cell.cell_type !== "code" || !source) return;
    const message = failureOf(cell, failures[0]);
    if (message) failures.push({ cell: i + 1, message, source: source.split("\n")[0]! });
  });
  return failures;
}

function failureOf({ metadata, outputs = [] }: NotebookCell, first: CellFailure | undefined): string | undefined {
  const said = outputs.map(errorText).filter(Boolean).join("\n");
  if (said) return said;
  if (outputs.length > 0) return undefined;
  if (first) return `was not executed: cell ${first.cell} had failed`;
  // nbconvert notes times of each cell that it sent; the counter stays empty with tslab.
  if (!("execution" in metadata)) return "was not executed";
  const { grade } = (metadata.nbgrader ?? {}) as { grade?: boolean };
  return grade ? "is graded, but put nothing out" : undefined;
}

function errorText({ output_type, name, text, ename, evalue }: NotebookOutput): string {
  if (output_type === "error") return `${ename}: ${evalue}`;
  return output_type === "stream" && name === "stderr" ? joinLines(text).trim() : "";
}

/** Without counters and times, with the metadata that JupyterLab would add; keys in nbformat's order. Sources and outputs stay as they are. */
export function cleanNotebook({ cells, metadata }: Notebook): Notebook {
  return {
    cells: cells.map((cell, i) => cleanCell(cell, `cell-${i + 1}`)),
    metadata: { ...pick(metadata, ["celltoolbar", "title"]), kernelspec, language_info: language },
    nbformat: 4,
    nbformat_minor: 5,
  };
}

const kernelspec = { display_name: "TypeScript", language: "typescript", name: "tslab" };
// As the kernel reports it: JupyterLab writes this into a notebook that is opened and saved, which should change nothing.
const language = {
  codemirror_mode: { mode: "typescript", name: "javascript", typescript: true },
  ...{ file_extension: ".ts", mimetype: "text/typescript", name: "typescript", version: "3.7.2" },
};

// Cell metadata that someone wrote on purpose; "execution" has times, "collapsed" is how it was last looked at.
const keptMetadata = ["nbgrader", "tags", "jupyter", "slideshow"];

function cleanCell({ cell_type, id, metadata, source, outputs, attachments }: NotebookCell, fallbackId: string): NotebookCell {
  const common = {
    cell_type,
    id: id ?? fallbackId,
    metadata: pick(metadata, keptMetadata),
    source: splitLines(joinLines(source)),
  };
  if (cell_type !== "code") return attachments === undefined ? common : { ...common, attachments };
  return { cell_type, execution_count: null, id: common.id, metadata: common.metadata, outputs: mergeStreams(outputs ?? []), source: common.source }; // prettier-ignore
}

/** Consecutive pieces of one stream are one output: how they are cut depends on timing. */
function mergeStreams(outputs: readonly NotebookOutput[]): NotebookOutput[] {
  const merged: NotebookOutput[] = [];
  for (const output of outputs) {
    const last = merged[merged.length - 1];
    if (output.output_type === "stream" && last?.output_type === "stream" && last.name === output.name)
      merged[merged.length - 1] = { ...last, text: splitLines(joinLines(last.text) + joinLines(output.text)) };
    else merged.push("execution_count" in output ? { ...output, execution_count: null } : output);
  }
  return merged;
}

function splitLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function pick(record: Readonly<Record<string, unknown>>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keys.filter((key) => key in record).map((key) => [key, record[key]]));
}

/** As Jupyter writes it: one blank of indent, and a last newline. */
export function notebookText(notebook: Notebook): string {
  return JSON.stringify(notebook, null, 1) + "\n";
}

/** @throws where the text is no notebook of format 4 */
export function parseNotebook(text: string, file: string): Notebook {
  const notebook = parseJson(text, file) as Notebook;
  const { cells, nbformat } = notebook ?? {};
  if (!Array.isArray(cells) || nbformat !== 4)
    throw new Error(`${file} is no notebook: expected cells and nbformat 4, got nbformat ${nbformat}`);
  return notebook;
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${file} is no JSON: ${(error as Error).message}`);
  }
}
