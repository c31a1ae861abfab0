import assert from "node:assert/strict";
import { pairFlipTransition, symmetricTransition, asymmetricTransition, compareLabels } from "../../src/data";
import { runConfig, type RunOptions } from "../../src/experiments/config";
import { knownTransition } from "../../src/experiments/noise";
import { runData, runRecord } from "../../src/experiments/run";
import { expectNoLeakAsync } from "../support/noLeak";
import { tinyRun } from "../support/records";

type Noise = NonNullable<RunOptions["noise"]>;
type Matrix = "known" | "estimated" | number[][];

const run = (transitionMatrix: Matrix, noise: Noise | undefined, parts: Partial<RunOptions> = {}, name = "forwardCorrection") =>
  tinyRun({ loss: { name: name as "forwardCorrection", transitionMatrix } }, { ...(noise ? { noise } : {}), ...parts });

describe("experiments/run, transition matrices", () => {
  for (const [noise, expected] of [
    [{ noiseRate: 0.4 }, symmetricTransition({ noiseRate: 0.4, numClasses: 10 })],
    [{ noiseRate: 0.4, includeTrueClass: true }, symmetricTransition({ noiseRate: 0.4, numClasses: 10, includeTrueClass: true })],
    [{ noiseRate: 0.4, noiseType: "pair-flip" }, pairFlipTransition({ noiseRate: 0.4, numClasses: 10 })],
    [{ noiseRate: 0.4, noiseType: "asymmetric" }, asymmetricTransition({ noiseRate: 0.4, numClasses: 10 })],
  ] as const)
    it(`known is the generator's matrix for ${JSON.stringify(noise)}, and trains as the same matrix written out`, async () => {
      const config = runConfig(run("known", noise));

      assert.deepEqual(knownTransition(config, await runData(config)), expected);
      const [known, given] = [await runRecord(config), await runRecord(run(expected, noise))];
      assert.deepEqual(known.history, given.history);
      assert.notEqual(known.key, given.key);
    });

  it("known is counted from the labels if the noise depends on the instance", async () => {
    const config = runConfig(run("known", { noiseRate: 0.4, noiseType: "instance" }));
    const data = await runData(config);

    const { transitionMatrix } = compareLabels(data.cleanLabels!, data.train.labels, { numClasses: 10 });

    assert.deepEqual(knownTransition(config, data), transitionMatrix);
  });

  it("estimated is recorded as a noise rate, and leaves no tensor behind", async () => {
    const { metrics } = await runRecord(run("estimated", { noiseRate: 0.4 }));

    assert.ok(metrics.estimatedNoiseRate! > 0 && metrics.estimatedNoiseRate! < 1);
    await expectNoLeakAsync(() => runRecord(run("estimated", { noiseRate: 0.4 })));
  });

  it("known needs noise, and neither goes with bootstrap", () => {
    assert.throws(() => runConfig(run("known", undefined)), /transitionMatrix = "known": the run has no noise/);
    for (const matrix of ["known", "estimated"] as const)
      assert.throws(
        () => runConfig(run(matrix, { noiseRate: 0.2 }, { bootstrap: {} }, "backwardCorrection")),
        /training\.loss\.name = "backwardCorrection": bootstrap trains on predictions/,
      );
    assert.doesNotThrow(() => runConfig(run("estimated", undefined)), "a user's own labels are noisy too");
  });

  it("an unknown word is refused with the two known ones", () => {
    assert.throws(
      () => runConfig(run("knwon" as "known", { noiseRate: 0.2 })),
      /training\.loss\.transitionMatrix = "knwon": expected array or expected one of "known"\|"estimated"/,
    );
  });
});
