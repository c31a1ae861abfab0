import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import type { Worker } from "node:worker_threads";
import { deflateSync } from "node:zlib";
import jpegJs from "jpeg-js";
import {
  centerBox,
  cropAndResize,
  decodeImage,
  DecodePool,
  imageBatches,
  loadImageFolder,
  randomBox,
  scanImageFolder,
  type Batch,
} from "../../src/data";
import { Rng } from "../../src/engine";
import { cmykJpeg, grayJpeg, progressiveJpeg } from "./jpegFiles";
import { chunk, png, pngHeader, pngOf } from "./pngFiles";
import { watchThreads } from "../support/startedThreads";
import { temporaryFolder } from "./support";

/** A JPEG by another library than the one that reads it. */
function jpeg(height: number, width: number, rgb: (y: number, x: number) => number[]): Buffer {
  const data = Uint8Array.from({ length: height * width * 4 }, (_, i) =>
    i % 4 === 3 ? 255 : rgb(Math.floor(i / 4 / width), Math.floor(i / 4) % width)[i % 4]!,
  );
  return jpegJs.encode({ data: Buffer.from(data), width, height }, 100).data;
}

const gradient = (y: number, x: number) => [10 * y, 10 * x, 100];

describe("data/image", () => {
  it("A PNG gives its pixels exactly", () => {
    const { height, width, channels, data } = decodeImage(png(2, 3, gradient), { name: "p" });

    assert.deepEqual([height, width, channels], [2, 3, 3]);
    assert.deepEqual([...data], [0, 0, 100, 0, 10, 100, 0, 20, 100, 10, 0, 100, 10, 10, 100, 10, 20, 100]);
  });

  it("A JPEG gives its pixels closely", () => {
    const { height, width, data } = decodeImage(
      jpeg(16, 24, () => [200, 100, 50]),
      { name: "j" },
    );

    assert.deepEqual([height, width], [16, 24]);
    for (let i = 0; i < data.length; i++) assert.ok(Math.abs(data[i]! - [200, 100, 50][i % 3]!) <= 3, `${i}: ${data[i]}`);
  });

  it("Progressive, gray and CMYK files are read as the programs that wrote them read them", () => {
    const pixels = (base64: string) => [...decodeImage(Buffer.from(base64, "base64"), { name: "j" }).data];

    assert.deepEqual(pixels(progressiveJpeg).slice(0, 3), [200, 100, 50]);
    assert.deepEqual(pixels(cmykJpeg).slice(0, 3), [156, 78, 39]);
    assert.deepEqual(
      pixels(grayJpeg).filter((_, i) => i % 12 === 0),
      [255, 170, 85, 0],
    );
  });

  it("Files that are not images, are cut short, or claim to be huge are refused", () => {
    const huge = png(2, 2, gradient);
    huge.writeUInt32BE(100_000, 16);
    huge.writeUInt32BE(100_000, 20);

    assert.throws(() => decodeImage(Buffer.from("GIF89a and so on, for a while"), { name: "g" }), /g: neither a PNG nor a JPEG/);
    assert.throws(() => decodeImage(huge, { name: "h" }), /h: 100000×100000 pixels, expected 1 to 67108864 in all/);
    assert.throws(() => decodeImage(png(9, 9, gradient).subarray(0, 60), { name: "c" }), /c: damaged PNG/);
    assert.throws(() => decodeImage(jpeg(9, 9, gradient).subarray(0, 30), { name: "c" }), /c: (damaged JPEG|neither)/);
    assert.throws(() => decodeImage(new Uint8Array(0), { name: "e" }), /e: neither/);
  });

  it("A PNG that would unpack to more than its first header claims is refused before it is unpacked", () => {
    const pixels = chunk("IDAT", deflateSync(Buffer.alloc(14)));
    const bomb = chunk("IDAT", deflateSync(Buffer.alloc(1 << 26)));
    const palettes = Array.from({ length: 2 }, () => chunk("PLTE", Buffer.alloc(768)));
    const refused = (message: RegExp, ...chunks: Buffer[]) =>
      assert.throws(() => decodeImage(pngOf(...chunks), { name: "b" }), message);

    refused(/b: 2 IHDR chunks, expected 1/, pngHeader(2, 2), pngHeader(16384, 16384), pixels);
    refused(/b: cut short: 11 packed bytes cannot hold the 8192×8192 pixels/, pngHeader(8192, 8192), pixels);
    refused(/b: a palette of 1536 bytes, expected at most 768/, pngHeader(2, 2, { colorType: 3 }), ...palettes, pixels);
    refused(/b: damaged PNG \(its interlaced rows cannot be unpacked to 2×2/, pngHeader(2, 2, { interlaced: true }), bomb);
  });

  it("An interlaced PNG is read", () => {
    // 2×2 pixels in Adam7: pass 1 has (0, 0), pass 6 (0, 1), pass 7 row 1; each row after a filter byte
    const rows = [0, 1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9, 10, 11, 12];
    const file = pngOf(pngHeader(2, 2, { interlaced: true }), chunk("IDAT", deflateSync(Uint8Array.from(rows))));

    assert.deepEqual([...decodeImage(file, { name: "i" }).data], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  it("A JPEG whose bytes cannot hold its pixels, or that has scans without end, is refused before it is decoded", () => {
    const claiming = (file: Buffer, side: number) => {
      const copy = Buffer.from(file);
      const frame = copy.indexOf("\xff\xc0", 0, "latin1");
      copy.writeUInt16BE(side, frame + 5);
      copy.writeUInt16BE(side, frame + 7);
      return copy;
    };
    const cmyk = Buffer.from(cmykJpeg, "base64");
    const scan = cmyk.subarray(cmyk.indexOf("\xff\xda", 0, "latin1"), -2);
    const refused = (file: Buffer, message: RegExp) => assert.throws(() => decodeImage(file, { name: "b" }), message);

    refused(claiming(jpeg(9, 9, gradient), 4096), /b: cut short: \d+ bytes cannot hold the 4096×4096 pixels/);
    refused(claiming(cmyk, 8192), /b: 8192×8192 pixels, expected 1 to 8388608 in all/);
    refused(Buffer.concat([claiming(cmyk, 1024), ...new Array<Buffer>(300).fill(scan)]), /b: 301 scans of 1024×1024 pixels, exp/);
  });

  it("A JPEG is read after a thousand damaged ones", () => {
    const damaged = jpeg(16, 16, gradient);
    damaged.fill(0xff, damaged.indexOf("\xff\xc4", 0, "latin1") + 4); // Huffman tables and all that follows

    for (let i = 0; i < 1000; i++) assert.throws(() => decodeImage(damaged, { name: "d" }), /d: damaged JPEG/);

    assert.deepEqual([...decodeImage(Buffer.from(progressiveJpeg, "base64"), { name: "j" }).data.slice(0, 3)], [200, 100, 50]);
  });

  it("Resizing to the same size changes nothing, and to half takes every other pixel, as TensorFlow 1 does", () => {
    const data = Uint8Array.from({ length: 64 }, (_, i) => (i * 37) % 256);
    const image = { height: 8, width: 8, channels: 1, data };

    assert.deepEqual(cropAndResize(image, { top: 0, left: 0, height: 8, width: 8 }, [8, 8]), data);
    // positions i·8/4 are whole: the kernel is 1 at 0 and 0 at every other integer
    assert.deepEqual(
      [...cropAndResize(image, { top: 0, left: 0, height: 8, width: 8 }, [4, 4])],
      [...data].filter((_, i) => i % 2 === 0 && Math.floor(i / 8) % 2 === 0),
    );
    assert.deepEqual([...cropAndResize(image, { top: 2, left: 3, height: 1, width: 2 }, [1, 2])], [data[19], data[20]]);
  });

  it("Between pixels the weights are Keys' with a = −0.75", () => {
    // One row 0 0 100 0 to 8: position 1.5 between 0 and 100. Kernel at ½: (1.25·½ − 2.25)·¼ + 1 = 0.59375;
    // at 1½: −0.75·((1.5 − 5)·1.5·1.5 + 8·1.5 − 4) = −0.09375. Neighbors 0 0 | 100 0 → 59.375; at 2.5: 100 0 on the left → 59.375
    const image = { height: 1, width: 4, channels: 1, data: Uint8Array.from([0, 0, 100, 0]) };
    const row = [...cropAndResize(image, { top: 0, left: 0, height: 1, width: 4 }, [1, 8])];

    assert.deepEqual(row, [0, 0, 0, 59, 100, 59, 0, 0]);
  });

  it("The center crop is that of the official evaluation: 224 of 256 of the shorter side", () => {
    // side = ⌊224/256·256⌋ = 224; top = ⌊(256 − 224 + 1)/2⌋ = 16, left = ⌊(320 − 224 + 1)/2⌋ = 48
    assert.deepEqual(centerBox({ height: 256, width: 320 }, 224), { top: 16, left: 48, height: 224, width: 224 });
  });

  it("Random boxes lie within the image, with area and aspect in range", () => {
    const rng = new Rng(1);
    for (let i = 0; i < 2000; i++) {
      const box = randomBox({ height: 100, width: 150 }, rng);
      if (!box) continue;
      assert.ok(box.top >= 0 && box.left >= 0 && box.top + box.height <= 100 && box.left + box.width <= 150);
      const [area, ratio] = [(box.height * box.width) / 15000, box.width / box.height];
      assert.ok(area > 0.07 && area <= 1 && ratio > 0.72 && ratio < 1.38, `${area} ${ratio}`);
    }
    assert.equal(randomBox({ height: 1, width: 1000 }, rng), undefined);
  });
});

describe("data/imageFolder", () => {
  const folder = temporaryFolder();
  watchThreads();
  before(async () => {
    for (const name of ["cats", "dogs/more"]) await mkdir(folder.path(`pets/${name}`), { recursive: true });
    await folder.write(
      "pets/cats/2.png",
      png(12, 12, () => [200, 0, 0]),
    );
    await folder.write(
      "pets/cats/1.JPEG",
      jpeg(16, 24, () => [0, 200, 0]),
    );
    await folder.write("pets/cats/notes.txt", "no image");
    await folder.write(
      "pets/dogs/more/3.png",
      png(12, 20, () => [0, 0, 200]),
    );
    await folder.write("split.txt", "dogs/more/3.png\ncats/2.png\n");
  });

  it("Classes are folders in order, images are sorted, other files are left out", async () => {
    const found = await scanImageFolder(folder.path("pets"));

    assert.deepEqual(found.classNames, ["cats", "dogs"]);
    assert.deepEqual(
      found.files.map((file) => file.slice(folder.path("pets/").length)),
      ["cats/1.JPEG", "cats/2.png", "dogs/more/3.png"],
    );
    assert.deepEqual([...found.labels], [0, 0, 1]);
  });

  it("A limit takes images of every class, in proportion, though files are listed class by class", async () => {
    for (const [name, count] of Object.entries({ a: 8, b: 4, c: 1 })) {
      await mkdir(folder.path(`uneven/${name}`), { recursive: true });
      for (let i = 0; i < count; i++) await folder.write(`uneven/${name}/${i}.png`, "");
    }
    const scan = (limit: number) => scanImageFolder(folder.path("uneven"), { limit });

    assert.deepEqual([...(await scan(3)).labels], [0, 1, 2]);
    // one of each first; then the second … of 8 at 1.5/8, 2.5/8, and the second of 4 at 1.5/4
    assert.deepEqual([...(await scan(6)).labels], [0, 0, 0, 1, 1, 2]);
    assert.deepEqual(
      (await scan(6)).files.map((file) => file.slice(folder.path("uneven/").length)),
      ["a/0.png", "a/1.png", "a/2.png", "b/0.png", "b/1.png", "c/0.png"],
    );
    assert.equal((await scan(100)).files.length, 13);
  });

  it("A split file chooses and orders", async () => {
    const found = await scanImageFolder(folder.path("pets"), { splitFile: folder.path("split.txt") });

    assert.deepEqual([...found.labels], [1, 0]);
    await folder.write("bad.txt", "cats/2.png\n../secret.png\n");
    await assert.rejects(
      scanImageFolder(folder.path("pets"), { splitFile: folder.path("bad.txt") }),
      /bad.txt, line 2: "\.\.\/secret.png" is not among the 3 images/,
    );
  });

  it("A folder becomes a data set of one size, decoded in worker threads", async () => {
    const dataset = await loadImageFolder(folder.path("pets"), { size: 8, threads: 2 });

    assert.deepEqual([dataset.size, dataset.shape, dataset.name, [...dataset.labels]], [3, [8, 8, 3], "pets", [0, 0, 1]]);
    const first = (image: number) => [...dataset.images.subarray(192 * image, 192 * image + 3)];
    assert.deepEqual(
      [first(1), first(2)],
      [
        [200, 0, 0],
        [0, 0, 200],
      ],
    );
    first(0).forEach((value, c) => assert.ok(Math.abs(value - [0, 200, 0][c]!) <= 3));
    assert.deepEqual(dataset.mean, [0.485, 0.456, 0.406]);
  });

  it("Images can be gray, stretched or rectangular", async () => {
    const dataset = await loadImageFolder(folder.path("pets"), { size: [4, 6], channels: 1, fit: "stretch", threads: 1 });

    assert.deepEqual(dataset.shape, [4, 6, 1]);
    assert.equal(dataset.images[24], 60); // 0.299·200 = 59.8
    assert.equal(dataset.images[48], 23); // 0.114·200 = 22.8
  });

  it("Batches depend on the stream, not on the number of threads, and go on from any batch", async () => {
    const found = await scanImageFolder(folder.path("pets"));
    const collect = async (threads: number, firstBatch = 0) => {
      const pool = new DecodePool(threads);
      const all: Batch[] = [];
      const options = { batchSize: 1, size: 8, rng: new Rng(3), randAugment: {}, pool, firstBatch };
      for await (const batch of imageBatches(found, options)) all.push(batch);
      await pool.close();
      return all;
    };

    const one = await collect(1);

    assert.deepEqual(one, await collect(2));
    assert.deepEqual(one.slice(1), await collect(1, 1));
    assert.deepEqual(one.map((batch) => batch.indices[0]).sort(), [0, 1, 2]);
    one.forEach((batch) => assert.equal(batch.labels[0], found.labels[batch.indices[0]!]));
  });

  it("A damaged file is named, and the threads end", async () => {
    await mkdir(folder.path("broken/a"), { recursive: true });
    await folder.write("broken/a/x.png", Buffer.from("not an image, though it is named as one"));

    await assert.rejects(loadImageFolder(folder.path("broken"), { size: 8, threads: 1 }), /x.png: neither a PNG nor a JPEG file/);
    const read = async () => {
      for await (const batch of imageBatches(await scanImageFolder(folder.path("broken")), { batchSize: 1, rng: new Rng(0) }))
        void batch;
    };
    await assert.rejects(read(), /x.png: neither/);
  });

  it("Folders without classes or images are refused", async () => {
    await mkdir(folder.path("empty/a"), { recursive: true });
    await mkdir(folder.path("none"), { recursive: true });

    await assert.rejects(scanImageFolder(folder.path("none")), /none: has no folders, expected one for each class/);
    await assert.rejects(scanImageFolder(folder.path("empty")), /empty: has no .png, .jpg or .jpeg files in 1 class folders/);
    await assert.rejects(scanImageFolder(folder.path("nowhere")), /nowhere: no such folder/);
    await assert.rejects(loadImageFolder(folder.path("pets"), { size: 0 }), /size = 0: expected integers from 1/);
  });

  it("A pool that was closed, or whose thread died, rejects at once instead of waiting forever", async () => {
    const job = { file: folder.path("pets/cats/2.png"), size: [8, 8], channels: 3, fit: "stretch" } as const;
    const pool = new DecodePool(1);
    await pool.close();
    await assert.rejects(pool.decode(job), /decoding was stopped/);

    const other = new DecodePool(1);
    const [thread] = (await once(process, "worker")) as [Worker];
    const [waiting] = await Promise.allSettled([other.decode(job), thread.terminate()]);
    assert.match(String(waiting.status === "rejected" && waiting.reason), /a thread that decodes images has ended/);
    await assert.rejects(other.decode(job), /a thread that decodes images has ended/);
    await other.close();
    assert.throws(() => new DecodePool(0), /threads = 0: expected an integer from 1 to 1024/);
  });
});
