/** Notebooks through nbconvert and tslab: what they are told, what they must not change, and how their end is reported. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { executeNotebook, findJupyter, notebookToHtml } from "../../src/cli/notebookRunner";

const cell = (source: string, i: number) => ({
  cell_type: "code",
  id: `c${i}`,
  source,
  metadata: {},
  outputs: [],
  execution_count: null,
});

describe("the notebook runner", function () {
  this.timeout(900_000); // two runs of Jupyter on a machine that is busy with something else
  let folder: string;
  before(function () {
    if (!findJupyter()) this.skip();
    folder = mkdtempSync(path.join(tmpdir(), "notebooks-"));
  });
  after(() => folder && rmSync(folder, { recursive: true }));

  function write(name: string, ...sources: string[]): string {
    const file = path.join(folder, `${name}.ipynb`);
    writeFileSync(file, JSON.stringify({ cells: sources.map(cell), metadata: {}, nbformat: 4, nbformat_minor: 5 }));
    return file;
  }

  it("runs TypeScript at the budget asked for, leaves the file alone, and makes a page of the result", async () => {
    const file = write("good", "const twice = (x: number) => 2 * x;", "console.log(twice(21), process.env.SHARPNESS_BUDGET)");
    const before = readFileSync(file, "utf8");

    const { notebook, failures } = await executeNotebook(file, { budget: "smoke" });
    const page = path.join(folder, "pages/good.html");
    await notebookToHtml(notebook, page);

    assert.deepEqual(failures, []);
    assert.match(JSON.stringify(notebook.cells[1]!.outputs), /42 smoke/);
    assert.equal(readFileSync(file, "utf8"), before);
    assert.match(readFileSync(page, "utf8"), /42 smoke/);
  });

  it("tells which cell failed, in the error's own words", async () => {
    const { failures } = await executeNotebook(write("bad", "console.log(0)", "throw new Error('boom')", "console.log(1)"));

    assert.deepEqual(
      failures.map(({ cell }) => cell),
      [2, 3],
    );
    assert.match(failures[0]!.message, /boom/);
  });

  it("says so where the kernel dies", async () => {
    await assert.rejects(executeNotebook(write("dead", "process.exit(3)")), /DeadKernelError: Kernel died/);
  });
});
