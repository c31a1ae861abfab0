import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { assignmentNames, gradeMetadata, parseAssignment, readAssignment } from "../../src/classroom/assignment";
import { replaceRegions, studentCopy } from "../../src/classroom/release";
import { joinLines, notebookText, type Notebook } from "../../src/cli/notebookFile";
import { projectRoot } from "../../src/data/files";
import { codeCell } from "./support";

const where = 'cell "x"';
const strip = (source: string) => replaceRegions(source, { kind: "SOLUTION", by: ["// YOUR CODE HERE", "throw 1;"], where });

/** nbgrader's metadata schema 3 and its rules beyond the schema, as its MetadataValidatorV3 has them. */
function checkSchema3(notebook: Notebook): void {
  const allowed = ["schema_version", "grade", "locked", "solution", "task", "grade_id", "points", "checksum", "cell_type"];
  const ids = new Set<string>();
  for (const cell of notebook.cells) {
    const metadata = gradeMetadata(cell);
    if (!metadata) continue;
    const { schema_version, grade_id, grade, solution, locked, points } = metadata;
    assert.deepEqual(
      Object.keys(metadata).filter((key) => !allowed.includes(key)),
      [],
    );
    assert.equal(schema_version, 3);
    assert.match(grade_id, /^[a-zA-Z0-9_-]+$/);
    assert.ok(!ids.has(grade_id), `${grade_id} comes twice`);
    for (const flag of [grade, solution, locked]) assert.equal(typeof flag, "boolean");
    if (grade) assert.ok(points! >= 0, `${grade_id} has no points`);
    if (cell.cell_type === "markdown") assert.equal(grade, solution, `${grade_id}: a graded text is also a solution`);
    ids.add(grade_id);
  }
}

describe("a student's copy", () => {
  it("has the stub in a solution's place, with its indentation", () => {
    const source = "function f() {\n  // BEGIN SOLUTION\n  return 1;\n  // END SOLUTION\n}";

    assert.equal(strip(source), "function f() {\n  // YOUR CODE HERE\n  throw 1;\n}");
  });

  it("is refused where a region is nested, not closed or not opened", () => {
    assert.throws(() => strip("// BEGIN SOLUTION\n// BEGIN SOLUTION"), /cell "x": a second BEGIN SOLUTION/);
    assert.throws(() => strip("// BEGIN SOLUTION"), /BEGIN SOLUTION without END SOLUTION/);
    assert.throws(() => strip("// END SOLUTION"), /END SOLUTION without BEGIN SOLUTION/);
  });

  it("is refused where a solution stands in a cell that is no solution cell", () => {
    const notebook = { cells: [codeCell("// BEGIN SOLUTION\n1\n// END SOLUTION")], metadata: {}, nbformat: 4, nbformat_minor: 5 };

    assert.throws(() => studentCopy(notebook), /has a solution, but is no solution cell/);
  });

  for (const name of assignmentNames())
    describe(`of ${name}`, () => {
      const { notebook, cells } = readAssignment(name);
      const copy = studentCopy(notebook);
      const text = notebookText(copy);

      it("holds no solution, no hidden test, no answer of ours and no output", () => {
        assert.doesNotMatch(text, /SOLUTION|HIDDEN/);
        for (const { source } of cells.filter(({ role }) => role === "answer")) assert.ok(!text.includes(source.split("\n")[0]!));
        for (const cell of copy.cells) assert.deepEqual(cell.outputs ?? [], []);
      });

      it("has visible tests in each test cell", () => {
        const tests = copy.cells.filter((cell) => gradeMetadata(cell)?.grade && cell.cell_type === "code");

        for (const cell of tests) assert.match(joinLines(cell.source), /^(await )?check\(/m);
      });

      it("keeps nbgrader's schema 3, before and after", () => {
        checkSchema3(notebook);
        checkSchema3(copy);
      });

      it("locks tests and given cells, and no solution", () => {
        for (const { metadata, id } of copy.cells) {
          const { nbgrader } = metadata as { nbgrader?: { locked: boolean } };
          assert.equal(metadata.editable, nbgrader?.locked ? false : undefined, id);
          assert.equal(metadata.deletable, nbgrader ? false : undefined, id);
        }
      });

      it("has 5 to 8 exercises, each with points", () => {
        const graded = cells.filter(({ points }) => points > 0);
        const exercises = new Set(graded.map(({ exercise }) => exercise));

        assert.ok(exercises.size >= 5 && exercises.size <= 8, `${exercises.size} exercises`);
        for (const exercise of exercises) assert.match(exercise, /^Exercise \d: /);
      });
    });

  it("is a valid notebook for Python's nbformat", function () {
    const python = path.join(projectRoot(), ".venv/bin/python");
    if (!existsSync(python)) this.skip();
    const code =
      "import json, sys, nbformat\nfor each in json.load(sys.stdin): nbformat.validate(nbformat.reads(each, as_version=4))";
    const copies = assignmentNames().map((name) => notebookText(studentCopy(readAssignment(name).notebook)));

    const { status, stderr } = spawnSync(python, ["-c", code], { input: JSON.stringify(copies), encoding: "utf8" });

    assert.equal(status, 0, stderr);
  });

  it("comes from a source in which no id comes twice", () => {
    const cell = { ...codeCell("1"), metadata: { nbgrader: { grade_id: "a", grade: false, solution: false, locked: true } } };
    const notebook = { cells: [cell, cell], metadata: {}, nbformat: 4, nbformat_minor: 5 };

    assert.throws(() => parseAssignment(notebook, "assignment-9"), /two cells have the grade_id "a"/);
  });
});
