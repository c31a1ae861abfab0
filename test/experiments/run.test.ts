import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { subset, syntheticImages } from "../../src/data";
import { tf } from "../../src/engine";
import { runKey } from "../../src/experiments/config";
import { disposeVariables, RunAborted, runData, runModel, runOne, runRecord } from "../../src/experiments/run";
import { mSharpness } from "../../src/sharpness";
import { evaluate } from "../../src/training";
import { closeTo } from "../support/closeTo";
import { expectNoLeakAsync } from "../support/noLeak";
import { tinyConfig, tinyRun } from "../support/records";

describe("experiments/run", () => {
  it("The same config gives the same record, which survives JSON and holds no clock, host or path", async () => {
    const [record, again] = [await runRecord(tinyRun({ rho: 0.1 })), await runRecord(tinyRun({ rho: 0.1 }))];

    assert.deepEqual(again, record);
    assert.deepEqual(JSON.parse(JSON.stringify(record)), record);
    assert.equal(record.key, runKey(tinyRun({ rho: 0.1 })));
    assert.deepEqual(Object.keys(record), ["key", "config", "metrics", "history", "versions"]);
    assert.ok(!JSON.stringify(record).includes(os.hostname()) && !JSON.stringify(record).includes(process.cwd()));
  });

  it("The record counts parameters: 784·4 + 4 + 4·10 + 10 for an MLP of four units", async () => {
    assert.equal((await runRecord(tinyRun({ epochs: 1 }))).metrics.parameters, 3190);
  });

  it("The record names the engine and the versions that made it", async () => {
    const { versions } = await runRecord(tinyRun({ epochs: 1 }));

    assert.equal(versions.tfjs, tf.version.tfjs);
    assert.match(versions.engine, /^(native|webgpu|wasm|cpu) \d/);
  });

  it("The trained network comes with the record, has the recorded error, and leaks nothing", async () => {
    await expectNoLeakAsync(async () => {
      const { record, model, data, variables } = await runOne(tinyRun());
      assert.equal(evaluate(model, variables, data.test).errorRate, record.metrics.testErrorRate);
      disposeVariables(variables);
    });
  });

  describe("data", () => {
    it("are the named training and test images, which differ", async () => {
      const { train, test, cleanLabels } = await runData(tinyConfig());

      assert.deepEqual(train.images, syntheticImages({ seed: "train", size: 64 }).images);
      assert.deepEqual(test.images, syntheticImages({ seed: "test", size: 40 }).images);
      assert.equal(cleanLabels, undefined);
    });

    it("of old tuning runs are training images only, and those after the ones trained on are held out", async () => {
      const dataset = { name: "generated", trainSize: 54, testSize: 40, validationSize: 6 } as const;
      const whole = syntheticImages({ seed: "train", size: 60 });

      const { train, test } = await runData(tinyConfig({}, { dataset }));

      assert.deepEqual([train.size, test.size], [54, 6]);
      assert.deepEqual([...train.images, ...test.images], [...whole.images]);
    });

    it("that are held out are disjoint from those trained on and stratified, so both sides have every class in its share", async () => {
      const whole = syntheticImages({ seed: "train", size: 200 });
      const { train, test } = await runData(tinyConfig({}, { dataset: { name: "generated", trainSize: 150, heldOutSize: 50 } }));

      assert.deepEqual([train.size, test.size], [150, 50]);
      const count = (labels: Int32Array, label: number) => labels.filter((each) => each === label).length;
      for (let label = 0; label < 10; label++) {
        const all = count(whole.labels, label);
        assert.equal(count(train.labels, label) + count(test.labels, label), all);
        assert.ok(Math.abs(count(test.labels, label) - all / 4) <= 1, `class ${label}: ${count(test.labels, label)} of ${all}`);
      }
      const images = ({ images }: typeof train) => new Set(Array.from({ length: images.length / 784 }, (_, i) => String(images.subarray(784 * i, 784 * (i + 1))))); // prettier-ignore
      const [trained, heldOut, every] = [train, test, whole].map(images);
      assert.equal(trained!.size + heldOut!.size, every!.size);
      assert.ok([...trained!, ...heldOut!].every((image) => every!.has(image)));
    });

    it("that are held out depend on their own seed only", async () => {
      const held = async (heldOutSeed: number, seed = 0) =>
        (await runData(tinyConfig({ seed }, { dataset: { name: "generated", trainSize: 150, heldOutSize: 50, heldOutSeed } })))
          .test;

      assert.deepEqual((await held(0, 1)).images, (await held(0, 2)).images);
      assert.notDeepEqual((await held(0)).images, (await held(1)).images);
    });

    it("with noise have the exact share of wrong training labels, clean test labels, and the true labels beside them", async () => {
      const noise = { noiseRate: 0.25, noiseSeed: 3 } as const;
      const clean = await runData(tinyConfig());

      const { train, test, cleanLabels } = await runData(tinyConfig({}, { noise }));

      assert.deepEqual(cleanLabels, clean.train.labels);
      assert.deepEqual(test.labels, clean.test.labels);
      assert.equal(train.labels.filter((label, i) => label !== cleanLabels![i]).length, 16);
      assert.equal((await runRecord(tinyRun({ epochs: 1 }, { noise }))).metrics.actualNoiseRate, 0.25);
    });

    it("have the same noise for every training seed", async () => {
      const noise = { noiseRate: 0.25 } as const;
      const labels = async (seed: number) => (await runData(tinyConfig({ seed }, { noise }))).train.labels;

      assert.deepEqual(await labels(0), await labels(1));
    });
  });

  it("The named network is built for the data", () => {
    const data = { shape: [28, 28, 1], numClasses: 10 } as const;
    const name = (model: Parameters<typeof tinyRun>[1]) => runModel(tinyConfig({}, model), data).name;

    assert.equal(name({ model: { name: "wideResNet", depth: 16, widen: 2, batchNorm: false } }), "WRN-16-2 without batch norm");
    assert.equal(name({ model: { name: "convNet", widths: [3, 5] } }), "ConvNet-3-5");
    assert.equal(name({ model: { name: "mlp", hidden: [7] } }), "MLP-7");
    assert.throws(
      () => name({ model: { name: "wideResNet", depth: 11, widen: 2 } }),
      /depth = 11: a WideResNet has depth 6n \+ 4/,
    );
  });

  it("A run that diverges has a record that says so", async () => {
    const { metrics } = await runRecord(tinyRun({ learningRate: 1e30 }));

    assert.deepEqual(metrics, { outcome: "diverged", divergedInEpoch: 1, parameters: 3190 });
  });

  describe("a run that fails leaves no tensor behind", () => {
    const boom = () => {
      throw new Error("boom");
    };
    const noise = { noiseRate: 0.25 } as const;
    const estimated = { loss: { name: "forwardCorrection", transitionMatrix: "estimated" } } as const;
    // The run has 3190 parameters.
    const spectrum = { spectrumEpochs: [1], lanczosSteps: 4000 };
    for (const [name, config, callbacks, message] of [
      ["in a callback after a step", tinyRun(), { onStep: boom }, /boom/],
      ["in a callback after an epoch", tinyRun(), { onEpoch: boom }, /boom/],
      ["as it measures its curvature", tinyRun({}, { curvature: spectrum }), {}, /lanczosSteps = 4000 exceeds/],
      ["in the first training of a bootstrap", tinyRun({}, { noise, bootstrap: {} }), { onEpoch: boom }, /boom/],
      ["as it estimates its noise", tinyRun(estimated, { noise }), { onEpoch: boom }, /boom/],
      ["before its first step", tinyRun({ batchSize: 100 }), {}, /batchSize = 100 exceeds the 64 training examples/],
    ] as const)
      it(name, () => expectNoLeakAsync(() => assert.rejects(runOne(config, callbacks), message)));

    it("after the last step of a bootstrap's second training", () =>
      expectNoLeakAsync(() => {
        const onStep = ({ step, totalSteps }: { step: number; totalSteps: number }) => void (step === totalSteps && boom());
        return assert.rejects(runOne(tinyRun({}, { noise, bootstrap: {} }), { onStep }), /boom/);
      }));
  });

  it("m-sharpness is that of the finished network on the first training images, and needs no other key for runs without it", async () => {
    const section = { ms: [1, 16], rho: 0.2, images: 16, blockSeed: 3 };
    const run = await runOne(tinyRun({}, { mSharpness: section }));
    const { model, variables, data, record } = run;
    const images = subset(
      data.train,
      Int32Array.from({ length: 16 }, (_, i) => i),
    );

    const { sharpness } = await mSharpness({ model, ...variables }, images, { m: 1, rho: 0.2, seed: 3 });
    const whole = await mSharpness({ model, ...variables }, images, { m: 16, rho: 0.2 });
    disposeVariables(variables);

    closeTo(record.metrics.mSharpness!["1"]!, sharpness, 1e-5);
    closeTo(record.metrics.mSharpness!["16"]!, whole.sharpness, 1e-5);
    assert.notEqual(record.key, runKey(tinyRun()));
    assert.equal((await runRecord(tinyRun())).metrics.mSharpness, undefined);
  });

  it("A run that is stopped has no record, but a checkpoint from which it reaches the same one", async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "run-"));
    try {
      const checkpoint = path.join(folder, "run.checkpoint");
      const stop = new AbortController();
      const onStep = ({ step }: { step: number }) => (step === 3 ? stop.abort() : undefined);

      await expectNoLeakAsync(() =>
        assert.rejects(runRecord(tinyRun(), { checkpoint, signal: stop.signal, onStep }), (error) => {
          assert.ok(error instanceof RunAborted);
          assert.equal(error.message, `run ${runKey(tinyRun())} was stopped before its end`);
          return true;
        }),
      );

      assert.deepEqual(await runRecord(tinyRun(), { checkpoint }), await runRecord(tinyRun()));
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  it("A run that is stopped in its spectrum ends there, without a record or a tensor", async function () {
    this.timeout(60_000); // the whole spectrum takes minutes
    const config = tinyRun({ epochs: 1 }, { curvature: { spectrumEpochs: [1], numProbes: 500, lanczosSteps: 1000 } });
    const stop = new AbortController();
    const onStep = ({ step, totalSteps }: { step: number; totalSteps: number }) => {
      if (step === totalSteps) setTimeout(() => stop.abort(), 500);
    };

    await expectNoLeakAsync(() => assert.rejects(runRecord(config, { signal: stop.signal, onStep }), RunAborted));
  });
});
