import assert from "node:assert/strict";
import {
  applyOperation,
  augmentations,
  autoAugment,
  perImage,
  randAugment,
  type ImageShape,
  type OperationName,
} from "../../src/data";
import { cifar10Policy, imagenetPolicy, svhnPolicy } from "../../src/data/autoAugmentPolicies";
import { Rng } from "../../src/engine";

const row: ImageShape = [1, 4, 1];

/** The image after one operation; the sign of shifts, shears and rotations is that of the first seed with the wanted one. */
function applied(
  name: OperationName,
  values: number[],
  level: number,
  { shape = row, positive = true, reference = "official" as "official" | "autoaugment" } = {},
) {
  const seed = Array.from({ length: 50 }, (_, i) => i).find((i) => new Rng(i).uniform() >= 0.5 === positive)!;
  const image = Uint8Array.from(values);
  applyOperation(name, image, { shape, level, rng: new Rng(seed), reference });
  return [...image];
}

describe("data/autoAugment", () => {
  it("Invert, Solarize and SolarizeAdd are pointwise", () => {
    assert.deepEqual(applied("Invert", [0, 1, 128, 255], 5), [255, 254, 127, 0]);
    // level 5: threshold ⌊0.5·256⌋ = 128
    assert.deepEqual(applied("Solarize", [0, 127, 128, 255], 5), [0, 127, 127, 0]);
    // level 3 in AutoAugment's own code: threshold 256 − ⌊76.8⌋ = 180
    assert.deepEqual(applied("Solarize", [0, 179, 180, 255], 3, { reference: "autoaugment" }), [0, 179, 75, 0]);
    // level 10: values below 128 gain 110
    assert.deepEqual(applied("SolarizeAdd", [0, 127, 128, 255], 10), [110, 237, 128, 255]);
  });

  it("Posterize keeps the first bits", () => {
    // official, level 7: ⌊2.8⌋ = 2 bits; own code, level 7: 8 − 2 = 6 bits
    assert.deepEqual(applied("Posterize", [63, 64, 200, 255], 7), [0, 64, 192, 192]);
    assert.deepEqual(applied("Posterize", [63, 64, 203, 255], 7, { reference: "autoaugment" }), [60, 64, 200, 252]);
    assert.deepEqual(applied("Posterize", [63, 64, 200, 255], 0), [0, 0, 0, 0]);
  });

  it("Brightness, Contrast and Color blend with black, gray and the grayscale image", () => {
    // level 5: factor 1, nothing changes; level 10: factor 1.9, clipped; level 0: factor 0.1
    assert.deepEqual(applied("Brightness", [10, 100, 200, 255], 5), [10, 100, 200, 255]);
    assert.deepEqual(applied("Brightness", [10, 101, 200, 255], 10), [19, 191, 255, 255]);
    assert.deepEqual(applied("Brightness", [10, 101, 200, 255], 0), [1, 10, 20, 25]);
    // own code, factor 0.1 with the mean gray 100: 100 + 0.1·(x − 100)
    assert.deepEqual(applied("Contrast", [0, 50, 150, 200], 0, { reference: "autoaugment" }), [90, 95, 105, 110]);
    // official: 4 pixels / 256 → gray 0
    assert.deepEqual(applied("Contrast", [0, 50, 150, 200], 0), [0, 5, 15, 20]);
    // gray of (255, 0, 0): ⌊0.2989·255.5⌋ = 76; factor 0.1: 76 + 0.1·(255 − 76) = 93.9, 76 − 7.6 = 68.4
    assert.deepEqual(applied("Color", [255, 0, 0], 0, { shape: [1, 1, 3] }), [93, 68, 68]);
    assert.deepEqual(applied("Color", [9, 80], 3, { shape: [1, 2, 1] }), [9, 80]);
  });

  it("AutoContrast stretches each channel to 0 … 255", () => {
    // (x − 50)·255/100
    assert.deepEqual(applied("AutoContrast", [50, 70, 100, 150], 0), [0, 51, 127, 255]);
    assert.deepEqual(applied("AutoContrast", [7, 7, 7, 7], 0), [7, 7, 7, 7]);
    assert.deepEqual(applied("AutoContrast", [0, 9, 255, 9], 0, { shape: [1, 2, 2] }), [0, 9, 255, 9]);
  });

  it("Equalize follows PIL's rule", () => {
    // 256·4 pixels: 0, 1, 2, 3 in equal parts. step = ⌊768/255⌋ = 3; table = ⌊(count below + 1)/3⌋: 0, ⌊257/3⌋ = 85, 171, 256 → 255
    const values = Array.from({ length: 1024 }, (_, i) => i % 4);
    const result = applied("Equalize", values, 0, { shape: [32, 32, 1] });

    assert.deepEqual(result.slice(0, 4), [0, 85, 171, 255]);
    assert.deepEqual(applied("Equalize", [1, 2, 3, 4], 0), [1, 2, 3, 4]); // too few pixels: step 0
  });

  it("Sharpness blends with PIL's smooth kernel inside, and leaves the border", () => {
    // center 130 among zeros: smooth 130·5/13 = 50; factor 0.1: 50 + 0.1·80 = 58
    assert.deepEqual(applied("Sharpness", [0, 0, 0, 0, 130, 0, 0, 0, 0], 0, { shape: [3, 3, 1] }), [0, 0, 0, 0, 58, 0, 0, 0, 0]);
  });

  it("Translations shift by a share of 250 pixels, or of 10 of 32, and fill with 128", () => {
    // 2.5 pixels at level 0.1, rounded as the nearest pixel; own code at level 8 of a 4-pixel image: 10·4/32·0.8 = 1 pixel
    const shape: ImageShape = [4, 4, 1];
    const image = Array.from({ length: 16 }, (_, i) => i);
    const left = [1, 2, 3, 128, 5, 6, 7, 128, 9, 10, 11, 128, 13, 14, 15, 128];

    assert.deepEqual(applied("TranslateX", image, 8, { shape, reference: "autoaugment" }), left);
    assert.deepEqual(applied("TranslateY", image, 8, { shape, reference: "autoaugment", positive: false }), [
      128,
      128,
      128,
      128,
      ...image.slice(0, 12),
    ]);
    assert.deepEqual(applied("TranslateX", image, 9, { shape }), new Array(16).fill(128)); // 225 pixels
    assert.deepEqual(applied("TranslateX", image, 0, { shape }), image);
  });

  it("A shear moves each row by its number times the level", () => {
    // level 10: x + 0.3·y: rows 0 and 1 stay, row 2 reads one further (0.6 → 1), row 3 as well (0.9 → 1)
    const image = Array.from({ length: 16 }, (_, i) => i);

    assert.deepEqual(
      applied("ShearX", image, 10, { shape: [4, 4, 1] }),
      [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 128, 13, 14, 15, 128],
    );
    assert.deepEqual(
      applied("ShearY", image, 10, { shape: [4, 4, 1] }),
      [0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13, 128, 128],
    );
  });

  it("A rotation by 90° and back changes nothing, and by 30° keeps the center", () => {
    // level 30: 90°. cos = 0, sin = 1: output (x, y) takes input (2 − y, x)
    const image = [0, 1, 2, 3, 4, 5, 6, 7, 8];

    assert.deepEqual(applied("Rotate", image, 30, { shape: [3, 3, 1] }), [2, 5, 8, 1, 4, 7, 0, 3, 6]);
    assert.equal(applied("Rotate", image, 10, { shape: [3, 3, 1] })[4], 4);
    assert.deepEqual(
      applied("Rotate", applied("Rotate", image, 30, { shape: [3, 3, 1] }), 30, { shape: [3, 3, 1], positive: false }),
      image,
    );
  });

  it("Cutout fills a box of at most twice its half side with 128", () => {
    // own code, level 4 on 32 pixels: half = ⌊0.4·10⌋ = 4
    const result = applied("Cutout", new Array(1024).fill(0), 4, { shape: [32, 32, 1], reference: "autoaugment" });
    const filled = result.filter((value) => value === 128).length;

    assert.ok(filled >= 16 && filled <= 64, `${filled}`);
  });

  it("The policies have 95, 25 and 25 pairs of known operations, with probabilities and levels in range", () => {
    const names = new Set<string>();
    for (const [text, count] of [
      [cifar10Policy, 95],
      [svhnPolicy, 25],
      [imagenetPolicy, 25],
    ] as const) {
      const lines = text.trim().split("\n");
      assert.equal(lines.length, count);
      for (const step of lines.flatMap((line) => line.split(" + "))) {
        const [name, probability, level] = step.split(" ");
        assert.ok(Number(probability) >= 0 && Number(probability) <= 1 && Number(level) >= 0 && Number(level) <= 10, step);
        names.add(name!);
      }
    }
    for (const name of names) assert.doesNotThrow(() => applied(name as OperationName, [1, 2, 3, 4], 3));
  });

  it("Every pair and every operation comes up, on one channel and on three, and the same stream gives the same image", () => {
    for (const shape of [
      [28, 28, 1],
      [32, 32, 3],
    ] as const) {
      const images = () => Uint8Array.from({ length: 40 * shape[0] * shape[1] * shape[2] }, (_, i) => (i * 7) % 256);
      for (const op of [
        autoAugment({ policy: "cifar10" }),
        autoAugment({ policy: "svhn" }),
        autoAugment({ policy: "imagenet" }),
        randAugment(),
      ]) {
        const [one, two] = [images(), images()];
        perImage(op)(one, { shape, rng: new Rng(1), firstIndex: 0 });
        perImage(op)(two, { shape, rng: new Rng(1), firstIndex: 0 });
        assert.deepEqual(one, two);
        assert.notDeepEqual(one, images());
      }
    }
  });

  it("With cutout or without, flips and crops are the same", () => {
    const shape: ImageShape = [9, 9, 1];
    const bytes = () => Uint8Array.from({ length: 81 * 5 }, (_, i) => i % 256);
    const [basic, cutout] = [bytes(), bytes()];

    augmentations.basic.bytes!(basic, { shape, rng: new Rng(3), firstIndex: 0 });
    augmentations.cutout.bytes!(cutout, { shape, rng: new Rng(3), firstIndex: 0 });

    assert.deepEqual(basic, cutout);
    assert.throws(
      () => autoAugment({ policy: "cifar" as "cifar10" }),
      /policy = "cifar": expected one of cifar10, svhn, imagenet/,
    );
  });
});
