/** A submission laid over its source: the student's own code, given cells and tests as they were handed out, and what was changed. */
import { joinLines, type Notebook } from "../cli/notebookFile";
import { gradeMetadata, type Assignment, type AssignmentCell } from "./assignment";
import { studentCopy } from "./release";

export interface SubmittedCell {
  /** The assignment's cell, or a number of its own for a cell that the student added. */
  readonly id: string;
  readonly source: string;
}

export interface MergedSubmission {
  /** Code to run, in the student's order. */
  readonly code: readonly SubmittedCell[];
  /** Written answers by id; an answer that was left out or left as it was is missing. */
  readonly answers: Readonly<Record<string, string>>;
  /** What was put back, and what is missing, in sentences. */
  readonly notes: readonly string[];
}

/** @throws where the notebook has no cell of the assignment: it is another one */
export function mergeSubmission({ cells }: Notebook, assignment: Assignment): MergedSubmission {
  const released = releasedSources(assignment);
  const known = new Map(assignment.cells.map((cell) => [cell.id, cell]));
  const found = new Map<string, string>();
  const code: SubmittedCell[] = [];
  cells.forEach((cell, i) => {
    const source = joinLines(cell.source);
    const id = [gradeMetadata(cell)?.grade_id, cell.id].find((each) => each !== undefined && known.has(each) && !found.has(each));
    if (id !== undefined) found.set(id, source);
    const original = id === undefined ? undefined : known.get(id);
    if (cell.cell_type !== "code" || original?.role === "test" || !source.trim()) return;
    code.push({ id: id ?? `own-${i + 1}`, source: original?.role === "given" ? original.source : source });
  });
  if (found.size === 0) throw new Error(`it has none of the cells of ${assignment.name}`);
  putBack(code, assignment.cells, found);
  return { code, answers: answersOf(assignment, found, released), notes: notesOn(assignment, found, released) };
}

/** Sources of the cells that students get, by id. */
function releasedSources({ notebook }: Assignment): Map<string, string> {
  const cells = studentCopy(notebook).cells.flatMap((cell) => {
    const id = gradeMetadata(cell)?.grade_id;
    return id === undefined ? [] : ([[id, joinLines(cell.source)]] as [string, string][]);
  });
  return new Map(cells);
}

/** Given code that was deleted stands again behind the cell that it was behind. */
function putBack(code: SubmittedCell[], cells: readonly AssignmentCell[], found: ReadonlyMap<string, string>): void {
  cells.forEach((cell, i) => {
    if (cell.role !== "given" || !cell.code || found.has(cell.id)) return;
    const before = cells.slice(0, i).map(({ id }) => id);
    const place = Math.max(-1, ...code.flatMap(({ id }, at) => (before.includes(id) ? [at] : [])));
    code.splice(place + 1, 0, { id: cell.id, source: cell.source });
  });
}

function answersOf(
  { cells }: Assignment,
  found: ReadonlyMap<string, string>,
  released: ReadonlyMap<string, string>,
): Record<string, string> {
  const given = cells.filter(
    ({ role, id }) => role === "answer" && found.get(id)?.trim() && !same(found.get(id)!, released.get(id)!),
  );
  return Object.fromEntries(given.map(({ id }) => [id, found.get(id)!.trim()]));
}

function notesOn({ cells }: Assignment, found: ReadonlyMap<string, string>, released: ReadonlyMap<string, string>): string[] {
  return cells.flatMap(({ id, role, code }) => {
    const source = found.get(id);
    if (role === "solution") return source === undefined ? [`The cell "${id}", which holds your solution, is missing.`] : [];
    if (role === "answer" || !code) return [];
    if (source === undefined) return [`The cell "${id}" had been deleted and was put back.`];
    return same(source, released.get(id)!) ? [] : [`The cell "${id}" had been changed and was put back.`];
  });
}

function same(one: string, other: string): boolean {
  const plain = (text: string) => text.replace(/\s+/g, " ").trim();
  return plain(one) === plain(other);
}
