import assert from "node:assert/strict";
import * as data from "../../src/data";
import { Rng } from "../../src/engine";
import { numberedDataset } from "./support";

const labels = [0, 1, 2, 0];
const noise = { noiseRate: 0.4, numClasses: 3 };
const dataset = numberedDataset(8);
const rng = new Rng(0);
const pixel = new Uint8Array(3);
const floats = new Float32Array(6);

type Options = Record<string, unknown>;

/** A call of each function, whose options are given; a misspelled option with its right name; one of a wrong type. */
const calls: [name: string, call: (options: never) => unknown, wrong: string, right: string, ofWrongType: Options][] = [
  ["symmetricNoise", (o) => data.symmetricNoise(labels, o), "noiserate", "noiseRate", { ...noise, includeTrueClass: "no" }],
  ["pairFlipNoise", (o) => data.pairFlipNoise(labels, o), "noise_rate", "noiseRate", { ...noise, noiseRate: "0.4" }],
  ["asymmetricNoise", (o) => data.asymmetricNoise(labels, o), "maps", "map", { noiseRate: [0.4] }],
  ["instanceNoise", (o) => data.instanceNoise(labels, o), "feature", "features", { ...noise, features: 3 }],
  ["transitionNoise", (o) => data.transitionNoise(labels, [[1]], o), "sample", "sampling", { sampling: "exactly" }],
  ["symmetricTransition", (o) => data.symmetricTransition(o), "nuMClass", "numClasses", { ...noise, numClasses: "3" }],
  ["pairFlipTransition", (o) => data.pairFlipTransition(o), "noisrate", "noiseRate", { ...noise, noiseRate: null }],
  ["asymmetricTransition", (o) => data.asymmetricTransition(o), "mapp", "map", { noiseRate: 0.4, map: 7 }],
  ["transitionMatrixWithTrace", (o) => data.transitionMatrixWithTrace(o), "tracee", "trace", { numClasses: 3, trace: "1" }],
  ["splitHeldOut", (o) => data.splitHeldOut(dataset, o), "fractions", "fraction", { fraction: "0.1" }],
  ["batches", (o) => data.batches(dataset, o), "batchsize", "batchSize", { batchSize: "8" }],
  ["batchStream", (o) => data.batchStream(dataset, o), "threads", "thread", { batchSize: 8, epochs: [rng], thread: 1 }],
  ["reflectCrop", (o) => data.reflectCrop(o), "padd", "pad", { pad: "4" }],
  ["cutout", (o) => data.cutout(o), "sizes", "size", { size: [16] }],
  ["cutoutPerBatch", (o) => data.cutoutPerBatch(o), "filled", "fill", { fill: "gray" }],
  ["mixup", (o) => data.mixup(floats, floats, o), "alfa", "alpha", { numClasses: 2, rng, pairing: "batches" }],
  ["autoAugment", (o) => data.autoAugment(o), "polici", "policy", { policy: "svhn", reference: "offical" }],
  ["randAugment", (o) => data.randAugment(o), "magnitute", "magnitude", { numLayers: "2" }],
  ["applyOperation", (o) => data.applyOperation("Invert", pixel, o), "levels", "level", { level: "9" }],
  ["randomBox", (o) => data.randomBox({ height: 4, width: 4 }, rng, o), "areas", "area", { area: 1 }],
  ["randomResizedCrop", (o) => data.randomResizedCrop(o), "aspects", "aspect", { attempts: "10" }],
  ["syntheticImages", (o) => data.syntheticImages(o), "sizes", "size", { size: 10, shape: 28 }],
  ["decodeImage", (o) => data.decodeImage(pixel, o), "maxpixels", "maxPixels", { name: 1 }],
  ["loadFashionMnist", (o) => data.loadFashionMnist(o), "limits", "limit", { split: "validation" }],
  ["loadMnist", (o) => data.loadMnist(o), "folders", "folder", { limit: "10" }],
  ["loadCifar10", (o) => data.loadCifar10(o), "spilt", "split", { split: "valid" }],
  ["loadCifar100", (o) => data.loadCifar100(o), "label", "labels", { labels: "all" }],
  ["loadSvhn", (o) => data.loadSvhn(o), "splits", "split", { split: "validation" }],
  ["loadIdxDataset", (o) => data.loadIdxDataset(["i", "l"], o), "className", "classNames", { numClasses: "10" }],
  ["readIdx", (o) => data.readIdx("i", o), "ranks", "rank", { rank: "3" }],
  ["scanImageFolder", (o) => data.scanImageFolder("pets", o), "splitfile", "splitFile", { limit: "3" }],
  ["openImageFolder", (o) => data.openImageFolder("pets", o), "sizes", "size", { size: "224" }],
  ["loadImageFolder", (o) => data.loadImageFolder("pets", o), "channel", "channels", { size: 8, channels: 4 }],
  ["loadNoise", (o) => data.loadNoise("noise.json", o), "label", "labels", { labels: "clean" }],
  ["noisyLabelsFromCsv", (o) => data.noisyLabelsFromCsv("", o), "numclasses", "numClasses", { labels: 4 }],
];

