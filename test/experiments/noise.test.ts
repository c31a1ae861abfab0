import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { asymmetricMaps, asymmetricNoise, instanceNoise, normalizeImages, pairFlipNoise, symmetricNoise } from "../../src/data";
import { runData, runRecord } from "../../src/experiments/run";
import { runConfig, runKey, type RunOptions } from "../../src/experiments/config";
import { npyDict } from "../data/pythonFiles";
import { runScript } from "../support/children";
import { projectCopy } from "../support/projectCopy";
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

  it("symmetric noise is that of the generator, in both conventions", async () => {
    for (const includeTrueClass of [false, true]) {
      const { clean, noisy } = await labelsOf({ ...config, includeTrueClass });

      assert.deepEqual(noisy, symmetricNoise(clean, { ...options, includeTrueClass }).noisyLabels);
    }
  });

  it("pair-flip noise makes each wrong label the next class", async () => {
    const { clean, noisy } = await labelsOf({ ...config, noiseType: "pair-flip" });

    assert.deepEqual(noisy, pairFlipNoise(clean, options).noisyLabels);
    const wrong = noisy.flatMap((label, i) => (label === clean[i] ? [] : [[clean[i]!, label]]));
    assert.equal(wrong.length, Math.floor(0.4 * clean.length));
    for (const [from, to] of wrong) assert.equal(to, (from! + 1) % 10);
  });

  it("asymmetric noise moves the mapped classes only", async () => {
    const { clean, noisy } = await labelsOf({ ...config, noiseType: "asymmetric" });
    const map: Record<number, number> = asymmetricMaps.cifar10;

    assert.deepEqual(noisy, asymmetricNoise(clean, options).noisyLabels);
    assert.ok(noisy.some((label, i) => label !== clean[i]));
    noisy.forEach((label, i) => assert.ok(label === clean[i] || label === map[clean[i]!]));
  });

  it("instance noise depends on the normalized pixels", async () => {
    const { clean, noisy, train } = await labelsOf({ ...config, noiseType: "instance" });
    const features = normalizeImages(train.images, train);

    assert.deepEqual(noisy, instanceNoise(clean, { ...options, features }).noisyLabels);
    assert.notDeepEqual(noisy, clean);
  });

  describe("human", () => {
    let copy: string;
    before(() => {
      copy = projectCopy();
      const cache = (...parts: string[]) => path.join(copy, "data/cache", ...parts);
      const write = (file: string, content: Uint8Array) => {
        fs.mkdirSync(path.dirname(file), { recursive: true });
        fs.writeFileSync(file, content);
      };
      // CIFAR-10's binary version: 10 000 records of a label and 3072 pixels a file. The first images are those of the label file.
      for (const batch of [1, 2, 3, 4, 5]) {
        const records = Buffer.alloc(10_000 * 3073);
        if (batch === 1) [0, 1, 2, 1].forEach((label, i) => (records[i * 3073] = label));
        write(cache("cifar-10", `data_batch_${batch}.bin`), records);
      }
      // Clean labels 0 1 2 1, "worst" ones 0 2 2 1, as numpy.save writes them.
      write(cache("cifar-10n/CIFAR-10_human_ordered.npy"), Buffer.from(npyDict, "base64"));
    });
    after(() => fs.rmSync(copy, { recursive: true, force: true }));

    it("labels are those of the named annotators, image by image, also beside held-out images", async () => {
      const noise = { noiseType: "human", annotators: "worst" } as const;
      const of = (dataset: object) => JSON.stringify(tinyRun({}, { noise, dataset: { name: "cifar-10", ...dataset } }));
      const splits = [0, 1, 2, 3].map((heldOutSeed) => of({ trainSize: 3, heldOutSize: 1, heldOutSeed }));

      const script = path.join(__dirname, "../support/humanLabels.ts");
      const { lines, stderr } = await runScript(script, [of({ trainSize: 3, validationSize: 1 }), ...splits], { cwd: copy });

      assert.equal(lines.length, 5, stderr);
      const [inOrder, ...drawn] = lines.map((line) => JSON.parse(line) as Record<"noisy" | "clean" | "heldOut", number[]>);
      assert.deepEqual(inOrder, { noisy: [0, 2, 2], clean: [0, 1, 2], heldOut: [1] });
      for (const { noisy, clean, heldOut } of drawn) {
        // The one held-out image is a 1, the class of two images: either is left to train on, one labeled 2, the other 1.
        assert.deepEqual(heldOut, [1]);
        assert.deepEqual([...clean].sort(), [0, 1, 2]);
        assert.ok(["0,2,2", "0,2,1"].includes(String(noisy)), String(noisy));
        assert.deepEqual(clean, String(noisy) === "0,2,2" ? [0, 1, 2] : [0, 2, 1]);
      }
      assert.equal(new Set(drawn.map(({ noisy }) => String(noisy))).size, 2, "both come up in four seeds");
    });

    it("labels need their annotators, a set that has them, and no rate", () => {
      const refusal = (noise: object, name = "cifar-10", more: object = {}) => {
        const dataset = { name, ...more } as RunOptions["dataset"];
        return () => runConfig(tinyRun({}, { dataset, noise: { noiseType: "human", ...noise } as Noise }));
      };

      assert.throws(refusal({}), /noise: annotators is missing: human noise needs it/);
      assert.throws(refusal({ annotators: "worse" }), /noise\.annotators = "worse": expected one of .*; did you mean "worst"\?/);
      assert.throws(
        refusal({ annotators: "fine" }),
        /noise: annotators = "fine": cifar-10 has aggregate, random1, random2, random3, worst/,
      );
      assert.throws(refusal({ annotators: "worst" }, "cifar-100"), /noise: annotators = "worst": cifar-100 has fine/);
      assert.throws(
        refusal({ annotators: "worst" }, "mnist"),
        /noise: human labels are there for cifar-10 and cifar-100, not for mnist/,
      );
      assert.throws(refusal({ annotators: "worst" }, "cifar-10", { classes: "first-half" }), /human labels are of all classes/);
      assert.throws(
        refusal({ annotators: "worst", noiseRate: 0.2 }),
        /noiseRate goes with symmetric or .* noise, not with human/,
      );
      assert.throws(refusal({ noiseType: "symmetric" }), /noise: noiseRate is missing: symmetric noise needs it/);
      assert.doesNotThrow(refusal({ annotators: "fine" }, "cifar-100"));
    });

    it("labels of each kind of annotator have a key of their own", () => {
      const keys = (["aggregate", "random1", "random2", "random3", "worst"] as const).map((annotators) =>
        runKey(tinyRun({}, { dataset: { name: "cifar-10" }, noise: { noiseType: "human", annotators } })),
      );

      assert.equal(new Set(keys).size, 5);
    });
  });

  it("the record has the actual noise rate", async () => {
    const { clean, noisy } = await labelsOf({ ...config, noiseType: "asymmetric" });
    const { metrics } = await runRecord(tinyRun({ epochs: 1 }, { noise: { ...config, noiseType: "asymmetric" } }));

    assert.equal(metrics.actualNoiseRate, noisy.filter((label, i) => label !== clean[i]).length / clean.length);
  });
});
