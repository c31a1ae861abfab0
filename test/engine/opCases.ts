/**
 * TensorFlow.js's ops as a user writes them, to be held against PyTorch in float64 (`torchOps.py`, which knows their shapes), and those
 * that must refuse a gradient. Documentation and tests are made from the same list.
 */
import { batchNormInference, batchNormTraining, tf } from "../../src/engine";
import type { BackendName } from "../../src/engine/backend";

export interface OpCase {
  /** Name, as in torchOps.py. */
  readonly op: string;
  /** Every input is differentiated. */
  readonly run: (...inputs: tf.Tensor[]) => tf.Tensor;
  /** Engines that have the op and its gradient. */
  readonly engines: readonly BackendName[];
}

/** An op that has a first derivative and refuses the second, or that refuses both. */
export interface RefusedCase extends OpCase {
  /** Needed where torchOps.py does not have the op. */
  readonly shapes?: readonly (readonly number[])[];
  readonly refuses: "first" | "second";
}

const ALL: readonly BackendName[] = ["native", "wasm", "cpu"];
const NO_WASM: readonly BackendName[] = ["native", "cpu"];
const NO_NATIVE: readonly BackendName[] = ["wasm", "cpu"];

type A = tf.Tensor;
type M = tf.Tensor2D;
type X = tf.Tensor4D;
type C = tf.Tensor1D;

function exact(op: string, run: (...inputs: never[]) => tf.Tensor, engines = ALL): OpCase {
  return { op, run: run as OpCase["run"], engines };
}

/** Every op with exact first and second derivatives. */
export function exactOps(): OpCase[] {
  return [
    ...elementwise(),
    ...piecewiseConstant(),
    ...activations(),
    ...losses(),
    ...reductions(),
    ...convolutions(),
    ...otherConvolutions(),
    ...pooling(),
    ...resizing(),
    ...normalization(),
    ...shaping(),
    ...joining(),
    ...arithmetic(),
    ...products(),
  ];
}

/** Ops that give an error that names them, at the order given; never a wrong number. */
export function refusedOps(): RefusedCase[] {
  const second = (op: string, run: (...inputs: never[]) => tf.Tensor, engines = ALL): RefusedCase => ({
    ...exact(op, run, engines),
    refuses: "second",
  });
  const first = (op: string, shapes: number[][], run: (...inputs: never[]) => tf.Tensor, engines = ALL): RefusedCase => ({
    ...exact(op, run, engines),
    refuses: "first",
    shapes,
  });
  const image = [[1, 4, 4, 3]];
  return [
    second("localResponseNormalization", (a: X) => tf.localResponseNormalization(a)),
    second("dilation2d", (x: X, f: tf.Tensor3D) => tf.dilation2d(x, tf.mul(f, 0.37) as tf.Tensor3D, 1, "valid"), NO_WASM),
    first("stridedSlice", [[2, 6]], (a: A) => tf.stridedSlice(a, [0, 0], [2, 6], [1, 2])),
    first("einsum", [[2, 6]], (a: A) => tf.einsum("ij,kj->ik", a, a), NO_WASM),
    first("depthToSpace", [[1, 2, 2, 4]], (a: X) => tf.depthToSpace(a, 2, "NHWC")),
    first("topk", [[2, 6]], (a: A) => tf.topk(a, 2).values),
    first("cumprod", [[2, 6]], (a: A) => tf.cumprod(a, 1)),
    first("gather with batchDims 2", [[2, 2, 3]], (a: A) => tf.gather(a, tf.ones([2, 2, 2], "int32"), 2, 2), NO_WASM),
    first("diag", [[3]], (a: A) => tf.diag(a)),
    first("gatherND", [[3, 2]], (a: A) => tf.gatherND(a, tf.tensor2d([[0], [2]], [2, 1], "int32"))),
    first("scatterND", [[2]], (a: A) => tf.scatterND(tf.tensor2d([[0], [2]], [2, 1], "int32"), a, [4])),
    first(
      "tensorScatterUpdate",
      [[4], [2]],
      (
        a: A,
        b: A, // prettier-ignore
      ) => tf.tensorScatterUpdate(a, tf.tensor2d([[0], [2]], [2, 1], "int32"), b),
    ),
    first("maxPoolWithArgmax", image, (x: X) => tf.maxPoolWithArgmax(x, 2, 2, "valid").result!, ["cpu"]),
    first("image.cropAndResize", image, (x: X) =>
      tf.image.cropAndResize(x, tf.tensor2d([[0, 0, 1, 1]]), tf.tensor1d([0], "int32"), [2, 2]),
    ),
    first("image.flipLeftRight", image, (x: X) => tf.image.flipLeftRight(x)),
    first("image.rotateWithOffset", image, (x: X) => tf.image.rotateWithOffset(x, 0.3), NO_NATIVE),
    first("image.transform", image, (x: X) => tf.image.transform(x, tf.tensor2d([[1, 0, 1, 0, 1, 0, 0, 0]])), NO_NATIVE),
    first("image.rgbToGrayscale", image, (x: X) => tf.image.rgbToGrayscale(x), NO_WASM),
    first("complex", [[3]], (a: A) => tf.real(tf.mul(tf.complex(a, a), tf.complex(a, a))), NO_WASM),
    first("abs of a complex tensor", [[3]], (a: A) => tf.abs(tf.complex(a, a)), NO_WASM),
    first("spectral.rfft", [[4]], (a: A) => tf.real(tf.spectral.rfft(a)), NO_WASM),
    first("bincount", [[3]], (a: A) => tf.bincount(tf.tensor1d([0, 1, 1], "int32"), a as C, 3)),
    first("sparseToDense", [[2]], (a: A) => tf.sparseToDense(tf.tensor1d([0, 2], "int32"), a as C, [4], 0)),
  ];
}

