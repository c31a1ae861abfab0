import assert from "node:assert/strict";
import { toHtml } from "../../src/tables/html";

describe("tables/html", () => {
  it("is HTML that escapes its cells, groups two-level headings, and names no color", () => {
    const html = toHtml([{ model: "<b>", "sam · paper": "2.1±<0.1", "sam · ours": "2.0" }], { title: "A & B" });

    assert.match(html, /<caption[^>]*>A &amp; B<\/caption>/);
    assert.match(html, /<th colspan="2"[^>]*>sam<\/th>/);
    assert.match(html, /&lt;b&gt;/);
    assert.match(html, /text-align:right[^>]*>2\.1±&lt;0\.1</);
    assert.doesNotMatch(html, /#[0-9a-f]{3,6}|rgb|white\b(?!-)|black/);
  });
});
