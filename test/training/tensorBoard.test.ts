import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { tf } from "../../src/engine";
import { convNet } from "../../src/models";
import { train, type EpochRecord, type TrainCallbacks, type TrainOptions } from "../../src/training";
import { epochScalars } from "../../src/training/tensorBoard";
import { readEvents, type ReadEvent } from "../support/eventFiles";
import { expectNoLeakAsync } from "../support/noLeak";
import { tinyImages } from "../support/training";

const STEPS_PER_EPOCH = 5;
const options: TrainOptions = { epochs: 3, batchSize: 8, rho: 0.05, learningRate: 0.2, evaluateEvery: 2 };

/** Trains a tiny network; the history, its tensors freed. */
async function run(callbacks: TrainCallbacks): Promise<readonly EpochRecord[]> {
  const model = convNet({ inputShape: [8, 8, 1], numClasses: 3, widths: [3] });
  const data = { train: tinyImages(40, "train"), test: tinyImages(21, "test") };
  const { history, variables } = await train(model, data, options, { stopOnInterrupt: false, ...callbacks });
  tf.dispose([variables.weights, variables.stats].flatMap((part) => Object.values(part)));
  return history;
}

/** (step, value) under a tag, as TensorBoard shows them: a later start makes the steps from its own on void. */
function curve(events: readonly ReadEvent[], tag: string): [number, number][] {
  return events.reduce<[number, number][]>((points, { step = 0, session, values = {} }) => {
    if (session) return points.filter(([at]) => at < step);
    return tag in values ? [...points, [step, values[tag]!]] : points;
  }, []);
}

describe("training/tensorBoard", () => {
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "board-"))));
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  it("holds what the history holds, over the updates made", async () => {
    const history = await run({ tensorBoard: folder });

    const events = readEvents(folder);
    const over = (value: (record: EpochRecord) => number | undefined) =>
      history.flatMap((record) =>
        value(record) === undefined ? [] : [[record.epoch * STEPS_PER_EPOCH, Math.fround(value(record)!)]],
      );

    assert.deepEqual(
      curve(events, "loss/train"),
      over((record) => record.trainLoss),
    );
    assert.deepEqual(
      curve(events, "loss/perturbed"),
      over((record) => record.perturbedLoss),
    );
    assert.deepEqual(
      curve(events, "error/test"),
      over((record) => record.testErrorRate),
    );
    assert.deepEqual(
      curve(events, "loss/test"),
      over((record) => record.testLoss),
    );
    assert.equal(curve(events, "error/test").length, 2); // after epochs 2 and 3
  });

  it("has the losses and the learning rate of every n-th batch", async () => {
    const losses: number[] = [];
    const onStep: TrainCallbacks["onStep"] = ({ loss }) => void losses.push(loss);

    await run({ tensorBoard: { folder, everySteps: 4 }, onStep });

    const events = readEvents(folder);
    // Update n has the learning rate 0.2·½(1 + cos(π(n − 1)/15)).
    const rates = [4, 8, 12].map((n) => [n, Math.fround(0.1 * (1 + Math.cos((Math.PI * (n - 1)) / 15)))]);
    assert.deepEqual(curve(events, "batch/learningRate"), rates);
    const [atW, perturbed] = ["batch/loss", "batch/perturbedLoss"].map((tag) => curve(events, tag));
    [3, 7, 11].forEach((i, k) => assert.ok(Math.abs(atW![k]![1] - losses[i]!) < 1e-6));
    assert.ok(perturbed!.every(([, value], k) => value > atW![k]![1]));
  });

  for (const stop of [2, 5, 7, 12])
    it(`has the same curves where the run was stopped after step ${stop} and resumed`, async () => {
      const [whole, resumed, checkpoint] = ["whole", "resumed", "checkpoint"].map((name) => path.join(folder, name));
      const board = (name: string) => ({ folder: name, everySteps: 1 });
      await run({ tensorBoard: board(whole!) });
      const controller = new AbortController();
      const copy = `${checkpoint}.copy`;
      // As if killed: the steps after the copy are made, and written, twice.
      const onStep: TrainCallbacks["onStep"] = ({ step }) => {
        if (step === stop) fs.copyFileSync(checkpoint!, copy);
        if (step === stop + 2) controller.abort();
      };
      await run({ tensorBoard: board(resumed!), checkpoint: checkpoint!, checkpointEvery: 1, signal: controller.signal, onStep });

      await run({ tensorBoard: board(resumed!), checkpoint: copy });

      const [expected, actual] = [whole, resumed].map((name) => readEvents(name!));
      for (const tag of ["loss/train", "error/test", "epoch"]) assert.deepEqual(curve(actual!, tag), curve(expected!, tag), tag);
      // Resumed between an epoch's last update and its end, a run cannot tell which curves were written.
      const lost = stop % STEPS_PER_EPOCH === 0 ? [stop] : [];
      for (const tag of ["batch/loss", "batch/learningRate"])
        assert.deepEqual(curve(actual!, tag), curve(expected!, tag).filter(([step]) => !lost.includes(step)), tag); // prettier-ignore
    });

  it("shows what the caller measures, such as λmax, and leaves out long lists", async () => {
    const measure = (epoch: number) => ({
      lambdaMax: 10 * epoch,
      spectrum: { nodes: Array(90).fill(1), eigenvalues: [epoch, 0.5] },
    });

    await run({ tensorBoard: folder, measure });

    const events = readEvents(folder);
    assert.deepEqual(curve(events, "measures/lambdaMax"), [[5, 10], [10, 20], [15, 30]]); // prettier-ignore
    assert.deepEqual(curve(events, "measures/spectrum/eigenvalues/1"), [[5, 1], [10, 2], [15, 3]]); // prettier-ignore
    assert.deepEqual(events.flatMap(({ values = {} }) => Object.keys(values)).filter((tag) => tag.includes("nodes")), []); // prettier-ignore
  });

  it("names every number of a record, and nothing that is not there", () => {
    const record = { epoch: 2, trainLoss: 0.5, perturbedLoss: 0.6, testErrorRate: 0.1, memorization: { flippedFitted: 0.2 } };

    assert.deepEqual(epochScalars({ ...record, measures: { a: { b: 1 }, text: "none", nothing: null, flag: true, list: [3] } }), {
      epoch: 2,
      "loss/train": 0.5,
      "loss/perturbed": 0.6,
      "error/test": 0.1,
      "memorization/flippedFitted": 0.2,
      "measures/a/b": 1,
      "measures/list/1": 3,
    });
  });

  it("refuses an interval that is none and a folder that cannot be, and leaves no tensor behind", async () => {
    fs.writeFileSync(path.join(folder, "a file"), "");

    await expectNoLeakAsync(() =>
      assert.rejects(run({ tensorBoard: { folder, everySteps: 0 } }), /tensorBoard\.everySteps = 0: expected/),
    );
    await expectNoLeakAsync(() =>
      assert.rejects(run({ tensorBoard: path.join(folder, "a file") }), /a file: TensorBoard's events/),
    );
  });
});
