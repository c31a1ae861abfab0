/** Grades every submission in a folder. Whatever one of them does, the others are graded and the reports are written. */
import fs from "node:fs";
import path from "node:path";
import { writeFileAtomic } from "../data/files";
import type { Assignment } from "./assignment";
import { collectSubmissions, type Submission } from "./collect";
import type { ExamineOptions } from "./examine";
import { Grader } from "./grade";
import { manualCsv, readManualPoints, type ManualPoints } from "./manual";
import { writeReport } from "./report";
import { studentResult, type StudentResult } from "./results";

export interface GradeFolderOptions extends ExamineOptions {
  /** Where grades.csv, manual.csv, summary.md and feedback/ are written. */
  readonly output: string;
  readonly deadline?: Date;
  /** Submissions that are graded side by side. */
  readonly jobs: number;
  readonly onResult?: (result: StudentResult) => void;
}

/** @throws where there are no submissions, or manual.csv has an error: nothing is graded then */
export async function gradeFolder(folder: string, assignment: Assignment, options: GradeFolderOptions): Promise<StudentResult[]> {
  const submissions = collectSubmissions(folder, assignment.name);
  const manualFile = path.join(options.output, "manual.csv");
  const manual: ManualPoints = fs.existsSync(manualFile)
    ? readManualPoints(fs.readFileSync(manualFile, "utf8"), assignment)
    : new Map();
  const grader = new Grader(assignment, options);
  const results: StudentResult[] = [];
  const queue = [...submissions];
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const result = await gradeOne(next, { assignment, grader, manual, deadline: options.deadline });
      options.onResult?.(result);
      results.push(result);
    }
  };
  try {
    await Promise.all(Array.from({ length: options.jobs }, work));
  } finally {
    grader.close();
  }
  results.sort((a, b) => a.student.localeCompare(b.student));
  await writeFileAtomic(
    manualFile,
    manualCsv(
      results.map(({ student }) => student),
      assignment,
      manual,
    ),
  );
  await writeReport(options.output, assignment, results);
  return results;
}

interface GradeOne {
  readonly assignment: Assignment;
  readonly grader: Grader;
  readonly manual: ManualPoints;
  readonly deadline?: Date;
}

async function gradeOne(
  { student, submitted, notebook, problem }: Submission,
  { assignment, grader, manual, deadline }: GradeOne,
): Promise<StudentResult> {
  const options = { student, submitted, deadline, manual: manual.get(student) };
  if (!notebook) return studentResult(assignment, { problem: problem ?? "There is no notebook." }, options);
  try {
    return studentResult(assignment, await grader.grade(notebook), options);
  } catch (error) {
    return studentResult(assignment, { problem: `Not graded: ${(error as Error).message}.` }, options);
  }
}
