import assert from "node:assert/strict";
import { addScaledWeights, dotWeights, mapWeights, Rng, subWeights, tf, valueAndGradient, type Weights } from "../../src/engine";
import { crossEntropy } from "../../src/losses";
import { convNet, ModelBuilder, type Model } from "../../src/models";
import { batchNorm, dense } from "../../src/models/layers";
import { sgd } from "../../src/optim";
import { initialState, trainStep, type BatchLoss, type TrainConfig, type TrainState } from "../../src/training";
import { closeTo } from "../support/closeTo";
import { expectNoLeak, tidyTests } from "../support/noLeak";
import { waveVariables, texturedBatch } from "../support/networks";
import { norm, plus, scaled, type Vector } from "../support/tinyProblems";
import {
  ascent,
  bareConfig,
  batchOfRows,
  gradientOfRows,
  linearLoss,
  linearModel,
  meanSquaredError,
  squaredError,
  stateOf,
  valuesOf,
  W,
  X,
} from "../support/training";

const stateAtW = (step = 0) => stateOf({ kernel: tf.tensor2d([...W], [2, 1]) }, { step });

interface Setting {
  readonly model?: Model;
  readonly loss?: BatchLoss;
  readonly totalSteps?: number;
  readonly rows?: number[];
}

function stepFrom(state: TrainState, config: TrainConfig, setting: Setting = {}) {
  const { model = linearModel(2), loss = squaredError, totalSteps = 10, rows } = setting;
  return trainStep(state, batchOfRows(rows), { model, config, loss, totalSteps, rng: new Rng("step") });
}

/** w − w′: the gradient that the base optimizer was given, as the learning rate is 1. */
function movedBy(config: TrainConfig, setting: Setting & { step?: number } = {}): number[] {
  const { state } = stepFrom(stateAtW(setting.step), config, setting);
  return [...state.weights.kernel!.dataSync()].map((w, i) => W[i]! - w);
}

/** The SAM gradient of some rows by hand. */
const samOf = (rows: number[] | undefined, rho: number) => gradientOfRows(plus(W, ascent(gradientOfRows(W, rows), rho)), rows);

function differ(a: Vector, b: Vector): void {
  assert.ok(norm(plus(a, scaled(b, -1))) > 1e-3, `[${a}] and [${b}] should be told apart`);
}

