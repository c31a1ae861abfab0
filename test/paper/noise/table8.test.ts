import assert from "node:assert/strict";
import { runConfig, runKey } from "../../../src/experiments/config";
import { table4 } from "../../../src/paper/noise/table4";
import { bestPoint, changes, table8, table8Rows } from "../../../src/paper/noise/table8";
import { conclude, recordsOf } from "../../support/records";

/** Lab records with an error for each ρ, the same at all noise rates. */
const records = (errors: Record<number, number>) =>
  recordsOf(table8.plan("lab", []), ({ labels }) => errors[Number(labels.rho)]!);

const valley = { 0: 0.5, 0.01: 0.5, 0.02: 0.5, 0.05: 0.45, 0.1: 0.15, 0.2: 0.2, 0.5: 0.6 };

describe("paper/noise/table8", () => {
  it("bootstraps on the paper's grid, and tests on clean images that are not trained on", () => {
    const plan = table8.plan("lab", []);

    // paper.md, Table 8
    assert.deepEqual([...new Set(plan.map(({ labels }) => labels.rho))], [0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]); // prettier-ignore
    assert.equal(plan.length, 7 * 4 * 3);
    for (const { config, labels } of plan) {
      const { bootstrap, dataset, noise, training } = runConfig(config);
      assert.deepEqual(bootstrap, {});
      assert.deepEqual([dataset.heldOutSize, dataset.heldOutSeed], [2000, training.seed]);
      assert.ok(training.seed >= 1000);
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

  it("finds the ρ of least mean error over the seeds, of equals the smaller", () => {
    const rows = table8Rows("lab", records({ ...valley, 0.2: 0.15 }));

    assert.equal(bestPoint(rows, 0.4)!.rho, 0.1);
    assert.equal(bestPoint([], 0.4), undefined);
  });

  it("says how many images its runs are trained on: those that are held out are not", () => {
    // paper App. C: a tenth of CIFAR-10's 50 000
    assert.match(table8.describe("paper"), /^ResNet-32, 45000 training and 5000 clean held-out images of CIFAR-10, /);
    assert.match(table8.describe("lab"), /^MLP 256-256, 2000 training and 2000 clean held-out images of Fashion-MNIST, /);
  });

  describe("conclusions", () => {
    it("list the least errors beside those at ρ = 0", () => {
      const listed = conclude(table8, "lab", records(valley)).find((text) => text.startsWith("Lowest error"));

      assert.match(listed!, /40 % noise: 15\.0±<0\.1 % at ρ = 0\.1, 50\.0±<0\.1 % at ρ = 0;/);
    });

    it("compare the ρ that the paper's claim names, at each noise rate", () => {
      const [fall, rise] = conclude(table8, "lab", records(valley));

      // 45 − 15 points, less than half of 45; and 60 − 20 points; the same for each seed
      assert.match(fall!, /^From ρ = 0\.05 to 0\.1 the error falls by 30\.0±<0\.1 points at 20 %, 30\.0±<0\.1 points at 40 %/);
      assert.match(fall!, /the error falls to less than half there holds at 20 %, 40 %, 60 %, 80 %\.$/);
      assert.match(rise!, /^From ρ = 0\.2 to 0\.5 the error rises by 40\.0±<0\.1 points at 20 %/);
    });

    it("decide nothing where the seeds disagree, and nothing from one seed", () => {
      // Falls of 30, 0 and 60 points: 30 ± t(0.975; 2)·30/√3 = 30 ± 74.5
      const disagreeing = records(valley).map((record) => {
        const shift = record.config.training.rho === 0.1 ? 0.3 * (record.config.training.seed - 1001) : 0;
        return { ...record, metrics: { ...record.metrics, testErrorRate: record.metrics.testErrorRate! + shift } };
      });
      const one = records(valley).filter(({ config }) => config.training.seed === 1000);

      assert.match(
        conclude(table8, "lab", disagreeing)[0]!,
        /30\.0±74\.5 points at 20 %.* do not decide whether the error falls/,
      );
      assert.match(conclude(table8, "lab", one)[0]!, /One seed cannot decide whether the error falls from ρ = 0\.05 to 0\.1/);
    });

    it("know by how far the error misses the paper's fall to less than half", () => {
      const gain = (errors: Record<number, number>) => {
        const rows = table8.rows("lab", records(errors));
        return changes(rows, { from: 0.05, to: 0.1, factor: 0.5 })[0]!.gain.mean.toFixed(6);
      };

      // 0.45/2 − 0.15 and 0.45/2 − 0.4
      assert.equal(gain(valley), "0.075000");
      assert.equal(gain({ ...valley, 0.1: 0.4 }), "-0.175000");
    });

    it("say what the second training changed, at ρ = 0 and at the best ρ", () => {
      const twice = records(valley).map((record) => {
        const firstTestErrorRate = record.config.training.rho === 0 ? 0.505 : 0.18;
        return { ...record, metrics: { ...record.metrics, firstTestErrorRate } };
      });

      const second = conclude(table8, "lab", twice).at(-1);

      assert.match(second!, /at ρ = 0 by −0\.5±<0\.1 \(20 %\).* points and at the best ρ by −3\.0±<0\.1 \(20 %\)/); // 50.5 to 50, 18 to 15
    });

    it("are none without records", () => {
      assert.deepEqual(conclude(table8, "lab", []), []);
    });
  });
});
