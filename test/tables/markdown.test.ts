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

  it("shows fractions with six significant digits and integers whole", () => {
    assert.match(toMarkdown([{ x: 0.1 + 0.2, y: 1234567 }, { x: 2 / 3e5 }]), /\| 0\.3 \| 1234567 \|\n\| 0\.00000666667 \| – \|$/); // prettier-ignore
  });

  it("refuses unknown options", () => {
    assert.throws(() => toMarkdown([], { titel: "T" } as object), /toMarkdown: unknown option "titel", did you mean "title"\?/);
  });
});
