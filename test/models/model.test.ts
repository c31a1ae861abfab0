import assert from "node:assert/strict";
import { Rng, tf, type Weights } from "../../src/engine";
import {
  convNet,
  countParameters,
  efficientNet,
  mlp,
  networkInNetwork,
  pyramidNet,
  resNetCifar,
  resNetImageNet,
  shakeShake,
  vgg,
  vit,
  wideResNet,
  type Model,
} from "../../src/models";
import { closeTo } from "../support/closeTo";
import { fit, texturedBatch, waveImages } from "../support/networks";
import { expectNoLeak, tidyTests } from "../support/noLeak";

const values = (weights: Weights) => Object.fromEntries(Object.entries(weights).map(([name, t]) => [name, [...t.dataSync()]]));

const SHAPES: [number, number, number][] = [[28, 28, 1], [33, 33, 3], [8, 12, 2], [5, 5, 1]]; // prettier-ignore
const NETWORKS: Record<string, (inputShape: [number, number, number], numClasses: number) => Model> = {
  mlp: (inputShape, numClasses) => mlp({ inputShape, numClasses, hidden: [16] }),
  convNet: (inputShape, numClasses) => convNet({ inputShape, numClasses, widths: [4, 8] }),
  "convNet without batch norm": (inputShape, numClasses) => convNet({ inputShape, numClasses, widths: [4, 8], batchNorm: false }),
  wideResNet: (inputShape, numClasses) => wideResNet({ depth: 10, widen: 1, inputShape, numClasses }),
  "wideResNet without batch norm": (inputShape, numClasses) =>
    wideResNet({ depth: 10, widen: 1, inputShape, numClasses, batchNorm: false }),
  "wideResNet with dropout": (inputShape, numClasses) =>
    wideResNet({ depth: 10, widen: 1, inputShape, numClasses, dropout: 0.3 }),
  resNetCifar: (inputShape, numClasses) => resNetCifar({ depth: 8, width: 4, inputShape, numClasses }),
  "resNetCifar without skip connections": (inputShape, numClasses) =>
    resNetCifar({ depth: 8, width: 4, inputShape, numClasses, skipConnections: false }),
  shakeShake: (inputShape, numClasses) => shakeShake({ depth: 8, width: 4, inputShape, numClasses }),
  pyramidNet: (inputShape, numClasses) => pyramidNet({ depth: 11, alpha: 8, inputShape, numClasses }),
  "pyramidNet with ShakeDrop": (inputShape, numClasses) =>
    pyramidNet({ depth: 11, alpha: 8, inputShape, numClasses, shakeDrop: true }),
  resNetImageNet: (inputShape, numClasses) => resNetImageNet({ depth: 14, width: 8, inputShape, numClasses }),
  efficientNet: (inputShape, numClasses) =>
    efficientNet({ variant: { width: 0.25, depth: 0.1, resolution: 32, dropout: 0.1 }, inputShape, numClasses }),
  vit: (inputShape, numClasses) => vit({ patchSize: 4, width: 16, depth: 2, heads: 2, inputShape, numClasses, dropout: 0.1 }),
  vgg: (inputShape, numClasses) => vgg({ depth: 11, width: 4, inputShape, numClasses, hidden: [16], dropout: 0.1 }),
  networkInNetwork: (inputShape, numClasses) => networkInNetwork({ width: 12, inputShape, numClasses, dropout: 0.1 }),
};

for (const [name, make] of Object.entries(NETWORKS)) {
  describe(`models: ${name}`, () => {
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

    it("judges an image in inference mode whatever its neighbours in the batch are", () => {
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

    it("learns to tell 32 images by their texture", () => {
      const { losses, accuracy } = fit(model, texturedBatch(model, 32), { steps: 60, learningRate: 0.05 });

      assert.ok(losses.at(-1)! < 0.5 * losses[0]!, `the loss went from ${losses[0]} to ${losses.at(-1)}`);
      assert.ok(accuracy > 0.95, `accuracy ${accuracy}`);
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
