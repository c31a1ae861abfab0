import assert from "node:assert/strict";
import type { RunOptions } from "../../src/experiments/config";
import { runSummary } from "../../src/paper/runSummary";
import { recordOf, tinyRun } from "../support/records";

const history = (epochs: number) =>
  Array.from({ length: epochs }, (_, i) => ({
    ...{ epoch: i + 1, trainLoss: 2 - i / 100, perturbedLoss: 2.1 - i / 100 },
    ...((i + 1) % 2 === 0 ? { testErrorRate: 0.5 - i / 1000, testLoss: 1 } : {}),
  }));

function summaryOf(options: RunOptions, { epochs = 2, metrics = {} } = {}): string {
  return runSummary({ ...recordOf(options, metrics), history: history(epochs) });
}

describe("paper/runSummary", () => {
  it("says how the run ended, and which settings differ from the defaults", () => {
    const options = tinyRun({ rho: 0.05, learningRate: 0.1 });
    const record = recordOf(options);

    const text = summaryOf(options, { metrics: { testErrorRate: 0.1234, bestEpoch: 1, parameters: 75002 } });

    assert.ok(
      text.startsWith(`# Run ${record.key}\n\nFinished after 2 of 2 epochs. Test error 12.34 %; best 12.34 % in epoch 1.`),
      text,
    );
    assert.match(text, /^- dataset: generated, trainSize 64, testSize 40$/m);
    assert.match(text, /^- model: mlp, hidden \[4\], 75002 parameters$/m);
    assert.match(text, /^- training: epochs 2, batchSize 16, rho 0\.05$/m); // 0.1 is the default learning rate
    assert.match(text, /sharpness-lab 0, engine by hand, threads: 1$/);
  });

  it("has a table of epochs, with the columns that were measured", () => {
    const lines = summaryOf(tinyRun()).split("\n");

    const table = lines.filter((line) => line.startsWith("|"));
    assert.deepEqual(table, [
      "| epoch | training loss | at w + ε̂ | test loss | test error (%) |",
      "| --: | --: | --: | --: | --: |",
      "| 1 | 2.0000 | 2.1000 | – | – |",
      "| 2 | 1.9900 | 2.0900 | 1.0000 | 49.90 |",
    ]);
  });

  it("keeps a long table short, and the last epoch in it", () => {
    const rows = summaryOf(tinyRun({ epochs: 100 }), { epochs: 100 }).split("\n").filter((line) => /^\| \d/.test(line)); // prettier-ignore

    assert.deepEqual(rows.map((row) => Number(row.split("|")[1])), [1, 10, 19, 28, 37, 46, 55, 64, 73, 82, 91, 100]); // prettier-ignore
  });

  it("says where a run diverged, and what share of the labels is wrong", () => {
    const noise = { noiseRate: 0.4 };

    const diverged = summaryOf(tinyRun({ epochs: 5 }), { epochs: 0, metrics: { outcome: "diverged", divergedInEpoch: 3 } });
    const noisy = summaryOf(tinyRun({}, { noise }), { metrics: { actualNoiseRate: 0.3999 } });

    assert.match(diverged, /Diverged in epoch 3 of 5: the loss became infinite or NaN\./);
    assert.match(noisy, /39\.99 % of the training labels are wrong/);
    assert.match(noisy, /^- noise: noiseRate 0\.4$/m);
  });
});
