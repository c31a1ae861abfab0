import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { symmetricNoise, withLabels } from "../../src/data";
import { Rng, tf } from "../../src/engine";
import { smoothLabels } from "../../src/losses";
import { convNet, mlp, vgg, type Model } from "../../src/models";
import { evaluate, train, type TrainCallbacks, type TrainData, type TrainOptions, type TrainResult } from "../../src/training";
import { runScript } from "../support/children";
import { closeTo } from "../support/closeTo";
import { expectNoLeakAsync } from "../support/noLeak";
import { watchThreads } from "../support/startedThreads";
import { pixels, tinyImages, valuesOf } from "../support/training";

const inputs = { inputShape: [8, 8, 1], numClasses: 3 } as const;
const net = () => convNet({ ...inputs, widths: [3] });
const small = (): TrainData => ({ train: tinyImages(40, "train"), test: tinyImages(21, "test") });

/** A third of the labels flipped. */
function noisy(): TrainData {
  const { train: clean, test } = small();
  const { noisyLabels } = symmetricNoise(clean.labels, { noiseRate: 0.3, numClasses: 3, seed: 1 });
  return { train: withLabels(clean, noisyLabels), test, cleanLabels: clean.labels };
}

/** Everything that draws, remembers or averages. */
const everything: TrainOptions = {
  ...{ epochs: 4, batchSize: 8, rho: 0.1, m: 3, augment: "cutout", mixupAlpha: 0.4, labelSmoothing: 0.1 },
  ...{ emaDecay: 0.9, evaluateEvery: 2, trackTraining: true, samInterval: 2, rhoSchedule: "cosine", weightDecay: 0.01 },
};
const STEPS = 20; // 4 epochs of 5 batches

/** What a run found, to the bit, with its tensors freed. */
function found({ metrics, history, variables, outcome }: TrainResult) {
  const values = { ...valuesOf(variables.weights), ...valuesOf(variables.stats) };
  tf.dispose([variables.weights, variables.stats].flatMap((part) => Object.values(part)));
  return { metrics, history, values, outcome };
}

async function run(options: TrainOptions, callbacks: TrainCallbacks = {}, { model = net(), data = small() } = {}) {
  return found(await train(model, data, options, { stopOnInterrupt: false, ...callbacks }));
}

/** Aborts after the given step. */
function abortAfter(step: number): TrainCallbacks {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    onStep: (progress) => {
      if (progress.step === step) controller.abort();
    },
  };
}

