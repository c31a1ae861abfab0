import assert from "node:assert/strict";
import { Rng, tf } from "../../../src/engine";
import { crossEntropy } from "../../../src/losses";
import { train, trainConfig, type TrainOptions } from "../../../src/training";
import { createMethod } from "../../../src/training/methods";
import type { MethodContext } from "../../../src/training/methods/method";
import { closeTo } from "../../support/closeTo";
import { tidyTests } from "../../support/noLeak";
import { pixels, tinyImages } from "../../support/training";
import { found, noisyImages, tinyMlp } from "../../support/trainings";

const elrOf = (options: object = {}) => trainConfig({ epochs: 1, method: { name: "elr", ...options } });
/** Logits of (¼, ¾) for every row. */
const logits = (n: number) => tf.tensor2d(Array.from({ length: n }, () => [0, Math.log(3)]));
const labels = (n: number) => tf.tensor2d(Array.from({ length: n }, () => [1, 0]));

describe("training/methods/elr", () => {
  tidyTests();

  describe("on a batch of examples 3 and 1", () => {
    const dataset = pixels([0, 1, 2, 3], [0, 1, 0, 1]);
    const batch = { images: new Float32Array(2), labels: Int32Array.of(1, 1), indices: Int32Array.of(3, 1) };
    const start = () => {
      const config = elrOf({ beta: 0.6 });
      const method = createMethod(config.method, { config, dataset });
      const context = { loss: (z: tf.Tensor2D, t: tf.Tensor2D) => crossEntropy(z, t) } as MethodContext;
      const [lossAt] = method.losses!(batch, { images: tf.zeros([2, 1, 1, 1]), targets: labels(2) }, context)!;
      return { targets: method.memory.targets!, lossAt: lossAt! };
    };

    it("moves their targets to (1 − β)p in the pass at w, and adds λ log(1 − ⟨p, t̄⟩) to the loss", () => {
      const { targets, lossAt } = start();

      const loss = lossAt({ pass: 1, firstRow: 0 })(logits(2), labels(2));

      // t̄ = 0.4·(¼, ¾) = (0.1, 0.3); ⟨p, t̄⟩ = 0.025 + 0.225
      closeTo(targets, [0, 0, 0.1, 0.3, 0, 0, 0.1, 0.3], 1e-6);
      closeTo(loss.dataSync(), [Math.log(4) + 3 * Math.log(0.75), Math.log(4) + 3 * Math.log(0.75)], 1e-5);
    });

    it("leaves them alone in a pass at w + ε̂, which sees those of the first", () => {
      const { targets, lossAt } = start();
      lossAt({ pass: 1, firstRow: 0 })(logits(2), labels(2));
      const before = targets.slice();

      const loss = lossAt({ pass: 2, firstRow: 0 })(tf.zeros([2, 2]), labels(2));

      // p = (½, ½): ⟨p, t̄⟩ = 0.2
      assert.deepEqual(targets, before);
      closeTo(loss.dataSync()[0]!, Math.log(2) + 3 * Math.log(0.8), 1e-5);
    });

    it("finds the examples of a block of m by its first row", () => {
      const { targets, lossAt } = start();

      lossAt({ pass: 1, firstRow: 1 })(logits(1), labels(1));

      closeTo(targets, [0, 0, 0.1, 0.3, 0, 0, 0, 0], 1e-6);
    });

    it("lets no gradient through the targets", () => {
      const { lossAt } = start();
      const loss = (z: tf.Tensor) => tf.sum(lossAt({ pass: 1, firstRow: 1 })(z as tf.Tensor2D, labels(1)));

      const gradient = tf.grad(loss)(logits(1));

      // CE: p − t = (−0.75, 0.75). Regularizer: −λ p_j (t̄_j − s)/(1 − s) with s = ¼: −3·¼·(0.1 − 0.25)/0.75 = 0.15, and −0.15
      closeTo(gradient.dataSync(), [-0.6, 0.6], 1e-5);
    });
  });

  it("updates each target once an epoch, with SAM's two passes and blocks of m: with weights that stay, t̄ = (1 − βᵉ)p", async () => {
    const [model, dataset] = [tinyMlp([]), tinyImages(40, "train")];
    const { weights } = model.init(new Rng(0).split("init"));
    const probabilities = tf.tidy(() => {
      const images = tf.tensor4d(Float32Array.from(dataset.images, (byte) => (byte / 255 - 0.35) / 0.25), [40, 8, 8, 1]); // prettier-ignore
      return tf.softmax(model.apply(weights, images).logits).arraySync() as number[][];
    });
    const meanOf = (f: (p: number[], i: number) => number) => probabilities.reduce((sum, p, i) => sum + f(p, i) / 40, 0);
    const lossAfter = (updates: number) => {
      const squares = (p: number[]) => p.reduce((sum, x) => sum + x * x, 0);
      const entropy = meanOf((p, i) => -Math.log(p[dataset.labels[i]!]!));
      return entropy + 2 * meanOf((p) => Math.log(1 - (1 - 0.9 ** updates) * squares(p)));
    };
    const options: TrainOptions = {
      epochs: 3,
      batchSize: 8,
      learningRate: 0,
      m: 3,
      method: { name: "elr", lambda: 2, beta: 0.9 },
    };

    for (const rho of [0, 0.1]) {
      const { history } = found(await train(model, { train: dataset, test: dataset }, { ...options, rho }));

      history.forEach(({ trainLoss }, e) => closeTo(trainLoss, lossAfter(e + 1), 1e-5));
    }
  });

  it("fits fewer flipped labels than training without it, with SAM and without", async () => {
    const data = noisyImages({ size: 300 });
    const options: TrainOptions = { epochs: 10, batchSize: 30, trackTraining: true, evaluateEvery: 10, learningRate: 0.02 };
    const fitted = async (given: Partial<TrainOptions>) => {
      const { history } = found(await train(tinyMlp([32]), data, { ...options, ...given }));
      return history.at(-1)!.memorization!.flippedFitted!;
    };

    for (const rho of [0, 0.1])
      assert.ok((await fitted({ rho, method: { name: "elr" } })) < 0.5 * (await fitted({ rho })), `ρ = ${rho}`);
  });

  it("has the authors' λ = 3 and β = 0.7", () => {
    assert.deepEqual(elrOf().method, { name: "elr", lambda: 3, beta: 0.7 });
  });

  it("refuses mixup, and values out of range", () => {
    const method = { name: "elr" } as const;

    assert.throws(
      () => trainConfig({ epochs: 1, method, mixupAlpha: 1 }),
      /mixupAlpha = 1: elr averages predictions of single examples/,
    );
    assert.throws(() => elrOf({ beta: 1.5 }), /method\.beta = 1\.5: expected number to be <=1/);
    assert.throws(() => elrOf({ lambda: -1 }), /method\.lambda = -1: expected number to be >=0/);
    assert.throws(() => elrOf({ lamda: 1 }), /unknown field "method\.lamda", did you mean "lambda"\?/);
  });
});
