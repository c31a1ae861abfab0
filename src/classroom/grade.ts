/** Grades notebooks of one assignment: compiled, run confined, tested, with the points of each graded cell and why some were not given. */
import type { Notebook } from "../cli/notebookFile";
import type { Assignment, AssignmentCell } from "./assignment";
import type { CompiledCell } from "./cells";
import { Compiler } from "./compile";
import { examine, type ExamineOptions, type Outcomes, type TestOutcome } from "./examine";
import type { ExaminedCell } from "./events";
import { mergeSubmission, type MergedSubmission } from "./merge";

export interface GradedCell {
  readonly cell: AssignmentCell;
  /** Undefined for a written answer, which is graded by a person. */
  readonly points: number | undefined;
  /** Sentences that say what failed and why; empty where all points are given. */
  readonly reasons: readonly string[];
}

export interface CellProblem {
  readonly id: string;
  readonly problem: string;
}

export interface GradedNotebook {
  readonly graded: readonly GradedCell[];
  /** Cells of the student's that did not run to their end. */
  readonly problems: readonly CellProblem[];
  readonly answers: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
}

/** Longest that the types of one cell may take: hundreds of times what they take on an idle machine. */
const compileSeconds = 60;

/** Compiles the assignment once; then grades any number of notebooks, one after the other. Close it when done. */
export class Grader {
  private readonly compiler: Compiler;
  private prepared: Promise<{ given: CompiledCell[]; tests: ExaminedCell[] }> | undefined;

  constructor(
    private readonly assignment: Assignment,
    private readonly options: ExamineOptions,
  ) {
    this.compiler = new Compiler({ ...options, seconds: Math.max(compileSeconds, options.limits.cellSeconds) });
  }

  /** @throws where the notebook is none of this assignment, or the grader cannot work */
  async grade(notebook: Notebook): Promise<GradedNotebook> {
    const merged = mergeSubmission(notebook, this.assignment);
    const { given, tests } = await (this.prepared ??= this.prepare());
    const compiled = await this.compiler.compileAll(merged.code.map(({ source }) => source));
    const cells = merged.code.map(({ id }, i) => ({ id, cell: compiled[i]! }));
    const submitted = cells.filter(({ cell }) => cell.problems.length === 0);
    const outcomes = await examine({ given, tests, submitted, names: this.assignment.names }, this.options);
    return this.report(merged, { outcomes, cells });
  }

  close(): void {
    this.compiler.close();
  }

  /** Tests and given cells are compiled against our own solutions, so that no declaration of a student's changes what they mean. */
  private async prepare(): Promise<{ given: CompiledCell[]; tests: ExaminedCell[] }> {
    const cells = this.assignment.cells.filter(({ code }) => code);
    const compiled = await this.compiler.compileAll(cells.map(({ source }) => source));
    const all = cells.map((cell, i) => ({ ...cell, cell: compiled[i]! }));
    const wrong = all.find(({ cell }) => cell.problems.length > 0);
    if (wrong) throw new Error(`${this.assignment.name}, cell "${wrong.id}": ${wrong.cell.problems.join("; ")}`);
    const of = (role: AssignmentCell["role"]) => all.filter((each) => each.role === role);
    return { given: of("given").map(({ cell }) => cell), tests: of("test").map(({ id, cell }) => ({ id, cell })) };
  }

  private report(
    merged: MergedSubmission,
    { outcomes, cells }: { outcomes: Outcomes; cells: readonly ExaminedCell[] },
  ): GradedNotebook {
    const problems = cells.flatMap(({ id, cell }) => {
      const problem = cell.problems.join("; ") || outcomes.cells.get(id)?.problem;
      return problem ? [{ id, problem }] : [];
    });
    const graded = this.assignment.cells
      .filter(({ role }) => role === "test" || role === "answer")
      .map((cell) => {
        if (cell.role === "test") return gradedTest(cell, outcomes.tests.get(cell.id));
        const answered = merged.answers[cell.id] !== undefined;
        return answered ? { cell, points: undefined, reasons: [] } : { cell, points: 0, reasons: ["There is no answer."] };
      });
    return { graded, problems, answers: merged.answers, notes: merged.notes };
  }
}

function gradedTest(cell: AssignmentCell, outcome: TestOutcome | undefined): GradedCell {
  if (outcome?.passed) return { cell, points: cell.points, reasons: [] };
  const failed =
    outcome?.verdicts.flatMap(({ title, problem }) => (problem === undefined ? [] : [`${title}: ${problem}.`])) ?? [];
  const broken = outcome?.problem === undefined ? [] : [`This test ${describeError(outcome.problem)}.`];
  return { cell, points: 0, reasons: [...failed, ...broken].length > 0 ? [...failed, ...broken] : ["The test was not run."] };
}

function describeError(problem: string): string {
  return /^(computed|used|started|broke|ended|made|was)\b/.test(problem) ? problem : `stopped with "${problem}"`;
}
