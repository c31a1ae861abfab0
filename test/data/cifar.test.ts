import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { inflateSync } from "node:zlib";
import { loadCifar10, loadCifar100, loadMnist, loadSvhn } from "../../src/data";
import { parseMat } from "../../src/data/mat";
import { plainMat, svhnMat } from "./scipyFiles";
import { idxBytes, temporaryFolder } from "./support";

/** `records` records: label bytes, then red, green and blue planes; plane c of image i is filled with i + 10·c, but for its pixel 1. */
function binary(records: number, labelsOf: (i: number) => number[]): Buffer {
  const size = labelsOf(0).length + 3072;
  const bytes = Buffer.alloc(records * size);
  for (let i = 0; i < records; i++) {
    bytes.set(labelsOf(i), i * size);
    const start = (i + 1) * size - 3072;
    for (const c of [0, 1, 2]) bytes.fill((i + 10 * c) % 256, start + 1024 * c, start + 1024 * (c + 1));
    bytes[start + 2048 + 1] = 255; // blue of row 0, column 1
  }
  return bytes;
}

/** As cPickle of Python 2 wrote CIFAR: protocol 2, strings as bytes. */
function python2(data: Buffer, labels: number[], labelsKey: string): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.from([0x55, value.length]), Buffer.from(value, "latin1")]);
  const int = (value: number) => Buffer.from([0x4d, value & 255, value >> 8]); // BININT2
  const long = Buffer.alloc(5, 0x54); // BINSTRING
  long.writeUInt32LE(data.length, 1);
  const array = [
    Buffer.from("cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85", "latin1"),
    text("b"),
    Buffer.from("\x87R(K\x01", "latin1"), // state: version, shape, dtype, order, data
    int(labels.length),
    int(data.length / labels.length),
    Buffer.from("\x86cnumpy\ndtype\n", "latin1"),
    text("u1"),
    Buffer.from("K\x00K\x01\x87R(K\x03", "latin1"),
    text("|"),
    Buffer.from("NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89", "latin1"),
    long,
    data,
    Buffer.from("tb", "latin1"),
  ];
  const list = Buffer.concat([Buffer.from("](", "latin1"), ...labels.map(int), Buffer.from("e", "latin1")]);
  return Buffer.concat([Buffer.from("\x80\x02}(", "latin1"), text("data"), ...array, text(labelsKey), list, Buffer.from("u.")]);
}

const pixel = (images: Uint8Array, image: number, index: number) => [
  ...images.subarray(3072 * image + 3 * index, 3072 * image + 3 * index + 3),
];