describe("training/train", () => {
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "train-"))));
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  it("gives the same bits for the same config, others for another seed", async () => {
    const first = await run(everything);

    assert.deepEqual(await run(everything), first);
    assert.notDeepEqual((await run({ ...everything, seed: 1 })).history, first.history);
  });

  it("learns: the error on unseen generated images falls far below chance, with SAM and without", async () => {
    const data = { train: tinyImages(120, "train"), test: tinyImages(60, "test") };
    const options: TrainOptions = { epochs: 10, batchSize: 16, evaluateEvery: 10 };

    for (const rho of [0, 0.05]) {
      const { metrics } = await run({ ...options, rho }, {}, { model: mlp({ ...inputs, hidden: [16] }), data });
      assert.ok(metrics.testErrorRate! < 0.3, `ρ = ${rho}: ${metrics.testErrorRate}; chance is 0.67`);
    }
  });

  describe("history", () => {
    it("has one record an epoch, evaluated every n-th and after the last", async () => {
      const seen: number[] = [];

      const { history } = await run(
        { epochs: 5, batchSize: 20, evaluateEvery: 2 },
        { onEpoch: ({ epoch }, epochs) => void seen.push(epoch, epochs) },
      );

      assert.deepEqual(history.map(({ epoch }) => epoch), [1, 2, 3, 4, 5]); // prettier-ignore
      assert.deepEqual(history.map(({ testErrorRate }) => testErrorRate !== undefined), [false, true, false, true, true]); // prettier-ignore
      assert.deepEqual(seen, [1, 5, 2, 5, 3, 5, 4, 5, 5, 5]);
    });

    it("gives the last and the best test error, and the first epoch that reached the best", async () => {
      const { history, metrics } = await run({ epochs: 6, batchSize: 10 });
      const errors = history.map(({ testErrorRate }) => testErrorRate!);

      assert.equal(metrics.testErrorRate, errors[5]);
      assert.equal(metrics.bestTestErrorRate, Math.min(...errors));
      assert.equal(metrics.bestEpoch, errors.indexOf(Math.min(...errors)) + 1);
      assert.equal(metrics.trainLoss, history[5]!.trainLoss);
    });

    it("reports what evaluate says of the weights that are returned", async () => {
      const { test } = small();
      const { metrics, history, variables } = await train(net(), small(), { epochs: 2, batchSize: 10 });

      const { errorRate, loss } = evaluate(net(), variables, test);
      tf.dispose([variables.weights, variables.stats].flatMap((part) => Object.values(part)));

      assert.equal(metrics.testErrorRate, errorRate);
      closeTo(history[1]!.testLoss!, loss, 1e-7);
    });

    it("tells what was memorized of noisy labels where trackTraining is on", async () => {
      const [record] = (await run({ epochs: 1, batchSize: 10, trackTraining: true }, {}, { data: noisy() })).history;
      const { flippedFitted, flippedCorrected, cleanFitted } = record!.memorization!;
      const flipped = Math.round(0.3 * 40);

      // The training error counts what is not reproduced, flipped or clean.
      closeTo(record!.trainErrorRate!, 1 - (flippedFitted! * flipped + cleanFitted! * (40 - flipped)) / 40, 1e-12);
      assert.ok(flippedFitted! + flippedCorrected! <= 1);
    });

    it("has the training error, and no memorization, where the labels are clean", async () => {
      const [record] = (await run({ epochs: 1, batchSize: 10, trackTraining: true })).history;

      assert.equal(typeof record!.trainErrorRate, "number");
      assert.ok(!("memorization" in record!));
    });

    it("means the loss over the epoch's batches: at learning rate 0, the mean over the examples", async () => {
      const model = mlp({ ...inputs, hidden: [] });
      const { train: dataset } = small();
      const variables = model.init(new Rng(0).split("init"));
      const expected = evaluate(model, variables, dataset).loss;
      tf.dispose(Object.values(variables.weights));

      const [record] = (await run({ epochs: 1, batchSize: 8, learningRate: 0 }, {}, { model })).history;

      closeTo(record!.trainLoss, expected, 1e-6);
      assert.equal(record!.perturbedLoss, record!.trainLoss);
    });

    it("has a loss at w + ε̂ above the one at w where ρ is small", async () => {
      for (const { trainLoss, perturbedLoss } of (await run({ epochs: 2, batchSize: 8, rho: 0.01 })).history)
        assert.ok(perturbedLoss > trainLoss);
    });
  });

  it("trains on smoothed labels, and tests on hard ones", async () => {
    const model = mlp({ ...inputs, hidden: [] });
    const { train: dataset } = small();
    const { weights } = model.init(new Rng(0).split("init"));
    // CE(smoothed) = (1 − s)·CE(hard) + s·mean over k of −log p_k
    const expected = tf.tidy(() => {
      const images = tf.tensor4d(
        Float32Array.from(dataset.images, (byte) => (byte / 255 - 0.35) / 0.25),
        [40, 8, 8, 1],
      );
      const logP = tf.logSoftmax(model.apply(weights, images).logits);
      const hard = tf.oneHot(tf.tensor1d(dataset.labels, "int32"), 3).toFloat() as tf.Tensor2D;
      return tf.neg(tf.mean(tf.sum(tf.mul(smoothLabels(hard, 0.3), logP), 1))).dataSync()[0]!;
    });
    tf.dispose(Object.values(weights));
    const options = { epochs: 1, batchSize: 40, learningRate: 0 };

    const smoothed = await run({ ...options, labelSmoothing: 0.3 }, {}, { model });

    closeTo(smoothed.history[0]!.trainLoss, expected, 1e-5);
    assert.equal(smoothed.metrics.testErrorRate, (await run(options, {}, { model })).metrics.testErrorRate);
    closeTo(smoothed.history[0]!.testLoss!, (await run(options, {}, { model })).history[0]!.testLoss!, 1e-7);
  });

  it("mixes up examples with each other: no difference where all are alike, one where they are not", async () => {
    const model = mlp({ inputShape: [1, 1, 1], numClasses: 2, hidden: [] });
    const losses = async (bytes: number[], labels: number[], mixupAlpha: number) => {
      const data = { train: pixels(bytes, labels), test: pixels([0], [0]) };
      return (await run({ epochs: 1, batchSize: 4, learningRate: 0, mixupAlpha }, {}, { model, data })).history[0]!.trainLoss;
    };

    closeTo(await losses([90, 90, 90, 90], [1, 1, 1, 1], 1), await losses([90, 90, 90, 90], [1, 1, 1, 1], 0), 1e-6);
    const [mixed, plain] = [await losses([0, 255, 9, 200], [0, 1, 0, 1], 1), await losses([0, 255, 9, 200], [0, 1, 0, 1], 0)];
    assert.ok(Math.abs(mixed - plain) > 1e-4);
  });

  it("evaluates and returns the average of the weights where emaDecay is on", async () => {
    const options = { epochs: 1, batchSize: 40, weightDecay: 0 };
    const { values: start } = await run({ ...options, learningRate: 0 });
    const { values: end } = await run(options);

    const { values: averaged } = await run({ ...options, emaDecay: 0.999 });

    // One update: 0.1·start + 0.9·end.
    for (const [name, values] of Object.entries(averaged)) {
      if (name.endsWith("/mean") || name.endsWith("/variance")) continue;
      closeTo(values, values.map((_, i) => 0.1 * start[name]![i]! + 0.9 * end[name]![i]!), 1e-6); // prettier-ignore
    }
  });

  it("counts its steps aloud", async () => {
    const seen: number[] = [];

    await run({ epochs: 2, batchSize: 16 }, { onStep: ({ step, totalSteps }) => void seen.push(step, totalSteps) });

    assert.deepEqual(seen, [1, 4, 2, 4, 3, 4, 4, 4]); // 40 images: two full batches an epoch
  });

  describe("leaves no tensor behind", () => {
    it("but for those that it returns", async () => {
      await expectNoLeakAsync(() => run(everything, { checkpoint: path.join(folder, "c"), checkpointEvery: 3 }));
    });

    it("where it is stopped, resumed, or diverges", async () => {
      const checkpoint = path.join(folder, "c");

      await expectNoLeakAsync(() => run(everything, { checkpoint, ...abortAfter(7) }));
      await expectNoLeakAsync(() => run(everything, { checkpoint }));
      await expectNoLeakAsync(() => run({ epochs: 1, batchSize: 8, learningRate: 1e30 }));
    });

    it("where a callback or the network throws", async () => {
      const broken = { ...net(), apply: () => assert.fail("no forward pass") } as Model;
      const failing: TrainCallbacks = {
        onEpoch: () => {
          throw new Error("no callback");
        },
      };

      await expectNoLeakAsync(() => assert.rejects(run({ epochs: 1, batchSize: 8 }, failing), /no callback/));
      await expectNoLeakAsync(() => assert.rejects(run({ epochs: 1, batchSize: 8 }, {}, { model: broken }), /no forward pass/));
    });
  });

  describe("with batches from a worker thread", () => {
    const threads = watchThreads();

    it("gives the same bits as without, also where it is stopped in mid-epoch and resumed", async () => {
      const checkpoint = path.join(folder, "run.checkpoint");
      const whole = await run(everything, { prefetch: false });
      assert.equal(threads.started.length, 0);

      assert.deepEqual(await run(everything, { prefetch: true }), whole);
      await run(everything, { checkpoint, prefetch: true, ...abortAfter(7) });
      assert.deepEqual(await run(everything, { checkpoint, prefetch: true }), whole);
      assert.equal(threads.started.length, 3);
    });

    it("ends the thread where it is stopped, diverges, or a callback throws", async () => {
      const onEpoch = () => Promise.reject(new Error("no callback"));

      await run(everything, { prefetch: true, ...abortAfter(7) });
      await run({ epochs: 9, batchSize: 8, learningRate: 1e30 }, { prefetch: true });
      await assert.rejects(run(everything, { prefetch: true, onEpoch }), /no callback/);

      assert.deepEqual(threads.started.map(({ threadId }) => threadId), [-1, -1, -1]); // prettier-ignore
    });

    it("tells what went wrong in the thread", async () => {
      const { train: dataset, test } = small();
      const data = { train: { ...dataset, mean: undefined as unknown as number[] }, test };

      await assert.rejects(
        run({ epochs: 1, batchSize: 8 }, { prefetch: true }, { data }),
        /a worker thread could not make the batches of generated/,
      );
    });
  });

  describe("divergence", () => {
    it("ends the run with a record that says in which epoch, and holds no NaN", async () => {
      const result = await run({ epochs: 3, batchSize: 8, learningRate: 1e30 });

      assert.equal(result.outcome, "diverged");
      assert.deepEqual(result.metrics, { divergedInEpoch: 1 });
      assert.deepEqual(result.history, []);
    });

    it("is seen where the very last update makes it", async () => {
      const result = await run({ epochs: 1, batchSize: 40, learningRate: 1e38 });

      assert.equal(result.outcome, "diverged");
      assert.deepEqual(result.metrics, { divergedInEpoch: 1 });
    });

    it("keeps the epochs before it", async () => {
      const model = net();
      let passes = 0;
      // 2 epochs of 5 batches, each with an evaluation, then NaN.
      const failing: Model = {
        ...model,
        apply: (weights, x, mode) => {
          const output = model.apply(weights, x, mode);
          return ++passes > 13 ? { ...output, logits: tf.mul(output.logits, NaN) } : output;
        },
      };

      const { metrics, history, outcome } = await run({ epochs: 4, batchSize: 8 }, {}, { model: failing });

      assert.equal(outcome, "diverged");
      assert.equal(metrics.divergedInEpoch, 3);
      assert.equal(history.length, 2);
      assert.equal(metrics.bestTestErrorRate, Math.min(...history.map(({ testErrorRate }) => testErrorRate!)));
      assert.deepEqual(JSON.parse(JSON.stringify({ metrics, history })), { metrics, history });
    });
  });

  describe("stopped and resumed", () => {
    let whole: Awaited<ReturnType<typeof run>>;
    before(async () => (whole = await run(everything, {}, { data: noisy() })));
    const resume = (callbacks: TrainCallbacks) => run(everything, callbacks, { data: noisy() });

    // In mid-epoch, before and after an epoch's end, in an epoch with and without evaluation.
    for (const stops of [[1], [4, 5, 6], [8], [10], [13, 14], [3, 9, 17], [STEPS - 1]]) {
      it(`after step ${stops.join(", and again after ")} it gives what it would have given, bit for bit`, async () => {
        const checkpoint = path.join(folder, "run.checkpoint");

        for (const step of stops) {
          const stopped = await resume({ checkpoint, ...abortAfter(step) });
          assert.equal(stopped.outcome, "aborted");
        }

        assert.deepEqual(await resume({ checkpoint }), whole);
      });
    }

    it("goes on from the newest checkpoint of every n steps", async () => {
      const checkpoint = path.join(folder, "run.checkpoint");
      const copy = path.join(folder, "copy");
      // As if killed after step 7: the checkpoint of step 6 is the newest.
      await resume({
        ...{ checkpoint, checkpointEvery: 3 },
        onStep: ({ step }) => step === 7 && fs.copyFileSync(checkpoint, copy),
      } as TrainCallbacks);
      const steps: number[] = [];

      const result = await resume({ checkpoint: copy, onStep: ({ step }) => void steps.push(step) });

      assert.deepEqual(result, whole);
      assert.equal(steps[0], 7);
    });

    it("after its end it gives its result again without a step", async () => {
      const checkpoint = path.join(folder, "run.checkpoint");
      await resume({ checkpoint });

      assert.deepEqual(await resume({ checkpoint, onStep: () => assert.fail("a step was made") }), whole);
    });

    it("before its first step it has made none", async () => {
      const result = await resume({ signal: AbortSignal.abort(), onStep: () => assert.fail("a step was made") });

      assert.deepEqual([result.outcome, result.history, result.metrics], ["aborted", [], {}]);
    });

    it("is not mistaken for a run with another config, other data or another network", async () => {
      const checkpoint = path.join(folder, "run.checkpoint");
      await resume({ checkpoint, ...abortAfter(2) });
      const otherImages = { ...noisy(), train: { ...noisy().train, images: noisy().train.images.map((byte) => 255 - byte) } };
      const refused = /run\.checkpoint: belongs to run [0-9a-f]{16}, expected [0-9a-f]{16}; delete it or give another path/;

      await assert.rejects(run({ ...everything, rho: 0.2 }, { checkpoint }, { data: noisy() }), refused);
      await assert.rejects(run(everything, { checkpoint }, { data: small() }), refused);
      await assert.rejects(run(everything, { checkpoint }, { data: otherImages }), refused);
      await assert.rejects(
        run(everything, { checkpoint }, { data: noisy(), model: convNet({ ...inputs, widths: [4] }) }),
        refused,
      );
      await assert.rejects(
        run(everything, { checkpoint }, { data: noisy(), model: convNet({ ...inputs, widths: [3], batchNorm: false }) }),
        refused,
      );
    });

    for (const [other, model] of [
      ["activation", mlp({ inputShape: [8, 8, 1], numClasses: 3, activation: "tanh" })],
      ["dropout", vgg({ depth: 11, width: 1, numClasses: 3, inputShape: [8, 8, 1], dropout: 0.5 })],
    ] as const)
      it(`is not mistaken for a run whose network has another ${other}`, async () => {
        const checkpoint = path.join(folder, "run.checkpoint");
        const same = other === "activation" ? mlp(inputs) : vgg({ depth: 11, width: 1, ...inputs });
        found(await train(same, small(), everything, { checkpoint, ...abortAfter(2) }));

        await assert.rejects(train(model, small(), everything, { checkpoint }), /run\.checkpoint: belongs to run/);
      });

    it("with a damaged checkpoint stops with one clear error", async () => {
      const checkpoint = path.join(folder, "run.checkpoint");
      fs.writeFileSync(checkpoint, "half a checkpoint");

      await assert.rejects(resume({ checkpoint }), /run\.checkpoint: not a whole checkpoint .*; delete it to start the run anew/);
    });
  });

  describe("in a process", function () {
    // Processes start slowly on a busy machine.
    this.timeout(600_000);
    const script = path.join(__dirname, "../support/killableTraining.ts");
    const strike = (checkpoint: string, signal: NodeJS.Signals, step: number, delay = 0) => {
      let left = step;
      return runScript(script, [checkpoint], {
        onLine: (line, child) => {
          if (line.startsWith("step") && --left === 0) setTimeout(() => child.kill(signal), delay);
        },
      });
    };
    let whole: unknown;
    before(async () => {
      const { lines } = await runScript(script, [path.join(folder, "whole")]);
      whole = JSON.parse(lines.at(-1)!);
    });

    it("killed at random moments, again and again, it gives the record of the uninterrupted run", async () => {
      const checkpoint = path.join(folder, "run.checkpoint");
      const rng = new Rng("kill -9");

      for (let kill = 0; kill < 4; kill++) {
        const { signal } = await strike(checkpoint, "SIGKILL", 1 + rng.int(5), 8 * rng.uniform());
        assert.equal(signal, "SIGKILL");
      }
      const { lines } = await runScript(script, [checkpoint]);

      assert.deepEqual(JSON.parse(lines.at(-1)!), whole);
      assert.notEqual(lines[0], "step 1", "it should have gone on, not begun again");
    });

    it("stops at Ctrl-C after the current step, says so, and goes on next time", async () => {
      const checkpoint = path.join(folder, "run.checkpoint");

      const { code, lines } = await strike(checkpoint, "SIGINT", 7);
      const resumed = await runScript(script, [checkpoint]);

      assert.equal(code, 0);
      assert.equal((JSON.parse(lines.at(-1)!) as { outcome: string }).outcome, "aborted");
      assert.ok(lines.length < 26);
      assert.deepEqual(JSON.parse(resumed.lines.at(-1)!), whole);
    });
  });

  it("listens for Ctrl-C only while it runs, and not where the caller does", async () => {
    const before = process.listenerCount("SIGINT");
    const during = async (stopOnInterrupt?: boolean) => {
      let count = 0;
      const onStep = () => void (count = process.listenerCount("SIGINT") - before);
      found(await train(net(), small(), { epochs: 1, batchSize: 40 }, { onStep, stopOnInterrupt }));
      return count;
    };

    assert.deepEqual([await during(), await during(true), await during(false)], [1, 1, 0]);
    await assert.rejects(train(net(), small(), { epochs: 1, batchSize: 8, rho: -1 }));
    assert.equal(process.listenerCount("SIGINT"), before);
  });

  describe("refuses", () => {
    const refused = (
      message: RegExp,
      options: TrainOptions,
      callbacks: TrainCallbacks = {},
      given: Parameters<typeof run>[2] = {},
    ) => expectNoLeakAsync(() => assert.rejects(run(options, callbacks, given), message));

    it("images or classes that do not fit the network, naming both", async () => {
      const model = mlp({ inputShape: [1, 1, 1], numClasses: 3 });
      const test = pixels([0], [0], 3);

      await refused(/generated has images of 8×8×1 with 3 classes; MLP-128 expects 1×1×1 with 3/, { epochs: 1 }, {}, { model });
      await refused(/pixels has images of 1×1×1/, { epochs: 1, batchSize: 8 }, {}, { data: { ...small(), test } });
    });

    it("a batch larger than the training set, and clean labels of another length", async () => {
      await refused(/batchSize = 41 exceeds the 40 training examples of generated/, { epochs: 1, batchSize: 41 });
      const data = { ...small(), cleanLabels: new Int32Array(3) };
      await refused(/3 clean labels for 40 training examples/, { epochs: 1, batchSize: 8 }, {}, { data });
    });

    it("a misspelled field", async () => {
      await refused(/unknown field "learningrate", did you mean "learningRate"\?/, {
        epochs: 1,
        learningrate: 1,
      } as TrainOptions);
    });

    it("a misspelled or mistyped callback", async () => {
      const options = { epochs: 1, batchSize: 8 };

      await refused(/train: unknown option "onepoch", did you mean "onEpoch"\?/, options, {
        onepoch: () => {},
      } as TrainCallbacks);
      await refused(/train: stopOnInterrupt = "no": expected true or false/, options, { stopOnInterrupt: "no" as never });
      await refused(/tensorBoard: unknown option "foldr", did you mean "folder"\?/, options, {
        tensorBoard: { foldr: "x" } as never,
      });
    });

    it("something that is no network or no data, in one short sentence", async () => {
      const config = { roh: 0.1 } as unknown as Model;

      await assert.rejects(
        train(config, small(), { epochs: 1 }),
        /^Error: train: model = \{"roh":0\.1\}: expected a network, such as mlp\(\{ inputShape, numClasses \}\)$/,
      );
      await refused(
        /train: data\.test is missing: expected a dataset/,
        { epochs: 1 },
        {},
        { data: { train: small().train } as never },
      );
      await refused(/train: data: unknown option "tests", did you mean "test"\?/, { epochs: 1 }, {}, { data: { ...small(), tests: 1 } as never }); // prettier-ignore
    });

    it("checkpoints without a file, or every 0 steps, before it starts", async () => {
      const options = { epochs: 1, batchSize: 8 };

      await refused(/checkpointEvery is set, but checkpoint, the file to write, is not/, options, { checkpointEvery: 2 });
      await refused(/checkpointEvery = 0: expected/, options, { checkpointEvery: 0, checkpoint: path.join(folder, "c") });
    });

    it("a place where no checkpoint can be written, with one clear error", async () => {
      fs.writeFileSync(path.join(folder, "a file"), "");

      await refused(/a file\/c: the checkpoint could not be written/, { epochs: 1, batchSize: 8 }, { checkpoint: path.join(folder, "a file/c") }); // prettier-ignore
    });
  });
});
