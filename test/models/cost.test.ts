import assert from "node:assert/strict";
import { efficientNet, mlp, multiplyAdds, resNetCifar, resNetImageNet, vit, wideResNet, type Model } from "../../src/models";
import { expectNoLeakAsync } from "../support/noLeak";

describe("models/cost", () => {
  it("An MLP multiplies once for each entry of its matrices", async () => {
    assert.equal(await multiplyAdds(mlp({ inputShape: [4, 4, 1], numClasses: 3, hidden: [5] })), 16 * 5 + 5 * 3);
  });

  // paper.md 13.1, in millions on 32×32×3, and the literature: He et al. 2016 (ResNet-50: 3.8·10⁹, with the stride in the 3×3
  // convolution 4.1), Tan and Le 2019 (EfficientNet-B0: 0.39·10⁹), Touvron et al. 2021 (DeiT-Ti: 1.3·10⁹, at 224 pixels, patch 16).
  const of32 = { inputShape: [32, 32, 3], numClasses: 10 } as const;
  const millions: [string, () => Model, number, number][] = [
    ["ResNet-8 of width 8", () => resNetCifar({ depth: 8, width: 8, ...of32 }), 3.2, 0.05],
    ["ResNet-20", () => resNetCifar({ depth: 20, ...of32 }), 41, 0.02],
    ["ResNet-32", () => resNetCifar({ depth: 32, ...of32 }), 69, 0.02],
    ["WRN-10-2", () => wideResNet({ depth: 10, widenFactor: 2, ...of32 }), 43, 0.02],
    ["WRN-16-4", () => wideResNet({ depth: 16, widenFactor: 4, ...of32 }), 387, 0.01],
    ["WRN-40-2", () => wideResNet({ depth: 40, widenFactor: 2, ...of32 }), 326, 0.01],
    ["WRN-28-10", () => wideResNet({ depth: 28, widenFactor: 10, ...of32 }), 5215, 0.01],
    ["ResNet-50", () => resNetImageNet({ depth: 50 }), 4100, 0.02],
    ["EfficientNet-B0", () => efficientNet({ variant: "b0" }), 390, 0.03],
    ["DeiT-Ti", () => vit({ inputShape: [224, 224, 3], numClasses: 1000, patchSize: 16 }), 1250, 0.05],
  ];
  for (const [name, make, expected, tolerance] of millions)
    it(`${name} has about ${expected} million multiply-adds`, async () => {
      const counted = (await multiplyAdds(make())) / 1e6;

      assert.ok(Math.abs(counted / expected - 1) <= tolerance, `${counted}`);
    });

  it("Counting leaves nothing behind", async () => {
    await expectNoLeakAsync(() => multiplyAdds(resNetCifar({ depth: 8, width: 2, ...of32 })));
  });
});