describe("data: options", () => {
  for (const [name, call, wrong, right, ofWrongType] of calls)
    it(`${name} refuses an unknown option, with the nearest known name, and a value of the wrong type`, async () => {
      const refused = (options: Options, message: RegExp) => assert.rejects(async () => call(options as never), message);

      await refused({ [wrong]: 1 }, new RegExp(`${name}: unknown option "${wrong}", did you mean "${right}"\\?`));
      await refused(ofWrongType, new RegExp(`${name}: \\w+ = .*: expected `));
    });

  it("A rate that is missing is refused by every generator that needs one, and by the matrices", () => {
    const without = { numClasses: 3 } as never;

    for (const generate of [data.symmetricNoise, data.pairFlipNoise, data.asymmetricNoise])
      assert.throws(() => generate(labels, without), /noiseRate = undefined: expected a number from 0 to 1/);
    assert.throws(() => data.instanceNoise(labels, { numClasses: 3, features: labels } as never), /noiseRate = undefined/);
    for (const matrix of [data.symmetricTransition, data.pairFlipTransition, data.asymmetricTransition])
      assert.throws(() => matrix(without), /noiseRate = undefined: expected a number from 0 to 1/);
  });

  it("Values out of range are refused with what was expected", async () => {
    assert.throws(() => data.reflectCrop({ pad: -1 }), /pad = -1: expected an integer from 0/);
    assert.throws(() => data.cutout({ size: 1.5 }), /size = 1.5: expected an integer from 0/);
    assert.throws(() => data.randAugment({ numLayers: -1 }), /numLayers = -1: expected an integer from 0/);
    assert.throws(() => data.randAugment({ magnitude: NaN }), /magnitude = NaN: expected a number from 0/);
    assert.throws(() => data.syntheticImages({ size: 4, numClasses: 0 }), /numClasses = 0: expected an integer from 1/);
    assert.throws(
      () => data.syntheticImages({ size: 4, shape: [0, 2, 1] }),
      /shape = \[0, 2, 1\]: expected height, width and ch/,
    );
    assert.throws(() => data.instanceNoise(labels, { ...noise, features: labels, rateStd: -1 }), /rateStd = -1/);
    await assert.rejects(data.scanImageFolder("pets", { limit: 0 }), /limit = 0: expected an integer from 1/);
    assert.throws(
      () => data.applyOperation("toString" as "Invert", pixel, { shape: [1, 1, 3], level: 1, rng }),
      /operation "toString": expected one of AutoContrast/,
    );
    assert.throws(() => data.augmentation("toString" as "none"), /augment = "toString": expected one of none/);
  });
});