function elementwise(): OpCase[] {
  return [
    exact("exp", tf.exp),
    exact("expm1", tf.expm1),
    exact("log", (x: A) => tf.log(tf.add(tf.square(x), 1))),
    exact("log1p", (x: A) => tf.log1p(tf.square(x))),
    exact("sqrt", (x: A) => tf.sqrt(tf.add(tf.square(x), 0.5))),
    exact("rsqrt", (x: A) => tf.rsqrt(tf.add(tf.square(x), 0.5))),
    exact("reciprocal", (x: A) => tf.reciprocal(tf.add(tf.square(x), 0.5))),
    exact("square", tf.square),
    exact("neg", tf.neg),
    exact("abs", tf.abs),
    exact("erf", tf.erf),
    exact("sin", tf.sin),
    exact("cos", tf.cos),
    exact("tan", (x: A) => tf.tan(tf.div(x, 2))),
    exact("asin", (x: A) => tf.asin(tf.div(x, 3))),
    exact("acos", (x: A) => tf.acos(tf.div(x, 3))),
    exact("atan", tf.atan),
    exact("sinh", tf.sinh),
    exact("cosh", tf.cosh),
    exact("asinh", tf.asinh),
    exact("acosh", (x: A) => tf.acosh(tf.add(tf.square(x), 1.5))),
    exact("atanh", (x: A) => tf.atanh(tf.div(x, 3))),
    exact("clipByValue", (x: A) => tf.clipByValue(x, -0.55, 0.65)),
  ];
}

/** x plus something whose derivative is zero. */
function piecewiseConstant(): OpCase[] {
  const beside = (op: string, run: (x: tf.Tensor) => tf.Tensor) => exact(op, (x: A) => tf.add(x, run(x)));
  const integers = (x: tf.Tensor) => tf.cast(tf.mul(x, 3), "int32");
  return [
    beside("floor", (x) => tf.floor(tf.mul(x, 3))),
    beside("ceil", (x) => tf.ceil(tf.mul(x, 3))),
    beside("round", (x) => tf.round(tf.mul(x, 3))),
    beside("sign", tf.sign),
    beside("step", (x) => tf.step(x, 0.5)),
    beside("floorDiv", (x) => tf.floorDiv(x, 0.73)),
    exact("floorDiv alone", (x: A) => tf.floorDiv(x, 0.73)),
    exact("floorDiv of two", (a: A, b: A) => tf.add(tf.mul(a, b), tf.floorDiv(a, tf.add(tf.square(b), 0.3)))),
    beside("cast to int32 and back", (x) => tf.cast(integers(x), "float32")),
    beside("integer arithmetic", (x) => tf.cast(tf.mul(integers(x), integers(x)), "float32")),
    beside("comparisons cast to numbers", (x) => tf.mul(tf.cast(tf.greater(x, 0.3), "float32"), 2)),
    exact("oneHot of argMax", (x: A) => tf.mul(x, tf.cast(tf.oneHot(tf.argMax(x, 1), 7), "float32"))),
  ];
}

