/** What every network of a run's config is held to: one that is new there has no line in the table below, and fails. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Rng, tf, type Weights } from "../../src/engine";
import * as models from "../../src/models";
import { countParameters, loadVariables, readSafetensorsMetadata, saveVariables, type Model } from "../../src/models";
import { networkNames, type NetworkConfig } from "../../src/experiments/networks";
import { loadCheckpoint, saveCheckpoint } from "../../src/training/checkpoint";
import { closeTo } from "../support/closeTo";
import { fit, texturedBatch, waveImages, waveVariables } from "../support/networks";
import { expectNoLeak, tidyTests } from "../support/noLeak";
import { stateOf, valuesOf as values } from "../support/training";

const SHAPES: [number, number, number][] = [[28, 28, 1], [33, 33, 3], [8, 12, 2], [5, 5, 1]]; // prettier-ignore

/** Small instances of each. */
const OPTIONS: Readonly<Partial<Record<NetworkConfig["name"], readonly object[]>>> = {
  mlp: [{ hidden: [16] }],
  convNet: [{ widths: [4, 8] }, { widths: [4, 8], batchNorm: false }],
  wideResNet: [{}, { batchNorm: false }, { dropout: 0.3 }].map((options) => ({ depth: 10, widenFactor: 1, ...options })),
  resNetCifar: [{}, { skipConnections: false }].map((options) => ({ depth: 8, width: 4, ...options })),
  shakeShake: [{ depth: 8, width: 4 }],
  pyramidNet: [{}, { shakeDrop: true }].map((options) => ({ depth: 11, alpha: 8, ...options })),
  resNetImageNet: [{ depth: 14, width: 8 }],
  efficientNet: [{ variant: { width: 0.25, depth: 0.1, resolution: 32, dropout: 0.1 } }],
  vit: [{ patchSize: 4, width: 16, depth: 2, heads: 2, dropout: 0.1 }],
  vgg: [{}, { stages: 2 }].map((options) => ({ depth: 11, width: 4, hidden: [16], dropout: 0.1, ...options })),
  networkInNetwork: [{}, { blocks: 4 }].map((options) => ({ width: 12, dropout: 0.1, ...options })),
};
const NETWORKS = networkNames.flatMap((name) => {
  return (OPTIONS[name] ?? [undefined]).map((options) => ({ name, options }));
});

