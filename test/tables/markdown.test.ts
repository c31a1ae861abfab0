import assert from "node:assert/strict";
import { toMarkdown } from "../../src/tables/markdown";

describe("tables/markdown", () => {
  it("is Markdown with right-aligned numbers, headings in the order asked for, and footnotes", () => {
    const rows = [{ method: "a|b", error: "3.98±0.05", seed: 1 }, { method: "c" }];

    const text = toMarkdown(rows, {
      title: "T",
      columns: { method: "method", error: "error (%)" },
      footnotes: ["one <note>"],
      strong: (row, field) => field === "error" && row.method !== "c",
    });

    assert.equal(
      text,
      [
        "**T**",
        "",
        "| method | error (%) |",
        "| --- | --: |",
        "| a\\|b | **3.98±0.05** |",
        "| c | – |",
        "",
        "<sub>one &lt;note&gt;</sub>",
      ].join("\n"),
    );
  });
});
