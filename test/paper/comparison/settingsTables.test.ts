/** Tables 6 and 7 against the runs that they give the settings of. */
import assert from "node:assert/strict";
import { completeRecords } from "../../../src/paper/reproduce";
import { catalog } from "../../../src/paper/catalog";
import { isComplete, itemRecords } from "../../../src/paper/item";
import { paperConditions } from "../../../src/paper/comparison/paperConditions";
import { settingsRows, table6, table7 } from "../../../src/paper/comparison/settingsTables";
import { itemReport } from "../../../src/paper/reproduce";

describe("paper/comparison/settingsTables", () => {
  it("have the paper's rows", () => {
    // paper.md 3.2 and 3.3: learning rate, weight decay, ρ
    const cells = (item: typeof table6) =>
      settingsRows(item).map((row) => [row.dataset, row.model, row.learningRate, row.weightDecay, row.rho]);

    assert.equal(cells(table6).length, 10);
    assert.deepEqual(cells(table6)[7], ["cifar-100", "Pyramid vanilla", 0.05, 0.0005, 0.2]);
    assert.deepEqual(cells(table7), [
      ["svhn", "WRN-28-10", 0.01, 0.0005, 0.01],
      ["svhn", "Shake-Shake (26 2x96d)", 0.01, 0.0005, 0.01],
      ["fashion-mnist", "WRN-28-10", 0.1, 0.0005, 0.05],
      ["fashion-mnist", "Shake-Shake (26 2x96d)", 0.1, 0.0005, 0.02],
    ]);
  });

  for (const item of [table6, table7])
    it(`${item.title} gives every condition of ${item.of.id} at paper its settings, each by one row`, () => {
      const rows = settingsRows(item);
      const named = rows.flatMap(({ conditions }) => conditions.map(({ labels }) => JSON.stringify(labels)));

      assert.deepEqual(named.sort(), paperConditions(item.of.id as "table-1" | "table-5").map(({ labels }) => JSON.stringify(labels)).sort()); // prettier-ignore
      for (const { conditions, learningRate, weightDecay, batchSize, rho } of rows)
        for (const { config, rhos } of conditions) {
          const { training } = config;
          assert.deepEqual(
            [training.learningRate, training.weightDecay, training.batchSize],
            [learningRate, weightDecay, batchSize],
          );
          assert.deepEqual(rhos, [rho]);
        }
    });

  it("need no run: they are complete as they are, and nothing is made for them", async () => {
    for (const item of [table6, table7]) {
      assert.ok(isComplete(item, "paper", []));
      assert.deepEqual(itemRecords(item), []);
      assert.deepEqual(await completeRecords(item, { budget: "lab" }), []);
    }
    assert.deepEqual(
      catalog.filter(({ withoutRuns }) => withoutRuns).map(({ id }) => id),
      ["table-6", "table-7", "figure-2"], // Figure 2 is a drawing
    );
  });

  it("print the number of runs that have the settings", () => {
    const report = itemReport("table-7");

    // two augmentations, three methods, five seeds
    assert.deepEqual(report.rows.map(({ runs }) => runs), [30, 30, 30, 30]); // prettier-ignore
    assert.match(report.markdown, /\| SVHN \| WRN-28-10 \| 0\.01 \| 0\.0005 \| 0\.01 \| 256 \| 30 \| 160 \| 32 \|/);
    assert.deepEqual(report.conclusions, [
      "ρ is 0.01 in 2 of 4 settings, from 0.01 to 0.05; the learning rate is from 0.01 to 0.1.",
    ]);
  });
});
