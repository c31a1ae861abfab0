import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { symmetricTransition } from "../../src/data";
import { train, trainWithEstimatedTransition, type TrainCallbacks, type TrainOptions } from "../../src/training";
import { expectNoLeakAsync } from "../support/noLeak";
import { abortAfter, found, noisyImages, tinyMlp } from "../support/trainings";

const loss = { name: "forwardCorrection", transitionMatrix: "estimated" } as const;
const options: TrainOptions = { epochs: 2, batchSize: 10, rho: 0.05, mixupAlpha: 1, loss };
const STEPS = 8; // of each training: 2 epochs of 4 batches

async function run(callbacks: TrainCallbacks = {}, config = options) {
  return found(await trainWithEstimatedTransition(tinyMlp(), noisyImages(), config, { stopOnInterrupt: false, ...callbacks }));
}

describe("training/estimatedTransition", () => {
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "estimate-"))));
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  it("is a training with the matrix that it found", async () => {
    const { transitionMatrix, ...rest } = await run();

    const given = transitionMatrix!.map((row) => [...row]);
    const direct = await train(tinyMlp(), noisyImages(), { ...options, loss: { ...loss, transitionMatrix: given } });

    assert.deepEqual(rest, found(direct));
    for (const row of transitionMatrix!) assert.ok(Math.abs(row.reduce((a, b) => a + b) - 1) < 1e-9);
  });

  it("finds the matrix by plain cross-entropy: with labels smoothed, methods or mixup in the second training it is the same", async () => {
    const { transitionMatrix } = await run();
    const method = { name: "mentorMix" } as const;

    assert.deepEqual(
      (await run({}, { ...options, mixupAlpha: 0, labelSmoothing: 0.3, method })).transitionMatrix,
      transitionMatrix,
    );
  });

  it("comes near the matrix of the noise on images that a network has not memorized", async () => {
    const data = noisyImages({ size: 300 });
    const config: TrainOptions = { epochs: 5, batchSize: 30, rho: 0.1, learningRate: 0.02, loss };

    const { transitionMatrix } = found(await trainWithEstimatedTransition(tinyMlp([32]), data, config));

    const truth = symmetricTransition({ noiseRate: 0.3, numClasses: 3 });
    transitionMatrix!.forEach((row, i) =>
      row.forEach((p, j) => assert.ok(Math.abs(p - truth[i]![j]!) < 0.2, `${p} at ${i}, ${j}`)),
    );
  });

  for (const stops of [[3], [STEPS], [STEPS + 3], [2, STEPS + 1, STEPS + 5]])
    it(`stopped after step ${stops.join(", and again after ")} it gives what it would have given, bit for bit`, async () => {
      const checkpoint = path.join(folder, "run.checkpoint");

      for (const step of stops) assert.equal((await run({ checkpoint, ...abortAfter(step) })).outcome, "aborted");

      assert.deepEqual(await run({ checkpoint }), await run());
    });

  it("is stopped, or diverges, in the first training without a second", async () => {
    const diverged = await run({}, { ...options, learningRate: 1e30 });

    assert.deepEqual([diverged.outcome, diverged.metrics, diverged.transitionMatrix], ["diverged", { divergedInEpoch: 1 }, undefined]); // prettier-ignore
    assert.equal((await run(abortAfter(3))).transitionMatrix, undefined);
  });

  it("leaves no tensor behind", async () => {
    await expectNoLeakAsync(() => run());
    await expectNoLeakAsync(() => run(abortAfter(STEPS + 2)));
  });

  it("refuses a loss without a matrix to estimate; and training alone refuses a word in the matrix's place", async () => {
    await assert.rejects(
      run({}, { ...options, loss: { name: "crossEntropy" } }),
      /loss\.name = "crossEntropy": expected a correction/,
    );
    await expectNoLeakAsync(() =>
      assert.rejects(
        train(tinyMlp(), noisyImages(), options),
        /transitionMatrix = "estimated": expected the matrix itself; trainWithEst/,
      ),
    );
  });
});
