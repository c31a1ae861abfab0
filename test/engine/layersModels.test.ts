/** Second derivatives of stock layers models: nested tf.variableGrads against central differences, on smooth networks. */
import assert from "node:assert/strict";
import { Rng, tf } from "../../src/engine";

const { layers } = tf;
type Stack = tf.layers.Layer[];

// max pooling sees distinct values; every activation is smooth.
const MODELS: Record<string, () => Stack> = {
  "conv, batch norm, max pooling, dropout, dense": () => [
    layers.conv2d({ inputShape: [8, 8, 2], filters: 4, kernelSize: 3, padding: "same", activation: "tanh" }),
    layers.batchNormalization(),
    layers.maxPooling2d({ poolSize: 2 }),
    layers.dropout({ rate: 0.5 }),
    layers.flatten(),
    layers.dense({ units: 3, activation: "softmax" }),
  ],
  "dilated conv, batch norm without center, average pooling": () => [
    layers.conv2d({ inputShape: [8, 8, 2], filters: 4, kernelSize: 3, dilationRate: 2, activation: "softplus" }),
    layers.batchNormalization({ center: false }),
    layers.averagePooling2d({ poolSize: 2 }),
    layers.flatten(),
    layers.dense({ units: 3, activation: "softmax" }),
  ],
  "depthwise, separable and transposed conv, batch norm without scale": () => [
    layers.depthwiseConv2d({ inputShape: [8, 8, 2], kernelSize: 3, depthMultiplier: 2, activation: "tanh" }),
    layers.batchNormalization({ scale: false }),
    layers.separableConv2d({ filters: 3, kernelSize: 3, activation: "tanh" }),
    layers.conv2dTranspose({ filters: 2, kernelSize: 3, strides: 2 }),
    layers.globalAveragePooling2d({}),
    layers.dense({ units: 3, activation: "softmax" }),
  ],
  "layer norm, sigmoid, swish, mish, gelu": () => [
    layers.flatten({ inputShape: [8, 8, 2] }),
    layers.dense({ units: 6, activation: "sigmoid" }),
    layers.layerNormalization(),
    layers.dense({ units: 5, activation: "swish" }),
    layers.dense({ units: 5, activation: "mish" }),
    layers.dense({ units: 5, activation: "gelu" as "tanh" }),
    layers.dense({ units: 3, activation: "softmax" }),
  ],
  "LSTM and GRU": () => [
    layers.reshape({ inputShape: [8, 8, 2], targetShape: [8, 16] }),
    layers.lstm({ units: 4, returnSequences: true }),
    layers.gru({ units: 3 } as Parameters<typeof layers.gru>[0]),
    layers.dense({ units: 3, activation: "softmax" }),
  ],
};

describe("second derivatives of stock layers models", () => {
  for (const [name, stack] of Object.entries(MODELS)) {
    it(`${name}: Hv agrees with differences of the gradient`, () => {
      const before = tf.memory().numTensors;
      const model = withSeededWeights(stack());
      const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
      const loss = crossEntropyOf(model);

      const error = tf.tidy(() => relativeErrorOfHvp(loss, variables));

      assert.ok(error < 1e-3, `Hv is off by ${error}`);
      model.dispose();
      assert.equal(tf.memory().numTensors, before);
    });
  }
});

function withSeededWeights(stack: Stack): tf.Sequential {
  const model = tf.sequential({ layers: stack });
  tf.tidy(() => {
    const values = model.getWeights().map(({ size, shape }, i) => {
      const draws = new Rng(`weight ${i}`).array(size).map((value) => 0.4 * value);
      return tf.tensor(/variance/.test(model.weights[i]!.name) ? draws.map((value) => value ** 2 + 0.5) : draws, shape);
    });
    model.setWeights(values);
  });
  return model;
}

function crossEntropyOf(model: tf.Sequential): () => tf.Scalar {
  return () => {
    const x = tf.tensor4d(new Rng("images").array(4 * 8 * 8 * 2), [4, 8, 8, 2]);
    const y = tf.oneHot(tf.tensor1d([0, 1, 2, 1], "int32"), 3);
    return tf.mean(tf.metrics.categoricalCrossentropy(y, model.apply(x, { training: false }) as tf.Tensor));
  };
}

function relativeErrorOfHvp(loss: () => tf.Scalar, variables: tf.Variable[]): number {
  const raw = variables.map((variable, i) => tf.tensor(new Rng(`v ${i}`).array(variable.size), variable.shape));
  const v = raw.map((tensor) => tf.div(tensor, norm(raw)));
  const gradient = () => {
    const { grads } = tf.variableGrads(loss, variables);
    return variables.map(({ name }) => grads[name]!);
  };
  const slope = () => tf.addN(gradient().map((g, i) => tf.sum(tf.mul(g, v[i]!)))) as tf.Scalar;
  const { grads } = tf.variableGrads(slope, variables);
  const [after, before] = [5e-3, -5e-3].map((step) => moved(variables, v, step, gradient));
  const truth = after!.map((g, i) => tf.div(tf.sub(g, before![i]!), 1e-2));
  const difference = truth.map((t, i) => tf.sub(t, grads[variables[i]!.name]!));
  return tf.div(norm(difference), norm(truth)).dataSync()[0]!;
}

function moved<T>(variables: tf.Variable[], v: tf.Tensor[], step: number, fn: () => T): T {
  const old = variables.map((variable) => tf.clone(variable));
  variables.forEach((variable, i) => variable.assign(tf.add(variable, tf.mul(v[i]!, step))));
  const result = fn();
  variables.forEach((variable, i) => variable.assign(old[i]!));
  return result;
}

function norm(tensors: tf.Tensor[]): tf.Scalar {
  return tf.sqrt(tf.addN(tensors.map((tensor) => tf.sum(tf.square(tensor))))) as tf.Scalar;
}
