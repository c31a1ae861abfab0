import assert from "node:assert/strict";
import { catalog, findItem } from "../../src/paper/catalog";
import { runConfig, runKey } from "../../src/experiments/config";
import {
  budgets,
  describeDataset,
  describeModel,
  isComplete,
  labeledRows,
  largestBudget,
  type Budget,
  type PaperItem,
  type PlannedRun,
} from "../../src/paper/item";
import { recordOf, recordsOf, tinyRun } from "../support/records";

const planned = (seed: number): PlannedRun => ({ config: tinyRun({ seed }), labels: { method: "SGD", rho: 0 } });

/** An item whose plan has as many runs as its budget's place in the list. */
const item: PaperItem = {
  ...{ id: "item", title: "Item", claim: "None.", describe: () => "", conclusions: () => [] },
  plan: (budget: Budget) => Array.from({ length: budgets.indexOf(budget) + 1 }, (_, seed) => planned(seed)),
};

describe("paper/item", () => {
  it("makes rows of the planned runs that have records, with their labels and seeds", () => {
    const records = [
      recordOf(tinyRun({ seed: 2 }), { testErrorRate: 0.4, bestTestErrorRate: 0.3 }),
      recordOf(tinyRun({ seed: 77 })),
    ];

    assert.deepEqual(labeledRows([planned(1), planned(2)], records), [
      { method: "SGD", rho: 0, seed: 2, testErrorRate: 0.4, bestTestErrorRate: 0.3 },
    ]);
  });

  it("counts a run that diverged as guessing among ten classes; its best epoch stays", () => {
    const diverged = { testErrorRate: 0.2, bestTestErrorRate: 0.15, divergedInEpoch: 4, outcome: "diverged" };
    const atOnce = { testErrorRate: undefined, bestTestErrorRate: undefined, divergedInEpoch: 1, outcome: "diverged" };
    const records = [recordOf(tinyRun({ seed: 1 }), diverged), recordOf(tinyRun({ seed: 2 }), atOnce as object)];
    records[1] = { ...records[1]!, metrics: { outcome: "diverged", divergedInEpoch: 1, parameters: 1 } };

    const rows = labeledRows([planned(1), planned(2)], records);

    assert.deepEqual(rows.map(({ testErrorRate, bestTestErrorRate }) => [testErrorRate, bestTestErrorRate]), [[0.9, 0.15], [0.9, 0.9]]); // prettier-ignore
  });

  it("is complete at a budget where every planned run has its record", () => {
    const records = recordsOf(item.plan("demo", []), () => 0.1);

    assert.ok(isComplete(item, "smoke", records));
    assert.ok(isComplete(item, "demo", records));
    assert.ok(!isComplete(item, "lab", records));
    assert.equal(largestBudget(item, records), "demo");
    assert.equal(largestBudget(item, []), undefined);
    assert.ok(!isComplete({ ...item, plan: () => [] }, "smoke", records), "a plan of nothing is not complete");
  });

  it("describes data and networks in words, and generated data as such", () => {
    assert.equal(describeDataset({ name: "fashion-mnist" }), "60000 training and 10000 test images of Fashion-MNIST");
    assert.match(
      describeDataset({ name: "generated", trainSize: 5, testSize: 6 }),
      /^5 training and 6 test images that were generated, not real$/,
    );
    assert.equal(describeModel({ name: "wideResNet", depth: 28, widen: 10 }), "WRN-28-10");
    assert.equal(describeModel({ name: "wideResNet", depth: 40, widen: 10, batchNorm: false }), "WRN-40-10 without batch norm");
    assert.equal(describeModel({ name: "convNet" }), "ConvNet 16-32-64");
    assert.equal(describeModel({ name: "mlp", hidden: [5, 6] }), "MLP 5-6");
  });

  describe("in the catalog", () => {
    for (const { id, plan, describe: say } of catalog.filter(({ withoutRuns }) => !withoutRuns))
      for (const budget of budgets)
        it(`${id} has a plan of valid, distinct runs and a description at ${budget}`, () => {
          const configs = plan(budget, []).map(({ config }) => config);

          configs.forEach((config) => runConfig(config));
          assert.ok(configs.length > 0);
          assert.equal(new Set(configs.map(runKey)).size, configs.length);
          assert.match(say(budget), /\d+ .*images.* epoch/);
        });

    it("an unknown item is an error that names those there are", () => {
      const ids = catalog.map(({ id }) => id).join(", ");

      assert.throws(() => findItem("table-55"), new RegExp(`^Error: no item "table-55"; there are ${ids}$`));
      for (const item of catalog) assert.equal(findItem(item.id), item);
    });
  });
});
