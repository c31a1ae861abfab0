import assert from "node:assert/strict";
import { countParameters, resNetCifar } from "../../src/models";

describe("models/resNetCifar", () => {
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

  it("refuses other depths", () => {
    for (const depth of [2, 9, 18, 20.5])
      assert.throws(
        () => resNetCifar({ depth, numClasses: 10 }),
        new RegExp(`depth = ${depth}: a CIFAR ResNet has depth 6n \\+ 2`),
      );
    assert.throws(() => resNetCifar({ depth: 8, width: 0, numClasses: 10 }), /width = 0: expected a whole number/);
  });
});
