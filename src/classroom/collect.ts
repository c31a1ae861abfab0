/** Submissions in a folder: one folder for each student, with the notebook in it or, as nbgrader collects, one level below. */
import fs from "node:fs";
import path from "node:path";
import { parseNotebook, type Notebook } from "../cli/notebookFile";

export interface Submission {
  /** The folder's name, without the time that may follow an @. */
  readonly student: string;
  /** Undefined where there is nothing to grade. */
  readonly notebook?: Notebook;
  /** Why there is nothing to grade, as a sentence. */
  readonly problem?: string;
  /** From the folder's name (anna@2026-12-01T17-30, local time), else when the file was last changed. */
  readonly submitted?: Date;
}

/** A notebook with outputs of images; larger ones are not read. */
const largestFile = 50 * 2 ** 20;

/** @throws where the folder is missing or holds no folders of students */
export function collectSubmissions(folder: string, name: string): Submission[] {
  if (!fs.existsSync(folder)) throw new Error(`There is no folder ${folder}`);
  const students = fs
    .readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."));
  if (students.length === 0)
    throw new Error(`${folder} has no folders: expected one for each student, such as ${folder}/anna/${name}.ipynb`);
  const all = students.map((entry) => readSubmission(path.join(folder, entry.name), name));
  return latestOfEach(all).sort((a, b) => a.student.localeCompare(b.student));
}

function readSubmission(folder: string, name: string): Submission {
  const { student, time } = studentOf(path.basename(folder));
  const file = [`${name}.ipynb`, `${name}/${name}.ipynb`]
    .map((each) => path.join(folder, each))
    .find((each) => fs.existsSync(each));
  if (!file) return { student, submitted: time, problem: missingFile(folder, name) };
  try {
    const info = checkedFile(file, folder);
    const submitted = time ?? info.mtime;
    return { student, submitted, ...readNotebook(file) };
  } catch (error) {
    return { student, submitted: time, problem: `${(error as Error).message}.` };
  }
}

function readNotebook(file: string): Pick<Submission, "notebook" | "problem"> {
  const name = path.basename(file);
  const text = fs.readFileSync(file, "utf8");
  if (!text.trim()) return { problem: `${name} is empty.` };
  try {
    return { notebook: parseNotebook(text, name) };
  } catch (error) {
    return { problem: `${(error as Error).message}.` };
  }
}

/** A link could lead to another student's file, or to one that only the grader may read. @throws */
function checkedFile(file: string, folder: string): fs.Stats {
  const info = fs.lstatSync(file);
  const inside = fs.realpathSync(file).startsWith(fs.realpathSync(folder) + path.sep);
  if (!info.isFile() || !inside) throw new Error(`${path.basename(file)} is a link or a folder, not a notebook`);
  if (info.size > largestFile) throw new Error(`${path.basename(file)} has ${info.size} bytes, more than ${largestFile}`);
  return info;
}

function missingFile(folder: string, name: string): string {
  const others = fs
    .readdirSync(folder)
    .filter((each) => !each.startsWith("."))
    .slice(0, 5);
  return `There is no ${name}.ipynb${others.length > 0 ? `; the folder holds ${others.join(", ")}` : ""}.`;
}

function studentOf(name: string): { student: string; time?: Date } {
  const [, student, day, hour = "00", minute = "00"] = /^(.+)@(\d{4}-\d\d-\d\d)(?:T(\d\d)[:-]?(\d\d))?$/.exec(name) ?? [];
  const time = new Date(`${day}T${hour}:${minute}`);
  return student && !Number.isNaN(time.getTime()) ? { student, time } : { student: name };
}

/** A student may hand in again: the last one counts. */
function latestOfEach(all: readonly Submission[]): Submission[] {
  const latest = new Map<string, Submission>();
  for (const each of all) {
    const other = latest.get(each.student);
    if (!other || (each.submitted?.getTime() ?? 0) > (other.submitted?.getTime() ?? 0)) latest.set(each.student, each);
  }
  return [...latest.values()];
}
