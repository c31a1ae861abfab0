/** What the grader tells the examiner, and what it hears from it. */
import type { CompiledCell } from "./cells";
import type { Verdict } from "./check";

export interface ExaminedCell {
  readonly id: string;
  readonly cell: CompiledCell;
}

export interface Examination {
  /** Cells of the assignment that tests build on, as released: they run on both sides. */
  readonly given: readonly CompiledCell[];
  /** Cells of the submission, in its order. */
  readonly submitted: readonly ExaminedCell[];
  readonly tests: readonly ExaminedCell[];
  /** What the student was asked to write. */
  readonly names: readonly string[];
}

export type ExaminerEvent =
  | { readonly event: "begin"; readonly id: string }
  | { readonly event: "ran"; readonly id: string; readonly error?: string }
  | { readonly event: "tested"; readonly id: string; readonly verdicts: readonly Verdict[]; readonly error?: string }
  | { readonly event: "lost" }
  | { readonly event: "done" };

/** Marks a line of stdout as an event. */
export const eventMark = "@examiner ";
