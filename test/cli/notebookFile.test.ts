/** What counts as a failure in an executed notebook, and what is kept of it. */
import assert from "node:assert/strict";
import {
  cleanNotebook,
  notebookFailures,
  notebookText,
  parseNotebook,
  type Notebook,
  type NotebookCell,
} from "../../src/cli/notebookFile";

const ran = { execution: { "iopub.status.busy": "2026-01-01T00:00:00Z" } };
const code = (source: string, outputs: NotebookCell["outputs"] = [], metadata: NotebookCell["metadata"] = ran): NotebookCell => ({
  ...{ cell_type: "code", id: source.slice(0, 8), source, metadata, outputs, execution_count: 7 },
});
const stream = (name: string, text: string) => ({ output_type: "stream" as const, name, text });
const notebook = (...cells: NotebookCell[]): Notebook => ({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 });

describe("notebook files", () => {
  it("have no failure where every cell ran and stderr is silent", () => {
    const fine = notebook(code("import x"), code("console.log(1)", [stream("stdout", "1\n")]), code("  \n", [], {}));

    assert.deepEqual(notebookFailures(fine), []);
  });

  it("fail by any text on stderr, and by silence behind it", () => {
    const failures = notebookFailures(
      notebook(code("const a: number = 'x';\nmore", [stream("stderr", "1:7 - Type 'string' …\n")]), code("show(a)")),
    );

    assert.deepEqual(failures, [
      { cell: 1, message: "1:7 - Type 'string' …", source: "const a: number = 'x';" },
      { cell: 2, message: "was not executed: cell 1 had failed", source: "show(a)" },
    ]);
  });

  it("fail by an error output, by a cell that was never sent, and by a grade cell that says nothing", () => {
    const error = { output_type: "error" as const, ename: "Error", evalue: "boom", traceback: [] };
    const messages = (...cells: NotebookCell[]) => notebookFailures(notebook(...cells)).map(({ message }) => message);

    assert.deepEqual(messages(code("f()", [error])), ["Error: boom"]);
    assert.deepEqual(messages(code("f()", [], {})), ["was not executed"]);
    assert.deepEqual(messages(code("check()", [], { ...ran, nbgrader: { grade: true } })), ["is graded, but put nothing out"]);
  });

  it("are kept without counters, times and kernel details, and otherwise as they are", () => {
    const messy: Notebook = {
      ...notebook(code("a\nb", [stream("stdout", "1\n"), stream("stdout", "2")], { ...ran, collapsed: true, tags: ["x"] })),
      metadata: { kernelspec: { name: "other" }, language_info: { version: "3.7.2" }, widgets: {} },
    };

    const clean = cleanNotebook(messy);

    assert.deepEqual(clean.cells[0], {
      ...{ cell_type: "code", execution_count: null, id: "a\nb", metadata: { tags: ["x"] } },
      ...{ outputs: [{ output_type: "stream", name: "stdout", text: ["1\n", "2"] }], source: ["a\n", "b"] },
    });
    assert.deepEqual(Object.keys(clean.metadata), ["kernelspec", "language_info"]);
    assert.equal((clean.metadata.kernelspec as { name: string }).name, "tslab");
  });

  it("do not change when cleaned twice, or written and read back", () => {
    const once = cleanNotebook(notebook(code("a", [stream("stdout", "1\n")])));

    assert.deepEqual(cleanNotebook(once), once);
    assert.deepEqual(parseNotebook(notebookText(once), "x.ipynb"), once);
  });

  it("are refused where they are no notebooks", () => {
    assert.throws(() => parseNotebook("{", "x.ipynb"), /x\.ipynb is no JSON/);
    assert.throws(() => parseNotebook("null", "x.ipynb"), /x\.ipynb is no notebook/);
    assert.throws(() => parseNotebook('{"cells":[],"nbformat":3}', "x.ipynb"), /expected cells and nbformat 4, got nbformat 3/);
  });
});
