/** Gradients of reductions and tiling. Stock ones write arrays of ones in JavaScript, or add slice by slice. */
import * as tf from "@tensorflow/tfjs";
import { offTape, putGradient } from "./registry";

export function installReductionGradients(): void {
  putGradient("Sum", {
    inputsToSave: ["x"],
    gradFunc: (dy, [x], attrs) => ({ x: () => spread(dy as tf.Tensor, x!.shape, attrs.axis as number[]) }),
  });
  putGradient("Mean", {
    inputsToSave: ["x"],
    gradFunc: (dy, [x], attrs) => ({ x: () => spread(shareOut(dy as tf.Tensor, x!.size), x!.shape, attrs.axis as number[]) }),
  });
  for (const [kernelName, axis] of [["Max", "reductionIndices"], ["Min", "axis"]] as const) installExtremum(kernelName, axis); // prettier-ignore
  // Stock transposes the result of any but the last axis.
  putGradient("Cumsum", {
    gradFunc: (dy, _saved, attrs) => ({
      x: () => tf.cumsum(dy as tf.Tensor, attrs.axis as number, attrs.exclusive as boolean, !attrs.reverse),
    }),
  });
  putGradient("MirrorPad", {
    inputsToSave: ["x"],
    gradFunc: (dy, [x], attrs) => ({
      x: () => foldMargins(dy as tf.Tensor, x!.shape, attrs.paddings as unknown as [number, number][], attrs.mode as string),
    }),
  });
  putGradient("Tile", {
    inputsToSave: ["x"],
    gradFunc: (dy, [x], attrs) => ({ x: () => sumCopies(dy as tf.Tensor, x!.shape, attrs.reps as number[]) }),
  });
}

// Stock TensorFlow.js gives each of several equal maxima the whole gradient. TensorFlow and PyTorch share it between them.
function installExtremum(kernelName: string, axisName: string): void {
  putGradient(kernelName, {
    inputsToSave: ["x"],
    outputsToSave: [true],
    gradFunc: (dy, [x, y], attrs) => ({
      x: () => {
        const axes = tf.util.parseAxisParam(attrs[axisName] as number[], x!.shape);
        const kept = x!.shape.map((side, i) => (axes.includes(i) ? 1 : side));
        const share = offTape(() => {
          const places = tf.cast(tf.equal(x!, tf.reshape(y!, kept)), "float32");
          return tf.div(places, tf.sum(places, axes, true));
        });
        return tf.mul(tf.reshape(dy as tf.Tensor, kept), share);
      },
    }),
  });
}

function shareOut(dy: tf.Tensor, size: number): tf.Tensor {
  return tf.mul(dy, dy.size / size);
}

/** Broadcasts a reduced tensor along its reduced axes: the adjoint of summing. */
function spread(dy: tf.Tensor, shape: number[], axis: number | number[]): tf.Tensor {
  const axes = new Set(tf.util.parseAxisParam(axis, shape));
  const kept = shape.map((side, i) => (axes.has(i) ? 1 : side));
  return tf.broadcastTo(tf.reshape(dy, kept), shape);
}

/** The sum of the copies that tiling made: each tiled axis split in (copies, side), and summed over copies. */
function sumCopies(dy: tf.Tensor, shape: number[], reps: number[]): tf.Tensor {
  const split: number[] = [];
  const copies: number[] = [];
  shape.forEach((side, i) => {
    if (reps[i]! > 1) copies.push(split.push(reps[i]!) - 1);
    if (reps[i] === 1 || side > 1) split.push(side);
  });
  return copies.length === 0 ? dy : tf.reshape(tf.sum(tf.reshape(dy, split), copies), shape);
}

/**
 * Mirrored margins are copies, so their gradients go back to where they came from; stock TensorFlow.js drops them. Each axis in turn
 * becomes its middle part plus the reversed margins.
 */
function foldMargins(dy: tf.Tensor, shape: number[], paddings: [number, number][], mode: string): tf.Tensor {
  const edge = mode === "reflect" ? 1 : 0; // "reflect" does not repeat the edge itself
  return paddings.reduce((folded, [before, after], axis) => {
    const side = shape[axis]!;
    const part = (begin: number, size: number) => sliceAxis(folded, axis, begin, size);
    const place = (piece: tf.Tensor, at: number) =>
      tf.pad(
        tf.reverse(piece, axis),
        folded.shape.map((_, i) => (i === axis ? [at, side - at - piece.shape[axis]!] : [0, 0])),
      );
    const parts = [part(before, side)];
    if (before > 0) parts.push(place(part(0, before), edge));
    if (after > 0) parts.push(place(part(before + side, after), side - edge - after));
    return parts.length === 1 ? parts[0]! : tf.addN(parts);
  }, dy);
}

function sliceAxis(x: tf.Tensor, axis: number, begin: number, size: number): tf.Tensor {
  const only = (value: number, others: number[]) => others.map((other, i) => (i === axis ? value : other));
  return tf.slice(x, only(begin, new Array<number>(x.rank).fill(0)), only(size, x.shape));
}

/** Sums over the axes along which a tensor of this shape was broadcast: the adjoint of broadcasting. */
export function sumToShape(x: tf.Tensor, shape: number[]): tf.Tensor {
  const lead = x.rank - shape.length;
  const axes = x.shape.map((_, i) => i).filter((i) => i < lead || (shape[i - lead] === 1 && x.shape[i] !== 1));
  return axes.length === 0 ? x : tf.reshape(tf.sum(x, axes), shape);
}
