/** A strip of images with what is written under each: a label, and whether it is true. */
import { PNG } from "pngjs";
import { imageLength, type Dataset } from "../data";
import { figure, palette, type FigureSpec, type FigureTitle } from "./theme";

export interface Caption {
  readonly text: string;
  /** printed below in gray, such as the true class */
  readonly note?: string;
  /** printed in the color of an error */
  readonly wrong?: boolean;
}

export interface ImageStripOptions extends FigureTitle {
  /** of the images to show, in order */
  readonly indices: readonly number[];
  readonly captionOf: (index: number) => Caption;
  readonly columns?: number;
}

const cell = { width: 104, height: 132, image: 72 };

/** Images of a data set with a caption each, in rows of `columns`. @throws where an index is none of the set's */
export function imageStrip(dataset: Dataset, { indices, captionOf, columns = 8, ...heading }: ImageStripOptions): FigureSpec {
  const values = indices.map((index, place) => ({
    url: dataUrl(dataset, index),
    x: (place % columns) * cell.width + cell.width / 2,
    y: Math.floor(place / columns) * cell.height,
    ...{ note: "", ...captionOf(index) },
  }));
  const width = Math.min(columns, indices.length) * cell.width;
  const height = Math.ceil(indices.length / columns) * cell.height;
  return figure(heading, width, { width, height, data: { values }, layer: layers(width, height) });
}

function layers(width: number, height: number) {
  const x = { field: "x", type: "quantitative", axis: null, scale: { domain: [0, width], nice: false } };
  const y = { field: "y", type: "quantitative", axis: null, scale: { domain: [height, 0], nice: false } };
  const color = { condition: { test: "datum.wrong", value: palette.vermilion }, value: palette.ink };
  const written = (field: string, dy: number, paint: object) => ({
    mark: { type: "text", dy, fontSize: 13, baseline: "top" },
    encoding: { x, y, text: { field }, color: paint },
  });
  return [
    {
      mark: { type: "image", width: cell.image, height: cell.image, baseline: "top" },
      encoding: { x, y, url: { field: "url" } },
    },
    written("text", cell.image + 6, color),
    written("note", cell.image + 24, { value: palette.gray }),
  ];
}

function dataUrl(dataset: Dataset, index: number): string {
  if (!Number.isInteger(index) || index < 0 || index >= dataset.size)
    throw new Error(
      `index ${index}: expected an integer from 0 to ${dataset.size - 1}, ${dataset.name} having ${dataset.size} images`,
    );
  const [height, width, channels] = dataset.shape;
  const pixels = dataset.images.subarray(index * imageLength(dataset.shape), (index + 1) * imageLength(dataset.shape));
  const png = new PNG({ width, height });
  for (let i = 0; i < height * width; i++) {
    const at = (channel: number) => pixels[i * channels + Math.min(channel, channels - 1)]!;
    png.data.set([at(0), at(1), at(2), 255], 4 * i);
  }
  return `data:image/png;base64,${PNG.sync.write(png).toString("base64")}`;
}
