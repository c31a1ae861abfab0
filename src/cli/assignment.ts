/** `npm run assignment`: the student's copies of the assignments, and the grading of what comes back. */
import fs from "node:fs";
import path from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { assignmentNames, readAssignment, type Assignment } from "../classroom/assignment";
import type { GradingLimits } from "../classroom/examine";
import { gradeFolder } from "../classroom/gradeFolder";
import { proveAssignment, writeRelease } from "../classroom/proof";
import type { StudentResult } from "../classroom/results";
import { openSandbox } from "../classroom/sandbox";
import { runCommand, usableJobs } from "./command";
import { positiveInteger } from "./options";

interface LimitFlags {
  readonly cellSeconds: number;
  readonly totalSeconds: number;
  readonly memory: number;
  readonly processes: number;
}

interface GradeFlags extends LimitFlags {
  readonly assignment?: string;
  readonly output: string;
  readonly deadline?: Date;
  readonly jobs: number;
  readonly unconfined?: boolean;
}

const defaults: LimitFlags = { cellSeconds: 60, totalSeconds: 900, memory: 2048, processes: 256 };

const program = new Command("npm run assignment --").description(
  "Hands out the assignments of notebooks/assignments and grades what comes back; notebooks/assignments/TEACHING.md tells how.",
);

program
  .command("release")
  .description("Writes the student's copy, after proving that it fails exactly its tests and that our solutions pass all.")
  .argument("<assignments...>", `${assignmentNames().map(numberOf).join(", ")} or all`)
  .option("--output <folder>", "where to; each assignment gets a folder there", "release")
  .action(release);

program
  .command("grade")
  .description(
    "Grades one folder per student, such as submissions/anna/assignment-1.ipynb, and writes CSV, feedback and a summary.",
  )
  .argument("<folder>", "the submissions; anna@2026-12-01T17-30 as a folder's name says when anna handed in")
  .option("--assignment <number>", "which assignment; default: every one that somebody handed in")
  .option("--output <folder>", "where to; each assignment gets a folder there", "grades")
  .option("--deadline <time>", "such as 2026-12-01T18:00, local time; later submissions are marked, and lose no points", time)
  .option("--jobs <n>", "submissions side by side", positiveInteger, 1)
  .option(
    "--cell-seconds <n>",
    "longest that one cell or test may compute; on a busy machine it may take ten times as long",
    positiveInteger,
    defaults.cellSeconds,
  )
  .option("--total-seconds <n>", "longest that a submission may take, by the clock", positiveInteger, defaults.totalSeconds)
  .option("--memory <MiB>", "most memory of a submission", positiveInteger, defaults.memory)
  .option("--processes <n>", "most processes and threads of a submission", positiveInteger, defaults.processes)
  .option("--unconfined", "run student code with your own rights where this system cannot confine it")
  .addHelpText(
    "after",
    `
Every notebook runs in processes of its own, without network, as an unprivileged user, in a file system that shows neither other
submissions nor the solutions. Late is what the folder's name says, else when the file was last changed. Written answers get their points
in manual.csv, in the output folder; grade again after filling it in.`,
  )
  .action(grade);

function time(text: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw new InvalidArgumentError("expected a time such as 2026-12-01T18:00");
  return date;
}

function numberOf(name: string): string {
  return name.replace("assignment-", "");
}

/** @throws where there is no such assignment */
function chosen(text: string): string {
  const name = assignmentNames().find((each) => each === text || numberOf(each) === text);
  if (!name) throw new Error(`There is no assignment "${text}"; there are ${assignmentNames().map(numberOf).join(", ")}`);
  return name;
}

async function release(wanted: string[], { output }: { output: string }): Promise<void> {
  const names = wanted.includes("all") ? assignmentNames() : wanted.map(chosen);
  // These are our own notebooks, so nothing is lost where they cannot be confined.
  const sandbox = openSandbox({ unconfined: true });
  for (const name of names) {
    const assignment = readAssignment(name);
    await proveAssignment(assignment, { sandbox, limits: defaults });
    console.log(`${await writeRelease(assignment, output)}: fails exactly its tests; with our solutions all pass`);
  }
}

async function grade(folder: string, { assignment, output, deadline, jobs, unconfined, ...flags }: GradeFlags): Promise<void> {
  const names = assignment ? [chosen(assignment)] : handedIn(folder);
  const sandbox = openSandbox({ unconfined });
  if (!sandbox.confined) console.error("Student code is not confined here: it runs with your rights.");
  for (const name of names) {
    const options = {
      sandbox,
      limits: flags as GradingLimits,
      deadline,
      jobs: usableJobs(jobs),
      output: path.join(output, name),
    };
    const start = readAssignment(name);
    console.log(`${start.title}: grading ${folder}`);
    await gradeFolder(folder, start, { ...options, onResult: printResult });
    printEnd(start, options.output);
  }
}

/** Assignments of which at least one student has the notebook. @throws where there is none */
function handedIn(folder: string): string[] {
  const files = fs.existsSync(folder)
    ? fs.readdirSync(folder, { recursive: true }).map((each) => path.basename(String(each)))
    : [];
  const names = assignmentNames().filter((name) => files.includes(`${name}.ipynb`));
  if (names.length === 0)
    throw new Error(`${folder}: no student has a notebook such as anna/${assignmentNames()[0]}.ipynb there`);
  return names;
}

function printResult({ student, points, most, unread, late, problem }: StudentResult): void {
  const more = [...(unread > 0 ? [`${unread} answers to read`] : []), ...(late ? ["late"] : []), ...(problem ? [problem] : [])];
  console.log(`  ${student.padEnd(24)} ${String(points).padStart(3)} of ${most}${more.length > 0 ? `  ${more.join(", ")}` : ""}`);
}

function printEnd({ cells }: Assignment, output: string): void {
  const answers = cells.filter(({ role }) => role === "answer").length;
  console.log(`${output}: grades.csv, summary.md, feedback/${answers > 0 ? "; fill in manual.csv and grade again" : ""}`);
}

if (require.main === module) runCommand(() => program.parseAsync());