const gelu = (x: tf.Tensor) => tf.mul(tf.mul(x, 0.5), tf.add(1, tf.erf(tf.div(x, Math.SQRT2))));

function activations(): OpCase[] {
  return [
    exact("sigmoid", tf.sigmoid),
    exact("tanh", tf.tanh),
    exact("softplus", tf.softplus),
    exact("logSigmoid", tf.logSigmoid),
    exact("logSigmoid of a computed tensor", (x: A) => tf.logSigmoid(tf.sub(tf.square(x), 1))),
    exact("relu", tf.relu),
    exact("relu6", (x: A) => tf.relu6(tf.mul(x, 4))),
    exact("leakyRelu", (x: A) => tf.leakyRelu(x, 0.1)),
    exact("prelu", (x: A, alpha: A) => tf.prelu(x, alpha)),
    exact("prelu with slopes per row", (x: A, alpha: A) => tf.prelu(x, alpha)),
    exact("elu", tf.elu),
    exact("selu", tf.selu),
    exact("swish", (x: A) => tf.mul(x, tf.sigmoid(x))),
    exact("gelu", gelu),
    exact("softmax", (x: A) => tf.softmax(x)),
    exact("logSoftmax", (x: A) => tf.logSoftmax(x)),
    exact("logSumExp", (x: A) => tf.logSumExp(x, 1)),
    exact("logSumExp over all", (x: A) => tf.logSumExp(x)),
    exact("basicLSTMCell", (kernel: M, data: M, c: M, h: M) =>
      tf.concat(tf.basicLSTMCell(tf.scalar(1), kernel, tf.zeros([8]), data, c, h), 1),
    ),
  ];
}

function losses(): OpCase[] {
  const { losses: loss, metrics } = tf;
  const target = () => tf.tensor2d([[1, 0, 0], [0, 0.9, 0.1], [0, 0, 1]]); // prettier-ignore
  const against = (op: string, run: (labels: M, z: M) => tf.Tensor) => exact(op, (z: M) => run(target(), z));
  return [
    against("losses.softmaxCrossEntropy", (t, z) => loss.softmaxCrossEntropy(t, z)),
    against("losses.softmaxCrossEntropy with label smoothing", (t, z) => loss.softmaxCrossEntropy(t, z, 1, 0.1)),
    exact("metrics.meanAbsolutePercentageError, labels too", (z: M, t: M) =>
      metrics.meanAbsolutePercentageError(tf.add(tf.square(t), 1), z),
    ),
    exact("losses.softmaxCrossEntropy, labels too", (z: M, t: M) => loss.softmaxCrossEntropy(tf.softmax(t), z)),
    against("losses.sigmoidCrossEntropy", (t, z) => loss.sigmoidCrossEntropy(t, z)),
    against("losses.logLoss of a sigmoid", (t, z) => loss.logLoss(t, tf.sigmoid(z))),
    against("log(softmax) cross-entropy", (t, z) => tf.neg(tf.sum(tf.mul(t, tf.log(tf.softmax(z)))))),
    against("losses.meanSquaredError", (t, z) => loss.meanSquaredError(t, z)),
    against("losses.absoluteDifference", (t, z) => loss.absoluteDifference(t, z)),
    against("losses.hingeLoss", (t, z) => loss.hingeLoss(t, z)),
    against("losses.cosineDistance", (t, z) => loss.cosineDistance(t, z, 1)),
    against("losses.huberLoss", (t, z) => loss.huberLoss(tf.mul(t, 0.7), tf.sub(z, 0.1))),
    against("metrics.categoricalCrossentropy", (t, z) => metrics.categoricalCrossentropy(t, tf.softmax(z))),
    against("metrics.binaryCrossentropy", (t, z) => metrics.binaryCrossentropy(t, tf.sigmoid(z))),
    against("metrics.meanAbsoluteError", (t, z) => metrics.meanAbsoluteError(t, z)),
    against("metrics.meanAbsolutePercentageError", (t, z) => metrics.meanAbsolutePercentageError(tf.add(t, 1), z)),
    against("metrics.cosineProximity", (t, z) => metrics.cosineProximity(t, z)),
  ];
}

