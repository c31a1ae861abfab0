import assert from "node:assert/strict";
import {
  cutout,
  cutoutPerBatch,
  horizontalFlip,
  mirror,
  mixup,
  perImage,
  reflect,
  reflectCrop,
  scaledCutoutSize,
  shiftReflected,
  type ImageShape,
} from "../../src/data";
import { Rng } from "../../src/engine";

const place = (shape: ImageShape, seed = 0, firstIndex = 0) => ({ shape, rng: new Rng(seed), firstIndex });
const range = (n: number) => Array.from({ length: n }, (_, i) => i);

describe("data/augment", () => {
  it("Mirroring reverses the columns and keeps channels together", () => {
    const image = Uint8Array.from([1, 2, 3, 4, 5, 6]);

    mirror(image, [1, 3, 2]);

    assert.deepEqual([...image], [5, 6, 3, 4, 1, 2]);
  });

  it("Flips come with probability one half", () => {
    // 10 000 draws of Binomial(½): within 5 standard deviations of 50
    const images = Uint8Array.from({ length: 20000 }, (_, i) => i % 2);

    perImage(horizontalFlip())(images, place([1, 2, 1]));

    const flipped = range(10000).filter((i) => images[2 * i] === 1).length;
    assert.ok(Math.abs(flipped - 5000) < 250, `${flipped} of 10 000`);
  });

  it("Reflection does not repeat the edge", () => {
    // numpy.pad([0, 1, 2, 3], 4, mode="reflect") = 2 3 2 1 | 0 1 2 3 | 2 1 0 1
    assert.deepEqual(
      range(12).map((i) => reflect(i - 4, 4)),
      [2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1],
    );
    assert.equal(reflect(-3, 1), 0);
  });

  it("A shift reads from the reflected surroundings", () => {
    // rows 0 1 2 / 3 4 5 / 6 7 8, shifted by one up (row −1 is row 1) and one right (column 3 is column 1)
    const image = Uint8Array.from(range(9));

    shiftReflected(image, [3, 3, 1], -1, 1);

    assert.deepEqual([...image], [4, 5, 4, 1, 2, 1, 4, 5, 4]);
  });

  it("A shift by zero changes nothing, and floats move as bytes do", () => {
    const image = Float32Array.from(range(18));

    shiftReflected(image, [3, 3, 2], 0, 0);
    assert.deepEqual([...image], range(18));

    shiftReflected(image, [3, 3, 2], 0, 1);
    assert.deepEqual([...image].slice(0, 6), [2, 3, 4, 5, 2, 3]);
  });

  it("A crop with padding 1 takes each of the nine places about equally often", () => {
    const counts = new Map<number, number>();
    const images = new Uint8Array(9 * 9000);
    for (let i = 0; i < images.length; i++) images[i] = i % 9;

    perImage(reflectCrop({ pad: 1 }))(images, place([3, 3, 1]));

    // the center pixel of the crop names the place
    for (let i = 0; i < 9000; i++) counts.set(images[9 * i + 4]!, (counts.get(images[9 * i + 4]!) ?? 0) + 1);
    assert.equal(counts.size, 9);
    for (const count of counts.values()) assert.ok(Math.abs(count - 1000) < 150, `${count}`); // std ≈ 30
  });

  it("Cutout blanks a box around its center, clipped at the border", () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 400; seed++) {
      const image = new Float32Array(16).fill(1);
      cutout({ size: 2 })(image, [4, 4, 1], new Rng(seed));
      const rows = new Set(
        range(16)
          .filter((i) => image[i] === 0)
          .map((i) => Math.floor(i / 4)),
      );
      const columns = new Set(
        range(16)
          .filter((i) => image[i] === 0)
          .map((i) => i % 4),
      );
      assert.equal([...image].filter((x) => x === 0).length, rows.size * columns.size);
      seen.add([...rows].join("") + "|" + [...columns].join(""));
    }

    // center c blanks [c − 1, c + 1): 0 → {0}, 1 → {0, 1}, 2 → {1, 2}, 3 → {2, 3}
    const spans = ["0", "01", "12", "23"];
    assert.deepEqual([...seen].sort(), spans.flatMap((y) => spans.map((x) => `${y}|${x}`)).sort());
  });

  it("Cutout per image draws a box for each, per batch one for all", () => {
    const holes = (images: Float32Array) =>
      new Set(
        range(50).map((i) =>
          range(64)
            .filter((j) => images[64 * i + j] === 0)
            .join(),
        ),
      );
    const own = new Float32Array(64 * 50).fill(1);
    const shared = own.slice();

    perImage(cutout({ size: 4 }))(own, place([8, 8, 1]));
    cutoutPerBatch({ size: 4 })(shared, place([8, 8, 1]));

    assert.ok(holes(own).size > 10);
    assert.equal(holes(shared).size, 1);
  });

  it("The scaled box keeps the share of the image: 16 for 32 pixels, 14 for 28", () => {
    assert.equal(scaledCutoutSize([32, 32, 3]), 16);
    assert.equal(scaledCutoutSize([28, 28, 1]), 14);
  });

  it("An image's augmentation depends on the stream and its position alone", () => {
    const shape: ImageShape = [6, 6, 1];
    const all = Uint8Array.from(range(36 * 4));
    const second = all.slice(36, 72);
    const augment = perImage(horizontalFlip(), reflectCrop({ pad: 2 }));

    augment(all, place(shape, 7));
    augment(second, place(shape, 7, 1));

    assert.deepEqual(all.slice(36, 72), second);
  });

  it("Mixup mixes images and labels with the same partner and λ", () => {
    const rng = new Rng(4);
    const images = Float32Array.from([0, 0, 10, 10, 20, 20]);
    const labels = Float32Array.from([1, 0, 0, 0, 1, 0, 0, 0, 1]);

    const mixed = mixup(images, labels, { numClasses: 3, rng, alpha: 1 });

    mixed.lambdas.forEach((lambda, i) => {
      const expected = lambda * 10 * i + (1 - lambda) * 10 * mixed.partners[i]!;
      assert.ok(Math.abs(mixed.images[2 * i]! - expected) < 1e-5);
      const row = [0, 0, 0];
      row[i]! += lambda;
      row[mixed.partners[i]!]! += 1 - lambda;
      row.forEach((value, k) => assert.ok(Math.abs(mixed.oneHotLabels[3 * i + k]! - value) < 1e-6));
    });
    assert.deepEqual([...images], [0, 0, 10, 10, 20, 20]);
  });

  it("Mixup pairs a batch with its reverse and uses one λ of at least one half", () => {
    for (let seed = 0; seed < 50; seed++) {
      const { lambdas, partners } = mixup(new Float32Array(6), new Float32Array(6), {
        numClasses: 2,
        rng: new Rng(seed),
      });

      assert.deepEqual([...partners], [2, 1, 0]);
      assert.ok(lambdas[0]! >= 0.5 && lambdas.every((x) => x === lambdas[0]));
    }
  });

  it("λ has the mean and the variance of Beta(α, α)", () => {
    // Beta(2, 2): mean 1/2, variance 1/(4(2·2 + 1)) = 0.05
    const options = { numClasses: 1, rng: new Rng(9), alpha: 2, pairing: "example" } as const;
    const { lambdas } = mixup(new Float32Array(20000), new Float32Array(20000), options);
    const mean = lambdas.reduce((a, b) => a + b) / 20000;
    const variance = lambdas.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 20000;

    assert.ok(Math.abs(mean - 0.5) < 0.01, `${mean}`);
    assert.ok(Math.abs(variance - 0.05) < 0.003, `${variance}`);
  });

  it("Mixup refuses an α that is not positive and sizes that do not fit", () => {
    assert.throws(
      () => mixup(new Float32Array(4), new Float32Array(4), { numClasses: 2, rng: new Rng(0), alpha: 0 }),
      /alpha = 0/,
    );
    assert.throws(
      () => mixup(new Float32Array(4), new Float32Array(5), { numClasses: 2, rng: new Rng(0) }),
      /do not fit 2 classes/,
    );
  });
});