describe("data/cifar", () => {
  const folder = temporaryFolder();

  it("The binary version of CIFAR-10 gives images of interleaved colors", async () => {
    await mkdir(folder.path("c10/cifar-10-batches-bin"), { recursive: true });
    await folder.write(
      "c10/cifar-10-batches-bin/test_batch.bin",
      binary(10000, (i) => [i % 10]),
    );

    const dataset = await loadCifar10({ split: "test", folder: folder.path("c10"), limit: 20 });

    assert.deepEqual([...dataset.labels.slice(0, 12)], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
    assert.deepEqual(
      [pixel(dataset.images, 5, 0), pixel(dataset.images, 5, 1), pixel(dataset.images, 5, 2)],
      [
        [5, 15, 25],
        [5, 15, 255],
        [5, 15, 25],
      ],
    );
    assert.equal(dataset.classNames![3], "cat");
    // paper.md 7.4
    dataset.mean.forEach((value, c) => assert.equal(value.toFixed(4), ["0.4914", "0.4822", "0.4465"][c]));
    dataset.std.forEach((value, c) => assert.equal(value.toFixed(4), ["0.2470", "0.2435", "0.2616"][c]));
  });

  it("The Python version gives the same images", async () => {
    await mkdir(folder.path("py"), { recursive: true });
    const records = binary(3, () => []);
    await folder.write("py/test_batch", python2(records, [7, 0, 9], "labels"));

    const dataset = await loadCifar10({ split: "test", folder: folder.path("py") });

    assert.deepEqual([...dataset.labels], [7, 0, 9]);
    assert.deepEqual(
      [pixel(dataset.images, 2, 0), pixel(dataset.images, 2, 1)],
      [
        [2, 12, 22],
        [2, 12, 255],
      ],
    );
  });

  it("CIFAR-100 has fine and coarse labels", async () => {
    await mkdir(folder.path("c100"), { recursive: true });
    await folder.write(
      "c100/test.bin",
      binary(10000, (i) => [i % 20, i % 100]),
    );
    const options = { split: "test", folder: folder.path("c100"), limit: 50 } as const;

    const fine = await loadCifar100(options);
    const coarse = await loadCifar100({ ...options, labels: "coarse" });

    assert.deepEqual([fine.numClasses, fine.labels[49]], [100, 49]);
    assert.deepEqual([coarse.numClasses, coarse.labels[49], coarse.name], [20, 9, "cifar-100-coarse"]);
    assert.deepEqual(pixel(fine.images, 3, 0), [3, 13, 23]);
  });

  it("Files that are missing, cut short or hold a wrong label are refused", async () => {
    await mkdir(folder.path("bad"), { recursive: true });
    const options = { split: "test", folder: folder.path("bad") } as const;

    await assert.rejects(
      loadCifar10(options),
      /CIFAR-10 is not in .*bad.*fetchDataset\("cifar-10"\)[^]*https:\/\/www\.cs\.toronto\.edu\/~kriz\/cifar-10-binary\.tar\.gz[^]*unpack it into .*bad/,
    );
    await folder.write("bad/test_batch.bin", Buffer.alloc(3073 * 9999));
    await assert.rejects(loadCifar10(options), /test_batch.bin: 30726927 bytes, expected 30730000: 10000 records of 3073/);
    await folder.write(
      "bad/test_batch.bin",
      binary(10000, () => [10]),
    );
    await assert.rejects(loadCifar10(options), /cifar-10: label 0 is 10, expected an integer from 0 to 9/);
    await assert.rejects(loadCifar10({ split: "valid" as "test" }), /split = "valid"/);
  });

  it("A Python version with other contents is refused", async () => {
    await mkdir(folder.path("odd"), { recursive: true });
    const options = { split: "test", folder: folder.path("odd") } as const;

    await folder.write("odd/test_batch", python2(Buffer.alloc(300), [1, 2, 3], "labels"));
    await assert.rejects(loadCifar10(options), /test_batch: data is not an array of bytes of \(n, 3072\)/);
    await folder.write("odd/test_batch", python2(Buffer.alloc(3072), [1], "fine_labels"));
    await assert.rejects(loadCifar10(options), /test_batch: labels is not a list of 1 labels/);
    const cut = await readFile(folder.path("odd/test_batch"));
    await folder.write("odd/test_batch", cut.subarray(0, 2000));
    await assert.rejects(loadCifar10(options), /test_batch: not a pickle that this kit reads: cut short/);
  });
});

describe("data/svhn", () => {
  const folder = temporaryFolder();
  const mat = Buffer.from(svhnMat, "base64");

  it("SciPy's file of two digits gives both images, and 10 is the digit 0", async () => {
    await folder.write("train_32x32.mat", mat);

    const dataset = await loadSvhn({ folder: folder.path() });

    assert.deepEqual([...dataset.labels], [0, 3]);
    // X(h, w, c, n) = (7h + 3w + 11c + 5n) mod 16
    for (const [h, w, c, n] of [
      [0, 0, 0, 0],
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
      [31, 30, 2, 1],
      [5, 9, 1, 1],
    ] as const)
      assert.equal(dataset.images[((n * 32 + h) * 32 + w) * 3 + c], (7 * h + 3 * w + 11 * c + 5 * n) % 16);
  });

  it("The paper's training set is train and then extra", async () => {
    await folder.write("train_32x32.mat", mat);
    await folder.write("extra_32x32.mat", mat);

    assert.deepEqual([...(await loadSvhn({ folder: folder.path(), split: "train+extra" })).labels], [0, 3, 0, 3]);
  });

  it("Uncompressed files, numbers of several types, and text that is skipped, are read", () => {
    const arrays = parseMat(inflateSync(Buffer.from(plainMat, "base64")), { name: "m" });

    assert.deepEqual([...arrays.keys()].sort(), ["d", "i"]);
    assert.deepEqual(
      [arrays.get("i")!.dims, [...arrays.get("i")!.values]],
      [
        [1, 2],
        [-2, 7],
      ],
    );
    assert.deepEqual(
      [arrays.get("d")!.dims, [...arrays.get("d")!.values]],
      [
        [2, 1],
        [0.5, 3],
      ],
    );
  });

  it("A file that is missing, foreign, damaged, cut short or too large is refused", async () => {
    const refused = async (content: Uint8Array, message: RegExp) => {
      await folder.write("test_32x32.mat", content);
      await assert.rejects(loadSvhn({ folder: folder.path(), split: "test" }), message);
    };

    await assert.rejects(loadSvhn({ folder: folder.path("none") }), /SVHN is not in [^]*train_32x32.mat[^]*put them into/);
    await refused(Buffer.alloc(200), /expected a little-endian MATLAB 5.0 file/);
    await refused(mat.subarray(0, 100), /cut short: 100 bytes/);
    await refused(mat.subarray(0, 200), /cut short/);
    const damaged = Buffer.from(mat);
    damaged.fill(0x55, 150, 170);
    await refused(damaged, /damaged compressed data/);
    await refused(inflateSync(Buffer.from(plainMat, "base64")), /has i, d, expected X and y|has d, i, expected X and y/);
    assert.throws(() => parseMat(mat, { name: "m", maxBytes: 1000 }), /more than the 1000 bytes expected at most/);
    await assert.rejects(loadSvhn({ split: "all" as "test" }), /split = "all"/);
  });

  it("A label that is not an integer is refused, not truncated", async () => {
    const element = (type: number, data: Buffer) => {
      const tag = Buffer.alloc(8);
      tag.writeUInt32LE(type);
      tag.writeUInt32LE(data.length, 4);
      return Buffer.concat([tag, data, Buffer.alloc((8 - (data.length % 8)) % 8)]);
    };
    const integers = (...values: number[]) => Buffer.from(Int32Array.from(values).buffer);
    // MATLAB 5: flags (the class), dimensions, name, values; 6 and 9 are the classes of doubles and bytes, 9 and 2 their types
    const array = (name: string, dims: number[], [matrixClass, type]: [number, number], values: Buffer) =>
      element(14, Buffer.concat([element(6, integers(matrixClass, 0)), element(5, integers(...dims)), element(1, Buffer.from(name)), element(type, values)])); // prettier-ignore
    const header = Buffer.alloc(128, " ");
    header.write("MATLAB 5.0 MAT-file");
    header.write("\x00\x01IM", 124, "latin1");
    const x = array("X", [32, 32, 3, 1], [9, 2], Buffer.alloc(3072));
    const y = array("y", [1, 1], [6, 9], Buffer.from(Float64Array.of(2.5).buffer));

    await folder.write("test_32x32.mat", Buffer.concat([header, x, y]));

    await assert.rejects(
      loadSvhn({ folder: folder.path(), split: "test" }),
      /test_32x32.mat: label 0 is 2.5, expected an integer from 0 to 9/,
    );
  });

  it("Damage never crashes the reader: it reads on or refuses", () => {
    const whole = inflateSync(Buffer.from(plainMat, "base64"));
    for (let at = 128; at < whole.length; at++)
      for (const value of [0, 1, 0x7f, 0xff]) {
        const damaged = Buffer.from(whole);
        damaged[at] = value;
        try {
          parseMat(damaged, { name: "m" });
        } catch (error) {
          assert.match((error as Error).message, /^m: /);
        }
      }
  });
});

describe("data/mnist", () => {
  const folder = temporaryFolder();

  it("MNIST is read from its folder, and the error for a missing file tells where to get it", async () => {
    await assert.rejects(
      loadMnist({ folder: folder.path() }),
      /MNIST is not in .*[^]*train-images-idx3-ubyte.gz[^]*SHA-256 440fcabf/,
    );
    await folder.write("t10k-images-idx3-ubyte", idxBytes([1, 28, 28], new Uint8Array(784)));
    await folder.write("t10k-labels-idx1-ubyte", idxBytes([1], [7]));

    assert.deepEqual([...(await loadMnist({ folder: folder.path(), split: "test" })).labels], [7]);
  });
});
