/** What one student gets: points by exercise, with points given by hand, and why the rest was not given. */
import type { Assignment, AssignmentCell } from "./assignment";
import type { GradedNotebook } from "./grade";

export interface GradedPart {
  readonly cell: AssignmentCell;
  /** Undefined: a written answer that nobody has read yet. */
  readonly points: number | undefined;
  readonly reasons: readonly string[];
  /** The student's words, for a written answer. */
  readonly answer?: string;
}

export interface ExerciseResult {
  readonly title: string;
  /** Points given so far, and the most that there are. */
  readonly points: number;
  readonly most: number;
  readonly parts: readonly GradedPart[];
}

export interface StudentResult {
  readonly student: string;
  readonly exercises: readonly ExerciseResult[];
  readonly points: number;
  readonly most: number;
  /** Written answers that nobody has read yet. */
  readonly unread: number;
  readonly submitted?: Date;
  readonly late: boolean;
  /** Why nothing could be graded, or what else the student and the teacher should know. */
  readonly problem?: string;
  readonly notes: readonly string[];
}

export interface ResultOptions {
  readonly student: string;
  readonly submitted?: Date;
  readonly deadline?: Date;
  /** Points given by hand, by cell. */
  readonly manual?: Readonly<Record<string, number>>;
}

/** The result of a graded notebook, or of a submission that could not be graded for the given reason. */
export function studentResult(
  assignment: Assignment,
  outcome: GradedNotebook | { readonly problem: string },
  { student, submitted, deadline, manual = {} }: ResultOptions,
): StudentResult {
  const parts = "problem" in outcome ? withoutPoints(assignment) : gradedParts(outcome, manual);
  const exercises = byExercise(parts);
  const sum = (field: "points" | "most") => exercises.reduce((total, exercise) => total + exercise[field], 0);
  return {
    ...{ student, exercises, points: sum("points"), most: sum("most"), submitted },
    unread: parts.filter(({ points }) => points === undefined).length,
    late: Boolean(submitted && deadline && submitted > deadline),
    ...("problem" in outcome ? { problem: outcome.problem, notes: [] } : { notes: notesOf(outcome) }),
  };
}

function withoutPoints({ cells }: Assignment): GradedPart[] {
  const graded = cells.filter(({ role }) => role === "test" || role === "answer");
  return graded.map((cell) => ({ cell, points: 0, reasons: [] }));
}

function gradedParts({ graded, answers }: GradedNotebook, manual: Readonly<Record<string, number>>): GradedPart[] {
  return graded.map(({ cell, points, reasons }) => ({
    ...{ cell, reasons, answer: answers[cell.id] },
    points: cell.role === "answer" ? (manual[cell.id] ?? points) : points,
  }));
}

function byExercise(parts: readonly GradedPart[]): ExerciseResult[] {
  const titles = [...new Set(parts.map(({ cell }) => cell.exercise))];
  return titles.map((title) => {
    const own = parts.filter(({ cell }) => cell.exercise === title);
    const points = own.reduce((sum, part) => sum + (part.points ?? 0), 0);
    return { title, points, most: own.reduce((sum, { cell }) => sum + cell.points, 0), parts: own };
  });
}

function notesOf({ notes, problems }: GradedNotebook): string[] {
  const own = /^own-(\d+)$/;
  const name = (id: string) => (own.test(id) ? `Cell ${own.exec(id)![1]} of the notebook` : `The cell "${id}"`);
  return [...notes, ...problems.map(({ id, problem }) => `${name(id)} ${sentence(problem)}.`)];
}

function sentence(problem: string): string {
  return /^(computed|used|started|broke|ended|made|was) /.test(problem) ? problem : `did not run: ${problem}`;
}