for (const { name, options } of NETWORKS) {
  describe(`models: ${name} ${JSON.stringify(options)}`, () => {
    const build = models[name] as (options: object) => Model;
    const make = (inputShape: [number, number, number], numClasses: number) => build({ ...options, inputShape, numClasses });
    tidyTests();
    const model = make([8, 8, 1], 3);
    const training = (stats: Weights) => ({ training: true, stats, rng: new Rng("masks") });

    for (const shape of SHAPES) {
      it(`makes (n, classes) logits of images ${shape.join("×")}, in training and inference`, () => {
        const sized = make(shape, 7);
        const { weights, stats } = sized.init(new Rng(0));
        const x = waveImages(sized, 3);

        for (const mode of [{ stats }, training(stats)]) {
          const { logits } = sized.apply(weights, x, mode);
          assert.deepEqual(logits.shape, [3, 7]);
          assert.ok(logits.dataSync().every(Number.isFinite));
        }
      });
    }

    it("refuses an unknown option and a class count in words", () => {
      const given = { ...options, inputShape: [8, 8, 1], numClasses: 3 };

      assert.throws(() => build({ ...given, numClases: 3 }), new RegExp(`${name}: unknown option "numClases", did you mean`));
      assert.throws(() => build({ ...given, numClasses: "ten" }), new RegExp(`${name}: numClasses = "ten": expected a number`));
    });

    it("has the names and shapes that its parameters and statistics say, each once", () => {
      const { weights, stats } = model.init(new Rng(0));

      for (const [specs, tensors] of [[model.parameters, weights], [model.statistics, stats]] as const) {
        assert.deepEqual(Object.keys(tensors), specs.map((spec) => spec.name));
        for (const spec of specs) assert.deepEqual(tensors[spec.name]!.shape, spec.shape);
      }
      assert.equal(Object.values(weights).reduce((sum, t) => sum + t.size, 0), countParameters(model));
    }); // prettier-ignore

    it("starts the same for the same seed, and otherwise for another", () => {
      assert.deepEqual(values(model.init(new Rng(5)).weights), values(model.init(new Rng(5)).weights));
      assert.notDeepEqual(values(model.init(new Rng(6)).weights), values(model.init(new Rng(5)).weights));
    });

    it("starts each parameter from the seed and its name alone: another number of classes changes the head only", () => {
      const [three, seven] = [make([8, 8, 1], 3), make([8, 8, 1], 7)].map((m) => values(m.init(new Rng(5)).weights));

      for (const key of Object.keys(three!)) {
        if (key.startsWith("head/")) assert.notDeepEqual(seven![key], three![key]);
        else assert.deepEqual(seven![key], three![key]);
      }
    });

    it("is pure: the same inputs give the same outputs, and weights, statistics and images stay as they are", () => {
      const { weights, stats } = model.init(new Rng(0));
      const x = waveImages(model, 4);
      const before = [values(weights), values(stats), [...x.dataSync()]];

      for (const mode of [{ stats }, training(stats)]) {
        const [first, second] = [model.apply(weights, x, mode), model.apply(weights, x, mode)];
        assert.deepEqual([...first.logits.dataSync()], [...second.logits.dataSync()]);
        assert.deepEqual(values(first.stats), values(second.stats));
      }

      assert.deepEqual([values(weights), values(stats), [...x.dataSync()]], before);
    });

    it("gives back the statistics it was given in inference mode, and new ones for the same names in training mode", () => {
      const { weights, stats } = model.init(new Rng(0));
      const x = waveImages(model, 4);

      for (const [key, tensor] of Object.entries(model.apply(weights, x, { stats }).stats)) assert.equal(tensor, stats[key]);
      const { stats: updated } = model.apply(weights, x, training(stats));

      assert.deepEqual(Object.keys(updated), Object.keys(stats));
      for (const key of Object.keys(stats)) assert.notDeepEqual([...updated[key]!.dataSync()], [...stats[key]!.dataSync()]);
    });

    it("judges an image in inference mode whatever its neighbors in the batch are", () => {
      const { weights, stats } = model.init(new Rng(0));
      const x = waveImages(model, 5);

      const together = model.apply(weights, x, { stats }).logits.dataSync();
      const alone = model.apply(weights, tf.slice(x, [2, 0, 0, 0], [1, -1, -1, -1]), { stats }).logits.dataSync();

      closeTo(alone, together.slice(6, 9), 1e-5);
    });

    it("leaves nothing behind but its results", () => {
      const { weights, stats } = model.init(new Rng(0));
      const x = waveImages(model, 2);

      expectNoLeak(() => tf.tidy(() => model.apply(weights, x, training(stats)).logits), 1);
      expectNoLeak(() => model.init(new Rng(0)), model.parameters.length + model.statistics.length);
    });

    it("fits 32 images: all right, and the loss is near zero", () => {
      const { loss, accuracy } = fit(model, texturedBatch(model, 32), { steps: 60, learningRate: 0.05 });

      assert.ok(loss < 0.05 && accuracy === 1, `loss ${loss}, accuracy ${accuracy}`);
    });

    it("has its variables back, bit for bit, from a file of weights and from a checkpoint", () => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), "network-"));
      const place = (file: string) => path.join(folder, file);
      const { weights, stats } = waveVariables(model);
      const all = [weights, stats].map(values);

      try {
        saveVariables(place("safetensors"), { weights, stats }, { epoch: "3" });
        const loaded = loadVariables(place("safetensors"), model);
        saveCheckpoint(place("checkpoint"), stateOf(weights, { stats }), { key: "run", epoch: 3, batch: 0, record: {} });
        const { state } = loadCheckpoint(place("checkpoint"), { key: "run" })!;

        for (const again of [loaded, state]) {
          assert.deepEqual([again.weights, again.stats].map(values), all);
          assert.deepEqual(Object.values(again.weights).map(({ shape }) => shape), model.parameters.map(({ shape }) => shape)); // prettier-ignore
        }
        assert.deepEqual(readSafetensorsMetadata(place("safetensors")), { epoch: "3" });
      } finally {
        fs.rmSync(folder, { recursive: true });
      }
    });

    it("refuses images with another number of channels, and says both", () => {
      const { weights, stats } = model.init(new Rng(0));

      assert.throws(
        () => model.apply(weights, tf.zeros([2, 8, 8, 3]), { stats }),
        /x has shape \[2, 8, 8, 3\], expected \(n, height, width, 1\)/,
      );
    });

    it("refuses an input shape and a number of classes that are none", () => {
      assert.throws(() => make([0, 8, 1], 3), /inputShape = \[0,8,1\]: expected height, width and channels/);
      assert.throws(() => make([8, 8] as never, 3), /inputShape = \[8,8\]: expected height, width and channels/);
      for (const count of [0, 2.5, NaN])
        assert.throws(() => make([8, 8, 1], count), new RegExp(`numClasses = ${count}: expected a whole`));
    });
  });
}
