import assert from "node:assert/strict";
import { PNG } from "pngjs";
import { makeDataset } from "../../src/data";
import { imageStrip } from "../../src/plots/imageStrip";
import { renderPng } from "../../src/plots/render";

const statistics = { mean: [0.5, 0.5, 0.5], std: [1, 1, 1] };
const gray = makeDataset({ name: "two by two", shape: [2, 2, 1], numClasses: 2, images: Uint8Array.of(0, 64, 128, 255, 9, 9, 9, 9), labels: Int32Array.of(0, 1), mean: [0.5], std: [1] }); // prettier-ignore
const colored = makeDataset({ name: "one pixel", shape: [1, 1, 3], numClasses: 2, images: Uint8Array.of(200, 100, 50), labels: Int32Array.of(0), ...statistics }); // prettier-ignore

const valuesOf = (spec: unknown) =>
  (spec as { data: { values: { url: string; x: number; y: number; text: string }[] } }).data.values;
const pixelsOf = (url: string) => [...PNG.sync.read(Buffer.from(url.split(",")[1]!, "base64")).data];

describe("plots/imageStrip", () => {
  const captionOf = (index: number) => ({ text: `class ${index}`, note: "in truth class 1", wrong: index === 0 });

  it("holds each image as it is, gray or colored", () => {
    const [first] = valuesOf(imageStrip(gray, { indices: [0], captionOf }));
    const [pixel] = valuesOf(imageStrip(colored, { indices: [0], captionOf }));

    assert.deepEqual(
      pixelsOf(first!.url),
      [0, 64, 128, 255].flatMap((value) => [value, value, value, 255]),
    );
    assert.deepEqual(pixelsOf(pixel!.url), [200, 100, 50, 255]);
  });

  it("writes each caption under its image, in rows of the given length", () => {
    const values = valuesOf(imageStrip(gray, { indices: [1, 0, 1], captionOf, columns: 2 }));

    assert.deepEqual(values.map(({ text }) => text), ["class 1", "class 0", "class 1"]); // prettier-ignore
    assert.equal(values[0]!.y, values[1]!.y);
    assert.ok(values[2]!.y > values[0]!.y && values[2]!.x === values[0]!.x);
  });

  it("leaves the space of a note that is not given empty", () => {
    const [value] = valuesOf(imageStrip(gray, { indices: [0], captionOf: () => ({ text: "a label" }) }));

    assert.equal((value as unknown as { note: string }).note, "");
  });

  it("becomes a picture in which the images are drawn", async () => {
    const white = makeDataset({ ...gray, images: new Uint8Array(8).fill(3) });
    const png = PNG.sync.read(await renderPng(imageStrip(white, { indices: [0], captionOf }), { scale: 1 }));
    const dark = [...png.data].filter((value, i) => i % 4 === 0 && value === 3).length;

    assert.ok(dark >= 70 * 70, `${dark} dark pixels`); // an image of 72 × 72 pixels
  });

  it("names an index that the set does not have", () => {
    assert.throws(
      () => imageStrip(gray, { indices: [2], captionOf }),
      /index 2: expected an integer from 0 to 1 \(two by two has 2 images\)/,
    );
  });

  it("refuses an empty list, more columns than a page holds, and unknown options", () => {
    assert.throws(() => imageStrip(gray, { indices: [], captionOf }), /imageStrip: indices = \[\]: expected at least one image/);
    assert.throws(
      () => imageStrip(gray, { indices: [0], captionOf, columns: 9 }),
      /columns = 9, expected an integer from 1 to 8/,
    );
    assert.throws(() => imageStrip(gray, { indices: [0], captionOf, column: 2 } as never), /did you mean "columns"\?/);
  });
});
