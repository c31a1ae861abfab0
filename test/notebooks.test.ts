/** Every committed notebook runs from top to bottom through tslab, at the smoke budget, without a word on stderr. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { cleanNotebook, joinLines, notebookText, parseNotebook } from "../src/cli/notebookFile";
import { executeNotebook, findJupyter, notebooksFolder } from "../src/cli/notebookRunner";

const names = readdirSync(notebooksFolder, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith(".ipynb") && !name.includes(".ipynb_checkpoints"))
  .sort();

// Its figures have more options than ten shorter lines hold.
const lineLimit = (name: string) => (name === "lesson-what-is-sharpness.ipynb" ? 125 : 100);

describe("notebooks", function () {
  this.timeout(1_800_000);

  for (const name of names) {
    const file = path.join(notebooksFolder, name);

    it(`${name} runs without an error`, async function () {
      if (!findJupyter()) this.skip();
      assert.ok(existsSync(path.join(notebooksFolder, "../dist/index.js")), "the library is not built: npm run build");
      const before = readFileSync(file, "utf8");

      const { failures } = await executeNotebook(file, { budget: "smoke", timeout: 300 });

      assert.deepEqual(failures, []);
      assert.equal(readFileSync(file, "utf8"), before);
    });

    it(`${name} is committed clean: no counters, times or kernel details`, () => {
      const text = readFileSync(file, "utf8");

      assert.equal(text, notebookText(cleanNotebook(parseNotebook(text, name))), `npm run notebooks -- ${name}`);
    });

    // In an assignment the student does the work, so its cells are the library's.
    if (name.startsWith("assignments")) continue;

    it(`${name} tells, and leaves the work to the library: at most 8 code cells of 10 lines`, () => {
      const cells = parseNotebook(readFileSync(file, "utf8"), name).cells.filter((cell) => cell.cell_type === "code");

      assert.ok(cells.length <= 8, `${cells.length} code cells`);
      for (const cell of cells) assert.ok(joinLines(cell.source).split("\n").length <= 10, joinLines(cell.source));
    });

    it(`${name} has lines of code that a student can read aloud: at most ${lineLimit(name)} characters`, () => {
      const cells = parseNotebook(readFileSync(file, "utf8"), name).cells.filter((cell) => cell.cell_type === "code");

      const long = cells.flatMap(({ source }) => joinLines(source).split("\n")).filter((line) => line.length > lineLimit(name));
      assert.deepEqual(long, []);
    });
  }
});
