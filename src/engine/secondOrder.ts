/**
 * The ops whose second derivative is right here, as data: the tests hold each of them against its truth on each of its
 * engines, and the table in the documentation is made of the same list.
 */
import type { BackendName } from "./backend";
import { batchNormInference, batchNormTraining } from "./gradients";
import { tf } from "./tf";

/** φ, φ′ and φ″ of an elementwise function, in double precision. */
export type ClosedForm = readonly [(x: number) => number, (x: number) => number, (x: number) => number];

export interface SecondOrderCase {
  /** As a user writes it. */
  readonly op: string;
  /** Of each input. */
  readonly shapes: readonly (readonly number[])[];
  /** The op; every input is differentiated. */
  readonly run: (...inputs: tf.Tensor[]) => tf.Tensor;
  /** Truth of an elementwise op; without it, converging central differences of the gradient, and of the loss, are the truth. */
  readonly closedForm?: ClosedForm;
  /** Engines on which it holds. */
  readonly engines: readonly BackendName[];
}

/** One line of the documentation's table. */
export interface SecondOrderRow {
  readonly op: string;
  readonly exact: boolean;
  /** "closed form", "central differences", or the error that the op gives. */
  readonly tested: string;
  readonly engines: readonly BackendName[];
}

const ALL: readonly BackendName[] = ["native", "wasm", "cpu"];

/** Every op that is covered. */
export function secondOrderCases(): SecondOrderCase[] {
  return [
    ...activations(),
    ...losses(),
    ...reductions(),
    ...convolutions(),
    ...pooling(),
    ...normalization(),
    ...shaping(),
    ...arithmetic(),
  ];
}

/** Ops that give an error at second order, which names them; never a wrong number. */
export function uncoveredOps(): SecondOrderCase[] {
  const x = [[2, 6]];
  return [
    { op: "prod", shapes: x, run: (a) => tf.prod(a!, 1), engines: ALL },
    {
      op: "localResponseNormalization",
      shapes: [[1, 2, 2, 6]],
      run: (a) => tf.localResponseNormalization(a as tf.Tensor4D),
      engines: ALL,
    },
    { op: "stridedSlice", shapes: x, run: (a) => tf.stridedSlice(a!, [0, 0], [2, 6], [1, 2]), engines: ALL },
    { op: "einsum", shapes: x, run: (a) => tf.einsum("ij,kj->ik", a!, a!), engines: ["native", "cpu"] },
    { op: "depthToSpace", shapes: [[1, 2, 2, 4]], run: (a) => tf.depthToSpace(a as tf.Tensor4D, 2, "NHWC"), engines: ALL },
    { op: "topk", shapes: x, run: (a) => tf.topk(a!, 2).values, engines: ALL },
  ];
}

/** The table for the documentation. */
export function secondOrderTable(): SecondOrderRow[] {
  const covered = secondOrderCases().map(({ op, closedForm, engines }) => {
    return { op, exact: true, tested: closedForm ? "closed form" : "central differences", engines };
  });
  const uncovered = uncoveredOps().map(({ op, engines }) => ({ op, exact: false, tested: "an error that names it", engines }));
  return [...covered, ...uncovered];
}

function elementwise(op: string, run: (x: tf.Tensor) => tf.Tensor, ...closedForm: ClosedForm): SecondOrderCase {
  return { op, shapes: [[5, 7]], run: run as SecondOrderCase["run"], closedForm, engines: ALL };
}

function smooth(op: string, shapes: number[][], run: (...inputs: never[]) => tf.Tensor, engines = ALL): SecondOrderCase {
  return { op, shapes, run: run as SecondOrderCase["run"], engines };
}

/** A closed form that is one formula below zero and another above. */
function bySign(below: ClosedForm, above: ClosedForm): ClosedForm {
  const pick = (i: 0 | 1 | 2) => (x: number) => (x < 0 ? below : above)[i](x);
  return [pick(0), pick(1), pick(2)];
}

function linear(slope: number): ClosedForm {
  return [(x) => slope * x, () => slope, () => 0];
}

const constant = (value: number): ClosedForm => [() => value, () => 0, () => 0];
const logistic = (x: number) => 1 / (1 + Math.exp(-x));
const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
// Φ by its Taylor series: enough terms for |x| ≤ 3.
const normalCdf = (x: number) => {
  let [sum, term] = [x, x];
  for (let k = 1; k < 60; k++) sum += term = (term * x * x) / (2 * k + 1);
  return 0.5 + density(x) * sum;
};
const sech2 = (x: number) => 1 - Math.tanh(x) ** 2;
const SELU = { scale: 1.0507009873554805, scaleAlpha: 1.7580993408473768 }; // Klambauer et al. 2017

