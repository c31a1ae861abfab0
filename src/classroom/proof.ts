/** The proof before a release: our solutions get all points, and the student's copy fails its tests and nothing else. */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { notebookText } from "../cli/notebookFile";
import { writeFileAtomic } from "../data/files";
import type { Assignment } from "./assignment";
import type { ExamineOptions } from "./examine";
import { Grader, type GradedNotebook } from "./grade";
import { studentCopy } from "./release";

/** Grades both through the path that submissions take. @throws with a line for each cell that behaves otherwise */
export async function proveAssignment(assignment: Assignment, options: ExamineOptions): Promise<void> {
  const grader = new Grader(assignment, options);
  try {
    const solved = await grader.grade(assignment.notebook);
    const stripped = await grader.grade(studentCopy(assignment.notebook));
    const faults = [...faultsOfSolved(solved), ...faultsOfStripped(stripped)];
    if (faults.length > 0) throw new Error(`${assignment.name} is not ready:\n${faults.map((fault) => `  ${fault}`).join("\n")}`);
  } finally {
    grader.close();
  }
}

function faultsOfSolved({ graded, problems }: GradedNotebook): string[] {
  const failed = graded.filter(({ cell, points }) => cell.role === "test" && points !== cell.points);
  return [
    ...problems.map(({ id, problem }) => `with our solutions, "${id}" does not run: ${problem}`),
    ...failed.map(({ cell, reasons }) => `with our solutions, "${cell.id}" fails: ${reasons.join(" ")}`),
  ];
}

function faultsOfStripped({ graded, problems, answers }: GradedNotebook): string[] {
  return [
    ...problems.map(({ id, problem }) => `without solutions, "${id}" does not run: ${problem}`),
    ...graded.filter(({ points }) => points !== 0).map(({ cell }) => `without solutions, "${cell.id}" does not fail`),
    ...Object.keys(answers).map((id) => `the answer "${id}" is still in the student's copy`),
  ];
}

/** Writes the student's copy into a folder of its own, and returns the file's path. */
export async function writeRelease(assignment: Assignment, folder: string): Promise<string> {
  const file = path.join(folder, assignment.name, `${assignment.name}.ipynb`);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFileAtomic(file, notebookText(studentCopy(assignment.notebook)));
  return file;
}