function reductions(): OpCase[] {
  return [
    exact("max", (a: A) => tf.max(a, 1)),
    exact("max over all", (a: A) => tf.max(a)),
    exact("max, keepDims", (a: A) => tf.max(a, -1, true)),
    exact("max of ties", (a: A) => tf.max(tf.concat([a, a], 1), 1)),
    exact("min", (a: A) => tf.min(a, [0, 2])),
    exact("min of ties", (a: A) => tf.min(tf.concat([a, a], 1), 1)),
    exact("sum", (a: A) => tf.sum(a, [0, 2])),
    exact("mean", (a: A) => tf.mean(a, 1, true)),
    exact("moments", (a: A) => tf.moments(a, [0]).variance),
    exact("prod", (a: A) => tf.prod(a, [0, -1])),
    exact("prod with a zero", (a: A) => tf.prod(tf.mul(a, tf.tensor1d([1, 0, 1])), 1)),
    exact("norm", (a: A) => tf.norm(a, 2, 1)),
    exact("norm 1", (a: A) => tf.norm(a, 1, 1)),
    exact("norm Infinity", (a: A) => tf.norm(a, Infinity, 1)),
    exact("norm 1 of matrices", (a: A) => tf.norm(a, 1, [1, 2])),
    exact("norm Infinity of matrices", (a: A) => tf.norm(tf.exp(a), Infinity, [1, 2])),
    exact("norm fro of matrices", (a: A) => tf.norm(a, "fro", [1, 2])),
    exact("norm over all", (a: A) => tf.norm(a)),
    exact("euclideanNorm", (a: A) => tf.euclideanNorm(a, 2)),
    exact("cumsum", (a: A) => tf.cumsum(a, 1)),
    exact("cumsum, axis -1", (a: A) => tf.cumsum(a, -1)),
    exact("cumsum, exclusive and reverse", (a: A) => tf.cumsum(a, 2, true, true)),
  ];
}

type Pad = "same" | "valid" | number | [[number, number], [number, number], [number, number], [number, number]];
type Conv = readonly [strides: number | [number, number], pad: Pad, dilations: number | [number, number]];

const CONVOLUTIONS: readonly Conv[] = [
  [1, "same", 1],
  [2, "same", 1],
  [[2, 1], "valid", 1],
  [1, "same", 2],
  [1, "valid", [2, 1]],
  [2, 1, 1],
  [1, [[0, 0], [1, 0], [0, 2], [0, 0]], 1], // prettier-ignore
  [4, "valid", 1],
  [3, "same", 1], // leaves the last column unseen
];

function convolutions(): OpCase[] {
  const each = (op: string, make: (how: Conv) => (x: X, f: X, bias: C) => tf.Tensor) =>
    CONVOLUTIONS.map((how) => exact(named(op, how), make(how)));
  return [
    ...each(
      "conv2d",
      ([strides, pad, dilations]) =>
        (x, f) =>
          tf.conv2d(x, f, strides, pad as "same", "NHWC", dilations),
    ),
    ...each(
      "fused.conv2d",
      ([strides, pad, dilations]) =>
        (x, filter, bias) =>
          tf.fused.conv2d({ x, filter, strides, pad: pad as "same", dilations: dilations as [number, number], bias }),
    ),
    ...each(
      "depthwiseConv2d",
      ([strides, pad, dilations]) =>
        (x, f) =>
          tf.depthwiseConv2d(x, f, strides, pad as "same", "NHWC", dilations),
    ),
  ];
}

function named(op: string, [strides, pad, dilations]: Conv): string {
  return `${op}: strides ${JSON.stringify(strides)}, pad ${JSON.stringify(pad)}, dilations ${JSON.stringify(dilations)}`;
}

