/** A strip of images with a caption under each: a label, and whether it is true. */
import { PNG } from "pngjs";
import { imageLength, type Dataset } from "../data";
import { checkFigure } from "./checkFigure";
import { figure, palette, type FigureSpec, type FigureTitle } from "./theme";

/** Text below an image. */
export interface ImageCaption {
  readonly text: string;
  /** Printed below in gray, such as the true class. */
  readonly note?: string;
  /** Printed in red: the label is not the true one. */
  readonly wrong?: boolean;
}

/** Options of `imageStrip`. */
export interface ImageStripOptions extends FigureTitle {
  /** Places of the images in the data set, in order, each at least 0. */
  readonly indices: readonly number[];
  /** Text below the image at a place in the data set. */
  readonly captionOf: (index: number) => ImageCaption;
  /** Images in a line, 1 to 8. */
  readonly columns?: number; // 8: what fits the width of a page
}

const cell = { width: 104, height: 132, image: 72 };

/**
 * Images of a data set with a caption each, in lines of `columns`.
 * @throws where an option is unknown, there is no image, or an index is none of the data set's
 */
export function imageStrip(dataset: Dataset, options: ImageStripOptions): FigureSpec {
  const kinds = { indices: "array", captionOf: "function", columns: "number" } as const;
  checkFigure(options, { what: "imageStrip", kinds, rows: "indices" });
  const { indices, captionOf, columns = 8 } = options;
  if (indices.length === 0) throw new Error("imageStrip: indices = []: expected at least one image");
  if (!Number.isInteger(columns) || columns < 1 || columns > 8)
    throw new Error(`imageStrip: columns = ${columns}, expected an integer from 1 to 8`);
  const values = indices.map((index, place) => ({
    url: dataUrl(dataset, index),
    x: (place % columns) * cell.width + cell.width / 2,
    y: Math.floor(place / columns) * cell.height,
    ...{ note: "", ...captionOf(index) },
  }));
  const width = Math.min(columns, indices.length) * cell.width;
  const height = Math.ceil(indices.length / columns) * cell.height;
  return figure(options, width, { width, height, data: { values }, layer: layers(width, height) });
}

function layers(width: number, height: number) {
  const x = { field: "x", type: "quantitative", axis: null, scale: { domain: [0, width], nice: false } };
  const y = { field: "y", type: "quantitative", axis: null, scale: { domain: [height, 0], nice: false } };
  const color = { condition: { test: "datum.wrong", value: palette.red }, value: palette.ink };
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
      `imageStrip: index ${index}: expected an integer from 0 to ${dataset.size - 1} (${dataset.name} has ${dataset.size} images)`,
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
