import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { toTensors } from "../../src/data";
import { Rng, tf, valueAndGradient } from "../../src/engine";
import { crossEntropy } from "../../src/losses";
import {
  fromLayersModel,
  loadVariables,
  readNetworkVariables,
  resNetCifar,
  saveVariables,
  toLayersModel,
  vit,
  writeToLayersModel,
  type Variables,
} from "../../src/models";
import { SAM } from "../../src/optim";
import { evaluate, train } from "../../src/training";
import { closeTo } from "../support/closeTo";
import { repeatably, seedWeights, valuesOf } from "../support/layersModels";
import { waveImages } from "../support/networks";
import { expectNoLeak, tidyTests } from "../support/noLeak";
import { tinyImages } from "../support/training";

const { layers } = tf;

interface StockOptions {
  readonly dropout?: number;
  readonly seed?: number;
  readonly end?: tf.layers.Layer[];
}

/** conv, batch norm, relu, a model in the model with dropout and batch norm without scale, dense, softmax. */
function stockModel({
  dropout = 0,
  seed,
  end = [layers.dense({ units: 3, activation: "softmax", name: "head" })],
}: StockOptions = {}) {
  const inner = tf.sequential({ name: "inner" });
  inner.add(layers.dense({ units: 5, activation: "tanh", inputShape: [64], name: "inner_dense" }));
  inner.add(layers.dropout({ rate: dropout, ...(seed === undefined ? {} : { seed }) }));
  inner.add(layers.batchNormalization({ name: "inner_norm" }));
  const model = tf.sequential({ name: "stock" });
  model.add(layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: "same", inputShape: [8, 8, 1], name: "conv" }));
  model.add(layers.batchNormalization({ momentum: 0.8, name: "norm" }));
  model.add(layers.activation({ activation: "relu" }));
  model.add(layers.flatten());
  model.add(inner);
  end.forEach((layer) => model.add(layer));
  seedWeights(model);
  return model;
}

const initial = (model: { init(rng: Rng): Variables }) => model.init(new Rng(0));
const softmax = (logits: tf.Tensor) => [...tf.softmax(logits).dataSync()];