function otherConvolutions(): OpCase[] {
  type V = tf.Tensor5D;
  const same = { strides: 1, pad: "same" } as const;
  return [
    exact("fused.conv2d with relu", (x: X, filter: X, bias: C) =>
      tf.fused.conv2d({ x, filter, ...same, bias, activation: "relu" }),
    ),
    exact("fused.depthwiseConv2d, pad 1", (x: X, filter: X, bias: C) =>
      tf.fused.depthwiseConv2d({ x, filter, strides: 1, pad: 1, bias }),
    ),
    exact("fused.depthwiseConv2d", (x: X, filter: X, bias: C) => tf.fused.depthwiseConv2d({ x, filter, ...same, bias })),
    exact("conv2dTranspose", (x: X, f: X) => tf.conv2dTranspose(x, f, [1, 6, 6, 2], 2, "same")),
    exact("conv2dTranspose, strides beyond the kernel", (x: X, f: X) => tf.conv2dTranspose(x, f, [1, 9, 9, 2], 3, "same")),
    exact("separableConv2d", (x: X, d: X, p: X) => tf.separableConv2d(x, d, p, 1, "same")),
    exact("conv1d", (x: tf.Tensor3D, f: tf.Tensor3D) => tf.conv1d(x, f, 1, "same")),
    exact("conv1d, strides beyond the kernel", (x: tf.Tensor3D, f: tf.Tensor3D) => tf.conv1d(x, f, 3, "valid")),
    exact("conv3d", (x: V, f: V) => tf.conv3d(x, f, 1, "same"), NO_WASM),
    exact("conv3d, strides 2", (x: V, f: V) => tf.conv3d(x, f, 2, "valid"), NO_WASM),
    exact("conv3d, strides beyond the kernel", (x: V, f: V) => tf.conv3d(x, f, 3, "same"), NO_WASM),
    exact("conv3dTranspose, strides beyond the kernel",
      (x: V, f: V) => tf.conv3dTranspose(x, f, [1, 6, 3, 3, 2], 3, "same"), NO_WASM), // prettier-ignore
    exact("conv3dTranspose", (x: V, f: V) => tf.conv3dTranspose(x, f, [1, 4, 4, 4, 2], 2, "same"), NO_WASM),
  ];
}

function pooling(): OpCase[] {
  const windows = [[2, 2, "same"], [3, 2, "same"], [3, 1, "valid"], [2, 3, "valid"], [2, 2, 1]] as const; // prettier-ignore
  const on = (pad: Pad) => (typeof pad === "number" ? NO_NATIVE : ALL);
  return [
    ...windows.flatMap(([size, strides, pad]) => [
      exact(`maxPool ${size}, strides ${strides}, ${pad}`, (x: X) => tf.maxPool(x, size, strides, pad), on(pad)),
      exact(`avgPool ${size}, strides ${strides}, ${pad}`, (x: X) => tf.avgPool(x, size, strides, pad), on(pad)),
    ]),
    exact("pool max with dilations 2", (x: X) => tf.pool(x, 2, "max", "valid", 2, 1)),
    exact("pool avg with dilations 2", (x: X) => tf.pool(x, 2, "avg", "valid", 2, 1)),
    exact("maxPool3d", (x: tf.Tensor5D) => tf.maxPool3d(x, 2, 2, "valid")),
    exact("maxPool3d, same", (x: tf.Tensor5D) => tf.maxPool3d(x, 2, 1, "same")),
    exact("maxPool3d, strides beyond the window", (x: tf.Tensor5D) => tf.maxPool3d(x, 2, 3, "same")),
    exact("avgPool3d", (x: tf.Tensor5D) => tf.avgPool3d(x, 2, 2, "valid"), NO_WASM),
    exact("avgPool3d, strides beyond the window", (x: tf.Tensor5D) => tf.avgPool3d(x, 2, 3, "same"), NO_WASM),
    exact("avgPool3d, same", (x: tf.Tensor5D) => tf.avgPool3d(x, 2, 2, "same"), NO_WASM),
  ];
}

function resizing(): OpCase[] {
  const ways = [["", false, false], [", alignCorners", true, false], [", halfPixelCenters", false, true]] as const; // prettier-ignore
  const { resizeBilinear, resizeNearestNeighbor } = tf.image;
  return ways.flatMap(([how, corners, halfPixel]) => [
    exact(`image.resizeBilinear, smaller${how}`, (x: X) => resizeBilinear(x, [4, 3], corners, halfPixel)),
    exact(`image.resizeBilinear, larger${how}`, (x: X) => resizeBilinear(x, [7, 5], corners, halfPixel)),
    exact(`image.resizeNearestNeighbor, smaller${how}`, (x: X) => resizeNearestNeighbor(x, [4, 3], corners, halfPixel)),
    exact(`image.resizeNearestNeighbor, larger${how}`, (x: X) => resizeNearestNeighbor(x, [7, 5], corners, halfPixel)),
  ]);
}

