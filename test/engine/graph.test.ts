import assert from "node:assert/strict";
import { GraphCache, NotReplayable, recordGraph, Rng, tf, type GroupFunction, type TensorGroups } from "../../src/engine";
import { closeTo } from "../support/closeTo";
import { expectNoLeak, tidyTests } from "../support/noLeak";

/** y = relu(xW + b), its sum, and x itself. */
const layer: GroupFunction = ({ weights, batch }) => {
  const { kernel, bias } = weights as { kernel: tf.Tensor2D; bias: tf.Tensor1D };
  const y = tf.relu(tf.add(tf.matMul(batch!.x as tf.Tensor2D, kernel), bias));
  return { out: { y, sum: tf.sum(y), again: y }, passed: { x: batch!.x! }, none: {} };
};
const inputsAt = (scale: number): TensorGroups => ({
  weights: { kernel: tf.tensor2d([[1, -2], [3, 4]].map((row) => row.map((v) => v * scale))), bias: tf.tensor1d([0.5, -1]) },
  batch: { x: tf.tensor2d([[1, 2], [-3, 1], [0, 5]]) },
}); // prettier-ignore
const valuesOf = (groups: TensorGroups) =>
  Object.fromEntries(Object.entries(groups).map(([group, tensors]) => [group, Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, [...t.dataSync()]]))])); // prettier-ignore

