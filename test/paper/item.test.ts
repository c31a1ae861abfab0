import assert from "node:assert/strict";
import { catalog, findItem } from "../../src/paper/catalog";
import { runConfig, runKey } from "../../src/experiments/config";
import type { PlannedRun } from "../../src/experiments/plan";
import { budgets, isComplete, largestBudget, type Budget, type PaperItem } from "../../src/paper/item";
import { recordsOf, tinyRun } from "../support/records";

const planned = (seed: number): PlannedRun => ({ config: tinyRun({ seed }), labels: { method: "SGD", rho: 0 } });

/** An item whose plan has as many runs as its budget's place in the list. */
const item: PaperItem = {
  ...{ id: "item", title: "Item", claim: "None.", describe: () => "", rows: () => [], claims: () => [] },
  ...{ table: () => ({ rows: [] }), figure: () => ({}), summary: () => ({ paper: "", ours: "", claims: [] }) },
  plan: (budget: Budget) => Array.from({ length: budgets.indexOf(budget) + 1 }, (_, seed) => planned(seed)),
};

describe("paper/item", () => {
  it("is complete at a budget where every planned run has its record", () => {
    const records = recordsOf(item.plan("demo", []), () => 0.1);

    assert.ok(isComplete(item, "smoke", records));
    assert.ok(isComplete(item, "demo", records));
    assert.ok(!isComplete(item, "lab", records));
    assert.equal(largestBudget(item, records), "demo");
    assert.equal(largestBudget(item, []), undefined);
    assert.ok(!isComplete({ ...item, plan: () => [] }, "smoke", records), "a plan of nothing is not complete");
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
