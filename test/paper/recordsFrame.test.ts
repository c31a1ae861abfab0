import assert from "node:assert/strict";
import { figure3Middle } from "../../src/paper/ablations/figure3Middle";
import { labeledRows } from "../../src/experiments/plan";
import { itemRecords, largestBudget } from "../../src/paper/item";
import { recordsFrame, recordsRows } from "../../src/paper/recordsFrame";

describe("paper/recordsFrame", () => {
  it("has a row for each reported run, with its labels, ρ, seed and metrics", () => {
    const rows = recordsRows("table-5");

    // 2 conditions × (SGD, SGD at twice the epochs, SAM) × 5 seeds
    assert.equal(rows.length, 30);
    assert.deepEqual([...new Set(rows.map(({ method }) => method))], ["SGD", "SGD, twice the epochs", "SAM"]);
    assert.ok(rows.every(({ method, rho }) => (method === "SAM") === (rho as number) > 0));
    assert.ok(rows.every((row) => typeof row.testErrorRate === "number" && !("stage" in row)));
  });

  it("keeps the runs that tuned apart, since their errors are on held-out images", () => {
    const tuning = recordsRows("table-5", { stage: "tuning" });
    const keys = new Set(recordsRows("table-5").map(({ key }) => key));

    assert.ok(tuning.length > 0 && tuning.every(({ key }) => !keys.has(key)));
  });

  it("groups test error by m and ρ as a DataFrame", async () => {
    const records = itemRecords(figure3Middle);
    const plan = figure3Middle.plan(largestBudget(figure3Middle, records)!, records);
    const plain = labeledRows(plan, records).filter(({ m, rho }) => m === 16 && rho === 0.1);
    const mean = plain.reduce((sum, { testErrorRate }) => sum + testErrorRate, 0) / plain.length;

    const frame = await recordsFrame("figure-3-middle");
    const grouped = frame.groupby(["m", "rho"]).col(["testErrorRate"]).mean();

    const found = (grouped.values as number[][]).find(([m, rho]) => m === 16 && rho === 0.1);
    assert.ok(Math.abs(found![2]! - mean) < 1e-12);
  });

  it("names an unknown item, option and budget", async () => {
    assert.throws(() => recordsRows("table-55"), /no item "table-55"/);
    assert.throws(() => recordsRows("table-5", { budgt: "lab" } as object), /unknown option "budgt", did you mean "budget"\?/);
    assert.throws(() => recordsRows("table-5", { budget: "labs" as "lab" }), /recordsRows: budget = "labs": expected/);
    await assert.rejects(recordsFrame("table-5", { records: [] }), /table-5 has no recorded reported runs/);
  });
});
