/** The teacher's files: grades.csv, one page for each student, and a summary of the class with its figure. */
import path from "node:path";
import { writeFileAtomic } from "../data/files";
import { classPoints, saveFigure, type ExercisePoints } from "../plots";
import { toCsv, toMarkdown, type TableRow } from "../tables";
import type { Assignment } from "./assignment";
import { feedbackPage, localTime } from "./feedback";
import type { ExerciseResult, StudentResult } from "./results";

/** Writes all files into `folder`; files of students who are no longer there stay. */
export async function writeReport(folder: string, assignment: Assignment, results: readonly StudentResult[]): Promise<void> {
  await writeFileAtomic(path.join(folder, "grades.csv"), gradesCsv(results));
  for (const result of results)
    await writeFileAtomic(path.join(folder, "feedback", `${result.student}.html`), feedbackPage(assignment, result));
  await saveFigure("summary", classFigure(assignment, results), { folder });
  await writeFileAtomic(path.join(folder, "summary.md"), classSummary(assignment, results));
}

/** One line for each student; `unread` counts written answers without points, whose exercises have an empty cell. */
export function gradesCsv(results: readonly StudentResult[]): string {
  const rows = results.map(
    (result): TableRow => ({
      ...{ student: safeCell(result.student), total: result.points, most: result.most, unread: result.unread },
      ...{ submitted: result.submitted && localTime(result.submitted), late: result.late ? "late" : "" },
      ...Object.fromEntries(result.exercises.map((each) => [shortTitle(each.title), isRead(each) ? each.points : undefined])),
      reason: safeCell(reasonOf(result)),
    }),
  );
  return toCsv(rows);
}

function isRead({ parts }: Pick<ExerciseResult, "parts">): boolean {
  return parts.every(({ points }) => points !== undefined);
}

/** "Exercise 3" of "Exercise 3: a step of SAM". */
function shortTitle(title: string): string {
  return title.split(":")[0]!;
}

/** A spreadsheet must not take what a student wrote for a formula. */
function safeCell(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}

/** All that cost points, in one cell. */
export function reasonOf({ problem, notes, exercises }: StudentResult): string {
  const failures = exercises.flatMap(({ title, parts }) =>
    parts.flatMap(({ reasons }) => (reasons.length > 0 ? [`${shortTitle(title)}: ${reasons[0]!}`] : [])),
  );
  return [...(problem ? [problem] : []), ...notes, ...failures].join(" ").slice(0, 1000);
}

function exercisePoints(results: readonly StudentResult[]): ExercisePoints[] {
  return results.flatMap(({ student, exercises }) =>
    exercises.map(({ title, points, most, parts }) => {
      return { student, exercise: shortTitle(title), share: isRead({ parts }) ? points / Math.max(1, most) : undefined };
    }),
  );
}

function classFigure({ title }: Assignment, results: readonly StudentResult[]): ReturnType<typeof classPoints> {
  return classPoints({ rows: exercisePoints(results), title, subtitle: `${results.length} submissions` });
}

/** Markdown: totals of the class, and for each exercise how many have all of its points and how many none. */
export function classSummary({ title }: Assignment, results: readonly StudentResult[]): string {
  const totals = results.map(({ points }) => points).sort((a, b) => a - b);
  const most = results[0]?.most ?? 0;
  const unread = results.reduce((sum, result) => sum + result.unread, 0);
  const rows = (results[0]?.exercises ?? []).map((_, i) => summaryRow(results.map(({ exercises }) => exercises[i]!)));
  const columns = {
    exercise: "exercise",
    most: "points",
    mean: "mean",
    all: "students with all points",
    none: "students with none",
  };
  return `# ${title}

${results.length} submissions, ${results.filter(({ late }) => late).length} late. Totals run from ${totals[0] ?? 0} to ${totals.at(-1) ?? 0} of ${most} points,
with a median of ${median(totals)}. ${unread} written answers have no points yet; fill them into manual.csv and grade again.

${toMarkdown(rows, { columns })}

![Points by exercise](summary.png)
`;
}

/** One exercise of all students; the mean is over those whose answers are read. */
function summaryRow(all: readonly ExerciseResult[]): TableRow {
  const { title, most } = all[0]!;
  const read = all.filter(isRead).map(({ points }) => points);
  const mean = read.length === 0 ? "not read yet" : (read.reduce((sum, points) => sum + points, 0) / read.length).toFixed(1);
  const count = (wanted: number) => read.filter((points) => points === wanted).length;
  return { exercise: title, most, mean, all: count(most), none: count(0) };
}

function median(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
