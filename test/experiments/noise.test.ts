import assert from "node:assert/strict";
import { asymmetricMaps, asymmetricNoise, instanceNoise, normalizeImages, pairFlipNoise, symmetricNoise } from "../../src/data";
import { runData, runRecord } from "../../src/experiments/run";
import type { RunOptions } from "../../src/experiments/config";
import { tinyConfig, tinyRun } from "../support/records";

type Noise = NonNullable<RunOptions["noise"]>;

/** Clean and noisy labels of a run. */
async function labelsOf(noise: Noise) {
  const { train, cleanLabels } = await runData(tinyConfig({}, { noise }));
  return { clean: [...cleanLabels!], noisy: [...train.labels], train };
}

describe("experiments/run, label noise", () => {
  const options = { noiseRate: 0.4, numClasses: 10, seed: 2 };
  const config = { noiseRate: 0.4, noiseSeed: 2 };

  it("symmetric is that of the generator, in both conventions", async () => {
    for (const includeTrueClass of [false, true]) {
      const { clean, noisy } = await labelsOf({ ...config, includeTrueClass });

      assert.deepEqual(noisy, symmetricNoise(clean, { ...options, includeTrueClass }).noisyLabels);
    }
  });

  it("pair-flip makes each wrong label the next class", async () => {
    const { clean, noisy } = await labelsOf({ ...config, noiseType: "pair-flip" });

    assert.deepEqual(noisy, pairFlipNoise(clean, options).noisyLabels);
    const wrong = noisy.flatMap((label, i) => (label === clean[i] ? [] : [[clean[i]!, label]]));
    assert.equal(wrong.length, Math.floor(0.4 * clean.length));
    for (const [from, to] of wrong) assert.equal(to, (from! + 1) % 10);
  });

  it("asymmetric moves the mapped classes alone", async () => {
    const { clean, noisy } = await labelsOf({ ...config, noiseType: "asymmetric" });
    const map: Record<number, number> = asymmetricMaps.cifar10;

    assert.deepEqual(noisy, asymmetricNoise(clean, options).noisyLabels);
    assert.ok(noisy.some((label, i) => label !== clean[i]));
    noisy.forEach((label, i) => assert.ok(label === clean[i] || label === map[clean[i]!]));
  });

  it("instance depends on the normalized pixels", async () => {
    const { clean, noisy, train } = await labelsOf({ ...config, noiseType: "instance" });
    const features = normalizeImages(train.images, train);

    assert.deepEqual(noisy, instanceNoise(clean, { ...options, features }).noisyLabels);
    assert.notDeepEqual(noisy, clean);
  });

  it("of every type is recorded with its real rate", async () => {
    const { clean, noisy } = await labelsOf({ ...config, noiseType: "asymmetric" });
    const { metrics } = await runRecord(tinyRun({ epochs: 1 }, { noise: { ...config, noiseType: "asymmetric" } }));

    assert.equal(metrics.actualNoiseRate, noisy.filter((label, i) => label !== clean[i]).length / clean.length);
  });
});
