/** A short assignment, the first one without its trainings, and submissions of it. */
import { parseAssignment, readAssignment, type Assignment } from "../../src/classroom/assignment";
import { studentCopy } from "../../src/classroom/release";
import { joinLines, type Notebook, type NotebookCell } from "../../src/cli/notebookFile";

// Loads `check` alone, which takes a tenth of the time of the whole kit.
const setup = `import { check } from "../../dist/classroom";
type Vector = number[];
type Gradient = (w: Vector) => Vector;`;

/** Exercises 1 to 6 of the first assignment: 11 points from tests, 2 for a written answer. */
export function shortAssignment(): Assignment {
  const { notebook } = readAssignment("assignment-1");
  const end = notebook.cells.findIndex(({ id }) => id === "experiment-text");
  const cells = notebook.cells.slice(0, end).map((cell) => (cell.id === "setup" ? { ...cell, source: setup } : cell));
  return parseAssignment({ ...notebook, cells }, "assignment-1");
}

/** The student's copy with the given cells in place of its own; null deletes one. */
export function submission({ notebook }: Assignment, sources: Readonly<Record<string, string | null>>): Notebook {
  const copy = studentCopy(notebook);
  const cells = copy.cells.flatMap((cell) => {
    const source = sources[cell.id!];
    if (source === null) return [];
    return [source === undefined ? cell : { ...cell, source }];
  });
  return { ...copy, cells };
}

/** Our solutions, by cell. */
export function solutions({ cells }: Assignment): Record<string, string> {
  return Object.fromEntries(cells.filter(({ role }) => role === "solution").map(({ id, source }) => [id, source]));
}

export function codeCell(source: string): NotebookCell {
  return { cell_type: "code", id: `own-${source.length}`, metadata: {}, source, outputs: [], execution_count: null };
}

export function sourceOf(notebook: Notebook, id: string): string {
  return joinLines(notebook.cells.find((cell) => cell.id === id)?.source);
}
