import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { Rng, tf, valueAndGradient, type Weights } from "../../src/engine";
import { epsilonHat, SAM, samGradient, sgd, type SamOptimizerOptions } from "../../src/optim";
import { closeTo } from "../support/closeTo";
import { blobs, classifier, seedWeights, valuesOf } from "../support/layersModels";
import { expectNoLeak, expectNoLeakAsync, tidyTests } from "../support/noLeak";

const momentum = () => tf.train.momentum(0.1, 0.9, true);
const sam = (options?: SamOptimizerOptions, base: tf.Optimizer = momentum()) => new SAM(base, options);

async function trainSteps(model: tf.LayersModel, steps: number, firstSeed = 0): Promise<void> {
  for (let i = 0; i < steps; i++) {
    const { x, y } = blobs(24, firstSeed + i);
    await model.trainOnBatch(x, y);
  }
}

/** ½wᵀdiag(3, 1)w of one variable. */
const bowl = (w: tf.Variable) => () => tf.sum(tf.mul(tf.square(w), tf.tensor1d([1.5, 0.5]))) as tf.Scalar;

describe("optim/samOptimizer", () => {
  tidyTests();
  afterEach(() => tf.disposeVariables());

  describe("with a stock layers model", () => {
    it("trains by compile and fit: the loss falls, and diagnose says that SAM is active", async () => {
      const optimizer = sam({ rho: 0.05 });
      const model = classifier({ optimizer });
      const { x, y } = blobs(48);

      const { history } = await model.fit(x, y, { epochs: 10, batchSize: 16, verbose: 0 });

      const losses = history.loss as number[];
      assert.ok(losses.at(-1)! < 0.5 * losses[0]!, losses.join());
      const { active, epsilonNorm, cosine, lossBefore, lossAfter, samSteps, steps, message } = optimizer.diagnose();
      assert.ok(active);
      closeTo(epsilonNorm, 0.05, 1e-6);
      assert.ok(cosine > 0 && cosine < 1);
      assert.ok(lossAfter > lossBefore);
      assert.deepEqual([samSteps, steps], [30, 30]);
      assert.match(message, /^SAM is active: ‖ε̂‖ = 0\.0500/);
    });

    for (const [name, base] of [
      ["sgd", () => tf.train.sgd(0.1)],
      ["momentum", momentum],
      ["adam", () => tf.train.adam(0.01)],
      ["rmsprop", () => tf.train.rmsprop(0.01)],
    ] as const) {
      it(`with ρ = 0 is ${name}, bit for bit over several steps, batch norm's moving averages included`, async () => {
        const [wrapped, plain] = [sam({ rho: 0 }, base()), base()].map((optimizer) => classifier({ optimizer, batchNorm: true }));

        await trainSteps(wrapped!, 6);
        await trainSteps(plain!, 6);

        assert.deepEqual(valuesOf(wrapped!), valuesOf(plain!));
      });

      it(`with ρ > 0 is not ${name}`, async () => {
        const [wrapped, plain] = [sam({ rho: 0.3 }, base()), base()].map((optimizer) => classifier({ optimizer }));

        await trainSteps(wrapped!, 2);
        await trainSteps(plain!, 2);

        assert.notDeepEqual(valuesOf(wrapped!), valuesOf(plain!));
      });
    }

    it("ascends an L2 penalty of the layers too, as it is in their loss", async () => {
      const l2 = 0.3;
      const model = classifier({ optimizer: sam({ rho: 0.2 }, tf.train.sgd(1)), l2 });
      const { x, y } = blobs();
      const before = model.getWeights().map((w) => w.clone());
      const loss = ({ a, b, c, d }: Weights) => {
        const hidden = tf.tanh(tf.add(tf.matMul(x, a as tf.Tensor2D), b!)) as tf.Tensor2D;
        const logits = tf.add(tf.matMul(hidden, c as tf.Tensor2D), d!);
        const crossEntropy = tf.neg(tf.mean(tf.sum(tf.mul(y, tf.logSoftmax(logits as tf.Tensor2D)), 1)));
        return tf.add(crossEntropy, tf.mul(l2, tf.sum(tf.square(a!)))) as tf.Scalar;
      };
      const weights = Object.fromEntries(["a", "b", "c", "d"].map((name, i) => [name, before[i]!]));

      await model.trainOnBatch(x, y);

      const gradient = samGradient((w) => valueAndGradient(loss, w).gradient, weights, { rho: 0.2 });
      const expected = Object.values(gradient).flatMap((g, i) => [...tf.sub(before[i]!, g).dataSync()]);
      closeTo(valuesOf(model), expected, 1e-5);
    });

    it("moves batch norm's averages once a step: exactly as one forward pass at w does", async () => {
      const [model, copy] = [1, 2].map(() => classifier({ optimizer: sam({ rho: 0.5 }), batchNorm: true }));
      const { x, y } = blobs();
      const averages = (of: tf.LayersModel) => of.layers[1]!.getWeights().slice(2).flatMap((t) => [...t.dataSync()]); // prettier-ignore
      const initial = averages(model!);

      await model!.trainOnBatch(x, y);
      copy!.apply(x, { training: true });
      const once = averages(copy!);
      copy!.apply(x, { training: true });

      assert.deepEqual(averages(model!), once);
      assert.notDeepEqual(once, initial);
      assert.notDeepEqual(averages(copy!), once); // a second update would show
    });

    it("leaves a frozen layer as it is and trains the others", async () => {
      const model = classifier({ optimizer: sam({ rho: 0.1 }) });
      model.layers[0]!.trainable = false;
      model.compile({ optimizer: sam({ rho: 0.1 }), loss: "categoricalCrossentropy" });
      const [frozen, free] = model.layers.map((layer) => layer.getWeights().map((w) => [...w.dataSync()]));

      await trainSteps(model, 3);

      assert.deepEqual(model.layers[0]!.getWeights().map((w) => [...w.dataSync()]), frozen); // prettier-ignore
      assert.notDeepEqual(model.layers[1]!.getWeights().map((w) => [...w.dataSync()]), free); // prettier-ignore
    });

    it("leaves a layer as it is that was frozen after compile, and one that thaws goes on with its own momentum", async () => {
      // A frozen variable keeps its place among the slots, else the second layer's momentum would go to the first.
      const models = [sam({ rho: 0 }), momentum(), sam({ rho: 0.1 })].map((optimizer) => classifier({ optimizer }));
      const first = () => [...models[2]!.layers[0]!.getWeights()[0]!.dataSync()];

      for (const model of models) await trainSteps(model, 2);
      const frozenAt = first();
      for (const model of models) {
        model.layers[0]!.trainable = false;
        await trainSteps(model, 2, 2);
      }
      const whileFrozen = first();
      for (const model of models) {
        model.layers[0]!.trainable = true;
        await trainSteps(model, 2, 4);
      }

      assert.deepEqual(whileFrozen, frozenAt);
      assert.notDeepEqual(first(), frozenAt);
      assert.deepEqual(valuesOf(models[0]!), valuesOf(models[1]!));
    });

    it("reports loss and accuracy at w, once each, and leaks neither", async () => {
      const model = classifier({ optimizer: sam({ rho: 0.5 }), metrics: ["accuracy"] });
      const { x, y } = blobs();
      const evaluated = (model.evaluate(x, y) as tf.Scalar[]).map((t) => t.dataSync()[0]!);

      const trained = (await model.trainOnBatch(x, y)) as number[];

      assert.equal(trained.length, 2);
      closeTo(trained, evaluated, 1e-6);
      await expectNoLeakAsync(() => model.trainOnBatch(x, y));
    });

    it("leaks nothing in fit, with accuracy, validation and batch norm", async () => {
      const model = classifier({ optimizer: sam(), metrics: ["accuracy"], batchNorm: true });
      const { x, y } = blobs();
      const fit = () => model.fit(x, y, { epochs: 2, batchSize: 8, validationData: [x, y], verbose: 0 });
      await fit(); // makes the momentum slots

      await expectNoLeakAsync(fit);

      const { history } = await fit();
      assert.deepEqual(Object.keys(history).sort(), ["acc", "loss", "val_acc", "val_loss"]);
    });

    it("trains by fitDataset, and leaks nothing", async () => {
      const model = classifier({ optimizer: sam(), metrics: ["accuracy"] });
      const { x, y } = blobs(24);
      const rows = [...Array(24).keys()].map((i) => ({ xs: [...x.slice([i, 0], [1, 4]).dataSync()], ys: [...y.slice([i, 0], [1, 3]).dataSync()] })); // prettier-ignore
      const dataset = tf.data.array(rows).batch(8) as tf.data.Dataset<tf.TensorContainer>;
      const fit = () => model.fitDataset(dataset, { epochs: 4, verbose: 0 });

      const { history } = await fit();

      const losses = history.loss as number[];
      assert.ok(losses.at(-1)! < losses[0]!);
      assert.ok((history.acc as number[]).every((accuracy) => accuracy >= 0 && accuracy <= 1));
      await expectNoLeakAsync(fit);
    });

    it("keeps the losses and metrics of a model with two outputs apart", async () => {
      const input = tf.input({ shape: [4] });
      const heads = [3, 3].map((units) => tf.layers.dense({ units, activation: "softmax" }).apply(input) as tf.SymbolicTensor);
      const model = tf.model({ inputs: input, outputs: heads });
      model.compile({ optimizer: sam(), loss: "categoricalCrossentropy", metrics: ["accuracy"] });
      const { x, y } = blobs();

      const [total, first, second, ...accuracies] = (await model.trainOnBatch(x, [y, y])) as number[];

      closeTo(total!, first! + second!, 1e-5);
      assert.equal(accuracies.length, 2);
      await expectNoLeakAsync(() => model.trainOnBatch(x, [y, y]));
    });
  });

  // A tanh network of fixed weights and three steps of SAM (ρ = 0.2) with SGD(lr=0.1, momentum=0.9, nesterov=True), run once
  // with PyTorch 2.13 in float64: two backward passes a step, weights moved by 0.2·g/‖g‖ and copied back between.
  describe("agrees with PyTorch on three steps of a small network", () => {
    const start = {
      w1: [
        [0.5, -0.3, 0.8],
        [0.1, 0.9, -0.4],
      ],
      b1: [0.1, -0.2, 0.05],
      w2: [
        [0.7, -0.6],
        [-0.2, 0.4],
        [0.3, 0.5],
      ],
      b2: [0, 0.1], // prettier-ignore
    };
    const expected = [
      [0.653064213, -0.357197894, 0.77593533, 0.370852191, 0.868167782, -0.456656825],
      [-0.0324029961, -0.167419203, 0.0522193775],
      [0.782652696, -0.682652696, -0.0773096475, 0.277309647, 0.32078156, 0.47921844],
      [-0.0611210059, 0.161121006],
    ].flat();
    const losses = [
      [0.5484212233652733, 0.6562480580776116],
      [0.4969425264293974, 0.5949823029917016],
      [0.43599051707669173, 0.5238792739455309],
    ];
    const loss = ({ w1, b1, w2, b2 }: Weights) => {
      const x = tf.tensor2d([[1, 2], [-1, 0.5], [0.3, -1.2], [2, -0.7]]); // prettier-ignore
      const y = tf.oneHot(tf.tensor1d([0, 1, 1, 0], "int32"), 2);
      const hidden = tf.tanh(tf.add(tf.matMul(x, w1 as tf.Tensor2D), b1!)) as tf.Tensor2D;
      const logits = tf.add(tf.matMul(hidden, w2 as tf.Tensor2D), b2!) as tf.Tensor2D;
      return tf.neg(tf.mean(tf.sum(tf.mul(y, tf.logSoftmax(logits)), 1))) as tf.Scalar;
    };
    const tensors = () => Object.fromEntries(Object.entries(start).map(([name, values]) => [name, tf.tensor(values)]));
    const values = (weights: Weights) => Object.values(weights).flatMap((t) => [...t.dataSync()]);

    it("as functions", () => {
      const optimizer = sgd();
      let weights: Weights = tensors();
      let slots = optimizer.init(weights);

      for (let step = 0; step < 3; step++) {
        const gradient = samGradient((w) => valueAndGradient(loss, w).gradient, weights, { rho: 0.2 });
        ({ weights, slots } = optimizer.update(gradient, slots, weights, { learningRate: 0.1, step }));
      }

      closeTo(values(weights), expected, 2e-6);
    });

    it("as an optimizer, with the losses of both passes", () => {
      const variables = Object.fromEntries(Object.entries(tensors()).map(([name, t]) => [name, tf.variable(t)]));
      const optimizer = sam({ rho: 0.2 });

      for (const [before, after] of losses) {
        closeTo(optimizer.step(() => loss(variables)).dataSync(), [before!], 1e-6);
        closeTo(optimizer.diagnose().lossBefore, before!, 1e-6);
        closeTo(optimizer.diagnose().lossAfter, after!, 1e-6);
      }

      closeTo(values(variables), expected, 2e-6);
    });

    it("in two halves, firstStep and secondStep", () => {
      const variables = Object.fromEntries(Object.entries(tensors()).map(([name, t]) => [name, tf.variable(t)]));
      const optimizer = sam({ rho: 0.2 });

      for (const [before, after] of losses) {
        closeTo(optimizer.firstStep(() => loss(variables)).dataSync(), [before!], 1e-6);
        closeTo(optimizer.secondStep(() => loss(variables)).dataSync(), [after!], 1e-6);
      }

      closeTo(values(variables), expected, 2e-6);
      assert.ok(optimizer.diagnose().active);
      assert.deepEqual([optimizer.diagnose().samSteps, optimizer.iterations], [3, 3]);
    });
  });

  describe("options", () => {
    const options: SamOptimizerOptions[] = [
      { rho: 0.3, normP: 1 },
      { rho: 0.3, normP: 3 },
      { rho: 0.3, normP: Infinity },
      { rho: 0.3, normalize: false },
      { rho: 0.3, adaptive: "weights" },
      { rho: 0.3, adaptive: "all" },
      { rho: 0.3, ascentSteps: 3, ascentStepSize: 0.2 },
      { rho: 0.3, ascentSteps: 4, normP: Infinity },
    ];
    for (const option of options) {
      it(`act as in samGradient: ${Object.entries(option).slice(1).map((entry) => entry.join(" = ")).join(", ")}`, () => {
        const w = tf.variable(tf.tensor1d([1, -2]));
        const loss = (weights: Weights) => tf.add(bowl(weights.w as tf.Variable)(), tf.sum(tf.cos(weights.w!))) as tf.Scalar;
        const start = tf.tensor1d([1, -2]);
        const gradient = samGradient((at) => valueAndGradient(loss, at).gradient, { w: start }, option);

        sam(option, tf.train.sgd(1)).minimize(() => loss({ w }));

        closeTo(w.dataSync(), tf.sub(start, gradient.w!).dataSync(), 1e-6);
      }); // prettier-ignore
    }

    it("interval = 3: two gradients on every third step from the first on, one on the others, which are the base's own", () => {
      const [w, plain] = [1, 2].map(() => tf.variable(tf.tensor1d([1, -2])));
      const optimizer = sam({ rho: 0.5, interval: 3 }, tf.train.sgd(0.1));
      const calls: number[] = [];

      for (let step = 0; step < 7; step++) {
        let count = 0;
        plain!.assign(tf.tensor1d([...w!.dataSync()]));
        optimizer.minimize(() => (count++, bowl(w!)()), false, [w!]);
        calls.push(count);
        if (count === 1) {
          tf.train.sgd(0.1).minimize(bowl(plain!), false, [plain!]);
          assert.deepEqual([...w!.dataSync()], [...plain!.dataSync()]);
        }
      }

      assert.deepEqual(calls, [2, 1, 1, 2, 1, 1, 2]);
      assert.deepEqual([optimizer.diagnose().samSteps, optimizer.diagnose().steps], [3, 7]);
    });

    it("that are unknown or out of range are refused at once, in the caller's words", () => {
      assert.throws(() => sam({ rhoo: 0.1 } as never), /new SAM: unknown option "rhoo", did you mean "rho"/);
      assert.throws(() => sam({ hessianVectorProduct: () => ({}) } as never), /unknown option "hessianVectorProduct"/);
      assert.throws(() => sam({ adaptive: "all", eta: 0.1 }), /eta = 0.1: only adaptive = "weights" has an η/);
      assert.throws(() => sam({ rho: "0.1" as never }), /new SAM: rho = "0.1": expected a number/);
      assert.throws(() => sam({ freshMasks: 1 as never }), /freshMasks = 1: expected true or false/);
      assert.throws(() => sam({ rho: -1 }), /rho = -1: expected a finite number ≥ 0/);
      assert.throws(() => sam({ normP: 0.5 }), /normP = 0.5: expected a number from 1 to Infinity/);
      assert.throws(() => sam({ interval: 0 }), /interval = 0: expected a whole number of at least 1/);
      assert.throws(() => sam({ ascentSteps: 1.5 }), /ascentSteps = 1.5/);
      assert.throws(() => sam({ adaptive: true as never }), /adaptive = true: expected false, "weights" or "all"/);
      assert.throws(() => sam({ adaptive: "all", normP: 1 }), /defined for normP = 2/);
      assert.throws(() => new SAM({ rho: 0.1 } as never), /expected a tf.Optimizer first/);
    });
  });

  it("a ρ in place of the options is refused, not replaced by the default", () => {
    assert.throws(
      () => new SAM(tf.train.sgd(0.1), 0.2 as never),
      /new SAM: the options are 0.2, expected an object with any of rho/,
    );
  });

  it("the diagnosis of a diverged training says so, and names what is NaN", () => {
    const w = tf.variable(tf.tensor1d([1, NaN]));
    const optimizer = sam({ rho: 0.1 }, tf.train.sgd(0.1));

    optimizer.minimize(bowl(w), false, [w]);

    const { active, message } = optimizer.diagnose();
    assert.equal(active, false);
    assert.match(message, /^Training has diverged: .*loss at w = NaN/);
  });

  describe("dropout", () => {
    /** The masks of each pass of `steps` steps. */
    function masksOf(optimizer: SAM, steps: number): string[][] {
      const [w, layer] = [tf.variable(tf.tensor1d([1, -2])), tf.layers.dropout({ rate: 0.5 })];
      return Array.from({ length: steps }, () => {
        const masks: string[] = [];
        optimizer.minimize(
          () => {
            const mask = layer.apply(tf.ones([64]), { training: true }) as tf.Tensor;
            masks.push(mask.dataSync().join());
            return tf.mul(bowl(w)(), tf.mean(mask)) as tf.Scalar;
          },
          false,
          [w],
        );
        return masks;
      });
    }

    it("has the same mask in both passes and a new one at each step", () => {
      const steps = masksOf(sam(), 4);

      for (const [first, second] of steps) assert.equal(first, second);
      assert.equal(new Set(steps.flat()).size, 4);
    });

    it("has the same mask in all passes of several ascent steps", () => {
      const [masks] = masksOf(sam({ ascentSteps: 3 }), 1);

      assert.equal(masks!.length, 4);
      assert.equal(new Set(masks).size, 1);
    });

    it("has another mask in the second pass with freshMasks", () => {
      assert.equal(new Set(masksOf(sam({ freshMasks: true }), 3).flat()).size, 6);
    });

    it("has masks that the seed decides, 0 where none is given", () => {
      assert.deepEqual(masksOf(sam({ seed: 0 }), 2), masksOf(sam(), 2));
      assert.notDeepEqual(masksOf(sam({ seed: 1 }), 2), masksOf(sam(), 2));
    });

    it("keeps about half of the units, each kept one doubled", () => {
      const [[mask]] = masksOf(sam(), 1) as [[string]];
      const values = mask.split(",").map(Number);

      assert.deepEqual([...new Set(values)].sort(), [0, 2]);
      const kept = values.filter((value) => value > 0).length; // binomial(64, ½): mean 32, σ = 4
      assert.ok(Math.abs(kept - 32) < 16);
    });

    /* eslint-disable no-restricted-properties -- it is Math.random that is looked at */
    it("leaves Math.random as it was, also when the loss throws", () => {
      const random = Math.random;

      masksOf(sam(), 1);
      assert.throws(() => sam().minimize(() => { throw new Error("no"); }), /no/); // prettier-ignore

      assert.equal(Math.random, random);
    });
    /* eslint-enable no-restricted-properties */
  });

  describe("a step that cannot work", () => {
    /** A model with batch norm and its loss, which throws in the given pass when told to. */
    function fragile(optimizer: SAM) {
      const model = classifier({ optimizer, batchNorm: true });
      const { x, y } = blobs();
      let pass = 0;
      return {
        model,
        step: (failIn = 0) => {
          pass = 0;
          const loss = () => {
            const output = model.apply(x, { training: true }) as tf.Tensor2D; // moves the averages
            if (++pass === failIn) throw new Error(`pass ${failIn} failed`);
            return tf.mean(tf.metrics.categoricalCrossentropy(y, output)) as tf.Scalar;
          };
          optimizer.minimize(loss, false, model.trainableWeights.map((w) => w.read() as tf.Variable)); // prettier-ignore
        },
      };
    }

    for (const [failIn, options] of [[1, {}], [2, {}], [2, { ascentSteps: 3 }], [4, { ascentSteps: 3 }]] as const) {
      it(`because pass ${failIn} of ${"ascentSteps" in options ? 4 : 2} throws leaves weights and moving averages bit-identical, and no tensor`, () => {
        const { model, step } = fragile(sam({ rho: 0.5, ...options }));
        step();
        const before = valuesOf(model);

        expectNoLeak(() => assert.throws(() => step(failIn), new RegExp(`pass ${failIn} failed`)));

        assert.deepEqual(valuesOf(model), before);
      });
    } // prettier-ignore

    it("is as if it had not been: the next steps are the same", () => {
      const [failed, smooth] = [1, 2].map(() => fragile(sam({ rho: 0.5, interval: 2 })));

      for (let i = 0; i < 4; i++) smooth!.step();
      failed!.step();
      failed!.step();
      assert.throws(() => failed!.step(2), /pass 2 failed/);
      failed!.step();
      failed!.step();

      assert.deepEqual(valuesOf(failed!.model), valuesOf(smooth!.model));
    });

    it("in the second half leaves the weights at w, and the next step starts anew", () => {
      const w = tf.variable(tf.tensor1d([1, -2]));
      const optimizer = sam();
      optimizer.firstStep(bowl(w), [w]);
      assert.notDeepEqual([...w.dataSync()], [1, -2]);

      const fail = () => { throw new Error("no memory"); }; // prettier-ignore
      assert.throws(() => optimizer.secondStep(fail, [w]), /no memory/);

      assert.deepEqual([...w.dataSync()], [1, -2]);
      optimizer.firstStep(bowl(w), [w]);
      optimizer.secondStep(bowl(w), [w]);
      assert.ok(w.dataSync()[0]! < 1);
    });

    it("because halves come in the wrong order says so", () => {
      const w = tf.variable(tf.tensor1d([1, -2]));
      const optimizer = sam();

      assert.throws(() => optimizer.secondStep(bowl(w), [w]), /secondStep needs a firstStep before it/);
      optimizer.firstStep(bowl(w), [w]);
      assert.throws(() => optimizer.firstStep(bowl(w), [w]), /firstStep was called twice/);
      optimizer.dispose();
      assert.deepEqual([...w.dataSync()], [1, -2]); // dispose brings the weights back
    });

    it("with a zero gradient changes nothing and gives no NaN", () => {
      const w = tf.variable(tf.tensor1d([0, 0]));
      const optimizer = sam();

      for (let i = 0; i < 2; i++) optimizer.minimize(bowl(w), false, [w]);

      assert.deepEqual([...w.dataSync()], [0, 0]);
      const { active, epsilonNorm, message } = optimizer.diagnose();
      assert.deepEqual([active, epsilonNorm], [false, 0]);
      assert.match(message, /gradient was zero/);
    });
  });

  describe("in a custom loop", () => {
    it("without a list of variables takes every trainable one", () => {
      const [a, b, constant] = [tf.variable(tf.tensor1d([1, -2])), tf.variable(tf.scalar(3)), tf.variable(tf.scalar(5), false)];
      const loss = () => tf.add(bowl(a)(), tf.mul(constant, tf.square(b))) as tf.Scalar;

      sam({}, tf.train.sgd(0.01)).minimize(loss);

      assert.notDeepEqual([...a.dataSync()], [1, -2]);
      assert.notEqual(b.dataSync()[0], 3);
      assert.equal(constant.dataSync()[0], 5);
    });

    it("leaves a variable alone that the loss does not use, and one outside the list", () => {
      const [used, unused, outside] = [1, 2, 3].map(() => tf.variable(tf.tensor1d([1, -2])));
      const loss = () => tf.add(bowl(used!)(), bowl(outside!)()) as tf.Scalar;

      for (let i = 0; i < 2; i++) sam().minimize(loss, false, [unused!, used!]);

      assert.notDeepEqual([...used!.dataSync()], [1, -2]);
      assert.deepEqual([...unused!.dataSync()], [1, -2]);
      assert.deepEqual([...outside!.dataSync()], [1, -2]);
    });

    it("keeps each variable's momentum when another one is not in the loss for a while", () => {
      // Linear losses: SAM's gradient is the plain one, so every step must be the base's.
      const run = (optimizer: tf.Optimizer) => {
        const [a, b] = [tf.variable(tf.tensor1d([1, 2, 3])), tf.variable(tf.scalar(1))];
        const losses = [() => tf.mul(2, b), () => tf.add(tf.sum(a), b), () => tf.sum(a), () => tf.add(tf.sum(a), b)];
        losses.forEach((loss) => optimizer.minimize(loss as () => tf.Scalar, false, [a, b]));
        return [...a.dataSync(), ...b.dataSync()];
      };

      assert.deepEqual(run(sam()), run(momentum()));
    });

    it("returns the loss at w and leaks nothing, whichever way the step is made", () => {
      const w = tf.variable(tf.tensor1d([1, -2]));
      const optimizer = sam({ rho: 0.1 });
      optimizer.minimize(bowl(w), false, [w]); // makes the slots
      w.assign(tf.tensor1d([1, -2]));

      const loss = optimizer.step(bowl(w), [w]);

      closeTo(loss.dataSync(), [3.5], 1e-6); // 1.5 + 0.5·4
      expectNoLeak(() => optimizer.minimize(bowl(w), false, [w]));
      expectNoLeak(() => optimizer.step(bowl(w), [w]).dispose());
      expectNoLeak(() => tf.dispose([optimizer.firstStep(bowl(w), [w]), optimizer.secondStep(bowl(w), [w])]));
      expectNoLeak(() => tf.tidy(() => void optimizer.minimize(bowl(w), false, [w])));
    });

    it("gives gradients to clip before they are applied", () => {
      const w = tf.variable(tf.tensor1d([1, -2]));
      const optimizer = sam({ rho: 0.1 }, tf.train.sgd(1));

      const { value, grads } = optimizer.computeGradients(bowl(w), [w]);
      const g = [3, -2]; // ∇ = (3w₁, w₂)
      const epsilon = epsilonHat({ g: tf.tensor1d(g) }, { rho: 0.1 }).g!.dataSync();
      closeTo(value.dataSync(), [3.5], 1e-6);
      closeTo(grads[w.name]!.dataSync(), [3 * (1 + epsilon[0]!), -2 + epsilon[1]!], 1e-6);
      assert.deepEqual([...w.dataSync()], [1, -2]);
      optimizer.applyGradients({ [w.name]: tf.clipByValue(grads[w.name]!, -1, 1) });

      closeTo(w.dataSync(), [0, -1], 1e-6);
    });

    it("restores w from a copy: w + ε − ε would not be w", () => {
      const values = new Rng("restore").array(1000);
      const w = tf.variable(tf.tensor1d(values));

      sam({ rho: 1000 }, tf.train.sgd(0)).minimize(() => tf.sum(tf.square(w)) as tf.Scalar, false, [w]);

      assert.deepEqual(w.dataSync(), values);
    });

    it("disposes what it made", () => {
      const w = tf.variable(tf.tensor1d([1, -2]));

      expectNoLeak(() => {
        const optimizer = sam({}, tf.train.sgd(0.1));
        optimizer.minimize(bowl(w), false, [w]);
        optimizer.dispose();
      });
    });
  });

  describe("the learning rate", () => {
    for (const [name, base] of [["sgd", () => tf.train.sgd(1)], ["momentum", () => tf.train.momentum(1, 0.9)], ["adam", () => tf.train.adam(1)]] as const) {
      it(`reaches the step of ${name}, by setLearningRate and by assignment`, () => {
        const w = tf.variable(tf.tensor1d([1, -2]));
        const optimizer = sam({}, base());

        optimizer.setLearningRate(0);
        optimizer.minimize(bowl(w), false, [w]);
        assert.deepEqual([...w.dataSync()], [1, -2]);
        optimizer.learningRate = 0.5;
        optimizer.minimize(bowl(w), false, [w]);

        assert.notDeepEqual([...w.dataSync()], [1, -2]);
        assert.equal(optimizer.learningRate, 0.5);
      });
    } // prettier-ignore
  });

  describe("saving", () => {
    let folder = "";
    before(async () => (folder = await mkdtemp(path.join(os.tmpdir(), "sharpness-lab-"))));
    after(() => rm(folder, { recursive: true }));

    async function throughMemory(model: tf.LayersModel): Promise<tf.LayersModel> {
      let saved: tf.io.ModelArtifacts | undefined;
      const handler = tf.io.withSaveHandler(async (artifacts) => {
        saved = artifacts;
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
      });
      await model.save(handler, { includeOptimizer: true });
      return tf.loadLayersModel(tf.io.fromMemory(saved!));
    }

    it("and loading in memory, then going on, gives what it would have given uninterrupted, bit for bit", async () => {
      const make = () => classifier({ optimizer: sam({ rho: 0.1, interval: 2 }), batchNorm: true, dropout: 0.3 });
      const [uninterrupted, stopped] = [make(), make()];
      await trainSteps(uninterrupted, 7);

      await trainSteps(stopped, 3);
      const resumed = await throughMemory(stopped);
      await trainSteps(resumed, 4, 3);

      assert.deepEqual(valuesOf(resumed), valuesOf(uninterrupted));
    });

    it("and loading from a file keeps the optimizer, its base, its options and its state", async function () {
      if (tf.getBackend() !== "tensorflow") this.skip(); // the file handler is tfjs-node's
      const model = classifier({ optimizer: sam({ rho: 0.1, normP: Infinity, seed: 7 }) });
      await trainSteps(model, 3);

      await model.save(`file://${folder}/model`, { includeOptimizer: true });
      const loaded = await tf.loadLayersModel(`file://${folder}/model/model.json`);

      const optimizer = loaded.optimizer as SAM;
      assert.ok(optimizer instanceof SAM && optimizer.getClassName() === "SAM");
      assert.deepEqual([optimizer.rho, optimizer.options.normP, optimizer.options.seed], [0.1, Infinity, 7]);
      assert.equal(optimizer.base.getClassName(), "Momentum");
      assert.deepEqual([optimizer.iterations, optimizer.diagnose().steps], [3, 3]);
      await trainSteps(model, 2, 3);
      await trainSteps(loaded, 2, 3);
      assert.deepEqual(valuesOf(loaded), valuesOf(model));
    });

    it("works before the first step and with options that are undefined", async () => {
      const loaded = await throughMemory(classifier({ optimizer: sam({ rho: 0.2, ascentSteps: undefined }) }));

      assert.equal((loaded.optimizer as SAM).rho, 0.2);
      await trainSteps(loaded, 1);
    });

    it("as a config survives JSON with every option, p = ∞ too", () => {
      const all: SamOptimizerOptions[] = [
        { rho: 0.3, normP: Infinity, normalize: true, adaptive: false, ascentSteps: 2, ascentStepSize: 0.1, interval: 4, freshMasks: true, seed: 5 },
        { rho: 0.3, normP: 2, adaptive: "weights", eta: 0.02 },
      ]; // prettier-ignore

      for (const options of all) {
        const config = JSON.parse(JSON.stringify(sam(options).getConfig())) as tf.serialization.ConfigDict;
        const back = SAM.fromConfig(SAM as unknown as tf.serialization.SerializableConstructor<SAM>, config);

        assert.deepEqual(back.options, options);
        assert.deepEqual(back.base.getConfig(), momentum().getConfig());
      }
    });

    it("as a config names a base optimizer that is not known", () => {
      const config = { rho: 0.1, normP: 2, base: { className: "Lion", config: {} } };

      assert.throws(
        () => SAM.fromConfig(SAM as unknown as tf.serialization.SerializableConstructor<SAM>, config),
        /base optimizer "Lion" is not known/,
      );
    });
  });

  describe("diagnose", () => {
    const messageAfter = (options: SamOptimizerOptions, loss?: (w: tf.Variable) => tf.Scalar) => {
      const [w, optimizer] = [tf.variable(tf.tensor1d([1, -2])), sam(options, tf.train.sgd(0.1))];
      if (loss) optimizer.minimize(() => loss(w), false, [w]);
      return optimizer.diagnose();
    };

    it("says before the first step that there was none", () => {
      assert.match(messageAfter({}).message, /No step yet/);
    });

    it("says with ρ = 0 that SAM is off", () => {
      const { active, message } = messageAfter({ rho: 0 }, (w) => bowl(w)());

      assert.equal(active, false);
      assert.match(message, /SAM is off: rho = 0/);
    });

    it("says where the loss is linear that the gradient did not change", () => {
      const { active, cosine, message } = messageAfter({}, (w) => tf.sum(w) as tf.Scalar);

      assert.equal(active, false);
      closeTo(cosine, 1, 1e-6);
      assert.match(message, /gradient did not change/);
    });

    it("gives the cosine and losses of a bowl by hand", () => {
      // w = (1, −2): g = (3, −2), ‖g‖ = √13; ε̂ = 0.5·g/√13; g_sam = (3 + 3ε₁, −2 + ε₂).
      const epsilon = [1.5 / Math.sqrt(13), -1 / Math.sqrt(13)];
      const gSam = [3 + 3 * epsilon[0]!, -2 + epsilon[1]!];
      const cosine = (3 * gSam[0]! - 2 * gSam[1]!) / (Math.sqrt(13) * Math.hypot(...gSam));
      const lossAfter = 1.5 * (1 + epsilon[0]!) ** 2 + 0.5 * (-2 + epsilon[1]!) ** 2;

      const diagnosis = messageAfter({ rho: 0.5 }, (w) => bowl(w)());

      closeTo([diagnosis.epsilonNorm, diagnosis.cosine, diagnosis.lossBefore, diagnosis.lossAfter], [0.5, cosine, 3.5, lossAfter], 1e-6); // prettier-ignore
      assert.ok(diagnosis.active);
    });
  });

  it("Two models in one process do not disturb each other", async () => {
    const other = classifier({ optimizer: sam(), batchNorm: true });
    seedWeights(other, 9);
    const before = valuesOf(other);

    await trainSteps(classifier({ optimizer: sam(), batchNorm: true }), 2);

    assert.deepEqual(valuesOf(other), before);
  });
});
