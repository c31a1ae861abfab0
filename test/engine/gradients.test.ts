import assert from "node:assert/strict";
import {
  batchNormInference,
  batchNormTraining,
  hvpOfTensors,
  installGradients,
  installStockGradients,
  Rng,
  tf,
} from "../../src/engine";
import { startEngine, type BackendName } from "../../src/engine/backend";
import { closeTo } from "../support/closeTo";

const draw = (name: string, ...shape: number[]) =>
  tf.tensor(new Rng(name).array(shape.reduce((a, b) => a * b, 1)), shape) as tf.Tensor4D & tf.Tensor1D;

type Loss = (...inputs: tf.Tensor[]) => tf.Scalar;

/** Gradients of a loss of random inputs, as arrays; no tensors stay. */
function gradients(loss: Loss, shapes: number[][]): Float32Array[] {
  return tf.tidy(() => {
    const inputs = shapes.map((shape, i) => draw(`input ${i}`, ...shape));
    return tf
      .grads(loss)(inputs)
      .map((g) => g.dataSync() as Float32Array);
  });
}

const squares = (y: tf.Tensor) => tf.sum(tf.mul(tf.square(y), tf.sin(y))) as tf.Scalar;

async function onEngine<T>(name: BackendName, fn: () => T): Promise<T> {
  await startEngine(name);
  try {
    return fn();
  } finally {
    await startEngine("native").catch(() => startEngine("cpu"));
  }
}

// Plain formula, with the statistics on the tape.
function composedBatchNorm(x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor, epsilon: number): tf.Tensor {
  const { mean, variance } = tf.moments(x, [0, 1, 2]);
  return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, epsilon))), scale), offset);
}

describe("fused gradients", () => {
  it("of ReLU are dy where x > 0, else 0, also at second and third order", () => {
    const x = tf.tensor1d([-2, -0.5, 0.5, 2]);
    const cube = (z: tf.Tensor) => tf.sum(tf.pow(tf.relu(z), 3)) as tf.Scalar;
    const d1 = tf.grad(cube);
    const d2 = tf.grad((z: tf.Tensor) => tf.sum(d1(z)));
    const d3 = tf.grad((z: tf.Tensor) => tf.sum(d2(z)));

    const all = tf.tidy(() => [d1, d2, d3].map((d) => d(x).dataSync()));

    // x³ → 3x², 6x, 6 for x > 0.
    closeTo(all[0]!, [0, 0, 0.75, 12]);
    closeTo(all[1]!, [0, 0, 3, 12]);
    closeTo(all[2]!, [0, 0, 6, 6]);
  });

  it("of batch norm in training mode agree with the formula in x, scale and offset", () => {
    const shapes = [[4, 5, 6, 3], [3], [3]];

    const fused = gradients(
      (x, s, o) => squares(batchNormTraining(x as tf.Tensor4D, s as tf.Tensor1D, o as tf.Tensor1D, 1e-3).y),
      shapes,
    );
    const composed = gradients((x, s, o) => squares(composedBatchNorm(x!, s!, o!, 1e-3)), shapes);

    fused.forEach((g, i) => closeTo(g, composed[i]!, 1e-4));
  });

  it("of batch norm in inference mode agree with tf.batchNorm", () => {
    const shapes = [[4, 5, 6, 3], [3], [3]];
    const [mean, variance] = [draw("mean", 3), tf.tensor1d([0.5, 1, 2])];
    const loss = (norm: (x: tf.Tensor4D, s: tf.Tensor1D, o: tf.Tensor1D) => tf.Tensor) =>
      gradients((x, s, o) => squares(norm(x as tf.Tensor4D, s as tf.Tensor1D, o as tf.Tensor1D)), shapes);

    const ours = loss((x, s, o) => batchNormInference(x, s, o, mean, variance, 1e-3));
    const stock = loss((x, s, o) => tf.batchNorm(x, mean, variance, o, s, 1e-3));

    ours.forEach((g, i) => closeTo(g, stock[i]!, 1e-4));
  });

  it("are the same on the native, the WASM and the cpu engine", async () => {
    const loss: Loss = (x, f, s, o) => {
      const h = tf.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, 2, "same");
      return squares(
        tf.avgPool(tf.relu(batchNormTraining(h, s as tf.Tensor1D, o as tf.Tensor1D, 1e-3).y) as tf.Tensor4D, 2, 2, "same"),
      );
    };
    const run = () => gradients(loss, [[3, 9, 9, 2], [3, 3, 2, 4], [4], [4]]);

    const cpu = await onEngine("cpu", run);
    const others = [await onEngine("wasm", run), run()];

    for (const other of others) other.forEach((g, i) => closeTo(g, cpu[i]!, 2e-4));
  });
});