function normalization(): OpCase[] {
  const positive = (v: C) => tf.add(tf.square(v), 0.1) as C;
  const statistics = (): [C, C] => [tf.tensor1d([0.1, -0.2, 0.3]), tf.tensor1d([0.5, 1, 2])];
  const composed = (x: tf.Tensor, g: tf.Tensor, b: tf.Tensor, axes: number[]) => {
    const { mean, variance } = tf.moments(x, axes, true);
    return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-3))), g), b);
  };
  return [
    exact("batchNorm", (x: X, m: C, v: C, b: C, g: C) => tf.batchNorm(x, m, positive(v), b, g)),
    exact("batchNorm without scale", (x: X, m: C, v: C, b: C) => tf.batchNorm(x, m, positive(v), b)),
    exact("batchNorm without scale and offset", (x: X, m: C, v: C) => tf.batchNorm(x, m, positive(v))),
    exact("batchNormTraining", (x: X, g: C, b: C) => batchNormTraining(x, g, b, 1e-3).y),
    exact("batchNormInference", (x: X, g: C, b: C) => batchNormInference(x, g, b, ...statistics(), 1e-3)),
    exact("batch norm, composed", (x: X, g: C, b: C) => composed(x, g, b, [0, 1, 2])),
    exact("layer norm", (x: M, g: C, b: C) => composed(x, g, b, [1])),
  ];
}

function shaping(): OpCase[] {
  const rows = () => tf.tensor1d([0, 2, 2, 1], "int32");
  const mask = () => tf.tensor1d([0, 2, 3], "int32");
  return [
    exact("gather (embedding)", (a: M) => tf.gather(a, rows())),
    exact("gather, axis 1", (a: M) => tf.gather(a, tf.tensor1d([2, 0, 2], "int32"), 1)),
    exact("gather, axis -1", (a: M) => tf.gather(a, tf.tensor1d([2, 0, 2], "int32"), -1)),
    exact("gather with batchDims 1", (a: A) => tf.gather(a, tf.tensor2d([[2, 0], [1, 1]], [2, 2], "int32"), 1, 1)), // prettier-ignore
    exact("booleanMask", (a: M) => tf.gather(a, mask())), // what booleanMaskAsync does, once it knows the places
    exact("unsortedSegmentSum", (a: M) => tf.unsortedSegmentSum(a, rows(), 3)),
    exact("unsortedSegmentSum that drops negative ids", (a: M) =>
      tf.unsortedSegmentSum(a, tf.tensor1d([0, -1, 2, 1], "int32"), 3),
    ),
    exact("split", (a: M) => tf.split(a, 3, 1)[1]!),
    exact("split in one", (a: M) => tf.split(a, 1, 1)[0]!),
    exact("split, reversed in place", (a: M) => tf.concat(tf.split(a, [1, 2], 1).reverse(), 1)),
    exact("unstack", (a: M) => tf.unstack(a, 1)[1]!),
    exact("pad", (a: M) => tf.pad(a, [[1, 2], [0, 1]])), // prettier-ignore
    exact("mirrorPad", (a: M) => tf.mirrorPad(a, [[1, 2], [0, 3]], "reflect")), // prettier-ignore
    exact("mirrorPad, symmetric", (a: M) => tf.mirrorPad(a, [[1, 2], [0, 3]], "symmetric")), // prettier-ignore
    exact("slice", (a: M) => tf.slice(a, [1, 0], [2, 2])),
    exact("tile", (a: M) => tf.tile(a, [2, 3])),
    exact("broadcastTo", (a: M) => tf.broadcastTo(a, [4, 3])),
    exact("broadcastTo of a lower rank", (a: C) => tf.broadcastTo(a, [2, 4, 3])),
    exact("reshape", (a: M) => tf.reshape(a, [2, 6])),
    exact("expandDims, squeeze", (a: M) => tf.squeeze(tf.expandDims(a, 1), [1])),
    exact("transpose", (a: M) => tf.transpose(a)),
    exact("transpose of three axes", (a: A) => tf.transpose(a, [2, 0, 1])),
    exact("reverse", (a: M) => tf.reverse(a, 0)),
    exact("reverse of two axes", (a: A) => tf.reverse(a, [0, -1])),
    exact("spaceToBatchND", (a: X) => tf.spaceToBatchND(a, [2, 2], [[0, 1], [1, 1]])), // prettier-ignore
    exact("batchToSpaceND", (a: X) => tf.batchToSpaceND(a, [2, 2], [[0, 1], [1, 0]])), // prettier-ignore
    exact("image.grayscaleToRGB", (a: X) => tf.image.grayscaleToRGB(a)),
    exact("signal.frame", (a: C) => tf.signal.frame(a, 3, 2)),
  ];
}

