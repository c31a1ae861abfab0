/** Opening a notebook in JupyterLab and saving it changes no bytes: its metadata and its form are those that Jupyter writes. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { findNotebooks } from "../../src/cli/notebookRunner";

const python = path.join(__dirname, "../../.venv/bin/python");

describe("committed notebooks", () => {
  it("have the language_info that the kernel reports", async () => {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- tslab has no types for it
    const { JupyterHandlerImpl } = require("tslab/dist/jupyter.js") as {
      JupyterHandlerImpl: new (executor: unknown, isJs: boolean) => { handleKernel(): { language_info: object } };
    };
    const { language_info: reported } = new JupyterHandlerImpl(undefined, false).handleKernel();

    for (const file of await findNotebooks()) {
      const { metadata } = JSON.parse(readFileSync(file, "utf8")) as { metadata: { language_info: object } };
      assert.deepEqual(metadata.language_info, reported, file);
    }
  });

  it("are byte for byte what nbformat, with which Jupyter saves, writes", async function () {
    this.timeout(300_000);
    if (!existsSync(python)) this.skip();
    const files = await findNotebooks();
    const script = "import nbformat, sys\nfor f in sys.argv[1:]: sys.stdout.write(nbformat.writes(nbformat.read(f, 4)) + '\\n')";

    const written = execFileSync(python, ["-c", script, ...files], { encoding: "utf8", maxBuffer: 2 ** 28 });

    assert.equal(written, files.map((file) => readFileSync(file, "utf8")).join(""));
  });
});
