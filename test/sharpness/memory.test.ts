import assert from "node:assert/strict";
import { makeDataset } from "../../src/data";
import { Rng, ready, tf } from "../../src/engine";
import { mlp } from "../../src/models";
import { hessianOperator, lanczos, spectralDensity, type LinearOperator } from "../../src/sharpness";

const [size, shape, numClasses] = [10_000, [8, 8, 1] as const, 10];
const rng = new Rng("sharpness/memory");

const images = Uint8Array.from(rng.split("images").array(size * 64, "uniform"), (value) => Math.floor(256 * value));
const labels = Int32Array.from({ length: size }, (_, i) => (i * i) % numClasses);
const dataset = makeDataset({ name: "made up", images, labels, shape, numClasses, mean: [127.5], std: [74] });

interface Watched extends LinearOperator {
  /** The engine's counts after each product. */
  readonly seen: { numTensors: number; numBytes: number }[];
}

function watched(operator: LinearOperator): Watched {
  const seen: Watched["seen"] = [];
  const matvec = async (v: Float32Array) => {
    const product = await operator.matvec(v);
    const { numTensors, numBytes } = tf.memory();
    seen.push({ numTensors, numBytes });
    return product;
  };
  return { size: operator.size, matvec, seen };
}

describe("sharpness on 10 000 images", () => {
  before(ready);

  it("a Lanczos run of 40 steps holds as many tensors and bytes after its last product as before its first", async () => {
    const model = mlp({ inputShape: shape, numClasses, hidden: [16] });
    const { weights, stats } = model.init(rng.split("init"));
    const before = tf.memory();
    const operator = watched(hessianOperator({ model, weights, stats }, dataset, { batchSize: 1000 }));

    const first = await lanczos(operator, { k: 1, lanczosSteps: 10, seed: 0 });
    const more = await lanczos(operator, { k: 1, lanczosSteps: 40, state: first.state });

    assert.equal(operator.seen.length, 40);
    assert.deepEqual(new Set(operator.seen.map(({ numTensors }) => numTensors)), new Set([before.numTensors]));
    assert.deepEqual(new Set(operator.seen.map(({ numBytes }) => numBytes)), new Set([before.numBytes]));
    // 40 vectors and no more: what is kept is the basis.
    assert.equal(more.state.basis.length, 40);
    tf.dispose([...Object.values(weights), ...Object.values(stats)]);
  });

  it("so does a spectral density of two probes", async () => {
    const model = mlp({ inputShape: shape, numClasses, hidden: [16] });
    const { weights, stats } = model.init(rng.split("init"));
    const before = tf.memory();
    const operator = watched(hessianOperator({ model, weights, stats }, dataset, { batchSize: 1000 }));

    await spectralDensity(operator, { numProbes: 2, lanczosSteps: 10, seed: 0 });

    assert.deepEqual(new Set(operator.seen.map(({ numTensors }) => numTensors)), new Set([before.numTensors]));
    assert.equal(tf.memory().numBytes, before.numBytes);
    tf.dispose([...Object.values(weights), ...Object.values(stats)]);
  });
});
