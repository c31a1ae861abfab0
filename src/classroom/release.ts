/** The student's copy of an assignment: solutions, hidden tests and outputs taken out, what may not change locked. */
import { cleanNotebook, joinLines, type Notebook, type NotebookCell } from "../cli/notebookFile";
import { gradeMetadata } from "./assignment";

/** What stands in place of a solution; the error makes its tests say so. */
export const stub = ["// YOUR CODE HERE", 'throw new Error("not solved yet");'];
const textStub = "YOUR ANSWER HERE";

/** @throws where a marked region is not closed, is nested, is missing in a solution, or stands in a cell of another kind */
export function studentCopy(source: Notebook): Notebook {
  const { cells, ...rest } = cleanNotebook(source);
  return { ...rest, cells: cells.map(studentCell) };
}

function studentCell(cell: NotebookCell): NotebookCell {
  const grading = gradeMetadata(cell);
  const source = joinLines(cell.source);
  const where = grading ? `cell "${grading.grade_id}"` : `the cell that starts with "${source.split("\n")[0]}"`;
  const isSolution = Boolean(grading?.solution) && cell.cell_type === "code";
  if (!isSolution && hasRegion(source, "SOLUTION")) throw new Error(`${where} has a solution, but is no solution cell`);
  if (isSolution && !hasRegion(source, "SOLUTION"))
    throw new Error(`${where}: its solution is not between BEGIN and END SOLUTION`);
  const solved =
    grading?.solution && cell.cell_type === "markdown" ? textStub : replaceRegions(source, { kind: "SOLUTION", by: stub, where });
  const text = replaceRegions(solved, { kind: "HIDDEN TESTS", by: [], where }).trimEnd();
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  return { ...cell, ...(cell.cell_type === "code" && { outputs: [] }), metadata: studentMetadata(cell), source: lines };
}

/** nbgrader's locking: graded and given cells cannot be deleted, and tests and given cells cannot be edited. */
function studentMetadata(cell: NotebookCell): NotebookCell["metadata"] {
  const grading = gradeMetadata(cell);
  if (!grading) return cell.metadata;
  const locking = { deletable: false, ...(grading.locked && { editable: false }) };
  return { ...locking, ...cell.metadata, nbgrader: { ...grading, cell_type: cell.cell_type } };
}

function hasRegion(source: string, kind: string): boolean {
  return source.includes(`BEGIN ${kind}`) || source.includes(`END ${kind}`);
}

interface Replacement {
  readonly kind: "SOLUTION" | "HIDDEN TESTS";
  readonly by: readonly string[];
  readonly where: string;
}

/** Every region between its marks, which go too; the lines in its place are indented as its first mark is. */
export function replaceRegions(source: string, { kind, by, where }: Replacement): string {
  const kept: string[] = [];
  let open = false;
  for (const line of source.split("\n")) {
    const begins = line.includes(`BEGIN ${kind}`);
    if (begins && open) throw new Error(`${where}: a second BEGIN ${kind} before END ${kind}`);
    if (line.includes(`END ${kind}`)) {
      if (!open) throw new Error(`${where}: END ${kind} without BEGIN ${kind}`);
      open = false;
    } else if (begins) {
      open = true;
      kept.push(...by.map((each) => line.match(/^\s*/)![0] + each));
    } else if (!open) kept.push(line);
  }
  if (open) throw new Error(`${where}: BEGIN ${kind} without END ${kind}`);
  return kept.join("\n");
}
