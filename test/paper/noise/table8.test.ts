import assert from "node:assert/strict";
import { runConfig, runKey } from "../../../src/experiments/config";
import { table4 } from "../../../src/paper/noise/table4";
import { bestRow, table8, table8Rows } from "../../../src/paper/noise/table8";
import { recordsOf } from "../../support/records";

/** Lab records with an error for each ρ, the same at all noise rates. */
const records = (errors: Record<number, number>) =>
  recordsOf(table8.plan("lab", []), ({ labels }) => errors[Number(labels.rho)]!);

const valley = { 0: 0.5, 0.01: 0.5, 0.02: 0.5, 0.05: 0.45, 0.1: 0.15, 0.2: 0.2, 0.5: 0.6 };

describe("paper/noise/table8", () => {
  it("bootstraps on the paper's grid, and tests on clean images that are not trained on", () => {
    const plan = table8.plan("lab", []);

    // paper.md, Table 8
    assert.deepEqual(plan.slice(0, 7).map(({ labels }) => labels.rho), [0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]); // prettier-ignore
    assert.equal(plan.length, 7 * 4);
    for (const { config, labels } of plan) {
      const { bootstrap, dataset, noise, training } = runConfig(config);
      assert.deepEqual(bootstrap, {});
      assert.ok(dataset.validationSize > 0);
      assert.deepEqual([training.rho, noise!.noiseRate], [labels.rho, labels.noiseRate]);
    }
  });

  it("is what Table 4 tunes bootstrapped SAM on: the runs above ρ = 0 are the same", () => {
    const keys = new Set(table8.plan("lab", []).filter(({ labels }) => Number(labels.rho) > 0).map(({ config }) => runKey(config))); // prettier-ignore
    const tuning = table4.plan("lab", []).filter(({ labels }) => labels.method === "Bootstrap + SAM");

    assert.equal(table8.recordsIn, "table-4");
    assert.equal(tuning.length, keys.size);
    assert.ok(tuning.every(({ config }) => keys.has(runKey(config))));
  });

  it("finds the row of least error, of equals the smaller ρ", () => {
    const rows = table8Rows("lab", records({ ...valley, 0.2: 0.15 }));

    assert.equal(bestRow(rows, 0.4)!.rho, 0.1);
    assert.equal(bestRow([], 0.4), undefined);
  });

  describe("conclusions", () => {
    it("list the least errors beside those at ρ = 0", () => {
      const [listed] = table8.conclusions("lab", records(valley));

      assert.match(listed!, /40 % noise: 15\.0 % at ρ = 0\.1, 50\.0 % at ρ = 0;/);
    });

    it("say that valley and threshold replicate where they do", () => {
      const [, text] = table8.conclusions("lab", records(valley));

      // 0.15 / 0.45 = 0.33
      assert.match(text!, /That there is a best ρ, with more error on both sides, replicates\./);
      assert.match(text!, /to 0\.33 times from ρ = 0\.05 to 0\.1 \(20 %\).*to less than half, replicates\.$/);
    });

    it("say that they do not where the error falls gently to the end of the grid", () => {
      const [, text] = table8.conclusions(
        "lab",
        records({ 0: 0.5, 0.01: 0.5, 0.02: 0.49, 0.05: 0.45, 0.1: 0.4, 0.2: 0.35, 0.5: 0.3 }),
      );

      assert.match(text!, /does not replicate on this grid\..*does not replicate\.$/);
    });

    it("say what the second training changed, at ρ = 0 and at the best ρ", () => {
      const twice = records(valley).map((record) => {
        const firstTestErrorRate = record.config.training.rho === 0 ? 0.505 : 0.18;
        return { ...record, metrics: { ...record.metrics, firstTestErrorRate } };
      });

      const [, , second] = table8.conclusions("lab", twice);

      assert.match(second!, /at ρ = 0 by −0\.5 \(20 %\).* points and at the best ρ by −3\.0 \(20 %\)/); // 50.5 to 50, 18 to 15
    });

    it("say whether the best ρ is smaller where there is most noise", () => {
      const same = table8.conclusions("lab", records(valley)).at(-1)!;
      const smaller = recordsOf(table8.plan("lab", []), ({ labels }) =>
        labels.noiseRate === 0.8 && labels.rho === 0.05 ? 0.1 : valley[labels.rho as keyof typeof valley],
      );

      assert.match(same, /smaller at 80 % noise than at 20 % does not replicate\.$/);
      assert.match(table8.conclusions("lab", smaller).at(-1)!, /smaller at 80 % noise than at 20 % replicates\.$/);
    });

    it("are none without records", () => {
      assert.deepEqual(table8.conclusions("lab", []), []);
    });
  });
});
