import assert from "node:assert/strict";
import { zipSync } from "fflate";
import { loadCifarN, type HumanLabelSet } from "../../src/data";
import { humanLegacy, humanOrderedNpy, humanZip } from "./pythonFiles";
import { temporaryFolder } from "./support";

const bytes = (base64: string) => Buffer.from(base64, "base64");
const dataset = { labels: Int32Array.of(0, 1, 2, 1, 0), numClasses: 3 };

/** As numpy.save writes 64-bit integers. */
function npy(values: number[]): Buffer {
  const header = `{'descr': '<i8', 'fortran_order': False, 'shape': (${values.length},), }\n`;
  const start = Buffer.from(`\x93NUMPY\x01\x00${String.fromCharCode(header.length)}\x00${header}`, "latin1");
  return Buffer.concat([start, Buffer.from(BigInt64Array.from(values, BigInt).buffer)]);
}

describe("data/cifarN", () => {
  const folder = temporaryFolder();
  const file = (content: Uint8Array, name = "CIFAR-10_human.pt") => folder.write(name, content);

  it("Each set of annotators has its labels, by the paper's name for it", async () => {
    const expected: Partial<Record<HumanLabelSet, number[]>> = {
      aggregate: [0, 1, 2, 2, 0],
      random1: [1, 1, 2, 1, 0],
      random2: [0, 1, 0, 1, 0],
      random3: [0, 1, 2, 1, 2],
      worst: [0, 2, 2, 1, 1],
    };
    const human = await file(bytes(humanZip));

    for (const [annotators, labels] of Object.entries(expected)) {
      const noise = await loadCifarN(dataset, { annotators: annotators as HumanLabelSet, file: human });

      assert.deepEqual([noise.noisyLabels, noise.cleanLabels], [labels, [0, 1, 2, 1, 0]]);
      assert.equal(noise.noiseType, `cifar-3n ${annotators}`);
    }
    assert.equal((await loadCifarN(dataset, { annotators: "worst", file: human })).actualNoiseRate, 0.4);
  });

  it("The older .pt format and the ordered .npy file hold the same", async () => {
    for (const human of [await file(bytes(humanLegacy), "old.pt"), await file(bytes(humanOrderedNpy), "h_ordered.npy")])
      assert.deepEqual((await loadCifarN(dataset, { annotators: "worst", file: human })).noisyLabels, [0, 2, 2, 1, 1]);
  });

  it("The first images of the training set have the first labels", async () => {
    const first = { labels: Int32Array.of(0, 1, 2), numClasses: 3 };

    const noise = await loadCifarN(first, { annotators: "worst", file: await file(bytes(humanZip)) });

    assert.deepEqual(noise.noisyLabels, [0, 2, 2]);
  });

  it("An image order file puts a .pt file into another order", async () => {
    const human = await file(bytes(humanZip));
    const load = async (order: number[], labels: number[]) =>
      loadCifarN(
        { labels: Int32Array.from(labels), numClasses: 3 },
        { annotators: "worst", file: human, imageOrder: await folder.write("image_order_c10.npy", npy(order)) },
      );

    // clean 0 1 2 1 0 and worst 0 2 2 1 1 in the order 4 2 0 1 3
    assert.deepEqual((await load([4, 2, 0, 1, 3], [0, 2, 0, 1, 1])).noisyLabels, [1, 2, 0, 2, 1]);
    await assert.rejects(load([2, 0, 1, 3], [2, 0, 1, 1]), /5 labels, but an image order of 4/);
  });

  it("Labels of other images, or in another order, are refused", async () => {
    const human = await file(bytes(humanZip));
    const load = (labels: number[]) =>
      loadCifarN({ labels: Int32Array.from(labels), numClasses: 3 }, { annotators: "worst", file: human });

    await assert.rejects(load([1, 0, 2, 1, 0]), /agree with 3 of the 5 given, expected all\. The file follows another order/);
    await assert.rejects(load([0, 1, 2, 1, 0, 0]), /CIFAR-10_human.pt: 5 labels, expected 6/);
  });

  it("Sets that are not there, missing files and files of another kind are refused", async () => {
    const refused = (options: object, message: RegExp) =>
      assert.rejects(loadCifarN(dataset, { annotators: "worst", ...options }), message);
    const human = await file(bytes(humanZip));

    await refused({ file: human, annotators: "fine" }, /has no "noisy_label", expected one of clean_label, aggre_label/);
    await refused({ file: human, annotators: "worse" }, /annotators = "worse": expected "aggregate", /);
    await refused({ file: human, annotator: "worst" }, /unknown option "annotator", did you mean "annotators"\?/);
    await refused({ file: folder.path("none.pt") }, /none.pt: no such file/);
    await refused({ file: await file(Buffer.from("PK\x03\x04"), "x.pt") }, /x.pt: not a zip/);
    await refused({ file: await file(Buffer.from("no"), "y.pt") }, /y.pt: not a pickle/);
    await refused({ file: await file(zipSync({ a: Buffer.from("a") }), "z.pt") }, /z.pt: a zip with 0 files named data.pkl/);
    await refused({}, /human labels for 3 classes: expected CIFAR-10 or CIFAR-100, or their file/);
    const damaged = bytes(humanZip);
    damaged[200]! ^= 1;
    await refused({ file: await file(damaged, "d.pt") }, /d.pt: not a zip as torch.save writes it: entry .* is damaged: CRC-32/);
  });

  it("If the published files are missing, the error tells where to get them and where to put them", async () => {
    const cifar10 = { labels: new Int32Array(5), numClasses: 10 };

    await assert.rejects(
      loadCifarN(cifar10, { annotators: "worst" }),
      /of CIFAR-10 are not in .*cifar-10n\. Get CIFAR-10_human.pt or CIFAR-10_human_ordered.npy from https.*put it there|agree with/,
    );
  });
});