describe("batchNormTraining", () => {
  it("returns the batch's mean and biased variance: for 1, 3 in one channel 2 and 1", () => {
    const x = tf.tensor4d([1, 3], [2, 1, 1, 1]);

    const { y, mean, variance } = batchNormTraining(x, tf.tensor1d([2]), tf.tensor1d([5]), 0);

    closeTo(mean.dataSync(), [2]);
    closeTo(variance.dataSync(), [1]);
    closeTo(y.dataSync(), [3, 7]); // 5 ± 2
  });

  it("keeps its statistics off the tape", () => {
    const byStatistics = (x: tf.Tensor) => {
      const { y, mean } = batchNormTraining(x as tf.Tensor4D, tf.ones([1]), tf.zeros([1]), 1e-3);
      return tf.add(tf.sum(mean), tf.mul(tf.sum(y), 0)) as tf.Scalar;
    };

    const gradient = tf.grad(byStatistics)(draw("x", 2, 2, 2, 1));

    closeTo(gradient.dataSync(), new Float32Array(8), 1e-6);
  });

  it("leaks no tensors, whatever is differentiated", () => {
    const shapes = [[2, 3, 3, 2], [2], [2]];
    const loss: Loss = (x, s, o) => squares(batchNormTraining(x as tf.Tensor4D, s as tf.Tensor1D, o as tf.Tensor1D, 1e-3).y);
    gradients(loss, shapes);
    const before = tf.memory().numTensors;

    gradients(loss, shapes);
    gradients(
      (x, s, o) =>
        tf.addN(
          tf
            .grads(loss)([x!, s!, o!])
            .map((g) => tf.sum(g)),
        ) as tf.Scalar,
      shapes,
    );

    assert.equal(tf.memory().numTensors, before);
  });
});

describe("installStockGradients", () => {
  it("brings back what TensorFlow.js ships, and installGradients ours", () => {
    const exponential = (x: tf.Tensor) => tf.sum(tf.exp(x)) as tf.Scalar;
    const second = () =>
      tf.tidy(
        () =>
          tf
            .grad((x: tf.Tensor) => tf.add(tf.sum(tf.grad(exponential)(x)), tf.sum(tf.square(x))))(tf.tensor1d([0]))
            .dataSync()[0]!,
      );

    installStockGradients();
    const stock = second();
    installGradients();

    // eˣ + 2x at 0: 1 + 0. Stock loses the term through the saved output.
    closeTo(second(), 1);
    closeTo(stock, 0);
  });

  it("leaves batchNormTraining with the same value and gradient, by stock functions", () => {
    const shapes = [[4, 5, 6, 3], [3], [3]];
    const loss: Loss = (x, s, o) => squares(batchNormTraining(x as tf.Tensor4D, s as tf.Tensor1D, o as tf.Tensor1D, 1e-3).y);
    const ours = gradients(loss, shapes);

    installStockGradients();
    const stock = gradients(loss, shapes);
    installGradients();

    ours.forEach((g, i) => closeTo(g, stock[i]!, 1e-3));
  });

  it("is the only thing that takes ours away: a second copy of TensorFlow.js that registers its own does not", () => {
    const ours = tf.getGradient("Relu");

    tf.registerGradient({ kernelName: "Relu", gradFunc: () => ({}) });

    assert.equal(tf.getGradient("Relu"), ours);
  });
});

