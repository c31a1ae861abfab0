/** Training on images that stay in their files, against the same images in memory. */
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { PNG } from "pngjs";
import { loadImageFolder, openImageFolder, splitHeldOut, takeFirst, type Dataset } from "../../src/data";
import { Rng } from "../../src/engine";
import { convNet } from "../../src/models";
import { evaluate, evaluateAny, train, type TrainCallbacks, type TrainOptions } from "../../src/training";
import { disposeVariables } from "../../src/experiments/run";
import { temporaryFolder } from "../data/support";
import { watchThreads } from "../support/startedThreads";

const SIZE = 8;

/** Noise on a color of its class, 12 to 19 pixels wide. */
function picture(label: number, rng: Rng): Buffer {
  const [width, height] = [12 + rng.int(8), 12 + rng.int(8)];
  const pixel = () => [label === 0 ? 200 : 40, 100, label === 0 ? 40 : 200].map((value) => value + rng.int(56));
  const data = Buffer.from(Array.from({ length: width * height }, () => [...pixel(), 255]).flat());
  return PNG.sync.write({ width, height, data } as PNG);
}

describe("training on an on-disk dataset", () => {
  watchThreads();
  const folder = temporaryFolder();
  const network = convNet({ inputShape: [SIZE, SIZE, 3], numClasses: 2, widths: [4] });
  let [onDisk, inMemory] = [undefined, undefined] as unknown as [Dataset, Dataset];

  before(async () => {
    for (const [label, name] of ["red", "blue"].entries()) {
      await mkdir(folder.path(`pictures/${name}`), { recursive: true });
      for (let i = 0; i < 12; i++) await folder.write(`pictures/${name}/${i}.png`, picture(label, new Rng(`${name} ${i}`)));
    }
    onDisk = await openImageFolder(folder.path("pictures"), { size: SIZE });
    inMemory = await loadImageFolder(folder.path("pictures"), { size: SIZE });
  });

  const fit = async (data: Dataset, training: Partial<TrainOptions>, callbacks: TrainCallbacks = {}) => {
    const result = await train(
      network,
      { train: data, test: data },
      { epochs: 2, batchSize: 8, rho: 0.05, ...training },
      callbacks,
    );
    disposeVariables(result.variables);
    return result;
  };

  it("evaluates them as it does the same images in memory, batch by batch", async () => {
    const variables = network.init(new Rng(0));

    const streamed = await evaluateAny(network, variables, onDisk, { batchSize: 5 });

    assert.deepEqual(streamed, evaluate(network, variables, inMemory, { batchSize: 5 }));
    assert.equal(streamed.predictions.length, 24);
    await assert.rejects(evaluateAny(network, variables, onDisk, { batchSize: 0 }), /batchSize = 0/);
    disposeVariables(variables);
  });

  it("without augmentation makes the same steps as in memory, to the last bit", async () => {
    const [streamed, expected] = [await fit(onDisk, { augment: "none" }), await fit(inMemory, { augment: "none" })];

    assert.deepEqual(streamed.history, expected.history);
    assert.equal(streamed.history.length, 2);
  });

  it("with random crops of the files' own pixels, stopped and resumed, gives the run that was not stopped", async () => {
    const augment = "random-resized-crop";
    const whole = await fit(onDisk, { augment });
    const stop = new AbortController();
    const checkpoint = folder.path("run.checkpoint");
    const onStep = ({ step }: { step: number }) => (step === 4 ? stop.abort() : undefined); // three steps an epoch

    const stopped = await fit(onDisk, { augment }, { checkpoint, signal: stop.signal, onStep });
    const resumed = await fit(onDisk, { augment }, { checkpoint });

    assert.equal(stopped.outcome, "aborted");
    assert.deepEqual(resumed.history, whole.history);
    assert.notDeepEqual(whole.history, (await fit(onDisk, { augment: "none" })).history);
    assert.ok(whole.history.at(-1)!.trainLoss < whole.history[0]!.trainLoss);
  });

  it("takes no augmentation that was written for images of one size", async () => {
    await assert.rejects(
      fit(onDisk, { augment: "cutout" }),
      /^Error: augment = "cutout" of pictures, an on-disk dataset: expected one of none, random-resized-crop, randaugment$/,
    );
  });

  it("whatever needs them in memory says so", () => {
    assert.throws(() => onDisk.images, /^Error: pictures: an on-disk dataset; this needs its 24 images \(0\.0 GB\) in memory/);
    assert.throws(() => evaluate(network, { weights: {}, stats: {} }, onDisk), /an on-disk dataset/);
  });

  it("a part of them is of the same files", () => {
    const { train: kept, heldOut } = splitHeldOut(onDisk, { fraction: 0.25 });

    assert.deepEqual([...kept.files!, ...heldOut.files!].sort(), [...onDisk.files!].sort());
    assert.deepEqual([...heldOut.labels], [0, 0, 0, 1, 1, 1]);
    assert.deepEqual(takeFirst(onDisk, 3).files, onDisk.files!.slice(0, 3));
  });

  it("a file that cannot be decoded ends the run with its name", async () => {
    await mkdir(folder.path("damaged/red"), { recursive: true });
    await mkdir(folder.path("damaged/blue"), { recursive: true });
    for (let i = 0; i < 4; i++) await folder.write(`damaged/red/${i}.png`, picture(0, new Rng(i)));
    await folder.write("damaged/blue/0.png", Buffer.from("not an image, though it is named as one"));
    const damaged = await openImageFolder(folder.path("damaged"), { size: SIZE, name: "my pictures" });

    assert.equal(damaged.name, "my pictures");
    await assert.rejects(fit(damaged, { augment: "none", batchSize: 5 }), /blue\/0\.png: neither a PNG nor a JPEG/);
  });
});