const gelu = (x: tf.Tensor) => tf.mul(tf.mul(x, 0.5), tf.add(1, tf.erf(tf.div(x, Math.SQRT2))));

function activations(): SecondOrderCase[] {
  const growth = (factor: number): ClosedForm => [
    (x) => factor * Math.expm1(x),
    (x) => factor * Math.exp(x),
    (x) => factor * Math.exp(x),
  ];
  const s1 = (x: number) => logistic(x) * (1 - logistic(x));
  const s2 = (x: number) => s1(x) * (1 - 2 * logistic(x));
  return [
    elementwise("exp", tf.exp, Math.exp, Math.exp, Math.exp),
    elementwise(
      "log",
      (x) => tf.log(tf.add(tf.square(x), 1)),
      (x) => Math.log(1 + x * x),
      (x) => (2 * x) / (1 + x * x),
      (x) => (2 - 2 * x * x) / (1 + x * x) ** 2,
    ),
    elementwise("sigmoid", tf.sigmoid, logistic, s1, s2),
    elementwise("tanh", tf.tanh, Math.tanh, sech2, (x) => -2 * Math.tanh(x) * sech2(x)),
    elementwise("softplus", tf.softplus, (x) => Math.log1p(Math.exp(x)), logistic, s1),
    elementwise(
      "logSigmoid",
      tf.logSigmoid,
      (x) => -Math.log1p(Math.exp(-x)),
      (x) => logistic(-x),
      (x) => -s1(x),
    ),
    elementwise("relu", tf.relu, ...bySign(constant(0), linear(1))),
    elementwise(
      "relu6",
      (x) => tf.relu6(tf.mul(x, 4)),
      ...bySign(constant(0), [(x) => Math.min(4 * x, 6), (x) => (4 * x < 6 ? 4 : 0), () => 0]),
    ),
    elementwise("leakyRelu", (x) => tf.leakyRelu(x, 0.1), ...bySign(linear(0.1), linear(1))),
    elementwise("elu", tf.elu, ...bySign(growth(1), linear(1))),
    elementwise("selu", tf.selu, ...bySign(growth(SELU.scaleAlpha), linear(SELU.scale))),
    elementwise(
      "swish",
      (x) => tf.mul(x, tf.sigmoid(x)),
      (x) => x * logistic(x),
      (x) => logistic(x) + x * s1(x),
      (x) => 2 * s1(x) + x * s2(x),
    ),
    elementwise(
      "gelu",
      gelu,
      (x) => x * normalCdf(x),
      (x) => normalCdf(x) + x * density(x),
      (x) => (2 - x * x) * density(x),
    ),
    elementwise(
      "clipByValue",
      (x) => tf.clipByValue(x, -0.55, 0.65),
      (x) => Math.min(Math.max(x, -0.55), 0.65),
      (x) => (x > -0.55 && x < 0.65 ? 1 : 0),
      () => 0,
    ),
    ...activationsOfTensors(),
  ];
}

function activationsOfTensors(): SecondOrderCase[] {
  return [
    elementwise("abs", tf.abs, ...bySign(linear(-1), linear(1))),
    smooth("prelu", [[5, 7], [7]], (x: tf.Tensor, alpha: tf.Tensor) => tf.prelu(x, alpha)), // prettier-ignore
    smooth("softmax", [[4, 5]], (x: tf.Tensor) => tf.softmax(x)),
    smooth("logSoftmax", [[4, 5]], (x: tf.Tensor) => tf.logSoftmax(x)),
    smooth("logSumExp", [[4, 5]], (x: tf.Tensor) => tf.logSumExp(x, 1)),
  ];
}

function losses(): SecondOrderCase[] {
  const target = () => tf.tensor2d([[1, 0, 0], [0, 0.9, 0.1], [0, 0, 1]]); // prettier-ignore
  const against = (loss: (labels: tf.Tensor, x: tf.Tensor) => tf.Tensor) => (x: tf.Tensor) => loss(target(), x);
  const { losses: stock } = tf;
  const x = [[3, 3]];
  return [
    smooth("losses.softmaxCrossEntropy", x, against(stock.softmaxCrossEntropy)),
    smooth(
      "losses.softmaxCrossEntropy with label smoothing",
      x,
      against((t, z) => stock.softmaxCrossEntropy(t, z, 1, 0.1)),
    ),
    smooth(
      "losses.sigmoidCrossEntropy",
      x,
      against((t, z) => stock.sigmoidCrossEntropy(t, z)),
    ),
    smooth(
      "losses.logLoss of a sigmoid",
      x,
      against((t, z) => stock.logLoss(t, tf.sigmoid(z))),
    ),
    smooth(
      "log(softmax) cross-entropy",
      x,
      against((t, z) => tf.neg(tf.sum(tf.mul(t, tf.log(tf.softmax(z as tf.Tensor2D)))))),
    ),
    smooth(
      "losses.meanSquaredError",
      x,
      against((t, z) => stock.meanSquaredError(t, z)),
    ),
    smooth(
      "losses.huberLoss",
      x,
      against((t, z) => stock.huberLoss(tf.mul(t, 0.7), tf.sub(z, 0.1))),
    ),
    smooth(
      "metrics.categoricalCrossentropy",
      x,
      against((t, z) => tf.metrics.categoricalCrossentropy(t, tf.softmax(z as tf.Tensor2D))),
    ),
  ];
}

