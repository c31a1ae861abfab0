import assert from "node:assert/strict";
import { Rng, tf, type Weights } from "../../src/engine";
import { countParameters, resNetCifar } from "../../src/models";
import { closeTo } from "../support/closeTo";
import { tidyTests } from "../support/noLeak";

describe("models/resNetCifar", () => {
  tidyTests();

  // He et al. 2016, Table 6, give 0.27, 0.46 and 0.85 million; exactly: https://github.com/akamaster/pytorch_resnet_cifar10.
  for (const [depth, count] of [[20, 269_722], [32, 464_154], [44, 658_586], [56, 853_018]] as const) // prettier-ignore
    it(`ResNet-${depth} with 10 classes has ${count} parameters`, () => {
      assert.equal(countParameters(resNetCifar({ depth, numClasses: 10 })), count);
    });

  it("ResNet-8 and ResNet-14 have as many as paper.md's table of costs says, to the thousand", () => {
    const thousands = (depth: number, width: number) =>
      Math.round(countParameters(resNetCifar({ depth, width, numClasses: 10 })) / 1000);

    assert.deepEqual([thousands(8, 8), thousands(8, 16), thousands(14, 8)], [19, 75, 44]);
  });

  it("has the same parameters without skip connections, and biases in place of gains and offsets without batch norm", () => {
    const plain = resNetCifar({ depth: 8, numClasses: 10, skipConnections: false });
    const withoutNorm = resNetCifar({ depth: 8, numClasses: 10, batchNorm: false });
    const channels = 16 * 3 + 32 * 2 + 64 * 2; // outputs of the seven convolutions

    assert.deepEqual(plain.parameters.map(({ name }) => name), resNetCifar({ depth: 8, numClasses: 10 }).parameters.map(({ name }) => name)); // prettier-ignore
    assert.equal(countParameters(plain) - countParameters(withoutNorm), channels);
    assert.deepEqual(withoutNorm.statistics, []);
    assert.equal(plain.name, "ResNet-8 without skip connections");
    assert.equal(withoutNorm.name, "ResNet-8 without batch norm");
  });

  describe("with blocks that are all zero and a stem that copies the image", () => {
    const options = { depth: 8, width: 1, numClasses: 2, inputShape: [8, 8, 1] as const, batchNorm: false };
    const x = () => tf.tensor4d(new Rng("image").array(64, "uniform"), [1, 8, 8, 1]);
    const weights = (): Weights => {
      const { weights: started } = resNetCifar(options).init(new Rng(0));
      const all = Object.entries(started).map(([name, tensor]) => [name, tf.zerosLike(tensor)] as const);
      const centre = tf.tensor4d([0, 0, 0, 0, 1, 0, 0, 0, 0], [3, 3, 1, 1]);
      const head = { "head/kernel": tf.tensor2d([[1, 2], [3, 3], [3, 3], [3, 3]]), "head/bias": tf.tensor1d([0.5, 0]) }; // prettier-ignore
      return { ...Object.fromEntries(all), "stem/conv/kernel": centre, ...head };
    };

    // Option A: each of the two shortcuts with stride 2 keeps every second pixel, and adds channels of zeros.
    it("the shortcuts bring every fourth pixel to the head, in the first channel", () => {
      const mean = tf.mean(tf.tensor([0, 4].flatMap((i) => [0, 4].map((j) => x().dataSync()[8 * i + j]!)))).dataSync()[0]!;

      closeTo(resNetCifar(options).apply(weights(), x()).logits.dataSync(), [mean + 0.5, 2 * mean], 1e-6);
    });

    it("nothing gets through without skip connections", () => {
      const plain = resNetCifar({ ...options, skipConnections: false });

      closeTo(plain.apply(weights(), x()).logits.dataSync(), [0.5, 0]);
    });
  });

  it("pads on both sides where PyTorch's padding is wanted: only strided convolutions of even images differ", () => {
    const shared = { depth: 8, width: 2, numClasses: 3, batchNorm: false };
    const logits = (side: number, symmetricPadding: boolean) => {
      const model = resNetCifar({ ...shared, inputShape: [side, side, 1], symmetricPadding });
      const x = tf.tensor4d(new Rng("x").array(side * side), [1, side, side, 1]);
      return [...model.apply(model.init(new Rng(0)).weights, x).logits.dataSync()];
    };

    closeTo(logits(9, true), logits(9, false), 1e-6); // 9 → 5 → 3: "same" pads one zero on each side too
    assert.notDeepEqual(logits(8, true), logits(8, false));
  });

  it("refuses other depths", () => {
    for (const depth of [2, 9, 18, 20.5])
      assert.throws(
        () => resNetCifar({ depth, numClasses: 10 }),
        new RegExp(`depth = ${depth}: a CIFAR ResNet has depth 6n \\+ 2`),
      );
    assert.throws(() => resNetCifar({ depth: 8, width: 0, numClasses: 10 }), /width = 0: expected a whole number/);
  });
});
