import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { exactOps, refusedOps } from "./opCases";
import { opsPage, opsPageFile } from "./opsPage";

const page = readFileSync(opsPageFile, "utf8");
const rows = page.split("\n").filter((line) => line.startsWith("| "));

describe("SECOND-ORDER.md", () => {
  it("is in step with the list of ops", () => {
    assert.equal(page, opsPage(), "npm run docs:ops");
  });

  it("has one line for each op below its heading", () => {
    assert.equal(rows.length - 2, exactOps().length + refusedOps().length);
  });

  it("tells exact ops from those without a second derivative and those without any", () => {
    const line = (op: string) => rows.find((row) => row.startsWith(`| ${op} |`));

    assert.equal(line("exp"), "| exp | exact | native, wasm, cpu |");
    assert.equal(line("dilation2d"), "| dilation2d | first only | native, cpu |");
    assert.equal(line("topk"), "| topk | refused | native, wasm, cpu |");
  });
});
