import assert from "node:assert/strict";
import { verdictOn } from "../../../src/paper/claims";
import { runConfig } from "../../../src/experiments/config";
import { figure1Surfaces } from "../../../src/paper/curvature/figure1Surfaces";
import { figure3Spectra } from "../../../src/paper/curvature/figure3Spectra";
import { curvatureRuns, factorBySeed } from "../../../src/paper/curvature/runs";

const row = (method: string, seed: number, value: number) => ({ method, seed, value });

describe("paper/curvature/runs", () => {
  it("at paper, Figure 1's surfaces are those of ResNet-56 without skip connections on CIFAR-10, by Li et al.'s procedure", () => {
    const configs = figure1Surfaces.plan("paper", []).map(({ config }) => runConfig(config));

    assert.deepEqual(configs.map(({ training }) => training.rho > 0), [false, true]); // prettier-ignore
    for (const { dataset, model, training, curvature } of configs) {
      const { epochs, batchSize, learningRate, weightDecay } = training;
      // paper.md, Figure 1 middle and right: SGD LR 0.1, batch 128, WD 5e-4, 300 epochs; 51×51 points
      assert.deepEqual([dataset.name, dataset.trainSize], ["cifar-10", 0]);
      assert.deepEqual(model, { name: "resNetCifar", depth: 56, width: 16, skipConnections: false, batchNorm: true });
      assert.deepEqual([epochs, batchSize, learningRate, weightDecay], [300, 128, 0.1, 0.0005]);
      assert.deepEqual([curvature?.surfacePoints, curvature?.spectrumEpochs], [51, []]);
    }
  });

  it("at paper, Figure 3's spectra are those of WRN-40-10 without batch norm on CIFAR-10 at epochs 1, 50 and 300", () => {
    const configs = figure3Spectra.plan("paper", []).map(({ config }) => runConfig(config));

    assert.deepEqual(configs.map(({ training }) => training.rho > 0), [false, true]); // prettier-ignore
    for (const { dataset, model, training, curvature } of configs) {
      // paper.md, Figure 3 left
      assert.deepEqual([dataset.name, dataset.trainSize], ["cifar-10", 0]);
      assert.deepEqual(model, { name: "wideResNet", depth: 40, widenFactor: 10, batchNorm: false, dropout: 0 });
      assert.deepEqual([curvature?.spectrumEpochs, training.epochs], [[1, 50, 300], 300]);
    }
  });

  it("below paper, both figures show the same runs", () => {
    for (const budget of ["smoke", "demo", "lab"] as const)
      assert.deepEqual(curvatureRuns(budget, "surfaces"), curvatureRuns(budget, "spectra"));
  });

  it("compares SGD with SAM seed by seed, in whatever order the rows come", () => {
    const rows = [row("SGD", 0, 6), row("SAM", 1, 1), row("SAM", 0, 2), row("SGD", 1, 5)];

    const factor = factorBySeed(rows, ({ value }) => value);

    // 6/2 = 3 and 5/1 = 5: √15; the interval of ln 3 and ln 5 is t(0.975; 1)·(ln 5 − ln 3)/2 = 12.706·0.25541 = 3.2453
    assert.ok(Math.abs(factor!.factor - Math.sqrt(15)) < 1e-12);
    assert.ok(Math.abs(factor!.high! / factor!.factor - Math.exp(3.2453)) < 0.01);
    assert.ok(Math.abs(factor!.factor / factor!.low! - Math.exp(3.2453)) < 0.01);
  });

  it("says yes to a factor only if the whole interval is above 1, and never from one seed", () => {
    const verdict = (pairs: [number, number][]) => {
      const rows = pairs.flatMap(([sgd, sam], seed) => [row("SGD", seed, sgd), row("SAM", seed, sam)]);
      return verdictOn(factorBySeed(rows, ({ value }) => value)!.log);
    };

    assert.equal(verdict([[3, 1], [3.1, 1], [2.9, 1]]), "yes"); // prettier-ignore
    assert.equal(verdict([[9, 1], [1, 1], [3, 1]]), "undecided"); // prettier-ignore
    assert.equal(verdict([[1, 3], [1, 3.1], [1, 2.9]]), "no"); // prettier-ignore
    assert.equal(verdict([[3, 1]]), "one seed"); // prettier-ignore
  });

  it("has no factor of values that are not all above 0", () => {
    assert.equal(
      factorBySeed([row("SGD", 0, 1), row("SAM", 0, 0)], ({ value }) => value),
      undefined,
    );
    assert.equal(
      factorBySeed([row("SGD", 0, 1)], ({ value }) => value),
      undefined,
    );
  });
});
