import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";

const read = (name: string) => readFileSync(path.join(__dirname, "..", name), "utf8");
const { version } = JSON.parse(read("package.json")) as { version: string };

describe("CITATION.cff and CHANGELOG.md", () => {
  it("are about the version of package.json", () => {
    assert.match(read("CITATION.cff"), new RegExp(`^version: "${version}"$`, "m"));
    assert.match(read("CHANGELOG.md"), new RegExp(`^## \\[${version}\\]`, "m"));
  });

  it("name the software's title, authors, license and the paper that it studies", () => {
    const citation = read("CITATION.cff");

    // The keys that Citation File Format 1.2.0 requires.
    for (const key of ["cff-version: 1.2.0", "title:", "message:", "authors:"])
      assert.match(citation, new RegExp(`^${key}`, "m"));
    assert.match(citation, /^license: Apache-2\.0$/m);
    assert.match(citation, /title: Sharpness-Aware Minimization for Efficiently Improving Generalization/);
    assert.match(citation, /value: arXiv:2010\.01412/);
  });
});
