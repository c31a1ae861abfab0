import assert from "node:assert/strict";
import { tf, type Weights } from "../../src/engine";
import { adamW, sgd, stepDecay, type BaseOptimizer } from "../../src/optim";
import { closeTo } from "../support/closeTo";
import { expectNoLeak, tidyTests } from "../support/noLeak";

const START = [1, -2, 0.5];
const GRADIENTS = [[0.5, -1, 2], [-0.25, 0.5, 0], [1, 0.125, -3], [0.1, 0.2, 0.3]]; // prettier-ignore
const LEARNING_RATES = [0.1, 0.1, 0.05, 0.02];

/** The weights after each of the four updates. */
function run(optimizer: BaseOptimizer): number[][] {
  let weights: Weights = { w: tf.tensor1d(START) };
  let slots = optimizer.init(weights);
  return GRADIENTS.map((gradient, step) => {
    const options = { learningRate: LEARNING_RATES[step]!, step };
    ({ weights, slots } = optimizer.update({ w: tf.tensor1d(gradient) }, slots, weights, options));
    return [...weights.w!.dataSync()];
  });
}

function expectSequence(actual: number[][], expected: number[][]): void {
  actual.forEach((weights, i) => closeTo(weights, expected[i]!, 1e-6));
}

describe("optim/optimizers", () => {
  tidyTests();

  it("SGD with Nesterov's momentum by hand: v = μv + g, w ← w − η(g + μv)", () => {
    // One weight, g = 1 then 2, η = 0.1, μ = 0.9: v₁ = 1, w₁ = −0.1·1.9 = −0.19; v₂ = 2.9, w₂ = −0.19 − 0.1·(2 + 2.61) = −0.651.
    const optimizer = sgd();
    const start = { w: tf.scalar(0) };

    const one = optimizer.update({ w: tf.scalar(1) }, optimizer.init(start), start, { learningRate: 0.1, step: 0 });
    const two = optimizer.update({ w: tf.scalar(2) }, one.slots, one.weights, { learningRate: 0.1, step: 1 });

    closeTo(one.weights.w!.dataSync(), [-0.19]);
    closeTo(two.weights.w!.dataSync(), [-0.651]);
    closeTo(two.slots["velocity/w"]!.dataSync(), [2.9]);
  });

  // The sequences below: torch.optim of PyTorch 2.13 in float64, the same start, gradients and learning rates
  // (set in param_groups before each step).
  it("SGD without momentum agrees with PyTorch", () => {
    expectSequence(run(sgd({ momentum: 0 })), [[0.95, -1.9, 0.3], [0.975, -1.95, 0.3], [0.925, -1.95625, 0.45], [0.923, -1.96025, 0.444]]); // prettier-ignore
  });

  it("SGD with momentum agrees with PyTorch's SGD(momentum=0.9)", () => {
    expectSequence(run(sgd({ nesterov: false })), [[0.95, -1.9, 0.3], [0.93, -1.86, 0.12], [0.871, -1.84825, 0.189], [0.84776, -1.84802, 0.20784]]); // prettier-ignore
  });

  it("SGD with Nesterov's momentum agrees with PyTorch's SGD(momentum=0.9, nesterov=True)", () => {
    expectSequence(run(sgd()), [[0.905, -1.81, 0.12], [0.912, -1.824, -0.042], [0.8089, -1.819675, 0.1701], [0.785984, -1.823468, 0.181056]]); // prettier-ignore
  });

  it("AdamW without decay agrees with PyTorch's Adam", () => {
    expectSequence(run(adamW({ decoupledWeightDecay: 0 })), [
      [0.900000002, -1.9, 0.400000001],
      [0.873366299, -1.8733663, 0.332994176],
      [0.840460719, -1.86668831, 0.345223013],
      [0.828708543, -1.86657118, 0.348251541],
    ]);
  });

  it("AdamW agrees with PyTorch's AdamW(weight_decay=0.1)", () => {
    expectSequence(run(adamW({ decoupledWeightDecay: 0.1 })), [
      [0.890000002, -1.88, 0.395000001],
      [0.854466299, -1.8345663, 0.324044176],
      [0.817288388, -1.81871548, 0.334652792],
      [0.803901635, -1.81496091, 0.337012014],
    ]);
  });

  it("AdamW takes β₁, β₂ and ε as PyTorch's Adam(betas=(0.8, 0.95), eps=1e-3) does", () => {
    expectSequence(run(adamW({ beta1: 0.8, beta2: 0.95, epsilon: 1e-3, decoupledWeightDecay: 0 })), [
      [0.900199601, -1.9000999, 0.400049975],
      [0.879007715, -1.87888103, 0.336419965],
      [0.844863834, -1.87518445, 0.353175466],
      [0.833168454, -1.87650329, 0.357214897],
    ]);
  });

  it("AdamW decays by 0.01 unless told otherwise: a zero gradient shrinks w by 1 − η/100", () => {
    const weights = { w: tf.scalar(2) };
    const optimizer = adamW();

    const next = optimizer.update({ w: tf.scalar(0) }, optimizer.init(weights), weights, { learningRate: 0.1, step: 0 });

    closeTo(next.weights.w!.dataSync(), [2 * (1 - 0.001)]);
  });

  it("Decoupled decay of SGD shrinks w by 1 − η·decay and stays out of the velocity", () => {
    const weights = { w: tf.scalar(2) };
    const optimizer = sgd({ decoupledWeightDecay: 0.5 });

    const next = optimizer.update({ w: tf.scalar(0) }, optimizer.init(weights), weights, { learningRate: 0.1, step: 0 });

    closeTo(next.weights.w!.dataSync(), [2 * 0.95]);
    closeTo(next.slots["velocity/w"]!.dataSync(), [0], 0);
  });

  it("The step is that of TensorFlow.js's own momentum optimizer", () => {
    const variable = tf.variable(tf.tensor1d(START), true);
    const stock = tf.train.momentum(0.1, 0.9, true);
    GRADIENTS.forEach((gradient, i) => {
      (stock as tf.MomentumOptimizer).setLearningRate(LEARNING_RATES[i]!);
      stock.applyGradients([{ name: variable.name, tensor: tf.tensor1d(gradient) }]);
    });

    closeTo(run(sgd()).at(-1)!, variable.dataSync(), 1e-6);
    tf.dispose(variable);
    stock.dispose();
  });

  for (const [name, optimizer, slots] of [
    ["sgd", sgd(), 2],
    ["sgd", sgd({ momentum: 0 }), 0],
    ["adamW", adamW(), 4],
  ] as const) {
    // prettier-ignore
    it(`${name} with ${slots} slot tensors for two weights changes neither weights, slots nor gradient, and leaves its results only`, () => {
      const weights = { a: tf.tensor1d([1, 2]), b: tf.scalar(3) };
      const gradient = { a: tf.tensor1d([0.5, -1]), b: tf.scalar(2) };
      const before = optimizer.init(weights);

      expectNoLeak(() => tf.tidy(() => optimizer.update(gradient, before, weights, { learningRate: 0.1, step: 0 })), 2 + slots);

      assert.equal(optimizer.name, name);
      assert.equal(Object.keys(before).length, slots);
      assert.deepEqual([...weights.a.dataSync()], [1, 2]);
      assert.deepEqual([...gradient.a.dataSync()], [0.5, -1]);
      for (const slot of Object.values(before)) assert.ok(slot.dataSync().every((value) => value === 0));
    });
  }

  it("Unknown options and wrong types are refused, with the nearest known name", () => {
    assert.throws(() => sgd({ momentm: 0.9 } as never), /sgd: unknown option "momentm", did you mean "momentum"/);
    assert.throws(() => sgd({ nesterov: "no" as never }), /sgd: nesterov = "no": expected true or false/);
    assert.throws(() => sgd(0.9 as never), /sgd: the options are 0.9, expected an object/);
    assert.throws(() => adamW({ beta_1: 0.9 } as never), /adamW: unknown option "beta_1", did you mean "beta1"/);
    assert.throws(() => stepDecay({ milestones: 0.5 as never }), /stepDecay: milestones = 0.5: expected an array/);
  });
});
