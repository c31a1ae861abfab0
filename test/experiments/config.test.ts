import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { configKey, recordedConfig, runConfig, runKey, type RunOptions } from "../../src/experiments/config";
import { tinyRun } from "../support/records";

function refusal(options: unknown): string {
  try {
    runConfig(options as RunOptions);
  } catch (error) {
    return (error as Error).message;
  }
  return assert.fail("was accepted");
}

const dataset = { name: "generated" } as const;
const model = { name: "mlp" } as const;
const training = { epochs: 1 } as const;
const wrn = { name: "wideResNet", depth: 10, widen: 1 } as const;

describe("experiments/config", () => {
  it("fills in defaults at every level", () => {
    const config = runConfig({ dataset, noise: { noiseRate: 0.2 }, model, training });

    assert.deepEqual(config.dataset, {
      name: "generated",
      trainSize: 0,
      testSize: 0,
      heldOutSize: 0,
      heldOutSeed: 0,
      validationSize: 0,
      classes: "all",
      imageSize: 0,
    });
    assert.deepEqual(config.noise, { noiseRate: 0.2, noiseType: "symmetric", includeTrueClass: false, noiseSeed: 0 });
    assert.deepEqual(config.model, { name: "mlp", hidden: [128], activation: "relu" });
    assert.equal(config.training.momentum, 0.9);
  });

  it("can be filled in twice", () => {
    const config = runConfig(tinyRun());

    assert.deepEqual(runConfig(config), config);
    assert.equal(runKey(config), runKey(tinyRun()));
  });

  describe("refuses", () => {
    for (const [
      name,
      options,
      message,
    ] of [
      ["a misspelled part", { dataset, model, trainin: training }, /training is missing: expected object; unknown field "trainin", did you mean "training"\?/],
      ["a misspelled field of training", { dataset, model, training: { epochs: 1, learningrate: 1 } }, /unknown field "training\.learningrate", did you mean "learningRate"\?/],
      ["one of the data set", { dataset: { name: "generated", trainsize: 3 }, model, training }, /unknown field "dataset\.trainsize", did you mean "trainSize"\?/],
      ["one of the noise", { dataset, model, training, noise: { noiseRate: 0.2, noiseseed: 1 } }, /unknown field "noise\.noiseseed", did you mean "noiseSeed"\?/],
      ["one of the network, among that network's own", { dataset, model: { ...wrn, batchnorm: false }, training }, /unknown field "model\.batchnorm", did you mean "batchNorm"\?/],
      ["a field of another network", { dataset, model: { name: "mlp", depth: 10 }, training }, /unknown field "model\.depth"; known are name, hidden, activation/],
      ["an unknown network", { dataset, model: { name: "wideresnet" }, training }, /model\.name = "wideresnet": expected one of "wideResNet", .*; did you mean "wideResNet"\?/],
      ["an unknown data set", { dataset: { name: "fashon-mnist" }, model, training }, /dataset\.name = "fashon-mnist": expected one of .*; did you mean "fashion-mnist"\?/],
      ["a wrong entry of a list", { dataset, model: { name: "mlp", hidden: [3, "a"] }, training }, /model\.hidden\.1 = "a": expected number/],
      ["a missing depth", { dataset, model: { name: "wideResNet", widen: 1 }, training }, /model\.depth is missing: expected number/],
      ["a noise rate above 1", { dataset, model, training, noise: { noiseRate: 20 } }, /noise\.noiseRate = 20: expected number to be <=1/],
      ["an unknown noise", { dataset, model, training, noise: { noiseRate: 0.2, noiseType: "pairflip" } }, /noise\.noiseType = "pairflip": expected one of "symmetric", .*; did you mean "pair-flip"\?/],
      ["a draw of the true class where noise has none", { dataset, model, training, noise: { noiseRate: 0.2, noiseType: "asymmetric", includeTrueClass: true } }, /noise: includeTrueClass goes with symmetric noise, not with asymmetric/],
      ["an unknown loss", { dataset, model, training: { epochs: 1, loss: { name: "crossentropy" } } }, /training\.loss\.name = "crossentropy": expected one of .*; did you mean "crossEntropy"\?/],
      ["an option of another loss", { dataset, model, training: { epochs: 1, loss: { name: "softBootstrapping", q: 1 } } }, /unknown field "training\.loss\.q"; known are name, beta|did you mean/],
      ["training options that do not go together", { dataset, model, training: { epochs: 1, m: 200 } }, /training: m = 200 exceeds batchSize = 128/],
      ["an unknown method", { dataset, model, training: { epochs: 1, method: { name: "ELR" } } }, /training\.method\.name = "ELR": expected one of "standard", .*; did you mean "elr"\?/],
      ["an option of the bootstrap, which has none", { dataset, model, training, bootstrap: { rounds: 2 } }, /unknown field "bootstrap\.rounds"/],
      ["more images than a set has", { dataset: { name: "fashion-mnist", trainSize: 60_001 }, model, training }, /dataset: 60001 training images asked for; Fashion-MNIST has 60000/],
      ["more images than a set has once some are held out", { dataset: { name: "mnist", trainSize: 59_000, heldOutSize: 1001 }, model, training }, /dataset: 60001 training images asked for; MNIST has 60000/],
      ["more test images than a set has", { dataset: { name: "cifar-10", testSize: 10_001 }, model, training }, /dataset: 10001 test images asked for; CIFAR-10 has 10000/],
      ["more images than fit a machine", { dataset: { name: "generated", trainSize: 1e12 }, model, training }, /dataset\.trainSize = 1000000000000: expected number to be <=2000000/],
      ["more generated images than fit a machine", { dataset: { name: "generated", trainSize: 1e6 }, model, training }, /1000000 training images asked for; generated has 200000/],
      ["images too large for a machine", { dataset: { name: "flowers", imageSize: 1e6 }, model, training }, /dataset\.imageSize = 1000000: expected number to be <=4096/],
      ["a layer too wide for a machine", { dataset, model: { name: "mlp", hidden: [1e9] }, training }, /model\.hidden\.0 = 1000000000: expected number to be <=65536/],
      ["two ways to hold images out", { dataset: { name: "generated", heldOutSize: 5, validationSize: 5 }, model, training }, /dataset: heldOutSize and validationSize exclude each other/],
      ["null", null, /run config: value = null: expected object/],
      ["something else altogether", 3, /run config: value = 3: expected object/],
    ] as const) // prettier-ignore
      it(name, () => assert.match(refusal(options), message));
  });

  describe("key", () => {
    it("is the start of the SHA-256 of the fields that differ from their defaults, as sorted JSON", () => {
      const json =
        '{"dataset":{"name":"generated"},"model":{"hidden":[4],"name":"mlp"},"noise":{},"training":{"epochs":2,"rho":0.1}}';
      const expected = createHash("sha256").update(json).digest("hex").slice(0, 16);

      assert.equal(runKey({ dataset, model: { name: "mlp", hidden: [4] }, training: { epochs: 2, rho: 0.1 } }), expected);
    });

    it("of options that came later is the old one where they say what was done before, else another", () => {
      // A record of mixup from when each example had its own λ, whose config has no such field.
      const json = '{"dataset":{"name":"generated"},"model":{"name":"mlp"},"noise":{},"training":{"epochs":2,"mixupAlpha":8}}';
      const old = createHash("sha256").update(json).digest("hex").slice(0, 16);
      const mixup = (rest: object) => ({ dataset, model, training: { epochs: 2, mixupAlpha: 8, ...rest } });

      assert.equal(recordedConfig(mixup({})).training.mixupPairing, "example");
      assert.equal(configKey(recordedConfig(mixup({}))), old);
      assert.deepEqual(recordedConfig({ dataset, model, training }), runConfig({ dataset, model, training }));
      assert.equal(runKey(mixup({ mixupPairing: "example" })), old);
      assert.equal(runConfig(mixup({})).training.mixupPairing, "batch");
      assert.notEqual(runKey(mixup({})), old);
      assert.equal(runKey(mixup({})), runKey(mixup({ mixupPairing: "batch" })));
    });

    it("of a method's options that came later holds for old records too", () => {
      // As M-correction was recorded before it followed its authors' code.
      const method = { name: "mixtureCorrection", warmupEpochs: 1, mixture: "beta" } as const;
      const json =
        '{"dataset":{"name":"generated"},"model":{"name":"mlp"},"noise":{},' +
        '"training":{"epochs":2,"method":{"mixture":"beta","name":"mixtureCorrection","warmupEpochs":1}}}';
      const old = createHash("sha256").update(json).digest("hex").slice(0, 16);
      const recorded = { dataset, model, training: { epochs: 2, method } };
      const former = { ...method, posteriors: "epoch", predictions: "inference", priorWeight: 0 } as const;

      assert.deepEqual(recordedConfig(recorded).training.method, former);
      assert.equal(configKey(recordedConfig(recorded)), old);
      assert.equal(runKey({ ...recorded, training: { epochs: 2, method: former } }), old);
      assert.notEqual(runKey(recorded), old);
    });

    it("does not depend on how a run without mixup would pair its images", () => {
      const paired = (mixupPairing: "batch" | "example") => runKey({ dataset, model, training: { epochs: 2, mixupPairing } });

      assert.equal(paired("batch"), paired("example"));
      assert.equal(paired("batch"), runKey({ dataset, model, training: { epochs: 2 } }));
    });

    it("does not depend on the order of the fields", () => {
      const reversed = (value: object) => Object.fromEntries(Object.entries(value).reverse());
      const options = tinyRun({ rho: 0.1, seed: 3 });
      const other = reversed({ ...options, training: reversed(options.training), dataset: reversed(options.dataset) });

      assert.equal(runKey(other as unknown as RunOptions), runKey(options));
    });

    it("does not depend on whether a default is written out", () => {
      const explicit: RunOptions = {
        dataset: { ...dataset, trainSize: 0, validationSize: 0 },
        model: { ...model, hidden: [128], activation: "relu" },
        training: { ...training, momentum: 0.9, rho: 0, adaptive: false, normP: 2 },
      };

      assert.equal(runKey(explicit), runKey({ dataset, model, training }));
      const norm = { ...wrn, batchNorm: true, dropout: 0 };
      assert.equal(runKey({ dataset, model: norm, training }), runKey({ dataset, model: wrn, training }));
    });

    it("differs wherever the configs do", () => {
      const all: RunOptions[] = [
        { dataset, model, training },
        { dataset: { ...dataset, trainSize: 5 }, model, training },
        { dataset: { ...dataset, testSize: 5 }, model, training },
        { dataset: { ...dataset, validationSize: 5 }, model, training },
        { dataset: { ...dataset, heldOutSize: 5 }, model, training },
        { dataset: { ...dataset, heldOutSize: 5, heldOutSeed: 1 }, model, training },
        { dataset: { name: "fashion-mnist" }, model, training },
        { dataset, model: wrn, training },
        { dataset, model: { ...wrn, depth: 16 }, training },
        { dataset, model: { ...model, hidden: [12, 8] }, training },
        { dataset, model: { ...model, hidden: [128, 8] }, training },
        { dataset, model, training: { epochs: 2 } },
        { dataset, model, training: { ...training, seed: 1 } },
        { dataset, model, training: { ...training, rho: 1 } },
        { dataset, model, training: { ...training, m: 1 } },
        { dataset, model, training, noise: { noiseRate: 0 } },
        { dataset, model, training, noise: { noiseRate: 0.2 } },
        { dataset, model, training, noise: { noiseRate: 0.2, noiseSeed: 1 } },
        { dataset, model, training, noise: { noiseRate: 0.2, noiseType: "pair-flip" } },
        { dataset, model, training, noise: { noiseRate: 0.2, noiseType: "asymmetric" } },
        { dataset, model, training, noise: { noiseRate: 0.2, noiseType: "instance" } },
        { dataset, model, training: { ...training, loss: { name: "generalizedCrossEntropy" } } },
        { dataset, model, training: { ...training, loss: { name: "generalizedCrossEntropy", q: 0.5 } } },
        { dataset, model, training: { ...training, loss: { name: "symmetricCrossEntropy" } } },
        { dataset, model, training: { ...training, method: { name: "elr" } } },
        { dataset, model, training: { ...training, method: { name: "elr", lambda: 7 } } },
        { dataset, model, training: { ...training, method: { name: "coTeaching", forgetRate: 0.2 } } },
        { dataset, model, training: { ...training, method: { name: "coTeaching", forgetRate: 0.4 } } },
        { dataset, model, training: { epochs: 2, method: { name: "mixtureCorrection", warmupEpochs: 1 } } },
        { dataset, model, training: { ...training, method: { name: "mentorMix" } } },
        { dataset, model, training, bootstrap: {} },
      ];

      assert.equal(new Set(all.map(runKey)).size, all.length);
    });

    it("is unchanged for runs made before losses had names", () => {
      const options: RunOptions = {
        dataset: { name: "fashion-mnist", trainSize: 1000 },
        model: wrn,
        training: { batchSize: 128, evaluateEvery: 25, epochs: 100, augment: "basic", rho: 0, seed: 0 },
      };

      // Keys of records made then.
      assert.equal(runKey(options), "fdcf956d596fb90c");
      assert.equal(runKey({ ...options, noise: { noiseRate: 0.4 } }), "064e953c81988a52");
      assert.equal(runKey({ ...options, training: { ...options.training, loss: { name: "crossEntropy" } } }), "fdcf956d596fb90c");
      assert.equal(runKey({ ...options, training: { ...options.training, method: { name: "standard" } } }), "fdcf956d596fb90c");
    });

    it("does not depend on whether a loss's defaults are written out", () => {
      const withLoss = (loss: RunOptions["training"]["loss"]) => runKey({ dataset, model, training: { ...training, loss } });

      assert.equal(withLoss({ name: "softBootstrapping", beta: 0.95 }), withLoss({ name: "softBootstrapping" }));
      assert.notEqual(withLoss({ name: "softBootstrapping", beta: 0.9 }), withLoss({ name: "softBootstrapping" }));
    });

    it("does not exist for a config that does not fit", () => {
      assert.throws(() => runKey({ dataset, model, training: {} } as unknown as RunOptions), /training\.epochs is missing/);
    });
  });
});