describe("training/step", () => {
  tidyTests();

  it("with frozen batch norm moves by the gradient in inference mode, and leaves the moving averages as they are, bit for bit", () => {
    const model = convNet({ inputShape: [4, 4, 1], numClasses: 3, widths: [2] });
    const { weights, stats } = waveVariables(model);
    const { x: images, y: targets } = texturedBatch(model, 7);
    const { gradient } = valueAndGradient(
      (w) => tf.mean(crossEntropy(model.apply(w, images, { stats }).logits, targets)) as tf.Scalar,
      weights,
    );
    const options = { model, loss: crossEntropy, totalSteps: 10, rng: new Rng("step") };

    // Blocks of 3, 3 and 1: means of unequal blocks would not be exact.
    const { state } = trainStep(
      stateOf(weights, { stats }),
      { images, targets },
      { ...options, config: bareConfig({ freezeBatchNorm: true, m: 3 }) },
    );
    const moving = trainStep(stateOf(weights, { stats }), { images, targets }, { ...options, config: bareConfig() }).state;

    for (const [name, w] of Object.entries(weights))
      closeTo([...tf.sub(w, state.weights[name]!).dataSync()], [...gradient[name]!.dataSync()], 1e-5);
    assert.deepEqual(valuesOf(state.stats), valuesOf(stats));
    assert.notDeepEqual(valuesOf(moving.stats), valuesOf(stats));
  });

  it("makes one step along ∇L(w + ρ∇L(w)/‖∇L(w)‖): Algorithm 1", () => {
    closeTo(movedBy(bareConfig({ rho: 0.3 })), samOf(undefined, 0.3), 1e-5);
    differ(samOf(undefined, 0.3), gradientOfRows(W));
  });

  it("reports the mean loss at w and at w + ε̂, both without the L2 term", () => {
    const lambda = 0.4;
    const epsilon = ascent(plus(gradientOfRows(W), scaled(W, lambda)), 0.3);

    const { loss, perturbedLoss } = stepFrom(stateAtW(), bareConfig({ rho: 0.3, weightDecay: lambda }));

    closeTo([loss, perturbedLoss], [meanSquaredError(W), meanSquaredError(plus(W, epsilon))], 1e-5);
  });

  describe("weight decay", () => {
    const lambda = 0.6;
    const rho = 0.5;
    const inside = ascent(plus(gradientOfRows(W), scaled(W, lambda)), rho);
    const official = plus(gradientOfRows(plus(W, inside)), scaled(plus(W, inside), lambda));
    const outside = ascent(gradientOfRows(W), rho);
    const ports = plus(gradientOfRows(plus(W, outside)), scaled(W, lambda));

    it("of λ enters ε̂ and the gradient at w + ε̂, there as λ(w + ε̂)", () => {
      closeTo(movedBy(bareConfig({ rho, weightDecay: lambda })), official, 1e-5);
      differ(official, ports);
    });

    it("with decayInAscent: false is no part of ε̂, and λw at w", () => {
      closeTo(movedBy(bareConfig({ rho, weightDecay: lambda, decayInAscent: false })), ports, 1e-5);
    });

    it("is λw without SAM, either way", () => {
      const expected = plus(gradientOfRows(W), scaled(W, lambda));

      closeTo(movedBy(bareConfig({ weightDecay: lambda })), expected, 1e-5);
      closeTo(movedBy(bareConfig({ weightDecay: lambda, decayInAscent: false })), expected, 1e-5);
    });

    it("leaves out gains and offsets of batch norm with decayOnNorm: false, and nothing else", () => {
      const builder = new ModelBuilder();
      const names = ["kernel", "head/bias", "norm/scale", "norm/offset"].map((name) =>
        builder.parameter(name, [1], () => new Float32Array(1)),
      );
      const model = builder.build("still", { inputShape: [1, 1, 2], numClasses: 1 }, (x, { weights }) =>
        tf.mul(tf.ones([x.shape[0], 1]), tf.mul(tf.addN(names.map((name) => weights[name]!)), 0)),
      );
      const after = (decayOnNorm: boolean) => {
        const weights = Object.fromEntries(names.map((name) => [name, tf.tensor1d([1])]));
        const { state } = stepFrom(stateOf(weights), bareConfig({ weightDecay: 0.25, decayOnNorm }), { model });
        return Object.values(state.weights).map((w) => w.dataSync()[0]!);
      };

      closeTo(after(true), [0.75, 0.75, 0.75, 0.75]);
      closeTo(after(false), [0.75, 0.75, 1, 1]);
    });

    it("that is decoupled takes η·decay·w from the weights, whatever the gradient", () => {
      const moved = movedBy(bareConfig({ decoupledWeightDecay: 0.2, learningRate: 0.5 }));

      closeTo(moved, plus(scaled(gradientOfRows(W), 0.5), scaled(W, 0.1)), 1e-5);
    });
  });

  describe("m", () => {
    // Five examples in blocks of two: 2, 2 and 1.
    const blocks = [[0, 1], [2, 3], [4]];
    const weighted = (rho: number) => blocks.map((rows) => scaled(samOf(rows, rho), rows.length / 5)).reduce(plus);

    it("gives each block its own ε̂ from the same w; the mean weighs blocks by their sizes, also a ragged last one", () => {
      const unweighted = blocks.map((rows) => scaled(samOf(rows, 0.4), 1 / 3)).reduce(plus);

      closeTo(movedBy(bareConfig({ rho: 0.4, m: 2 })), weighted(0.4), 1e-5);
      differ(weighted(0.4), unweighted);
      differ(weighted(0.4), samOf(undefined, 0.4));
    });

    it("of 1 is the mean of the SAM gradients of single examples", () => {
      const singles = X.map((_, i) => scaled(samOf([i], 0.4), 1 / 5)).reduce(plus);

      closeTo(movedBy(bareConfig({ rho: 0.4, m: 1 })), singles, 1e-5);
    });

    it("of the batch's size, or above it, is plain SAM, bit for bit", () => {
      const plain = movedBy(bareConfig({ rho: 0.4 }));

      assert.deepEqual(movedBy(bareConfig({ rho: 0.4, m: 5 })), plain);
      assert.deepEqual(movedBy(bareConfig({ rho: 0.4, m: 100 })), plain);
    });

    it("changes nothing without SAM but the rounding", () => {
      closeTo(movedBy(bareConfig({ m: 2 })), gradientOfRows(W), 1e-5);
    });

    it("reports the mean losses over all examples", () => {
      const perturbed = blocks.map((rows) => {
        const epsilon = ascent(gradientOfRows(W, rows), 0.4);
        return (meanSquaredError(plus(W, epsilon), rows) * rows.length) / 5;
      });

      const { loss, perturbedLoss } = stepFrom(stateAtW(), bareConfig({ rho: 0.4, m: 2 }));

      closeTo([loss, perturbedLoss], [meanSquaredError(W), perturbed.reduce((a, b) => a + b)], 1e-5);
    });
  });

  describe("clipping", () => {
    it("cuts the global norm of the final gradient, once, after the mean over the blocks", () => {
      const blocks = [[0, 1], [2, 3], [4]];
      const clip = (g: Vector, c: number) => scaled(g, Math.min(1, c / norm(g)));
      const parts = blocks.map((rows) => ({ gradient: samOf(rows, 0.4), share: rows.length / 5 }));
      const mean = parts.map(({ gradient, share }) => scaled(gradient, share)).reduce(plus);
      const c = norm(mean) / 2;
      const clippedBlocks = parts.map(({ gradient, share }) => scaled(clip(gradient, c), share)).reduce(plus);

      closeTo(movedBy(bareConfig({ rho: 0.4, m: 2, clipNorm: c })), clip(mean, c), 1e-5);
      differ(clip(mean, c), clippedBlocks);
    });

    it("includes the weight decay", () => {
      const g = plus(gradientOfRows(W), scaled(W, 3));

      closeTo(movedBy(bareConfig({ weightDecay: 3, clipNorm: 0.7 })), scaled(g, 0.7 / norm(g)), 1e-5);
    });

    it("changes no bit of a gradient below the limit, nor where it is off", () => {
      assert.deepEqual(movedBy(bareConfig({ rho: 0.4, clipNorm: 1e3 })), movedBy(bareConfig({ rho: 0.4 })));
    });

    it("lets a zero gradient be zero", () => {
      const zero: BatchLoss = (z) => tf.sum(tf.mul(z, 0), 1) as tf.Tensor1D;

      assert.deepEqual(movedBy(bareConfig({ rho: 0.4, clipNorm: 1 }), { loss: zero }).map(Math.abs), movedBy(bareConfig(), { loss: zero }).map(Math.abs)); // prettier-ignore
      closeTo(movedBy(bareConfig({ rho: 0.4, clipNorm: 1 }), { loss: zero }), [0, 0]);
    });
  });

  describe("batch-norm statistics", () => {
    /** The moving average 0.9·old + 0.1·mean(xᵀw) of what passes through, so that it tells at which weights it was made. */
    function averagingModel(): Model {
      const builder = new ModelBuilder();
      builder.parameter("kernel", [2, 1], () => new Float32Array(2));
      builder.statistic("mean", [1], () => new Float32Array(1));
      return builder.build("averaging", { inputShape: [1, 1, 2], numClasses: 1 }, (x, { weights, stats, newStats }) => {
        const z: tf.Tensor2D = tf.matMul(tf.reshape(x, [-1, 2]) as tf.Tensor2D, weights.kernel as tf.Tensor2D);
        newStats.mean = tf.add(tf.mul(stats!.mean!, 0.9), tf.reshape(tf.mul(tf.mean(z), 0.1), [1]));
        return z;
      });
    }
    const mean = (rows: number[]) => rows.reduce((sum, i) => sum + X[i]![0]! * W[0]! + X[i]![1]! * W[1]!, 0) / rows.length;
    const statistic = (m: number) => {
      const state = stateOf({ kernel: tf.tensor2d([...W], [2, 1]) }, { stats: { mean: tf.tensor1d([5]) } });
      return stepFrom(state, bareConfig({ rho: 0.5, m }), { model: averagingModel() }).state.stats.mean!.dataSync()[0]!;
    };

    it("move once a step, by pass 1 alone", () => {
      closeTo(statistic(0), 0.9 * 5 + 0.1 * mean([0, 1, 2, 3, 4]), 1e-6);
    });

    it("are the mean over the blocks' first passes, weighted by their sizes", () => {
      const blockMeans = [[0, 1], [2, 3], [4]].map(mean);
      const expected = 0.9 * 5 + 0.1 * ((2 * blockMeans[0]! + 2 * blockMeans[1]! + blockMeans[2]!) / 5);
      const unweighted = 0.9 * 5 + (0.1 * blockMeans.reduce((a, b) => a + b)) / 3;

      closeTo(statistic(2), expected, 1e-6);
      assert.ok(Math.abs(expected - unweighted) > 1e-3);
    });

    it("of a ConvNet are the same after a step of SAM and one without, bit for bit", () => {
      const model = convNet({ inputShape: [6, 6, 1], numClasses: 3, widths: [3, 4] });
      const { x, y } = texturedBatch(model, 8);
      const after = (rho: number) => {
        const config = bareConfig({ rho, learningRate: 0.1 });
        const state = initialState(model, config, new Rng(0));
        const context = { model, config, loss: crossEntropy as BatchLoss, totalSteps: 1, rng: new Rng(1) };
        return trainStep(state, { images: x, targets: y }, context).state;
      };
      const [plain, sam] = [after(0), after(0.5)];

      assert.deepEqual(valuesOf(sam.stats), valuesOf(plain.stats));
      assert.notDeepEqual(valuesOf(sam.weights), valuesOf(plain.weights));
    });
  });

  describe("masks", () => {
    const drawn = (options: Parameters<typeof bareConfig>[0], rng = new Rng("step")) => {
      const draws: number[] = [];
      const model = linearModel(2, ({ rng: stream }) => draws.push(stream!.split("dropout").uniform()));
      const config = bareConfig(options);
      trainStep(stateAtW(), batchOfRows(), { model, config, loss: squaredError, totalSteps: 10, rng });
      return draws;
    };

    it("are the same in all passes of a step", () => {
      const [first, ...others] = drawn({ rho: 0.1, ascentSteps: 2 });

      assert.deepEqual(others, [first, first]);
    });

    it("are new in each pass with freshMasks: true; pass 1 has the same ones either way", () => {
      const fresh = drawn({ rho: 0.1, ascentSteps: 2, freshMasks: true });

      assert.equal(new Set(fresh).size, 3);
      assert.equal(fresh[0], drawn({ rho: 0.1 })[0]);
    });

    it("differ from block to block and from step to step", () => {
      const blocks = drawn({ rho: 0.1, m: 2 });

      assert.equal(new Set(blocks).size, 3);
      assert.deepEqual([blocks[0], blocks[2], blocks[4]], [blocks[1], blocks[3], blocks[5]]);
      assert.notEqual(drawn({ rho: 0.1 }, new Rng("next step"))[0], blocks[0]);
    });
  });

  it("asks for the true gradient of random gates in SAM's first pass only", () => {
    const asked = (options: Parameters<typeof bareConfig>[0], step = 0) => {
      const passes: unknown[] = [];
      movedBy(bareConfig(options), { model: linearModel(2, ({ trueGradient }) => passes.push(trueGradient)), step });
      return passes;
    };

    assert.deepEqual(asked({ rho: 0.1 }), [true, false]);
    assert.deepEqual(asked({}), [false]);
    assert.deepEqual(asked({ rho: 0.1, samInterval: 2 }, 1), [false]);
  });

  describe("which steps use SAM", () => {
    it("are all of them, or every n-th from the first on", () => {
      const usesSam = (samInterval: number) =>
        [0, 1, 2, 3, 4, 5, 6].map((step) => {
          const { loss, perturbedLoss } = stepFrom(stateAtW(step), bareConfig({ rho: 0.3, samInterval }));
          return loss !== perturbedLoss;
        });

      assert.deepEqual(usesSam(1), [true, true, true, true, true, true, true]);
      assert.deepEqual(usesSam(3), [true, false, false, true, false, false, true]);
    });

    it("leaves plain gradients in between", () => {
      closeTo(movedBy(bareConfig({ rho: 0.3, samInterval: 2 }), { step: 1 }), gradientOfRows(W), 1e-5);
      closeTo(movedBy(bareConfig({ rho: 0.3, samInterval: 2 }), { step: 2 }), samOf(undefined, 0.3), 1e-5);
    });
  });

  describe("ρ", () => {
    it("of 0 is the base optimizer, bit for bit, whatever else SAM is told", () => {
      const model = convNet({ inputShape: [6, 6, 1], numClasses: 3, widths: [3] });
      const { x, y } = texturedBatch(model, 8);
      const config = bareConfig({
        ...{ rho: 0, learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.01 },
        ...{ ascentSteps: 3, freshMasks: true, samInterval: 2, rhoSchedule: "cosine" },
      });
      const { weights, stats } = model.init(new Rng(0));
      let plain = { weights, stats, slots: sgd().init(weights) };
      let state: TrainState = { ...plain, ema: undefined, step: 0 };

      for (let step = 0; step < 3; step++) {
        const loss = (w: Weights) => {
          const output = model.apply(w, x, { training: true, stats: plain.stats });
          return { loss: tf.mean(crossEntropy(output.logits, y)) as tf.Scalar, aux: output.stats };
        };
        const { gradient, aux } = valueAndGradient(loss, plain.weights);
        for (const name of Object.keys(gradient)) gradient[name] = tf.add(gradient[name]!, tf.mul(plain.weights[name]!, 0.01));
        plain = { ...sgd().update(gradient, plain.slots, plain.weights, { learningRate: 0.1, step }), stats: aux };
        const context = { model, config, loss: crossEntropy as BatchLoss, totalSteps: 3, rng: new Rng(step) };
        state = trainStep(state, { images: x, targets: y }, context).state;
      }

      for (const part of ["weights", "stats", "slots"] as const) assert.deepEqual(valuesOf(state[part]), valuesOf(plain[part]));
    });

    it("follows its own schedule: constant, or ½(1 + cos(π·step/total)), or a tenth from half of the run on", () => {
      const rhoAt = (rhoSchedule: "constant" | "cosine" | "step", step: number, rho: number) =>
        closeTo(movedBy(bareConfig({ rho: 0.4, rhoSchedule }), { step, totalSteps: 12 }), samOf(undefined, rho), 1e-5);

      rhoAt("constant", 4, 0.4);
      rhoAt("cosine", 0, 0.4);
      rhoAt("cosine", 4, 0.3); // cos(π/3) = ½, so 0.75·0.4
      rhoAt("step", 5, 0.4);
      rhoAt("step", 6, 0.04);
      rhoAt("step", 9, 0.004);
    });

    it("bounds each weight where normP is infinity: ε̂ = ρ·sign(g)", () => {
      const epsilon = gradientOfRows(W).map((g) => 0.3 * Math.sign(g));

      closeTo(movedBy(bareConfig({ rho: 0.3, normP: "infinity" })), gradientOfRows(plus(W, epsilon)), 1e-5);
    });

    it("is the radius that several ascent steps are projected to", () => {
      const project = (e: Vector) => scaled(e, Math.min(1, 0.4 / norm(e)));
      const e1 = project(ascent(gradientOfRows(W), 0.3));
      const e2 = project(plus(e1, ascent(gradientOfRows(plus(W, e1)), 0.3)));

      closeTo(movedBy(bareConfig({ rho: 0.4, ascentSteps: 2, ascentStepSize: 0.3 })), gradientOfRows(plus(W, e2)), 1e-5);
      closeTo(norm(e2), 0.4, 1e-12);
    });

    it("scales the bare gradient with normalize: false", () => {
      const epsilon = scaled(gradientOfRows(W), 0.3);

      closeTo(movedBy(bareConfig({ rho: 0.3, normalize: false })), gradientOfRows(plus(W, epsilon)), 1e-5);
    });

    it("is measured in ‖T⁻¹ε‖ by adaptive SAM", () => {
      // "all": ε = ρT²g/‖Tg‖ with T = |w|
      const Tg = gradientOfRows(W).map((g, i) => Math.abs(W[i]!) * g);
      const epsilon = Tg.map((tg, i) => (0.3 * Math.abs(W[i]!) * tg) / norm(Tg));

      closeTo(movedBy(bareConfig({ rho: 0.3, adaptive: "all" })), gradientOfRows(plus(W, epsilon)), 1e-5);
    });
  });

  describe("the second-order term", () => {
    const [rho, lambda] = [0.4, 0.3];
    const blocks = [[0, 1], [2, 3], [4]];
    const gradientAt = (w: Vector, rows: number[]) => plus(gradientOfRows(w, rows), scaled(w, lambda));
    const lossAt = (w: Vector, rows: number[]) => meanSquaredError(w, rows) + (lambda * norm(w) ** 2) / 2;
    // The mean over blocks of L_B(w + ε̂_B(w)), L2 term included, in float64
    const samLoss = (w: Vector) =>
      blocks.reduce((sum, rows) => sum + (lossAt(plus(w, ascent(gradientAt(w, rows), rho)), rows) * rows.length) / 5, 0);
    const nudged = (i: number, h: number) => samLoss(W.map((w, j) => (i === j ? w + h : w)));

    it("makes a step follow the derivative of w ↦ L(w + ε̂(w)), block by block and with weight decay", () => {
      const numeric = W.map((_, i) => (nudged(i, 1e-5) - nudged(i, -1e-5)) / 2e-5);
      const options = { rho, m: 2, weightDecay: lambda };

      closeTo(movedBy(bareConfig({ ...options, secondOrder: true })), numeric, 1e-5);
      differ(movedBy(bareConfig(options)), numeric);
    });

    it("is taken with the masks and batch statistics of the step", () => {
      const builder = new ModelBuilder();
      const first = dense(builder, "first", { inputs: 4, outputs: 3 });
      const normalize = batchNorm(builder, "norm", 3);
      const head = dense(builder, "head", { inputs: 3, outputs: 3 });
      const model = builder.build("masked", { inputShape: [2, 2, 1], numClasses: 3 }, (x, context) => {
        const hidden = normalize(tf.reshape(first(tf.reshape(x, [-1, 4]), context), [-1, 1, 1, 3]), context);
        const mask = tf.tensor2d(context.rng!.split("mask").array(x.shape[0] * 3, "uniform"), [x.shape[0], 3]);
        return head(tf.mul(tf.tanh(tf.reshape(hidden, [-1, 3])), mask), context);
      });
      const { weights, stats } = waveVariables(model);
      const { x: images, y: targets } = texturedBatch(model, 8);
      const stepAt = (at: Weights, secondOrder: boolean) => {
        const context = { model, loss: crossEntropy as BatchLoss, totalSteps: 10, rng: new Rng("step") };
        const config = bareConfig({ rho: 0.5, secondOrder });
        return trainStep(stateOf(at, { stats }), { images, targets }, { ...context, config });
      };
      // The loss at w + ε̂(w), which the step reports, along one direction; float32's rounding at this h is about 1e-4
      const rng = new Rng("direction");
      const direction = mapWeights(weights, (w) => tf.tensor(rng.array(w.size), w.shape));
      const along = (h: number) => stepAt(addScaledWeights(weights, direction, h), false).perturbedLoss;
      const slope = (along(1e-3) - along(-1e-3)) / 2e-3;

      const slopeOf = (secondOrder: boolean) =>
        dotWeights(subWeights(weights, stepAt(weights, secondOrder).state.weights), direction);

      closeTo(slopeOf(true), slope, 2e-3);
      assert.ok(Math.abs(slopeOf(false) - slope) > 0.02, `${slopeOf(false)} and ${slope} should be told apart`);
    });

    it("is none where the gradient is zero", () => {
      const still: BatchLoss = (z) => tf.sum(tf.mul(z, 0), 1) as tf.Tensor1D;

      closeTo(movedBy(bareConfig({ rho, secondOrder: true }), { loss: still }), [0, 0]);
    });
  });

  it("moves the learning rate along its schedule at every step", () => {
    const g = [1.4 / 5, 3 / 5]; // the mean of X
    const movedAt = (schedule: "cosine" | "constant" | "step", step: number) =>
      movedBy(bareConfig({ schedule, learningRate: 0.8 }), { step, totalSteps: 12, loss: linearLoss });

    closeTo(movedAt("constant", 11), scaled(g, 0.8), 1e-6);
    for (const step of [0, 1, 2, 6, 11])
      closeTo(movedAt("cosine", step), scaled(g, 0.8 * 0.5 * (1 + Math.cos((Math.PI * step) / 12))), 1e-6);
    closeTo(movedAt("step", 8), scaled(g, 0.08), 1e-6);
  });

  it("hands momentum from step to step: v ← μv + g, w ← w − η(g + μv)", () => {
    const g = [1.4 / 5, 3 / 5];
    const config = bareConfig({ momentum: 0.9, nesterov: true });
    const first = stepFrom(stateOf(stateAtW().weights, { slots: sgd().init(stateAtW().weights) }), config, { loss: linearLoss });

    const second = stepFrom(first.state, config, { loss: linearLoss });

    // v₁ = g, w₁ = w − 1.9g; v₂ = 1.9g, w₂ = w₁ − (1 + 0.9·1.9)g = w − 4.61g
    closeTo(second.state.weights.kernel!.dataSync(), plus(W, scaled(g, -4.61)), 1e-5);
    assert.equal(second.state.step, 2);
  });

  it("averages weights and batch-norm averages with the official decay, min(d, (1 + step)/(10 + step))", () => {
    const builder = new ModelBuilder();
    builder.parameter("w", [1], () => new Float32Array(1));
    builder.statistic("s", [1], () => new Float32Array(1));
    const model = builder.build("one weight", { inputShape: [1, 1, 2], numClasses: 1 }, (x, { weights, newStats }) => {
      newStats.s = tf.tensor1d([7]);
      return tf.mul(tf.ones([x.shape[0], 1]), weights.w!);
    });
    const averageAfter = (step: number) => {
      const ema = { w: tf.tensor1d([1]), s: tf.tensor1d([0]) };
      const state = stateOf({ w: tf.tensor1d([3]) }, { stats: { s: tf.tensor1d([0]) }, ema, step });
      const next = stepFrom(state, bareConfig({ emaDecay: 0.9 }), { model, loss: linearLoss, totalSteps: 1000 }).state;
      return [next.ema!.w!, next.ema!.s!].map((average) => average.dataSync()[0]!);
    };

    // w: 3 → 2, s: 0 → 7
    closeTo(averageAfter(0), [0.1 * 1 + 0.9 * 2, 0.9 * 7], 1e-6);
    closeTo(averageAfter(8), [0.5 * 1 + 0.5 * 2, 0.5 * 7], 1e-6); // 9/18
    closeTo(averageAfter(500), [0.9 * 1 + 0.1 * 2, 0.1 * 7], 1e-6); // 501/510 > 0.9
  });

  describe("what it is given", () => {
    const full = bareConfig({ rho: 0.3, m: 2, ascentSteps: 2, emaDecay: 0.9, clipNorm: 1, weightDecay: 0.1, momentum: 0.9 });
    const model = () => convNet({ inputShape: [6, 6, 1], numClasses: 3, widths: [3] });
    const context = (loss: BatchLoss = crossEntropy) => ({ model: model(), config: full, loss, totalSteps: 5, rng: new Rng(1) });
    const start = () => {
      const { x, y } = texturedBatch(model(), 5);
      return { state: initialState(model(), full, new Rng(0)), batch: { images: x, targets: y } };
    };
    const parts = ({ weights, stats, slots, ema }: TrainState) => [weights, stats, slots, ema!].map(valuesOf);

    it("stays as it is, to the bit", () => {
      const { state, batch } = start();
      const before = [...parts(state), valuesOf({ ...batch })];

      trainStep(state, batch, context());

      assert.deepEqual([...parts(state), valuesOf({ ...batch })], before);
      assert.equal(state.step, 0);
    });

    it("and what it returns are all the tensors that there are afterward", () => {
      const { state, batch } = start();
      const size = [state.weights, state.stats, state.slots, state.ema!].flatMap((part) => Object.keys(part)).length;

      expectNoLeak(() => trainStep(state, batch, context()), size);
    });

    it("is left alone where a pass throws, and no tensor stays behind", () => {
      const { state, batch } = start();
      const before = parts(state);
      let calls = 0;
      const failing: BatchLoss = (z, t) => {
        if (++calls === 2) throw new Error("no second pass");
        return crossEntropy(z, t);
      };

      expectNoLeak(() => assert.throws(() => trainStep(state, batch, context(failing)), /no second pass/));

      assert.deepEqual(parts(state), before);
    });

    it("gives the same bits again", () => {
      const { state, batch } = start();

      const [a, b] = [trainStep(state, batch, context()), trainStep(state, batch, context())];

      assert.deepEqual(parts(a.state), parts(b.state));
      assert.deepEqual([a.loss, a.perturbedLoss], [b.loss, b.perturbedLoss]);
    });
  });
});