describe("models/layersModel", () => {
  tidyTests();

  describe("fromLayersModel", () => {
    it("names weights by layer and role, and counts batch norm's averages among the statistics", () => {
      const model = fromLayersModel(stockModel());

      assert.deepEqual(
        model.parameters.map(({ name, shape }) => `${name} ${shape.join("×")}`),
        ["conv/kernel 3×3×1×4", "conv/bias 4", "norm/scale 4", "norm/offset 4", "inner_dense/kernel 64×5", "inner_dense/bias 5"]
          .concat(["inner_norm/scale 5", "inner_norm/offset 5", "head/kernel 5×3", "head/bias 3"]), // prettier-ignore
      );
      assert.deepEqual(model.statistics.map(({ name }) => name), ["norm/mean", "norm/variance", "inner_norm/mean", "inner_norm/variance"]); // prettier-ignore
      assert.deepEqual([model.name, model.inputShape, model.numClasses], ["stock", [8, 8, 1], 3]);
    });

    it("names them alike however many models of the process have layers of these names", () => {
      const names = () => fromLayersModel(stockModel()).parameters.map(({ name }) => name);

      assert.deepEqual(names(), names());
    });

    const ends: Record<string, () => tf.layers.Layer[]> = {
      "a dense layer with softmax": () => [layers.dense({ units: 3, activation: "softmax" })],
      "a softmax layer": () => [layers.dense({ units: 3 }), layers.softmax()],
      "a softmax activation": () => [layers.dense({ units: 3 }), layers.activation({ activation: "softmax" })],
    };
    for (const [name, end] of Object.entries(ends))
      it(`gives the logits of what the stock model predicts, with ${name} at the end`, () => {
        const stock = stockModel({ end: end() });
        const model = fromLayersModel(stock);
        const x = waveImages(model, 4);

        const { logits } = model.apply(initial(model).weights, x, { stats: initial(model).stats });

        closeTo(softmax(logits), (stock.predict(x) as tf.Tensor).dataSync(), 1e-6);
        assert.ok(
          logits.dataSync().some((value) => value < 0 || value > 1),
          "they are no probabilities",
        );
      });

    it("gives logits as they are where the model ends without softmax", () => {
      const stock = stockModel({ end: [layers.dense({ units: 3 })] });
      const model = fromLayersModel(stock);
      const x = waveImages(model, 4);

      closeTo(
        model.apply(initial(model).weights, x, initial(model)).logits.dataSync(),
        (stock.predict(x) as tf.Tensor).dataSync(),
      );
    });

    it("in training gives the output and the averages of the stock model's own training pass, and changes nothing of it", () => {
      const stock = stockModel();
      const model = fromLayersModel(stock);
      const x = waveImages(model, 6);
      const { weights, stats } = initial(model);
      const before = valuesOf(stock);

      const output = model.apply(weights, x, { training: true, stats });

      assert.deepEqual(valuesOf(stock), before);
      const expected = stock.apply(x, { training: true }) as tf.Tensor;
      closeTo(softmax(output.logits), expected.dataSync(), 1e-5);
      const after = Object.fromEntries(stock.nonTrainableWeights.map(({ originalName, ...weight }) => [originalName, weight]));
      for (const [ours, theirs] of [["norm/mean", "norm/moving_mean"], ["inner_norm/variance", "inner_norm/moving_variance"]])
        closeTo(output.stats[ours!]!.dataSync(), (after[theirs!] as unknown as { val: tf.Tensor }).val.dataSync(), 1e-6);
    }); // prettier-ignore

    it("has the gradient that the stock model has", () => {
      const stock = stockModel({ end: [layers.dense({ units: 3, name: "head" })] });
      const model = fromLayersModel(stock);
      const x = waveImages(model, 6);
      const y = tf.oneHot([0, 1, 2, 0, 1, 2], 3).toFloat() as tf.Tensor2D;
      const { weights, stats } = initial(model);
      const loss = (logits: tf.Tensor) => tf.mean(crossEntropy(logits as tf.Tensor2D, y)) as tf.Scalar;

      const ours = valueAndGradient((w) => loss(model.apply(w, x, { stats }).logits), weights);
      const theirs = tf.variableGrads(() => loss(stock.apply(x, { training: false }) as tf.Tensor));

      closeTo(ours.value.dataSync(), theirs.value.dataSync());
      const expected = stock.trainableWeights.map((weight) => theirs.grads[weight.name]!);
      Object.values(ours.gradient).forEach((gradient, i) => closeTo(gradient.dataSync(), expected[i]!.dataSync(), 1e-5));
    });

    it("frozen, uses the averages in training too; by batch statistics, the batch's in inference too", () => {
      const model = fromLayersModel(stockModel());
      const { weights, stats } = initial(model);
      const x = waveImages(model, 6);
      const logits = (mode: object) => [...model.apply(weights, x, { stats, ...mode }).logits.dataSync()];

      closeTo(logits({ training: true, batchStatistics: false }), logits({}));
      closeTo(logits({ batchStatistics: true }), logits({ training: true }));
      assert.ok(logits({ training: true }).some((value, i) => Math.abs(value - logits({})[i]!) > 0.01));
      const frozen = model.apply(weights, x, { stats, training: true, batchStatistics: false }).stats;
      for (const name of Object.keys(stats)) assert.equal(frozen[name], stats[name]);
    });

    for (const seed of [undefined, 7])
      it(`draws dropout masks from the stream alone, ${seed === undefined ? "" : "also where the layer has a seed"}`, () => {
        const model = fromLayersModel(stockModel({ dropout: 0.5, ...(seed === undefined ? {} : { seed }) }));
        const { weights, stats } = initial(model);
        const x = waveImages(model, 6);
        const drawn = (stream: number) => [
          ...model.apply(weights, x, { training: true, stats, rng: new Rng(stream) }).logits.dataSync(),
        ];

        assert.deepEqual(drawn(1), drawn(1));
        assert.notDeepEqual(drawn(2), drawn(1));
        assert.throws(
          () => model.apply(weights, x, { training: true, stats }),
          /dropout.*: Dropout in training mode needs mode\.rng/,
        );
      });

    it("trains batch norm without scale and without center, where the stock layer fails", () => {
      const end = () => [layers.batchNormalization({ scale: false }), layers.batchNormalization({ center: false }), layers.dense({ units: 3 })]; // prettier-ignore
      const stock = stockModel({ end: end() });
      const model = fromLayersModel(stock);
      const x = waveImages(model, 6);

      assert.throws(() => stock.apply(x, { training: true }));
      assert.ok(
        model
          .apply(initial(model).weights, x, { ...initial(model), training: true })
          .logits.dataSync()
          .every(Number.isFinite),
      );
    });

    it("takes images for a model of flat inputs", () => {
      const stock = tf.sequential();
      stock.add(layers.dense({ units: 3, inputShape: [12] }));
      const x = tf.randomUniform([2, 12]);

      const flat = fromLayersModel(stock);
      const images = fromLayersModel(stock, { inputShape: [2, 3, 2] });

      assert.deepEqual([flat.inputShape, images.inputShape], [[1, 1, 12], [2, 3, 2]]); // prettier-ignore
      const expected = (stock.predict(x) as tf.Tensor).dataSync();
      closeTo(flat.apply(initial(flat).weights, tf.reshape(x, [2, 1, 1, 12])).logits.dataSync(), expected);
      closeTo(images.apply(initial(images).weights, tf.reshape(x, [2, 2, 3, 2])).logits.dataSync(), expected);
    });

    it("keeps frozen weights where they are", () => {
      const stock = stockModel();
      stock.layers[0]!.trainable = false;
      const model = fromLayersModel(stock);
      const { weights, stats } = initial(model);

      const output = model.apply(weights, waveImages(model, 4), { training: true, stats });

      assert.ok(!("conv/kernel" in weights) && "conv/kernel" in stats);
      assert.equal(output.stats["conv/kernel"], stats["conv/kernel"]);
    });

    it("leaves nothing behind but its results", () => {
      const model = fromLayersModel(stockModel({ dropout: 0.3 }));
      const { weights, stats } = initial(model);
      const x = waveImages(model, 4);
      const mode = { training: true, stats, rng: new Rng(1) };

      expectNoLeak(() => tf.tidy(() => model.apply(weights, x, mode).logits), 1);
      expectNoLeak(() =>
        tf.dispose(valueAndGradient((w) => tf.sum(model.apply(w, x, mode).logits) as tf.Scalar, weights) as never),
      );
      expectNoLeak(() => initial(model), model.parameters.length + model.statistics.length);
    });

    it("leaves the layers model as it was where a pass throws", () => {
      const stock = stockModel();
      const model = fromLayersModel(stock);
      const x = waveImages(model, 4);
      const before = [...(stock.predict(x) as tf.Tensor).dataSync()];

      assert.throws(() => model.apply({ ...initial(model).weights, "head/kernel": tf.zeros([2, 2]) }, x, initial(model)));

      assert.deepEqual([...(stock.predict(x) as tf.Tensor).dataSync()], before);
    });

    it("refuses what is no network of images, and says why", () => {
      const input = tf.input({ shape: [4] });
      const dense = (units: number) => layers.dense({ units }).apply(input) as tf.SymbolicTensor;
      const open = tf.sequential();
      open.add(layers.globalAveragePooling2d({ inputShape: [null, null, 3] }));
      open.add(layers.dense({ units: 2 }));
      const lstm = tf.sequential();
      lstm.add(layers.lstm({ units: 2, stateful: true, batchInputShape: [1, 3, 2] }));

      assert.throws(
        () => fromLayersModel(tf.model({ inputs: input, outputs: [dense(2), dense(3)] })),
        /1 inputs and 2 outputs, expected one/,
      );
      assert.throws(() => fromLayersModel(stockModel({ end: [layers.dense({ units: 1, activation: "sigmoid" })] })), /has activation sigmoid; expected softmax/); // prettier-ignore
      assert.throws(
        () => fromLayersModel(open),
        /inputShape = \[,,3\]: sequential.* takes \[,,3\]; expected height, width and channels/,
      );
      assert.deepEqual(fromLayersModel(open, { inputShape: [5, 6, 3] }).inputShape, [5, 6, 3]);
      const network = resNetCifar({ depth: 8, width: 2, inputShape: [8, 8, 1], numClasses: 3 });
      assert.throws(
        () => fromLayersModel(toLayersModel(network, initial(network))),
        /ResNet-8.* is a network of this kit already/,
      );
      assert.throws(() => fromLayersModel(lstm), /lstm.* keeps its state from batch to batch/);
      assert.throws(() => fromLayersModel(stockModel({ end: [layers.reshape({ targetShape: [5, 1] })] })), /gives \[,5,1\], expected \(n, classes\)/); // prettier-ignore
    });
  });

  describe("weights in and out", () => {
    let folder: string;
    beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "layers-"))));
    afterEach(() => fs.rmSync(folder, { recursive: true }));

    it("trained here, kept as safetensors and written back, a stock model predicts what was measured", async () => {
      const data = { train: tinyImages(60, "train"), test: tinyImages(30, "test") };
      const model = fromLayersModel(stockModel({ dropout: 0.1 }));
      const { variables, metrics } = await train(model, data, { epochs: 4, batchSize: 10, rho: 0.05 });
      const file = path.join(folder, "weights.safetensors");
      saveVariables(file, variables);

      const other = stockModel();
      writeToLayersModel(other, loadVariables(file, fromLayersModel(other)));

      const { images } = toTensors(data.test);
      const predicted = tf.argMax(other.predict(images) as tf.Tensor, 1).dataSync() as Int32Array;
      const wrong = predicted.reduce((count, label, i) => count + (label === data.test.labels[i] ? 0 : 1), 0);
      assert.equal(wrong / 30, metrics.testErrorRate);
      assert.equal(evaluate(fromLayersModel(other), initial(fromLayersModel(other)), data.test).errorRate, metrics.testErrorRate);
    });

    it("refuses variables of another model, and writes none of them", () => {
      const stock = stockModel();
      const { weights, stats } = initial(fromLayersModel(stock));
      const before = valuesOf(stock);
      const doubled = Object.fromEntries(Object.entries(weights).map(([name, t]) => [name, tf.mul(t, 2)]));

      assert.throws(() => writeToLayersModel(stock, { weights: doubled, stats: {} }), /stock: no value for norm\/mean/);
      assert.throws(() => writeToLayersModel(stock, { weights: { ...doubled, "head/bias": tf.zeros([4]) }, stats }), /head\/bias has shape \[4\], expected \[3\]/); // prettier-ignore
      assert.throws(
        () => writeToLayersModel(stock, { weights: { ...doubled, other: tf.zeros([4]) }, stats }),
        /stock has no weight other/,
      );
      assert.deepEqual(valuesOf(stock), before);
    });
  });

  describe("toLayersModel", () => {
    const network = () => resNetCifar({ depth: 8, width: 2, inputShape: [8, 8, 1], numClasses: 3 });

    it("predicts what the network computes, as probabilities or logits, and has its weights by name", () => {
      const model = network();
      const variables = initial(model);
      const x = waveImages(model, 4);
      const { logits } = model.apply(variables.weights, x, variables);

      const [probabilities, raw] = (["probabilities", "logits"] as const).map((output) =>
        toLayersModel(model, variables, { output }),
      );

      closeTo((probabilities!.predict(x) as tf.Tensor).dataSync(), softmax(logits));
      closeTo((raw!.predict(x) as tf.Tensor).dataSync(), logits.dataSync());
      assert.deepEqual(probabilities!.trainableWeights.length, model.parameters.length);
      assert.ok(probabilities!.weights.some(({ originalName }) => originalName.endsWith("/stem/conv/kernel")));
    });

    it("is trained by fit, with SAM too, batch norm's averages and dropout included", async () => {
      const model = vit({ patchSize: 4, width: 8, depth: 1, heads: 2, inputShape: [8, 8, 1], numClasses: 3, dropout: 0.1 });
      for (const each of [network(), model]) {
        const { images, labels } = toTensors(tinyImages(48, "train"));
        const layersModel = toLayersModel(each, initial(each));
        layersModel.compile({ optimizer: new SAM(tf.train.adam(0.01), { rho: 0.02 }), loss: "categoricalCrossentropy", metrics: ["accuracy"] }); // prettier-ignore

        const { history } = await repeatably("fit", () =>
          layersModel.fit(images, labels, { epochs: 15, batchSize: 12, verbose: 0 }),
        );

        const { stats } = readNetworkVariables(layersModel);
        assert.ok((history.loss!.at(-1)! as number) < 0.8 * (history.loss![0] as number), String(history.loss));
        const start = initial(each).stats;
        for (const name of Object.keys(stats)) assert.notDeepEqual([...stats[name]!.dataSync()], [...start[name]!.dataSync()]);
      }
    });

    it("gives its variables back as they are, and says how to keep them where model.save cannot", async () => {
      const variables = initial(network());
      const layersModel = toLayersModel(network(), variables);

      const read = readNetworkVariables(layersModel);

      for (const part of ["weights", "stats"] as const)
        for (const [name, tensor] of Object.entries(variables[part])) assert.deepEqual([...read[part][name]!.dataSync()], [...tensor.dataSync()]); // prettier-ignore
      await assert.rejects(layersModel.save("file:///nowhere"), /is code, which model\.save cannot keep: saveVariables/);
      assert.throws(() => readNetworkVariables(stockModel()), /stock was not made by toLayersModel/);
      assert.throws(() => toLayersModel(network(), { ...variables, stats: {} }), /no value for .*\/mean/);
    });
  });
});