function reductions(): SecondOrderCase[] {
  const x = [[3, 4, 5]];
  return [
    smooth("max", x, (a: tf.Tensor) => tf.max(a, 1)),
    smooth("min", x, (a: tf.Tensor) => tf.min(a, [0, 2])),
    smooth("sum", x, (a: tf.Tensor) => tf.sum(a, [0, 2])),
    smooth("mean", x, (a: tf.Tensor) => tf.mean(a, 1, true)),
    smooth("moments", x, (a: tf.Tensor) => tf.moments(a, [0]).variance),
    smooth("norm", x, (a: tf.Tensor) => tf.norm(a, 2, 1)),
    smooth("cumsum", x, (a: tf.Tensor) => tf.cumsum(a, 1)),
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
];

function convolutions(): SecondOrderCase[] {
  const image = [2, 7, 6, 3];
  const [filter, depthwise] = [[3, 2, 3, 4], [3, 2, 3, 2]]; // prettier-ignore
  type X = tf.Tensor4D;
  const named = (op: string, [strides, pad, dilations]: Conv) =>
    `${op}: strides ${JSON.stringify(strides)}, pad ${JSON.stringify(pad)}, dilations ${JSON.stringify(dilations)}`;
  return [
    ...CONVOLUTIONS.map((c) =>
      smooth(named("conv2d", c), [image, filter], (x: X, f: X) => tf.conv2d(x, f, c[0], c[1] as "same", "NHWC", c[2])),
    ),
    ...CONVOLUTIONS.map((c) =>
      smooth(named("fused.conv2d", c), [image, filter, [4]], (x: X, f: X, bias: tf.Tensor) =>
        tf.fused.conv2d({
          x,
          filter: f,
          strides: c[0],
          pad: c[1] as "same",
          dilations: c[2] as [number, number],
          bias,
          activation: "linear",
        }),
      ),
    ),
    ...CONVOLUTIONS.map((c) =>
      smooth(named("depthwiseConv2d", c), [image, depthwise], (x: X, f: X) =>
        tf.depthwiseConv2d(x, f, c[0], c[1] as "same", "NHWC", c[2]),
      ),
    ),
    smooth("conv2dTranspose", [[2, 3, 3, 4], filter], (x: X, f: X) => tf.conv2dTranspose(x, f, [2, 6, 6, 3], 2, "same")),
    smooth("separableConv2d", [image, depthwise, [1, 1, 6, 3]], (x: X, d: X, p: X) => tf.separableConv2d(x, d, p, 1, "same")),
    smooth("conv1d", [[2, 8, 3], [3, 3, 2]], (x: tf.Tensor3D, f: tf.Tensor3D) => tf.conv1d(x, f, 1, "same")), // prettier-ignore
    smooth("conv3d", [[1, 3, 4, 4, 2], [2, 2, 2, 2, 2]], (x: tf.Tensor5D, f: tf.Tensor5D) => tf.conv3d(x, f, 1, "same"), ["native", "cpu"]), // prettier-ignore
  ];
}

function pooling(): SecondOrderCase[] {
  const shapes = [[2, 7, 6, 3]];
  const windows = [[2, 2, "same"], [3, 2, "same"], [3, 1, "valid"]] as const; // prettier-ignore
  type X = tf.Tensor4D;
  return [
    ...windows.map(([size, strides, pad]) =>
      smooth(`maxPool ${size}, strides ${strides}, ${pad}`, shapes, (x: X) => tf.maxPool(x, size, strides, pad)),
    ),
    ...windows.map(([size, strides, pad]) =>
      smooth(`avgPool ${size}, strides ${strides}, ${pad}`, shapes, (x: X) => tf.avgPool(x, size, strides, pad)),
    ),
    smooth("image.resizeBilinear", [[2, 6, 6, 3]], (x: X) => tf.image.resizeBilinear(x, [4, 5])),
  ];
}

function normalization(): SecondOrderCase[] {
  const image = [3, 4, 4, 3];
  type X = tf.Tensor4D;
  type C = tf.Tensor1D;
  const positive = (v: C) => tf.add(tf.square(v), 0.1) as C;
  const statistics = (): [C, C] => [tf.tensor1d([0.1, -0.2, 0.3]), tf.tensor1d([0.5, 1, 2])];
  return [
    smooth("batchNorm", [image, [3], [3], [3], [3]], (x: X, m: C, v: C, b: C, g: C) => tf.batchNorm(x, m, positive(v), b, g)),
    smooth("batchNorm without scale", [image, [3], [3], [3]], (x: X, m: C, v: C, b: C) => tf.batchNorm(x, m, positive(v), b)),
    smooth("batchNorm without scale and offset", [image, [3], [3]], (x: X, m: C, v: C) => tf.batchNorm(x, m, positive(v))),
    smooth("batchNormTraining", [image, [3], [3]], (x: X, g: C, b: C) => batchNormTraining(x, g, b, 1e-3).y),
    smooth("batchNormInference", [image, [3], [3]], (x: X, g: C, b: C) => batchNormInference(x, g, b, ...statistics(), 1e-3)),
    smooth("batch norm, composed", [image, [3], [3]], (x: X, g: C, b: C) => {
      const { mean, variance } = tf.moments(x, [0, 1, 2]);
      return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-3))), g), b);
    }),
    smooth("layer norm", [[4, 6], [6], [6]], (x: tf.Tensor2D, g: C, b: C) => {
      const { mean, variance } = tf.moments(x, 1, true);
      return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-3))), g), b);
    }),
  ];
}

