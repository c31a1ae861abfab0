/** How Markdown and notebooks become pages, without TypeDoc. */
import assert from "node:assert/strict";
import path from "node:path";
import { moveLinks } from "../../src/site/links";
import { notebookMarkdown } from "../../src/site/notebookPage";

const root = path.join(__dirname, "../..");

describe("moveLinks", () => {
  const targets = { from: root, to: "/site/guides", pageOf: (file: string) => pages.get(path.relative(root, file)) };
  const pages = new Map([["notebooks/table-5.ipynb", "/site/notebooks/table-5.md"]]);
  const move = (markdown: string) => moveLinks(markdown, targets);

  it("leads a link to the page of its file and keeps the place on it", () => {
    assert.equal(move("[five](notebooks/table-5.ipynb#your-turn)"), "[five](../notebooks/table-5.md#your-turn)");
  });

  it("leads links of HTML outputs as those of Markdown", () => {
    assert.equal(move('<a href="notebooks/table-5.ipynb">five</a>'), '<a href="../notebooks/table-5.md">five</a>');
    assert.equal(move('<td><a href="data/results">runs</a></td>'), "<td>runs</td>");
  });

  it("leaves links to the outside and to the same page, and all code, as they are", () => {
    const kept = "[a](https://arxiv.org/abs/2010.01412) [b](#start)\n\n```md\n[c](notebooks/table-5.ipynb)\n```\n";

    assert.equal(move(kept), kept);
  });

  it("turns a link to a file without a page into its text, but keeps pictures", () => {
    assert.equal(move("see [the config](src/training/config.ts)"), "see the config");
    assert.match(move("![spectra](figures/figure-3-spectra.png)"), /^!\[spectra\]\(.*figures\/figure-3-spectra\.png\)$/);
  });
});

describe("notebookMarkdown", () => {
  const notebook = (...outputs: object[]) =>
    notebookMarkdown({ cells: [{ cell_type: "code", source: "1 + 1", metadata: {}, outputs: outputs as never }], metadata: {}, nbformat: 4, nbformat_minor: 5 }); // prettier-ignore

  it("shows code in a fence longer than its own backticks", () => {
    const cells = [{ cell_type: "code" as const, source: "const fence = '```';", metadata: {} }];

    assert.equal(notebookMarkdown({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 }), "````ts\nconst fence = '```';\n````");
  });

  it("prefers a picture to the text beside it", () => {
    const page = notebook({ output_type: "display_data", data: { "text/plain": "[object]", "image/svg+xml": "<svg></svg>" } });

    assert.ok(page.includes('<div class="output">\n<svg></svg>\n</div>') && !page.includes("[object]"));
  });

  it("drops scripts and blank lines of HTML, which would end the block in Markdown", () => {
    const html = "<table>\n\n<tr></tr>\n</table><script src='https://cdn.example/x.js'></script>";

    assert.ok(
      notebook({ output_type: "display_data", data: { "text/html": html } }).endsWith("<table>\n<tr></tr>\n</table>\n</div>"),
    );
  });
});
