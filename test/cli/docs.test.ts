/** The documentation's generated table is the list that the tests go through. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { secondOrderFile, secondOrderPage } from "../../src/cli/docs";
import { secondOrderCases, uncoveredOps } from "../../src/engine/secondOrder";

const page = readFileSync(secondOrderFile, "utf8");
const rows = page.split("\n").filter((line) => line.startsWith("| "));

describe("SECOND-ORDER.md", () => {
  it("is in step with the list of ops", () => {
    assert.equal(page, secondOrderPage(), "npm run docs");
  });

  it("has one line for each op, covered or not, below its heading", () => {
    assert.equal(rows.length - 2, secondOrderCases().length + uncoveredOps().length);
  });

  it("says of an op that is not covered that it gives an error, and of an exact one what it is held against", () => {
    const line = (op: string) => rows.find((row) => row.startsWith(`| ${op} |`));

    assert.match(line("prod")!, /\| no \| an error that names it \|/);
    assert.match(line("exp")!, /\| yes \| closed form \| native, wasm, cpu \|/);
    assert.match(line("maxPool 3, strides 1, valid")!, /\| yes \| central differences \|/);
  });
});