function joining(): OpCase[] {
  return [
    exact("concat", (a: M, b: M) => tf.concat([a, b], 1)),
    exact("stack", (a: M, b: M) => tf.stack([a, b], 1)),
    exact("stack, axis -1", (a: M, b: M) => tf.stack([a, b], -1)),
    exact("stack and unstack of one", (a: M) => tf.stack(tf.unstack(a))),
    exact("where", (a: M) => tf.where(tf.greater(a, 0), tf.square(a), tf.sin(a))),
    exact("where, broadcast", (a: M) => tf.where(tf.greater(tf.slice(a, [0, 0], [-1, 1]), 0), tf.square(a), tf.sum(a, 0))),
  ];
}

function arithmetic(): OpCase[] {
  const divisor = (b: A) => tf.add(tf.square(b), 0.3);
  return [
    exact("add, sub, mul, div", (a: A, b: A) => tf.div(tf.mul(tf.add(a, b), tf.sub(a, b)), tf.add(tf.square(b), 1))),
    exact("addN", (a: A, b: A, c: A) => tf.addN([a, tf.square(b), c])),
    exact("squaredDifference", (a: A, b: A) => tf.squaredDifference(a, b)),
    exact("maximum", (a: A, b: A) => tf.maximum(a, b)),
    exact("minimum", (a: A, b: A) => tf.minimum(a, b)),
    exact("pow", (a: A, b: A) => tf.pow(tf.add(tf.square(a), 1), b)),
    exact("pow with a constant integer exponent", (a: A) => tf.pow(a, tf.scalar(3, "int32"))),
    exact("mod", (a: A, b: A) => tf.mod(a, divisor(b))),
    exact("atan2", (a: A, b: A) => tf.atan2(a, b)),
    exact("divNoNan", (a: A, b: A) => tf.divNoNan(a, b)),
  ];
}

function products(): OpCase[] {
  return [
    exact("matMul", (a: A, b: A) => tf.matMul(a, b)),
    exact("matMul, first transposed", (a: A, b: A) => tf.matMul(a, b, true)),
    exact("matMul, second transposed", (a: A, b: A) => tf.matMul(a, b, false, true)),
    exact("matMul, both transposed", (a: A, b: A) => tf.matMul(a, b, true, true)),
    exact("matMul of two stacks", (a: A, b: A) => tf.matMul(a, b)),
    exact("matMul of a stack and a matrix", (a: A, b: A) => tf.matMul(a, b)),
    exact("matMul of a matrix and a stack", (a: A, b: A) => tf.matMul(a, b)),
    exact("matMul of a stack of one, transposed", (a: A, b: A) => tf.matMul(a, b, true)),
    exact("matMul of a matrix and a vector", (a: A, b: A) => tf.matMul(a, tf.expandDims(b, 1))),
    exact("matMul of stacks in two axes", (a: A, b: A) => tf.matMul(a, b)),
    exact("fused.matMul of a stack and a matrix", (a: A, b: A) => tf.fused.matMul({ a, b })),
    exact("fused.matMul", (a: A, b: A, bias: A) => tf.fused.matMul({ a, b, bias })),
    exact("fused.matMul with relu", (a: A, b: A, bias: A) => tf.fused.matMul({ a, b, bias, activation: "relu" })),
    exact("dot", (a: A, b: A) => tf.dot(a, b)),
    exact("outerProduct", (a: M, b: C) => tf.outerProduct(tf.reshape(tf.slice(a, [0, 0], [1, 3]), [3]), b)),
    exact("linalg.bandPart", (a: M) => tf.linalg.bandPart(a, 1, 1)),
    exact("linalg.qr", (a: M) => tf.linalg.qr(a)[1]),
    exact("linalg.gramSchmidt", (a: M) => tf.linalg.gramSchmidt(a) as M),
  ];
}
