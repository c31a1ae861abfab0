import assert from "node:assert/strict";
import { figureMemorization, lastRows, memorizationRows } from "../../../src/paper/noise/figureMemorization";
import type { PlannedRun } from "../../../src/experiments/plan";
import { table4 } from "../../../src/paper/noise/table4";
import { runKey } from "../../../src/experiments/config";
import { memorizingRecords } from "../../support/noiseRecords";
import { conclude, recordsOf } from "../../support/records";

const isTuning = ({ labels }: PlannedRun) => labels.stage === "tuning";

describe("paper/noise/figureMemorization", () => {
  it("is made of Table 4's own runs of SGD and SAM: it adds none", () => {
    const tuned = recordsOf(table4.plan("lab", []).filter(isTuning), () => 0.5);
    const known = new Set(table4.plan("lab", tuned).map(({ config }) => runKey(config)));
    const plan = figureMemorization.plan("lab", tuned);

    assert.equal(figureMemorization.recordsIn, "table-4");
    assert.ok(plan.every(({ config }) => known.has(runKey(config))));
    assert.equal(plan.filter((run) => !isTuning(run)).length, 2 * 4 * 5); // two methods, four noise rates, five seeds
  });

  it("has a row for each epoch that was evaluated, and knows the last of each run", () => {
    const rows = memorizationRows("lab", memorizingRecords(() => 1)); // prettier-ignore

    assert.equal(rows.length, 2 * 4 * 5 * 2);
    assert.deepEqual([rows[0]!.epoch, rows[0]!.testAccuracy, rows[0]!.flippedFitted], [2, 0.7, 0.1]);
    assert.ok(lastRows(rows).every(({ epoch, flippedFitted }) => epoch === 4 && flippedFitted === 1));
    assert.equal(lastRows(rows).length, 40);
  });

  it("concludes for each noise rate how many flipped labels are fitted, and whether the seeds tell SAM from SGD", () => {
    const apart = conclude(figureMemorization, "lab", memorizingRecords((method, seed) => (method === "SGD" ? 1 : 0.18 + seed / 100))); // prettier-ignore
    const close = conclude(figureMemorization, "lab", memorizingRecords((method, seed) => (method === "SGD" ? 0.5 + seed / 10 : 0.55))); // prettier-ignore
    const worse = conclude(figureMemorization, "lab", memorizingRecords((method) => (method === "SGD" ? 0.5 : 0.7))); // prettier-ignore

    // s = √2.5 points, n = 5: t(0.975; 4)·√2.5/√5 = 2.776 · 0.7071 = 1.96
    assert.equal(apart[1], "At 40 % noise SGD ends with 100.0±<0.1 % of the flipped labels fitted, SAM with 20.0±2.0 %. The claim that SAM fits fewer flipped labels than SGD holds."); // prettier-ignore
    assert.match(close[1]!, /%\. These seeds do not decide whether SAM fits fewer flipped labels than SGD\.$/);
    assert.match(worse[1]!, /%\. The claim that SAM fits fewer flipped labels than SGD does not hold\.$/);
    assert.equal(apart.length, 4);
    const oneSeed = memorizingRecords((method) => (method === "SGD" ? 1 : 0.2)).filter(({ config: { training } }) => training.seed === 0 || training.seed >= 1000); // prettier-ignore
    assert.match(
      conclude(figureMemorization, "lab", oneSeed)[1]!,
      /%\. One seed cannot decide whether SAM fits fewer flipped labels than SGD\.$/,
    );
    assert.deepEqual(conclude(figureMemorization, "lab", []), []);
  });
});
