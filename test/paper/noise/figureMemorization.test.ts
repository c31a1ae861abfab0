import assert from "node:assert/strict";
import { figureMemorization, lastRows, memorizationRows } from "../../../src/paper/noise/figureMemorization";
import type { PlannedRun } from "../../../src/paper/item";
import { table4 } from "../../../src/paper/noise/table4";
import { runKey } from "../../../src/experiments/config";
import { memorizingRecords } from "../../support/noiseRecords";
import { recordsOf } from "../../support/records";

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
    const apart = figureMemorization.conclusions("lab", memorizingRecords((method, seed) => (method === "SGD" ? 1 : 0.18 + seed / 100))); // prettier-ignore
    const close = figureMemorization.conclusions("lab", memorizingRecords((method, seed) => (method === "SGD" ? 0.5 + seed / 10 : 0.55))); // prettier-ignore
    const worse = figureMemorization.conclusions("lab", memorizingRecords((method) => (method === "SGD" ? 0.5 : 0.7))); // prettier-ignore

    // s = √2.5 points, n = 5: t(0.975; 4)·√2.5/√5 = 2.776 · 0.7071 = 1.96
    assert.equal(apart[1], "At 40 % noise SGD ends with 100.0±<0.1 % of the flipped labels fitted, SAM with 20.0±2.0 %: fewer, beyond the seeds' noise."); // prettier-ignore
    assert.match(close[1]!, /%: fewer, within the seeds' noise\.$/);
    assert.match(worse[1]!, /%: not fewer\.$/);
    assert.equal(apart.length, 4);
    const oneSeed = memorizingRecords((method) => (method === "SGD" ? 1 : 0.2)).filter(({ config }) => [0, 1000].includes(config.training.seed)); // prettier-ignore
    assert.match(figureMemorization.conclusions("lab", oneSeed)[1]!, /%: fewer, with one seed\.$/);
    assert.deepEqual(figureMemorization.conclusions("lab", []), []);
  });
});
