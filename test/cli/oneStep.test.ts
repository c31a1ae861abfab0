import assert from "node:assert/strict";
import { distinctSteps, oneStep } from "../../src/cli/oneStep";
import { catalog } from "../../src/paper/catalog";
import { runConfig, type RunConfig } from "../../src/experiments/config";
import { describeModel } from "../../src/experiments/plan";
import { expectNoLeakAsync } from "../support/noLeak";
import { tinyRun } from "../support/records";

const isSmall = ({ model, training }: RunConfig) =>
  (model.name === "resNetCifar" || (model.name === "wideResNet" && model.widenFactor < 4)) && training.m !== 1;

describe("cli/oneStep", () => {
  const steps = distinctSteps(catalog, "paper");

  it("The paper budget names the paper's networks", () => {
    const names = new Set(steps.map(({ model }) => describeModel(model)));

    for (const name of ["WRN-28-10", "Shake-Shake 26 2x96d", "PyramidNet-272 α=200", "PyramidNet-272 α=200 with ShakeDrop", "ImageNet ResNet-152", "EfficientNet-B7", "EfficientNet-L2", "ResNet-32"])
      assert.ok(names.has(name), `${name}: ${[...names].join(", ")}`); // prettier-ignore
  });

  // The others take minutes: npm run one-step
  steps.filter(isSmall).forEach((config) => {
    const { rho, m, method, loss } = config.training;
    it(`${describeModel(config.model)} takes its first step: ${rho > 0 ? "SAM" : "SGD"}, m ${m}, ${method.name}, ${loss.name}`, async () => {
      await expectNoLeakAsync(async () => {
        const report = await oneStep(config, 4);
        assert.ok(report.loss > 0 && report.batchSize === 4);
      });
    });
  });

  it("Runs that differ in seed, ρ and epochs alone take the same step", () => {
    const plan = [tinyRun({ seed: 1, rho: 0.1 }), tinyRun({ rho: 0.2, epochs: 3 }), tinyRun()];
    const item = { ...catalog[0]!, plan: () => plan.map((config) => ({ config, labels: {} })) };

    assert.equal(distinctSteps([item], "smoke").length, 2);
  });

  it("A step whose loss is not finite is an error", async () => {
    const config = runConfig(tinyRun({ rho: 1e38, normalize: false, clipNorm: 0 }));

    await assert.rejects(oneStep(config, 4), /MLP-4: the loss is not finite after the first step/);
  });
});
