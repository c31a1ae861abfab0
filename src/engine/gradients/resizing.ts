/**
 * Gradients of resizing. It is linear and separable, so the gradient is two products with the transposed matrices of the axes. Stock
 * kernels are wrong for half-pixel centers on every engine, and on the JavaScript one for images that are not square.
 */
import * as tf from "@tensorflow/tfjs";
import { offTape, putGradient } from "./registry";

type Image = tf.Tensor4D;
/** The old places that a new place is made of, with their shares. */
type Mixture = readonly (readonly [place: number, share: number])[];

export function installResizingGradients(): void {
  installResize("ResizeBilinear", bilinear);
  installResize("ResizeNearestNeighbor", nearest);
}

function installResize(kernelName: string, mixtureOf: (at: number, centers: Centers) => Mixture): void {
  putGradient(kernelName, {
    inputsToSave: ["images"],
    gradFunc: (dy, [images], attrs) => ({
      images: () => {
        const [, height, width] = (images as Image).shape;
        const matrix = (from: number, to: number) => offTape(() => axisMatrix(from, to, attrs as unknown as Centers, mixtureOf));
        const [, newHeight, newWidth] = (dy as Image).shape;
        return alongBothAxes(dy as Image, matrix(height, newHeight), matrix(width, newWidth));
      },
    }),
  });
}

interface Centers {
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

/** (to, from) each new place as a mixture of old ones, as TensorFlow places them. */
function axisMatrix(from: number, to: number, centers: Centers, mixtureOf: typeof bilinear): tf.Tensor2D {
  const { alignCorners, halfPixelCenters } = centers;
  const scale = alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to;
  const values = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    for (const [place, share] of mixtureOf(halfPixelCenters ? (i + 0.5) * scale : i * scale, centers)) {
      const at = i * from + Math.min(Math.max(place, 0), from - 1);
      values[at] = values[at]! + share;
    }
  }
  return tf.tensor2d(values, [to, from]);
}

function bilinear(at: number, { halfPixelCenters }: Centers): Mixture {
  const point = Math.max(halfPixelCenters ? at - 0.5 : at, 0);
  const low = Math.floor(point);
  return [[low, 1 - (point - low)], [low + 1, point - low]]; // prettier-ignore
}

function nearest(at: number, { alignCorners }: Centers): Mixture {
  return [[alignCorners ? Math.floor(at + 0.5) : Math.floor(at), 1]];
}

/** dy (n, h', w', c) times both matrices, transposed: (n, h, w, c). */
function alongBothAxes(dy: Image, rows: tf.Tensor2D, columns: tf.Tensor2D): Image {
  const [n, newHeight, newWidth, c] = dy.shape;
  const [height, width] = [rows.shape[1], columns.shape[1]];
  const byRows = tf.reshape(tf.transpose(dy, [1, 0, 2, 3]), [newHeight, n * newWidth * c]);
  const tall = tf.reshape(tf.matMul(rows, byRows, true), [height, n, newWidth, c]);
  const byColumns = tf.reshape(tf.transpose(tall, [2, 1, 0, 3]), [newWidth, n * height * c]);
  return tf.transpose(tf.reshape(tf.matMul(columns, byColumns, true), [width, n, height, c]), [1, 2, 0, 3]);
}
