/** The README's example of using SAM in one's own TensorFlow.js code: public names only. */
import { ready, SAM, tf } from "../../src";

export async function userProgram(): Promise<{ losses: number[]; message: string }> {
  await ready();
  const x = tf.randomUniform([256, 2], -1, 1);
  const y = tf.tidy(() => tf.greater(tf.sum(x, 1, true), 0).toFloat()); // above the diagonal?
  const model = tf.sequential();
  model.add(tf.layers.dense({ units: 16, activation: "tanh", inputShape: [2] }));
  model.add(tf.layers.dense({ units: 1, activation: "sigmoid" }));
  const sam = new SAM(tf.train.momentum(0.1, 0.9), { rho: 0.05 });
  model.compile({ optimizer: sam, loss: "binaryCrossentropy", metrics: ["accuracy"] });
  const { history } = await model.fit(x, y, { epochs: 10, batchSize: 32, verbose: 0 });
  return { losses: history.loss as number[], message: sam.diagnose().message };
}
