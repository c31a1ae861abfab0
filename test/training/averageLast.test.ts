/** averageLast: SWA, and WASAM with SAM. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Rng, tf } from "../../src/engine";
import { convNet, ModelBuilder } from "../../src/models";
import { batchNorm, globalAveragePool } from "../../src/models/layers";
import { train, trainConfig, type TrainCallbacks, type TrainOptions } from "../../src/training";
import { refreshedStatistics } from "../../src/training/refresh";
import { closeTo } from "../support/closeTo";
import { expectNoLeakAsync } from "../support/noLeak";
import { pixels, valuesOf } from "../support/training";
import { abortAfter, found, noisyImages, tinyMlp } from "../support/trainings";

const data = noisyImages();
const base: TrainOptions = { epochs: 4, batchSize: 10, learningRate: 0.05, rho: 0.1 };
const run = async (options: Partial<TrainOptions>, callbacks: TrainCallbacks = {}, model = tinyMlp()) =>
  found(await train(model, data, { ...base, ...options }, callbacks));

describe("training with averageLast", () => {
  it("ends with the mean of the weights after each of the last epochs, which the training itself never sees", async () => {
    const plain: number[][] = [];
    const measure = (_: number, { weights }: { weights: Record<string, tf.Tensor> }) => {
      plain.push(Object.values(valuesOf(weights)).flat());
    };
    await run({}, { measure });

    const averaged = await run({ averageLast: 0.75 });

    const mean = plain[1]!.map((w, i) => (w + plain[2]![i]! + plain[3]![i]!) / 3);
    closeTo(Object.values(averaged.values).flat(), mean, 1e-5);
  });

  it("evaluates the weights themselves before the first of these epochs", async () => {
    const [plain, averaged] = [await run({}), await run({ averageLast: 0.25 })];

    assert.deepEqual(
      averaged.history.map(({ testLoss }) => testLoss),
      plain.history.map(({ testLoss }) => testLoss),
      "the average of one epoch is that epoch",
    );
  });

  it("gives batch norm the mean and variance over the training set", async () => {
    // Bytes 0, 51, 102, 255 are 0, 0.2, 0.4, 1: mean 0.4; in batches {0, 0.2} and {0.4, 1} the variances are 0.01 and 0.09, mean 0.05.
    const builder = new ModelBuilder();
    const norm = batchNorm(builder, "norm", 1, { momentum: 0.7 });
    const model = builder.build("norm", { inputShape: [1, 1, 1], numClasses: 1 }, (x, context) =>
      globalAveragePool(norm(x, context)),
    );
    const { weights, stats } = model.init(new Rng(0));

    const refreshed = await refreshedStatistics(model, { weights, stats }, pixels([0, 51, 102, 255], [0, 1, 0, 1]), {
      batchSize: 2,
    });

    closeTo(Object.values(valuesOf(refreshed)).flat(), [0.4, 0.05], 1e-5);
    tf.dispose([weights, stats, refreshed]);
  });

  const withNorm = () => convNet({ inputShape: [8, 8, 1], numClasses: 3, widths: [3] });

  it("stopped and resumed gives what it would have given, bit for bit, with batch norm too", async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "average-"));
    const options = { averageLast: 0.5 };
    const whole = await run(options, {}, withNorm());

    for (const stop of [5, 12, 15]) {
      const checkpoint = path.join(folder, `run-${stop}`);
      await run(options, { checkpoint, ...abortAfter(stop) }, withNorm());
      assert.deepEqual(await run(options, { checkpoint }, withNorm()), whole);
    }
    fs.rmSync(folder, { recursive: true });
  });

  it("leaves no tensor behind", async () => {
    await expectNoLeakAsync(async () => void (await run({ averageLast: 0.5 }, {}, withNorm())));
  });

  it("excludes a moving average", () => {
    assert.throws(
      () => trainConfig({ ...base, averageLast: 0.5, emaDecay: 0.9 }),
      /emaDecay = 0\.9 and averageLast = 0\.5: expected one average/,
    );
  });
});
