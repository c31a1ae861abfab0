import type * as Jax from "@jax-js/jax";
import { Rng, tf } from "../../src/engine";
import { hvp } from "../../src/sharpness";
import { assertClose, inner } from "../support/matrices";

const rng = new Rng("jax");
const draw = (name: string, shape: number[], scale = 1) =>
  Array.from(rng.split(name).array(shape.reduce((a, b) => a * b, 1)), (value) => Math.fround(scale * value));

// Kernels as (out, in, h, w), jax-js' only order; 6×6 images, a valid 3×3 convolution, 2 × 4 × 4 = 32 features.
const shapes = { kernel: [2, 1, 3, 3], hidden: [32, 5], head: [5, 3] };
const names = Object.keys(shapes) as (keyof typeof shapes)[];
const [weights, vector] = ["w", "v"].map((prefix) => names.map((name) => draw(prefix + name, shapes[name], 0.5)));
const images = draw("x", [7, 1, 6, 6]);
const targets = Array.from({ length: 21 }, (_, i) => (i % 3 === (i * i) % 2 ? 1 : 0)); // soft or hard: any numbers do

const globals = globalThis as Record<string, unknown>;
const missing = ["navigator", "Float16Array"].filter((name) => !(name in globals));

async function loadJax(): Promise<typeof Jax> {
  const jax = await import("@jax-js/jax");
  await jax.init("cpu");
  jax.defaultDevice("cpu");
  return jax;
}

/** jvp(grad(loss)) in float64. */
async function hvpByJax(): Promise<number[][]> {
  const { numpy: np, lax, nn, grad, jvp } = await loadJax();
  const array = (values: number[], shape: number[]) => np.array(values, { dtype: np.float64 }).reshape(shape);
  const loss = ([kernel, hidden, head]: Jax.Array[]): Jax.Array => {
    const features = np.tanh(lax.conv(array(images, [7, 1, 6, 6]), kernel!, [1, 1], "VALID")).reshape([7, 32]);
    const logits = np.matmul(np.tanh(np.matmul(features, hidden!)), head!);
    return np.sum(nn.logSoftmax(logits, -1).mul(array(targets, [7, 3]))).mul(-1 / 7);
  };
  const toArrays = (lists: number[][]) => lists.map((values, i) => array(values, shapes[names[i]!]));
  const [, product] = jvp(grad(loss), [toArrays(weights!)], [toArrays(vector!)]) as unknown as [Jax.Array[], Jax.Array[]];
  return product.map((part) => Array.from(part.reshape([-1]).js() as number[]));
}

function hvpByOurs(): number[][] {
  const x = tf.tensor(images, [7, 6, 6, 1]) as tf.Tensor4D; // one channel: (n, 1, h, w) and (n, h, w, 1) are the same numbers
  const y = tf.tensor(targets, [7, 3]) as tf.Tensor2D;
  const loss = ([kernel, hidden, head]: tf.Tensor[]) => {
    const convolved = tf.conv2d(x, tf.transpose(kernel!, [2, 3, 1, 0]) as tf.Tensor4D, 1, "valid");
    const features = tf.reshape(tf.transpose(tf.tanh(convolved), [0, 3, 1, 2]), [7, 32]);
    const logits = tf.matMul(tf.tanh(tf.matMul(features, hidden as tf.Tensor2D)), head as tf.Tensor2D);
    // log softmax = z − logSumExp
    return tf.mul(tf.sum(tf.mul(tf.sub(logits, tf.logSumExp(logits, -1, true)), y)), -1 / 7) as tf.Scalar;
  };
  const toTensors = (lists: number[][]) => lists.map((values, i) => tf.tensor(values, shapes[names[i]!]));
  return tf.tidy(() => hvp(loss, toTensors(weights!), toTensors(vector!)).map((part) => Array.from(part.dataSync())));
}

describe("sharpness/hvp against jax-js", () => {
  // jax-js looks for browser globals that Node 20 lacks; no other test shall see them.
  before(() => missing.forEach((name) => (globals[name] = name === "navigator" ? {} : class {})));
  after(() => missing.forEach((name) => delete globals[name]));

  it("agrees with jvp(grad(loss)) of a second library, in float64, through convolution, tanh and softmax", async () => {
    const expected = await hvpByJax();

    const actual = hvpByOurs();

    expected.forEach((part, i) => assertClose(actual[i]!, part, 2e-6 * Math.sqrt(inner(part, part)), names[i]));
  });
});
