/** The teacher's files: grades.csv, one page for each student, and a summary of the class with its figure. */
import path from "node:path";
import { writeFileAtomic } from "../data/files";
import { classPoints, saveFigure, type ExercisePoints } from "../plots";
import { toCsv, toMarkdown, type TableRow } from "../tables";
import type { Assignment } from "./assignment";
import { feedbackPage, localTime } from "./feedback";
import type { StudentResult } from "./results";

/** Writes all files into `folder`; files of students who are no longer there stay. */
export async function writeReport(folder: string, assignment: Assignment, results: readonly StudentResult[]): Promise<void> {
  await writeFileAtomic(path.join(folder, "grades.csv"), gradesCsv(results));
  for (const result of results)
    await writeFileAtomic(path.join(folder, "feedback", `${result.student}.html`), feedbackPage(assignment, result));
  await saveFigure("summary", classFigure(assignment, results), { folder });
  await writeFileAtomic(path.join(folder, "summary.md"), classSummary(assignment, results));
}

/** One line for each student; `unread` counts written answers without points. */
export function gradesCsv(results: readonly StudentResult[]): string {
  const rows = results.map(
    (result): TableRow => ({
      ...{ student: safeCell(result.student), total: result.points, most: result.most, unread: result.unread },
      ...{ submitted: result.submitted && localTime(result.submitted), late: result.late ? "late" : "" },
      ...Object.fromEntries(result.exercises.map(({ title, points }) => [shortTitle(title), points])),
      reason: safeCell(reasonOf(result)),
    }),
  );
  return toCsv(rows);
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
    exercises.map(({ title, points, most }) => ({ student, exercise: shortTitle(title), share: most === 0 ? 0 : points / most })),
  );
}

function classFigure({ title }: Assignment, results: readonly StudentResult[]): ReturnType<typeof classPoints> {
  const subtitle = `${results.length} submissions; each dot is a student, each bar the mean of the class`;
  return classPoints({ rows: exercisePoints(results), title, subtitle });
}

/** Markdown: totals of the class, and for each exercise how many have all of its points and how many none. */
export function classSummary({ title }: Assignment, results: readonly StudentResult[]): string {
  const totals = results.map(({ points }) => points).sort((a, b) => a - b);
  const most = results[0]?.most ?? 0;
  const unread = results.reduce((sum, result) => sum + result.unread, 0);
  const rows = (results[0]?.exercises ?? []).map((exercise, i): TableRow => {
    const all = results.map(({ exercises }) => exercises[i]!);
    const mean = all.reduce((sum, { points }) => sum + points, 0) / all.length;
    return {
      ...{ exercise: exercise.title, most: exercise.most, mean: mean.toFixed(1) },
      ...{
        all: all.filter(({ points, most: whole }) => points === whole).length,
        none: all.filter(({ points }) => points === 0).length,
      },
    };
  });
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

function median(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
