/** Source notebooks of assignments: which cells are given, which hold our solutions, which test them. Metadata as nbgrader's schema 3. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { projectRoot } from "../data/files";
import { joinLines, parseNotebook, type Notebook, type NotebookCell } from "../cli/notebookFile";

/** nbgrader's cell metadata, schema 3. */
export interface GradeMetadata {
  readonly schema_version: 3;
  readonly grade_id: string;
  readonly grade: boolean;
  readonly solution: boolean;
  readonly locked: boolean;
  readonly task: boolean;
  readonly points?: number;
  readonly cell_type?: string;
}

/** given: locked code or text; solution: code that students write; test: graded code; answer: graded text, read by the teacher. */
export type Role = "given" | "solution" | "test" | "answer";

export interface AssignmentCell {
  readonly id: string;
  readonly role: Role;
  readonly code: boolean;
  readonly source: string;
  /** Most points; 0 for what is not graded. */
  readonly points: number;
  /** Heading of the exercise that the cell belongs to. */
  readonly exercise: string;
}

export interface Assignment {
  /** Name of the notebook's file without its ending: assignment-1. */
  readonly name: string;
  readonly title: string;
  readonly notebook: Notebook;
  /** The cells with a role, in order. */
  readonly cells: readonly AssignmentCell[];
  /** What students are asked to declare. */
  readonly names: readonly string[];
}

export const assignmentsFolder = path.join(projectRoot(), "notebooks", "assignments");

/** Names of all assignments, in order; none in a kit for students, which has no such folder. */
export function assignmentNames(): string[] {
  if (!existsSync(assignmentsFolder)) return [];
  const names = readdirSync(assignmentsFolder).filter((name) => /^assignment-\d+\.ipynb$/.test(name));
  return names.map((name) => path.basename(name, ".ipynb")).sort();
}

export function readAssignment(name: string): Assignment {
  const file = path.join(assignmentsFolder, `${name}.ipynb`);
  return parseAssignment(parseNotebook(readFileSync(file, "utf8"), file), name);
}

/** @throws where a cell's metadata contradicts itself, or an id comes twice */
export function parseAssignment(notebook: Notebook, name: string): Assignment {
  let exercise = "";
  let title = name;
  const cells = notebook.cells.flatMap((cell) => {
    const source = joinLines(cell.source);
    if (cell.cell_type === "markdown") title = title === name ? (/^# (.*)/m.exec(source)?.[1] ?? title) : title;
    if (cell.cell_type === "markdown") exercise = /^## (.*)/m.exec(source)?.[1] ?? exercise;
    return assignmentCell(cell, exercise) ?? [];
  });
  const twice = cells.find(({ id }, i) => cells.findIndex((other) => other.id === id) !== i);
  if (twice) throw new Error(`${name}: two cells have the grade_id "${twice.id}"`);
  const names = cells.filter(({ role }) => role === "solution").flatMap(({ source }) => declaredNames(source));
  return { name, title, notebook, cells, names };
}

export function gradeMetadata({ metadata }: NotebookCell): GradeMetadata | undefined {
  const { nbgrader } = metadata as { nbgrader?: Partial<GradeMetadata> };
  return typeof nbgrader?.grade_id === "string" ? (nbgrader as GradeMetadata) : undefined;
}

function assignmentCell(cell: NotebookCell, exercise: string): AssignmentCell | undefined {
  const metadata = gradeMetadata(cell);
  if (!metadata) return undefined;
  const { grade_id: id, points = 0 } = metadata;
  return { id, role: roleOf(cell, metadata), code: cell.cell_type === "code", source: joinLines(cell.source), points, exercise };
}

function roleOf({ cell_type }: NotebookCell, { grade_id, grade, solution, locked, points }: GradeMetadata): Role {
  const code = cell_type === "code";
  if (grade && !(Number(points) >= 0)) throw new Error(`cell "${grade_id}" is graded, but has no points`);
  if (grade && solution && !code) return "answer";
  if (grade && !solution && locked && code) return "test";
  if (!grade && solution && !locked && code) return "solution";
  if (!grade && !solution && locked) return "given";
  throw new Error(`cell "${grade_id}": grade, solution and locked do not fit a ${cell_type} cell`);
}

/** Functions and variables that a cell declares at its outermost level. */
export function declaredNames(source: string): string[] {
  const declarations = source.matchAll(/^(?:async )?(?:function\*?|const|let|class) +(\w+)/gm);
  return [...declarations].map(([, name]) => name!);
}
