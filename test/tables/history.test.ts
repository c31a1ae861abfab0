import assert from "node:assert/strict";
import { historyTable } from "../../src/tables";

const epoch = { epoch: 1, trainLoss: 1.23456, perturbedLoss: 1.5 };

describe("tables/historyTable", () => {
  it("has losses with three decimals and rates in per cent", () => {
    const history = [{ ...epoch, testErrorRate: 0.12345, memorization: { flippedFitted: 0.5, cleanFitted: 1 } }];

    assert.deepEqual(historyTable({ history }), [
      {
        ...{ epoch: 1, "training loss": "1.235", "loss at w + ε̂": "1.500", "test error": "12.3 %" },
        ...{ "clean labels reproduced": "100.0 %", "flipped labels reproduced": "50.0 %" },
      },
    ]);
  });

  it("leaves out what no epoch has, and the perturbed loss of a training without SAM", () => {
    const history = [
      { ...epoch, perturbedLoss: 1.23456 },
      { ...epoch, epoch: 2, perturbedLoss: 1.23456, testErrorRate: 0 },
    ];

    assert.deepEqual(historyTable({ record: { history } }), [
      { epoch: 1, "training loss": "1.235", "test error": undefined },
      { epoch: 2, "training loss": "1.235", "test error": "0.0 %" },
    ]);
  });

  it("refuses what has no history", () => {
    assert.throws(() => historyTable({} as never), /expected a training, a record or a run/);
  });
});
