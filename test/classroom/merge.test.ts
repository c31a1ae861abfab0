import assert from "node:assert/strict";
import { mergeSubmission } from "../../src/classroom/merge";
import { codeCell, shortAssignment, submission } from "./support";

const assignment = shortAssignment();
const codeOf = (merged: ReturnType<typeof mergeSubmission>) => merged.code.map(({ id }) => id);
const given = ["setup", "epsilon-hat", "sam-gradient", "sam-step", "orbit", "m-sam"];

describe("a submission laid over its source", () => {
  it("runs the student's code in its order, and no test", () => {
    assert.deepEqual(codeOf(mergeSubmission(submission(assignment, {}), assignment)), given);
  });

  it("has given cells as they were handed out", () => {
    const merged = mergeSubmission(submission(assignment, { setup: "const check = () => {};" }), assignment);

    assert.match(merged.code[0]!.source, /import \{ check \}/);
    assert.deepEqual(merged.notes, ['The cell "setup" had been changed and was put back.']);
  });

  it("has a deleted given cell again at its place", () => {
    const merged = mergeSubmission(submission(assignment, { setup: null }), assignment);

    assert.deepEqual(codeOf(merged), given);
  });

  it("keeps cells that the student added, and names a solution that is gone", () => {
    const notebook = submission(assignment, { "m-sam": null });

    const merged = mergeSubmission({ ...notebook, cells: [...notebook.cells, codeCell("const mine = 1;")] }, assignment);

    assert.deepEqual(merged.code.at(-1)!.source, "const mine = 1;");
    assert.deepEqual(merged.notes, ['The cell "m-sam", which holds your solution, is missing.']);
  });

  it("finds cells by their ids where an editor has dropped the metadata", () => {
    const notebook = submission(assignment, {});
    const bare = { ...notebook, cells: notebook.cells.map((cell) => ({ ...cell, metadata: {} })) };

    assert.deepEqual(codeOf(mergeSubmission(bare, assignment)), given);
  });

  it("counts an answer that was left as it was as no answer", () => {
    assert.deepEqual(mergeSubmission(submission(assignment, {}), assignment).answers, {});
    const answered = mergeSubmission(submission(assignment, { "m-question": "Nothing moves." }), assignment);
    assert.deepEqual(answered.answers, { "m-question": "Nothing moves." });
  });

  it("is refused where it is another notebook", () => {
    const other = { cells: [codeCell("1")], metadata: {}, nbformat: 4, nbformat_minor: 5 };

    assert.throws(() => mergeSubmission(other, assignment), /none of the cells of assignment-1/);
  });
});