function shaping(): SecondOrderCase[] {
  const x = [[4, 3]];
  const indices = () => tf.tensor1d([0, 2, 2, 1], "int32");
  type A = tf.Tensor2D;
  return [
    smooth("gather (embedding)", x, (a: A) => tf.gather(a, indices())),
    smooth("concat", [[2, 3], [2, 4]], (a: A, b: A) => tf.concat([a, b], 1)), // prettier-ignore
    smooth("stack", [[2, 3], [2, 3]], (a: A, b: A) => tf.stack([a, b], 1)), // prettier-ignore
    smooth("split", x, (a: A) => tf.split(a, 3, 1)[1]!),
    smooth("unstack", x, (a: A) => tf.unstack(a, 1)[1]!),
    smooth("pad", x, (a: A) => tf.pad(a, [[1, 2], [0, 1]])), // prettier-ignore
    smooth("mirrorPad", [[4, 5]], (a: A) => tf.mirrorPad(a, [[1, 2], [0, 3]], "reflect")), // prettier-ignore
    smooth("slice", x, (a: A) => tf.slice(a, [1, 0], [2, 2])),
    smooth("tile", x, (a: A) => tf.tile(a, [2, 3])),
    smooth("broadcastTo", [[1, 3]], (a: A) => tf.broadcastTo(a, [4, 3])),
    smooth("reshape", x, (a: A) => tf.reshape(a, [2, 6])),
    smooth("transpose", x, (a: A) => tf.transpose(a)),
    smooth("reverse", x, (a: A) => tf.reverse(a, 0)),
    smooth("where", x, (a: A) => tf.where(tf.greater(a, 0), tf.square(a), tf.sin(a))),
  ];
}

function arithmetic(): SecondOrderCase[] {
  const two = [[4, 3], [3]]; // prettier-ignore
  type A = tf.Tensor;
  return [
    smooth("add, sub, mul, div", two, (a: A, b: A) => tf.div(tf.mul(tf.add(a, b), tf.sub(a, b)), tf.add(tf.square(b), 1))),
    smooth("squaredDifference", two, (a: A, b: A) => tf.squaredDifference(a, b)),
    smooth("maximum", two, (a: A, b: A) => tf.maximum(a, b)),
    smooth("minimum", two, (a: A, b: A) => tf.minimum(a, b)),
    smooth("pow", two, (a: A, b: A) => tf.pow(tf.add(tf.square(a), 1), b)),
    smooth("sqrt", [[4, 3]], (a: A) => tf.sqrt(tf.add(tf.square(a), 0.5))),
    smooth("matMul", [[3, 4], [4, 2]], (a: A, b: A) => tf.matMul(a, b)), // prettier-ignore
    smooth("fused.matMul", [[3, 4], [4, 2], [2]], (a: A, b: A, bias: A) => tf.fused.matMul({ a, b, bias, activation: "linear" })), // prettier-ignore
  ];
}
