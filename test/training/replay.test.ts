/** Training by replayed graphs: the same numbers as eagerly, within rounding, resumable bit for bit. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { symmetricTransition } from "../../src/data";
import { tf, type Rng, type Weights } from "../../src/engine";
import { convNet, mlp, ModelBuilder } from "../../src/models";
import { train, type TrainCallbacks, type TrainOptions } from "../../src/training";
import { closeTo } from "../support/closeTo";
import { expectNoLeakAsync } from "../support/noLeak";
import { abortAfter, found, noisyImages } from "../support/trainings";

const data = noisyImages();
const inputShape = [8, 8, 1] as const;
const model = convNet({ inputShape, numClasses: 3, widths: [3, 4] });
const base: TrainOptions = { epochs: 3, batchSize: 10, learningRate: 0.05, rho: 0.05 };
const run = async (options: Partial<TrainOptions>, callbacks: TrainCallbacks = {}, network = model) =>
  found(await train(network, data, { ...base, ...options }, callbacks));

// Whatever changes from step to step must reach a replayed step.
const SETTINGS: Partial<TrainOptions>[] = [
  {},
  { rho: 0 },
  { schedule: "step" },
  { schedule: "constant", momentum: 0, clipNorm: 0 },
  { rhoSchedule: "cosine" },
  { rhoSchedule: "step" },
  { optimizer: "adamW", learningRate: 0.01, decoupledWeightDecay: 0.1 },
  { emaDecay: 0.9, decayInAscent: false },
  { m: 4, samInterval: 2 },
  { adaptive: "weights", rho: 0.5 },
  { ascentSteps: 2, normP: "infinity", rho: 0.01 },
  { normP: 1 },
  { secondOrder: true, m: 4 },
  { mixupAlpha: 1, labelSmoothing: 0.1, augment: "basic" },
  { loss: { name: "truncatedGeneralizedCrossEntropy", warmupEpochs: 1, threshold: 0.3 } },
  { loss: { name: "forwardCorrection", transitionMatrix: symmetricTransition({ noiseRate: 0.3, numClasses: 3 }) } },
  { method: { name: "elr" } },
  { method: { name: "coTeaching", forgetRate: 0.3 } },
  { freezeBatchNorm: true, epochs: 1 },
] as Partial<TrainOptions>[];

describe("training by replayed graphs", function () {
  before(function () {
    if (tf.getBackend() !== "tensorflow") this.skip();
  });

  for (const options of SETTINGS)
    it(`has the losses, weights and averages of an eager one: ${JSON.stringify(options)}`, async () => {
      const [replayed, eager] = [await run(options, { graph: true }), await run(options, { graph: false })];

      const losses = ({ history }: typeof eager) => history.flatMap(({ trainLoss, perturbedLoss }) => [trainLoss, perturbedLoss]);
      closeTo(losses(replayed), losses(eager), 1e-4);
      closeTo([replayed.history[0]!.testLoss!], [eager.history[0]!.testLoss!], 1e-4);
      assert.deepEqual(Object.keys(replayed.values), Object.keys(eager.values));
      closeTo(Object.values(replayed.values).flat(), Object.values(eager.values).flat(), 1e-3);
      assert.equal(eager.replayed, false);
    });

  it("is told in the result, and changes last bits: otherwise nothing was replayed", async () => {
    const [replayed, eager] = [await run({}, { graph: true }), await run({}, { graph: false })];

    assert.equal(replayed.replayed, true);
    assert.notDeepEqual(replayed.values, eager.values);
    assert.equal((await run({ secondOrder: true, epochs: 1 }, { graph: true })).replayed, true);
  });

  it("is the default from 100 steps on", async () => {
    const network = mlp({ inputShape, numClasses: 3, hidden: [4] });
    const replayed = async (epochs: number) => (await run({ epochs, evaluateEvery: epochs }, {}, network)).replayed; // 4 steps each

    assert.deepEqual([await replayed(24), await replayed(25)], [false, true]);
  });

  it("stopped and resumed gives what it would have given, bit for bit, also with SAM on every second step", async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "replay-"));
    const options = { samInterval: 2, emaDecay: 0.9 };
    const whole = await run(options, { graph: true });

    for (const stops of [[1], [4], [5, 6, 11], [12]]) {
      const checkpoint = path.join(folder, `run-${stops.join("-")}`);
      for (const step of stops) await run(options, { graph: true, checkpoint, ...abortAfter(step) });
      assert.deepEqual(await run(options, { graph: true, checkpoint }), whole);
    }
    fs.rmSync(folder, { recursive: true });
  });

  it("runs the steps of a network with random masks eagerly, since they would be frozen", async () => {
    const builder = new ModelBuilder();
    const kernel = builder.parameter("kernel", [64, 3], (rng) => rng.array(192).map((v) => v / 8));
    const maskOf = (rng: Rng) =>
      rng
        .split("dropout")
        .array(64, "uniform")
        .map((u) => (u < 0.5 ? 0 : 2));
    const dropping = builder.build("dropping", { inputShape, numClasses: 3 }, (x, { weights, rng }) => {
      const flat = tf.reshape(x, [-1, 64]) as tf.Tensor2D;
      const kept = rng ? (tf.mul(flat, tf.tensor1d(maskOf(rng))) as tf.Tensor2D) : flat;
      return tf.matMul(kept, (weights as Weights)[kernel] as tf.Tensor2D);
    });
    const [replayed, eager] = [await run({}, { graph: true }, dropping), await run({}, { graph: false }, dropping)];

    assert.deepEqual(replayed.values, eager.values);
    assert.deepEqual(
      replayed.history.map(({ trainLoss }) => trainLoss),
      eager.history.map(({ trainLoss }) => trainLoss),
    );
  });

  it("leaves no tensor behind", async () => {
    await expectNoLeakAsync(async () => void (await run({}, { graph: true })));
  });
});
