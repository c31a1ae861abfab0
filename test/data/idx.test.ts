import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { loadIdxDataset, readIdx } from "../../src/data";
import { idxBytes, temporaryFolder } from "./support";

const pixels = Array.from({ length: 12 }, (_, i) => i * 20);
const images = idxBytes([3, 2, 2], pixels);
const labels = idxBytes([3], [0, 2, 1]);
const about = { name: "tiny", numClasses: 3, mean: [0], std: [1] };

describe("data/idx", () => {
  const folder = temporaryFolder();
  const refused = async (name: string, content: Uint8Array, message: RegExp) =>
    assert.rejects(readIdx(await folder.write(name, content), { rank: 3 }), message);

  it("A plain and a gzipped file give the same array", async () => {
    const plain = await readIdx(await folder.write("plain", images), { rank: 3 });
    const packed = await readIdx(await folder.write("packed.gz", gzipSync(images)), { rank: 3 });

    assert.deepEqual(plain.dims, [3, 2, 2]);
    assert.deepEqual([...plain.data], pixels);
    assert.deepEqual([...packed.data], pixels);
  });

  it("A truncated file is refused", async () => {
    await refused("cut", images.subarray(0, 20), /^Error: cut: cut short: 20 bytes, expected 28 for 3×2×2$/);
    await refused("header", images.subarray(0, 9), /header: cut short: 9 bytes, expected a header of 16/);
    await refused("cut.gz", gzipSync(images).subarray(0, 30), /cut.gz: the gzip stream is cut short/);
    await refused("empty", new Uint8Array(0), /empty: wrong IDX magic number nothing/);
  });

  it("A wrong magic number is refused", async () => {
    await refused(
      "labels",
      labels,
      /labels: wrong IDX magic number 00 00 08 01, expected 00 00 08 03 \(unsigned bytes, 3 dimensions\)/,
    );
    await refused("text", Buffer.from("<html>"), /wrong IDX magic number 3c 68 74 6d/);
  });

  it("Counts that do not fit the length are refused", async () => {
    await refused("more", Buffer.concat([images, Buffer.from([1, 2])]), /more: 2 bytes too many: 30, expected 28/);
    await refused("huge", idxBytes([4294967295, 4294967295, 4294967295], []), /huge: cut short/);
  });

  it("A file named .gz that is not gzip, or is damaged, is refused", async () => {
    await refused("raw.gz", images, /raw.gz: not a gzip file: starts with 00 00, expected 1f 8b/);
    const damaged = gzipSync(images);
    damaged[damaged.length - 6]! ^= 255; // the checksum
    await refused("damaged.gz", damaged, /damaged.gz: damaged gzip stream \(incorrect data check\)/);
    await refused(
      "tail.gz",
      Buffer.concat([gzipSync(images), Buffer.alloc(4)]),
      /tail.gz: 4 bytes follow the end of the gzip stream/,
    );
    await refused("text.gz", Buffer.concat([gzipSync(images), Buffer.from("text")]), /text.gz: damaged gzip stream/);
  });

  it("A small file that unpacks to a huge one is stopped at the bound", async () => {
    const claimed = await folder.write("claimed.gz", gzipSync(idxBytes([1 << 20, 1, 1], new Uint8Array(1 << 20))));

    await assert.rejects(
      readIdx(claimed, { rank: 3, maxBytes: 1 << 16 }),
      /claimed.gz: 1048576×1×1 values, expected at most 65536 bytes in all/,
    );
  });

  it("No more is unpacked than the header tells, whatever the bound", async () => {
    const bomb = gzipSync(Buffer.concat([images, Buffer.alloc(1 << 26)]));
    const before = process.memoryUsage().arrayBuffers;

    await refused("bomb.gz", bomb, /bomb.gz: unpacks to more than the 28 bytes expected at most/);

    assert.ok(process.memoryUsage().arrayBuffers - before < 1 << 24);
    await refused("short.gz", gzipSync(images.subarray(0, 9)), /short.gz: cut short: 9 bytes, expected a header of 16/);
  });

  it("A missing file is named", async () => {
    await assert.rejects(readIdx(folder.path("nowhere"), { rank: 3 }), /nowhere: no such file/);
    await assert.rejects(readIdx(folder.path(), { rank: 3 }), /not a file/);
  });

  it("Images and labels make a data set where their counts agree", async () => {
    const dataset = await loadIdxDataset([await folder.write("i", images), await folder.write("l", labels)], about);

    assert.deepEqual(dataset.shape, [2, 2, 1]);
    assert.deepEqual([...dataset.labels], [0, 2, 1]);
    const two = await folder.write("two", idxBytes([2], [0, 1]));
    await assert.rejects(loadIdxDataset([folder.path("i"), two], about), /i has 3 images, but two has 2 labels/);
    const wrong = await folder.write("wrong", idxBytes([3], [0, 3, 1]));
    await assert.rejects(loadIdxDataset([folder.path("i"), wrong], about), /tiny: label 1 is 3, expected an integer from 0 to 2/);
  });

  it("A file with another checksum than the published one is refused", async () => {
    const files = [await folder.write("i", images), await folder.write("l", labels)] as const;

    await assert.rejects(loadIdxDataset(files, { ...about, sums: { i: "00" } }), /SHA-256 [0-9a-f]{64}, expected 00/);
  });
});