describe("engine/graph", () => {
  tidyTests();
  before(function () {
    if (tf.getBackend() !== "tensorflow") this.skip();
  });

  it("replays a function at other values of its inputs, with results used twice, passed through, and empty groups", () => {
    const graph = recordGraph(layer, inputsAt(1));

    for (const scale of [1, -0.5, 7]) assert.deepEqual(valuesOf(graph.run(inputsAt(scale))), valuesOf(layer(inputsAt(scale))));
    graph.dispose();
  });

  it("replays gradients, convolutions and batch norm as eagerly, within float32's rounding", () => {
    const rng = new Rng(0);
    const step: GroupFunction = ({ weights, batch }) => {
      const loss = (kernel: tf.Tensor) => {
        const y = tf.conv2d(batch!.x as tf.Tensor4D, kernel as tf.Tensor4D, 2, "same");
        return tf.mean(tf.square(tf.relu(tf.avgPool(y, 2, 2, "same")))) as tf.Scalar;
      };
      return { gradient: { kernel: tf.grad(loss)(weights!.kernel!) } };
    };
    const inputs = (): TensorGroups => ({
      weights: { kernel: tf.tensor(rng.array(3 * 3 * 2 * 4), [3, 3, 2, 4]) },
      batch: { x: tf.tensor(rng.array(5 * 8 * 8 * 2), [5, 8, 8, 2]) },
    });
    const graph = recordGraph(step, inputs());
    const now = inputs();

    closeTo(graph.run(now).gradient!.kernel!.dataSync(), [...step(now).gradient!.kernel!.dataSync()], 1e-5);
    graph.dispose();
  });

  it("keeps two inputs apart that were one tensor when the function was recorded", () => {
    const shared = tf.tensor1d([1, 2]);
    const difference: GroupFunction = ({ a, b }) => ({ out: { d: tf.sub(a!.t!, b!.t!) } });
    const graph = recordGraph(difference, { a: { t: shared }, b: { t: tf.clone(shared) } });

    const { out } = graph.run({ a: { t: tf.tensor1d([5, 7]) }, b: { t: tf.tensor1d([1, 1]) } });

    assert.deepEqual([...out!.d!.dataSync()], [4, 6]);
    graph.dispose();
  });

  describe("refuses a function that would be frozen", () => {
    const x = () => ({ a: { x: tf.tensor1d([1, 2]) } });
    const outside = tf.keep(tf.tensor1d([1, 1]));
    const rng = new Rng(0);
    let calls = 0;
    after(() => outside.dispose());
    const cases: [string, (t: tf.Tensor) => tf.Tensor, RegExp][] = [
      ["that counts its calls", (t) => tf.mul(t, ++calls), /two recordings differ/],
      ["that draws random numbers, whatever they decide", (t) => (rng.uniform() < 2 ? t.add(1) : t), /draws random numbers/],
      ["that reads a value", (t) => tf.mul(t, t.dataSync()[0]!), /reads a tensor's values/],
      ["that uses a tensor from outside", (t) => tf.add(t, outside), /not among its inputs/],
    ];
    for (const [what, fn, message] of cases)
      it(what, () => {
        outside.add(0).dispose(); // native from now on
        const refused = () => recordGraph(({ a }) => ({ out: { y: fn(a!.x!) } }), x());

        expectNoLeak(() =>
          tf.tidy(() => {
            assert.throws(refused, (error: Error) => error instanceof NotReplayable && message.test(error.message));
          }),
        );
        assert.deepEqual([...tf.tensor1d([3]).dataSync()], [3]); // reading works again
      });
  });

  it("may be allowed to use tensors from outside, as they are", () => {
    const outside = tf.tensor1d([10, 20]);
    outside.add(0).dispose(); // native from now on
    const graph = recordGraph(
      ({ a }) => ({ out: { y: tf.mul(a!.x!, outside) } }),
      { a: { x: tf.tensor1d([1, 2]) } },
      { captures: true },
    );

    assert.deepEqual([...graph.run({ a: { x: tf.tensor1d([3, 4]) } }).out!.y!.dataSync()], [30, 80]);
    graph.dispose();
  });

  it("leaves its results and no other tensor", () => {
    const inputs = inputsAt(1);
    const graph = recordGraph(layer, inputs);

    expectNoLeak(() => void graph.run(inputs), 4);
    graph.dispose();
  });

  describe("a cache of graphs", () => {
    it("records a function once for each key, and runs inputs of another shape eagerly", () => {
      const cache = new GraphCache();
      let calls = 0;
      const counted: GroupFunction = (inputs) => (calls++, layer(inputs));
      const small = (): TensorGroups => ({ ...inputsAt(2), batch: { x: tf.tensor2d([[1, 2]]) } });

      for (let i = 0; i < 3; i++)
        assert.deepEqual(valuesOf(cache.run(["a", 1], counted, inputsAt(2))), valuesOf(layer(inputsAt(2))));
      assert.deepEqual([calls, cache.size], [2, 1]);
      assert.deepEqual(valuesOf(cache.run(["a", 1], counted, small())), valuesOf(layer(small())));
      assert.deepEqual([calls, cache.size], [3, 1]);
      cache.run(["a", 2], counted, inputsAt(1));
      assert.deepEqual([calls, cache.size], [5, 2]);
      cache.dispose();
      assert.equal(cache.size, 0);
    });

    it("runs what cannot be replayed eagerly, and does not try again", () => {
      const cache = new GraphCache();
      let calls = 0;
      const changing: GroupFunction = ({ a }) => ({ out: { y: tf.mul(a!.x!, ++calls) } });

      const values = [1, 2, 3].map(() => cache.run(["changing"], changing, { a: { x: tf.scalar(10) } }).out!.y!.dataSync()[0]);

      assert.deepEqual(values, [30, 40, 50]); // calls 1 and 2 were recordings
      assert.equal(cache.size, 0);
    });
  });

  it("takes no inputs while another engine runs, and can be freed then", async () => {
    const graph = recordGraph(layer, inputsAt(1));
    await tf.setBackend("cpu");
    try {
      assert.equal(graph.fits(inputsAt(1)), false);
      graph.dispose();
    } finally {
      await tf.setBackend("tensorflow");
    }
  });

  it("passes an error of the function on", () => {
    const failing: GroupFunction = () => {
      throw new Error("out of memory");
    };

    assert.throws(() => recordGraph(failing, inputsAt(1)), { message: "out of memory" });
  });
});
