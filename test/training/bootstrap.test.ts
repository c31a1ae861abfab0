import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { withLabels } from "../../src/data";
import { tf } from "../../src/engine";
import { checkpointsOf, evaluate, train, trainBootstrapped, type TrainCallbacks, type TrainOptions } from "../../src/training";
import { expectNoLeakAsync } from "../support/noLeak";
import { abortAfter, found, noisyImages, tinyMlp } from "../support/trainings";

const options: TrainOptions = { epochs: 3, batchSize: 10, rho: 0.05, mixupAlpha: 1, augment: "basic" };
const STEPS = 12; // of each training: 3 epochs of 4 batches

async function run(callbacks: TrainCallbacks = {}, config = options) {
  return found(await trainBootstrapped(tinyMlp(), noisyImages(), config, { stopOnInterrupt: false, ...callbacks }));
}

describe("training/bootstrap", () => {
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "bootstrap-"))));
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  it("is a training on what a first one predicts for the training set, from another start", async () => {
    const data = noisyImages();
    const first = await train(tinyMlp(), data, options);
    const { predictions } = evaluate(tinyMlp(), first.variables, data.train);
    tf.dispose([first.variables.weights, first.variables.stats]);
    const relabeled = { ...data, train: withLabels(data.train, predictions) };
    const second = found(await train(tinyMlp(), relabeled, options, { stream: "bootstrap" }));

    const { firstMetrics, relabeledNoiseRate, ...rest } = await run();

    assert.deepEqual(rest, second);
    assert.deepEqual(firstMetrics, first.metrics);
    assert.equal(relabeledNoiseRate, predictions.filter((label, i) => label !== data.cleanLabels[i]).length / 40);
  });

  it("starts the second training from other weights than the first, in another order", async () => {
    const still = { ...options, learningRate: 0, mixupAlpha: 0 };
    const once = found(await train(tinyMlp(), noisyImages(), still));

    const twice = await run({}, still);

    assert.notDeepEqual(twice.values, once.values);
  });

  it("corrects labels: fewer of the first network's predictions are wrong than of the labels it was given", async () => {
    const config: TrainOptions = { epochs: 5, batchSize: 30, rho: 0.1, learningRate: 0.02 };

    const { relabeledNoiseRate } = found(await trainBootstrapped(tinyMlp([32]), noisyImages({ size: 300 }), config));

    assert.ok(relabeledNoiseRate! < 0.2, `${relabeledNoiseRate}; 0.3 of the labels are wrong`);
  });

  it("counts the steps of both trainings, and measures the second alone", async () => {
    const [steps, measured] = [new Array<number>(), new Array<number>()];

    await run({
      onStep: ({ step, totalSteps }) => void steps.push(step, totalSteps),
      measure: (epoch) => void measured.push(epoch),
    });

    assert.deepEqual(steps, Array.from({ length: 2 * STEPS }, (_, i) => [i + 1, 2 * STEPS]).flat());
    assert.deepEqual(measured, [1, 2, 3]);
  });

  it("draws the curves of both trainings for TensorBoard, the first's in a folder of its own within", async () => {
    await run({ tensorBoard: folder });

    const eventFiles = (at: string) => fs.readdirSync(at).filter((name) => name.includes("tfevents")).length;
    assert.deepEqual([eventFiles(folder), eventFiles(path.join(folder, "first"))], [1, 1]);
  });

  // In the first training, at its end, at the start of the second, in it, at its end; and stopped several times.
  for (const stops of [[5], [STEPS], [STEPS + 1], [STEPS + 6], [2 * STEPS - 1], [3, STEPS, STEPS + 5]])
    it(`stopped after step ${stops.join(", and again after ")} it gives what it would have given, bit for bit`, async () => {
      const checkpoint = path.join(folder, "run.checkpoint");
      const whole = await run();

      for (const step of stops) await run({ checkpoint, ...abortAfter(step) });

      assert.deepEqual(await run({ checkpoint }), whole);
      assert.deepEqual(fs.readdirSync(folder).sort(), ["run.checkpoint", "run.checkpoint.first"]);
      assert.ok(fs.readdirSync(folder).every((name) => checkpointsOf(checkpoint).includes(path.join(folder, name))));
    });

  it("is stopped, or diverges, in the first training without a second", async () => {
    const aborted = await run(abortAfter(3));
    const diverged = await run({}, { ...options, learningRate: 1e30 });

    assert.deepEqual([aborted.outcome, aborted.firstMetrics], ["aborted", undefined]);
    assert.deepEqual([diverged.outcome, diverged.metrics], ["diverged", { divergedInEpoch: 1 }]);
  });

  it("leaves no tensor behind, whole, stopped or failing", async () => {
    const failing: TrainCallbacks = {
      onStep: ({ step }) => {
        if (step > STEPS) throw new Error("no second training");
      },
    };

    await expectNoLeakAsync(() => run());
    await expectNoLeakAsync(() => run(abortAfter(STEPS + 2)));
    await expectNoLeakAsync(() => assert.rejects(run(failing), /no second training/));
  });
});