describe("the repaired tape", () => {
  it("differentiates a customGrad's saved intermediate: f = x⁴ with gradient 4·(x²)·x", () => {
    const quartic = tf.customGrad((x, save) => {
      const squared = tf.square(x as tf.Tensor);
      (save as tf.GradSaveFunc)([squared, x as tf.Tensor]);
      return {
        value: tf.square(squared),
        gradFunc: (dy: tf.Tensor, [s, z]: tf.Tensor[]) => tf.mul(dy, tf.mul(tf.mul(s!, z!), 4)),
      };
    });
    const first = tf.grad((x: tf.Tensor) => tf.sum(quartic(x)));
    const before = tf.memory().numTensors;

    const values = tf.tidy(() => {
      const x = tf.tensor1d([1, 2]);
      return [first(x), tf.grad((z: tf.Tensor) => tf.sum(first(z)))(x)].map((t) => t.dataSync());
    });

    closeTo(values[0]!, [4, 32]);
    closeTo(values[1]!, [12, 48]);
    assert.equal(tf.memory().numTensors, before);
  });

  it("names a custom gradient that uses a tensor which it did not save", () => {
    const careless = tf.customGrad((x) => {
      const squared = tf.square(x as tf.Tensor);
      return { value: tf.exp(squared), gradFunc: (dy: tf.Tensor) => tf.mul(dy, squared) };
    });

    assert.throws(() => tf.grad((x: tf.Tensor) => tf.sum(careless(tf.mul(x, 2))))(tf.tensor1d([1])), /must save the tensors/);
  });

  it("lets a custom gradient use its own inputs unsaved, and frees them: f = x² of 3x", () => {
    const square = tf.customGrad((x) => {
      return { value: tf.square(x as tf.Tensor), gradFunc: (dy: tf.Tensor) => tf.mul(dy, tf.mul(x as tf.Tensor, 2)) };
    });
    const loss = (x: tf.Tensor) => tf.sum(square(tf.mul(x, 3))) as tf.Scalar;
    const before = tf.memory().numTensors;

    const [first, second] = tf.tidy(() => {
      const x = tf.tensor1d([1, 2]);
      return [tf.grad(loss)(x), hvpOfTensors(([z]) => loss(z!), [x], [tf.ones([2])])[0]!].map((t) => t.dataSync());
    });

    closeTo(first!, [18, 36]); // 9x² → 18x → 18
    closeTo(second!, [18, 18]);
    assert.equal(tf.memory().numTensors, before);
  });

  it("knows that whole numbers do not move with x: H of Σ(float(int(3x)))² and of ½Σ⌊x/0.4⌋² is 0", () => {
    const rounded = ([x]: tf.Tensor[]) => tf.sum(tf.square(tf.cast(tf.cast(tf.mul(x!, 3), "int32"), "float32"))) as tf.Scalar;
    const floored = ([x]: tf.Tensor[]) => tf.div(tf.sum(tf.square(tf.floorDiv(x!, 0.4))), 2) as tf.Scalar;
    const point = [tf.tensor1d([0.9, 1.9])];

    const products = [rounded, floored].map((loss) => hvpOfTensors(loss, point, [tf.ones([2])])[0]!.dataSync());

    for (const product of products) closeTo(product, [0, 0], 1e-12);
  });

  it("gives abs the slope 0 at 0, as PyTorch does", () => {
    const slope = tf.grad((x: tf.Tensor) => tf.sum(tf.abs(x)))(tf.tensor1d([-2, 0, 2]));

    assert.deepEqual([...slope.dataSync()], [-1, 0, 1]);
  });

  it("refuses what every engine computes wrongly: rounded window counts, depthwise channels-first, gradients of complex |z|", () => {
    const image = tf.ones([1, 5, 5, 2]) as tf.Tensor4D;
    const filter = tf.ones([2, 2, 2, 1]) as tf.Tensor4D;

    assert.throws(() => tf.maxPool(image, 2, 2, 0, "ceil"), /dimRoundingMode = "ceil"/);
    assert.throws(
      () => tf.depthwiseConv2d(tf.ones([1, 2, 5, 5]) as tf.Tensor4D, filter, 1, "valid", "NCHW"),
      /transpose the image to "NHWC"/,
    );
    assert.throws(() => tf.grad((z: tf.Tensor) => tf.sum(tf.abs(z)))(tf.complex([3], [4])), /known for "ComplexAbs"/);
  });

  it("gives zeros for the second derivative of a linear function, not an exception", () => {
    const linear = (x: tf.Tensor) => tf.sum(tf.mul(x, 3)) as tf.Scalar;

    const second = tf.grad((x: tf.Tensor) => tf.sum(tf.grad(linear)(x)))(tf.tensor1d([1, 2]));

    closeTo(second.dataSync(), [0, 0]);
  });

  it("still refuses a function that does not depend on x", () => {
    assert.throws(() => tf.grad(() => tf.scalar(1))(tf.scalar(2)), /Cannot compute gradient of y=f\(x\)/);
  });

  it("leaves nothing in memory when a gradient throws", () => {
    const before = tf.memory().numTensors;

    assert.throws(
      () => tf.tidy(() => tf.grad((x: tf.Tensor) => tf.sum(tf.topk(tf.exp(x), 1).values))(tf.tensor1d([1, 2]))),
      /"TopK"/,
    );

    assert.equal(tf.memory().numTensors, before);
  });
});
