import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { configKey, recordedConfig, runConfig, runKey, withoutDefaults, type RunOptions } from "../../src/experiments/config";
import { resultsFolder } from "../../src/experiments/records";
import { catalog } from "../../src/paper/catalog";
import { describeModel } from "../../src/experiments/plan";
import { itemRecords } from "../../src/paper/item";
import { networkNames } from "../../src/experiments/networks";
import { runModel, runRecord } from "../../src/experiments/run";
import { tinyRun } from "../support/records";

type Network = RunOptions["model"];
const withNetwork = (model: unknown): RunOptions => tinyRun({}, { model: model as Network });

/** Each network, bare; and the same with one option other than its default. */
const NETWORKS: readonly [string, Network, Network][] = [
  ["WRN-10-1", { name: "wideResNet", depth: 10, widen: 1 }, { name: "wideResNet", depth: 10, widen: 1, dropout: 0.1 }],
  ["ConvNet 16-32-64", { name: "convNet" }, { name: "convNet", batchNorm: false }],
  ["MLP 128", { name: "mlp" }, { name: "mlp", activation: "tanh" }],
  ["ResNet-20", { name: "resNetCifar", depth: 20 }, { name: "resNetCifar", depth: 20, skipConnections: false }],
  ["Shake-Shake 26 2x96d", { name: "shakeShake" }, { name: "shakeShake", depth: 20 }],
  ["PyramidNet-272 α=200", { name: "pyramidNet" }, { name: "pyramidNet", shakeDrop: true }],
  ["ImageNet ResNet-50", { name: "resNetImageNet", depth: 50 }, { name: "resNetImageNet", depth: 50, width: 32 }],
  ["EfficientNet-B0", { name: "efficientNet", variant: "b0" }, { name: "efficientNet", variant: "b0", dropConnect: 0 }],
  ["ViT/4 12×192", { name: "vit" }, { name: "vit", depth: 6 }],
  ["VGG-11", { name: "vgg", depth: 11 }, { name: "vgg", depth: 11, hidden: [64] }],
  ["NiN", { name: "networkInNetwork" }, { name: "networkInNetwork", width: 96 }],
];

describe("experiments/networks", () => {
  it("The table of this test names every network of the kit once", () => {
    assert.deepEqual(NETWORKS.map(([, model]) => describeModel(model)), NETWORKS.map(([description]) => description)); // prettier-ignore
    assert.deepEqual(NETWORKS.map(([, { name }]) => name), networkNames); // prettier-ignore
    assert.equal(describeModel({ name: "resNetCifar", depth: 8, width: 8, skipConnections: false }), "ResNet-8, width 8 without skip connections"); // prettier-ignore
  });

  for (const [description, bare, other] of NETWORKS) {
    it(`${description} is built for the data, with the defaults of its own function`, () => {
      const model = runModel(runConfig(withNetwork(bare)), { shape: [28, 28, 1], numClasses: 7 });

      assert.deepEqual([model.inputShape, model.numClasses], [[28, 28, 1], 7]);
    });

    it(`the key of a run of ${description} has the required options, and others if they differ from their defaults`, () => {
      const json = (model: Network) =>
        JSON.stringify({ dataset: { name: "generated" }, model: sorted(model), noise: {}, training: { epochs: 2 } });
      const expected = (model: Network) => createHash("sha256").update(json(model)).digest("hex").slice(0, 16);
      const keyOf = (model: Network) => runKey({ dataset: { name: "generated" }, model, training: { epochs: 2 } });

      assert.equal(keyOf(bare), expected(bare));
      assert.equal(keyOf(other), expected(other));
      assert.equal(keyOf(runConfig(withNetwork(bare)).model), expected(bare), "defaults written out");
    });
  }

  it("a depth is part of the key of a network that requires it, and not of one that has a default", () => {
    const fields = (bare: Network) => Object.keys(withoutDefaults(runConfig(withNetwork(bare))).model!);

    assert.deepEqual(fields({ name: "wideResNet", depth: 10, widenFactor: 1 }), ["name", "depth", "widenFactor"]);
    assert.deepEqual(fields({ name: "resNetCifar", depth: 20, width: 16 }), ["name", "depth"]);
    assert.deepEqual(fields({ name: "shakeShake", depth: 26 }), ["name"]);
    assert.deepEqual(fields({ name: "efficientNet", variant: "b0" }), ["name", "variant"]);
  });

  it("committed records keep their keys", () => {
    const records = catalog.flatMap((item) => itemRecords(item));

    assert.ok(records.length > 0);
    for (const { key, config } of records) assert.equal(runKey(config), key);
  });

  it("every committed line has the key of its config, in today's words too", () => {
    const files = fs.readdirSync(resultsFolder).filter((name) => name.endsWith(".jsonl"));
    const lines = files.flatMap((name) => fs.readFileSync(path.join(resultsFolder, name), "utf8").trim().split("\n"));
    const records = lines.map((line) => JSON.parse(line) as { key: string; config: RunOptions });

    assert.ok(records.some(({ config }) => "widen" in config.model));
    for (const { key, config } of records) {
      const today = recordedConfig(config);
      assert.equal("widen" in today.model, false);
      assert.equal(configKey(today), key);
    }
  });

  it("WRN's width is its widenFactor; widen, as it was called, stays accepted, but not both", () => {
    const [former, today] = [{ widen: 2 }, { widenFactor: 2 }].map((width) =>
      withNetwork({ name: "wideResNet", depth: 10, ...width }),
    );

    assert.deepEqual(runConfig(former!), runConfig(today!));
    assert.equal(runKey(former!), runKey(today!));
    assert.throws(
      () => runConfig(withNetwork({ name: "wideResNet", depth: 10, widen: 2, widenFactor: 3 })),
      /unknown field "model\.widen"; known are name, depth, widenFactor/,
    );
    assert.throws(() => runConfig(withNetwork({ name: "wideResNet", depth: 10 })), /model\.widenFactor is missing/);
  });

  it("options that no network can have are refused, with those that it can have", () => {
    const message = (model: unknown) => {
      try {
        return String(runModel(runConfig(withNetwork(model)), { shape: [8, 8, 1], numClasses: 2 }).name);
      } catch (error) {
        return (error as Error).message;
      }
    };

    assert.match(message({ name: "resNetCifar" }), /model\.depth is missing: expected number/);
    assert.match(message({ name: "resNetCifar", depth: 9 }), /depth = 9: a CIFAR ResNet has depth 6n \+ 2/);
    assert.match(message({ name: "efficientNet", variant: "b9" }), /model\.variant = "b9": expected one of "b0"/);
    assert.match(message({ name: "vit", depth: 0 }), /model\.depth = 0: expected number to be >=1/);
    assert.match(message({ name: "pyramidNet", skipConnections: false }), /unknown field "model\.skipConnections"/);
  });

  it("the record of a CIFAR ResNet counts its parameters", async () => {
    const { metrics } = await runRecord(tinyRun({ epochs: 1 }, { model: { name: "resNetCifar", depth: 8, width: 2 } }));

    assert.equal(metrics.outcome, "finished");
    assert.equal(metrics.parameters, resNet8Width2());
  });
});

function sorted(value: object): object {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

// Convolutions without bias, gain and offset for each of their outputs, and the head of 8 features and 10 classes.
function resNet8Width2(): number {
  const convolutions = [[1, 2], [2, 2], [2, 2], [2, 4], [4, 4], [4, 8], [8, 8]] as const; // prettier-ignore
  return convolutions.reduce((sum, [inputs, outputs]) => sum + 9 * inputs * outputs + 2 * outputs, 8 * 10 + 10);
}
