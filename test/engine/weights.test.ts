import assert from "node:assert/strict";
import {
  addScaledWeights,
  addWeights,
  cloneWeights,
  disposeWeights,
  dotWeights,
  flattenWeights,
  globalNorm,
  globalNormTensor,
  mapWeights,
  scaleWeights,
  sizeOfWeights,
  subWeights,
  tf,
  unflattenWeights,
  valueAndGradient,
  zerosLikeWeights,
  type Weights,
} from "../../src/engine";
import { closeTo } from "../support/closeTo";
import { expectNoLeak, tidyTests } from "../support/noLeak";

describe("engine/weights", () => {
  tidyTests();
  const a = (): Weights => ({ kernel: tf.tensor2d([[1, 2], [3, 4]]), bias: tf.tensor1d([5]) }); // prettier-ignore
  const b = (): Weights => ({ kernel: tf.tensor2d([[10, 20], [30, 40]]), bias: tf.tensor1d([50]) }); // prettier-ignore
  const values = (weights: Weights) => [...flattenWeights(weights)];

  it("Sums, differences and multiples are taken tensor by tensor", () => {
    closeTo(values(addWeights(a(), b())), [11, 22, 33, 44, 55]);
    closeTo(values(subWeights(b(), a())), [9, 18, 27, 36, 45]);
    closeTo(values(scaleWeights(a(), -2)), [-2, -4, -6, -8, -10]);
    closeTo(values(scaleWeights(a(), tf.scalar(0.5))), [0.5, 1, 1.5, 2, 2.5]);
    closeTo(values(addScaledWeights(a(), b(), 0.1)), [2, 4, 6, 8, 10]);
    closeTo(values(addScaledWeights(a(), b(), tf.scalar(-0.1))), [0, 0, 0, 0, 0]);
    closeTo(values(zerosLikeWeights(a())), [0, 0, 0, 0, 0]);
  });

  it("Names find each other whatever their order", () => {
    const { kernel, bias } = b();

    closeTo(values(addWeights(a(), { bias: bias!, kernel: kernel! })), [11, 22, 33, 44, 55]);
  });

  it("⟨a, b⟩ and ‖a‖ go over all tensors", () => {
    closeTo(dotWeights(a(), b()), 10 * (1 + 4 + 9 + 16 + 25), 0);
    closeTo(globalNorm(a()), Math.sqrt(55), 1e-15);
    closeTo(globalNormTensor(a()).dataSync(), [Math.sqrt(55)]);
  });

  it("⟨a, b⟩ is summed in float64: 1 is not lost beside 1e8", () => {
    const large = { w: tf.tensor1d([1e4, 1, -1e4]) };
    const ones = { w: tf.tensor1d([1e4, 1, 1e4]) };

    assert.equal(dotWeights(large, ones), 1); // in float32, 1e8 + 1 = 1e8 and the sum would be 0
  });

  it("Flattening keeps the order of the names, and unflattening undoes it", () => {
    const weights = a();

    const vector = flattenWeights(weights);
    const back = unflattenWeights(vector, weights);

    assert.deepEqual(vector, Float32Array.of(1, 2, 3, 4, 5));
    assert.deepEqual(Object.keys(back), ["kernel", "bias"]);
    assert.deepEqual(back.kernel!.shape, [2, 2]);
    assert.deepEqual(values(back), values(weights));
    assert.equal(sizeOfWeights(weights), 5);
  });

  it("A vector of another length is refused, with both lengths", () => {
    assert.throws(() => unflattenWeights(new Float32Array(4), a()), /the vector has 4 values, the weights have 5/);
  });

  it("Anything but named tensors is refused", () => {
    assert.throws(() => addWeights(a(), undefined as never), /weights are undefined, expected named tensors/);
    assert.throws(() => addWeights(tf.zeros([2]) as never, a()), /weights are one tensor, expected named tensors/);
  });

  it("Weights of other names are refused, by name", () => {
    const other = { kernel: tf.zeros([2, 2]), gain: tf.zeros([1]) };

    for (const fn of [addWeights, subWeights, dotWeights, (x: Weights, y: Weights) => addScaledWeights(x, y, 1)]) {
      assert.throws(() => fn(a(), other), /weights differ in names: missing \[bias\], unexpected \[gain\]/);
    }
  });

  it("Arguments stay as they are", () => {
    const [x, y] = [a(), b()];

    for (const fn of [addWeights, subWeights, dotWeights]) fn(x, y);
    scaleWeights(x, 3);
    mapWeights(x, (tensor) => tf.neg(tensor));

    closeTo([...values(x), ...values(y)], [1, 2, 3, 4, 5, 10, 20, 30, 40, 50], 0);
  });

  it("Copies outlive what they were copied from", () => {
    const original = a();
    const copy = cloneWeights(original);

    disposeWeights(original);

    closeTo(values(copy), [1, 2, 3, 4, 5], 0);
  });

  it("Each function leaves its result and nothing else", () => {
    const [x, y] = [a(), b()];
    const factor = tf.scalar(2);

    expectNoLeak(() => [dotWeights(x, y), globalNorm(x), flattenWeights(x), sizeOfWeights(x)]);
    expectNoLeak(() => globalNormTensor(x), 1);
    for (const fn of [addWeights, subWeights]) expectNoLeak(() => fn(x, y), 2);
    expectNoLeak(() => addScaledWeights(x, y, factor), 2);
    expectNoLeak(() => scaleWeights(x, factor), 2);
    expectNoLeak(() => disposeWeights(addWeights(x, y)));
  });

  describe("value and gradient", () => {
    // L = Σ kernel² · bias: ∂/∂kernel = 2·kernel·bias, ∂/∂bias = Σ kernel² = 30.
    const loss = ({ kernel, bias }: Weights) => tf.sum(tf.mul(tf.square(kernel!), bias!)) as tf.Scalar;

    it("are those of the closed form, under the weights' names", () => {
      const { value, gradient } = valueAndGradient(loss, a());

      closeTo(value.dataSync(), [150]);
      closeTo(gradient.kernel!.dataSync(), [10, 20, 30, 40]);
      closeTo(gradient.bias!.dataSync(), [30]);
    });

    it("come with what else the forward pass made, and nothing else is left", () => {
      const weights = a();
      const withAux = (w: Weights) => ({ loss: loss(w), aux: { squares: tf.square(w.kernel!), same: w.bias! } });

      expectNoLeak(() => valueAndGradient(loss, weights), 3);
      expectNoLeak(() => valueAndGradient(withAux, weights), 5);

      const { aux } = valueAndGradient(withAux, weights);
      closeTo(aux.squares!.dataSync(), [1, 4, 9, 16]);
      closeTo(aux.same!.dataSync(), [5]);
    });

    it("leave nothing when the loss throws", () => {
      const weights = a();
      const failing = () => {
        tf.zeros([100]);
        throw new Error("no loss");
      };

      expectNoLeak(() => assert.throws(() => valueAndGradient(failing, weights), /no loss/));
    });
  });

  it("A loss without aux is a loss; what is no scalar loss is refused, a vector too, which would be summed", () => {
    const loss = (w: Weights) => tf.sum(tf.square(w.kernel!)) as tf.Scalar;

    const { value, aux } = valueAndGradient((w) => ({ loss: loss(w) }), { kernel: tf.tensor1d([3, 4]) });

    assert.deepEqual([value.dataSync()[0], aux], [25, {}]);
    const refused = (fn: unknown) => () => valueAndGradient(fn as never, { kernel: tf.tensor1d([3, 4]) });
    assert.throws(
      refused(() => undefined),
      /the function returned undefined, expected a scalar tensor or \{ loss, aux \}/,
    );
    assert.throws(
      refused(() => ({ value: 1 })),
      /the function returned .*, expected a scalar tensor/,
    );
    assert.throws(
      refused((w: Weights) => tf.square(w.kernel!)),
      /the loss has shape \[2\], expected a scalar/,
    );
  });
});
