import assert from "node:assert/strict";
import { Rng, tf } from "../../src/engine";
import {
  countParameters,
  efficientNet,
  networkInNetwork,
  resNetImageNet,
  vgg,
  vit,
  type EfficientNetVariant,
} from "../../src/models";
import { closeTo } from "../support/closeTo";
import { waveImages, waveVariables } from "../support/networks";
import { tidyTests } from "../support/noLeak";

// Counts of the torchvision and timm model tables.
describe("models/resNetImageNet", () => {
  tidyTests();

  for (const [depth, count] of [[50, 25_557_032], [101, 44_549_160], [152, 60_192_808]] as const) // prettier-ignore
    it(`ResNet-${depth} with 1000 classes has ${count} parameters`, () => {
      assert.equal(countParameters(resNetImageNet({ depth })), count);
    });

  // The last gain of each block starts at 0, so that its output is its shortcut.
  it("starts with blocks that do nothing but their shortcuts: what the branches weigh does not matter", () => {
    const model = resNetImageNet({ depth: 14, width: 2, numClasses: 3, inputShape: [32, 32, 1] });
    const { weights, stats } = model.init(new Rng(0));
    const other = Object.fromEntries(
      Object.entries(weights).map(([name, t]) => [name, /block0\/[12]\/conv/.test(name) ? tf.mul(t, -2) : t]),
    );
    const logits = (w: typeof weights) => model.apply(w, waveImages(model, 2), { training: true, stats }).logits.dataSync();

    closeTo(logits(other), logits(weights), 0);
    assert.equal(model.parameters.filter(({ name }) => /block0\/3\/norm\/scale/.test(name)).length, 4);
  });

  it("refuses other depths", () => {
    assert.throws(() => resNetImageNet({ depth: 34 as never }), /depth = 34: expected one of 14, 26, 50, 101, 152/);
  });
});

describe("models/efficientNet", () => {
  tidyTests();

  const counts = { b0: 5_288_548, b1: 7_794_184, b2: 9_109_994, b3: 12_233_232, b4: 19_341_616, b5: 30_389_784, b6: 43_040_704, b7: 66_347_960, l2: 480_309_308 }; // prettier-ignore
  for (const [variant, count] of Object.entries(counts))
    it(`${variant.toUpperCase()} with 1000 classes has ${count} parameters`, () => {
      assert.equal(countParameters(efficientNet({ variant: variant as EfficientNetVariant })), count);
    });

  it("has the variant's resolution unless told otherwise", () => {
    assert.deepEqual(efficientNet({ variant: "b7" }).inputShape, [600, 600, 3]);
    assert.deepEqual(efficientNet({ variant: "b7", inputShape: [32, 32, 1] }).inputShape, [32, 32, 1]);
    assert.equal(efficientNet({ variant: "b7" }).name, "EfficientNet-B7");
  });

  it("draws stochastic depth and dropout in training mode only, and none at rate 0", () => {
    const variant = { width: 0.25, depth: 0.6, resolution: 16, dropout: 0 };
    const trained = (dropConnect: number, seed: number) => {
      const model = efficientNet({ variant, numClasses: 3, inputShape: [16, 16, 1], dropConnect });
      const { weights, stats } = model.init(new Rng(0));
      return [...model.apply(weights, waveImages(model, 8), { training: true, stats, rng: new Rng(seed) }).logits.dataSync()];
    };

    assert.deepEqual(trained(0, 1), trained(0, 2));
    assert.notDeepEqual(trained(0.9, 1), trained(0.9, 2));
  });

  it("refuses other variants", () => {
    assert.throws(() => efficientNet({ variant: "b9" as never }), /variant = b9: expected one of b0, b1, .* l2, or a scale/);
  });
});

describe("models/vit", () => {
  tidyTests();
  const imageNet = { numClasses: 1000, inputShape: [224, 224, 3], patchSize: 16 } as const;

  it("ViT-Ti/16, ViT-S/16 and ViT-B/16 have as many parameters as timm's", () => {
    assert.equal(countParameters(vit(imageNet)), 5_717_416);
    assert.equal(countParameters(vit({ ...imageNet, width: 384, heads: 6 })), 22_050_664);
    assert.equal(countParameters(vit({ ...imageNet, width: 768, heads: 12 })), 86_567_656);
  });

  it("needs images of its own size", () => {
    const model = vit({ numClasses: 3, inputShape: [4, 4, 1], patchSize: 2, width: 6, depth: 2, heads: 2 });

    assert.throws(
      () => model.apply(waveVariables(model).weights, tf.zeros([1, 4, 6, 1])),
      /x has shape \[1, 4, 6, 1\], expected \(n, 4, 4, 1\)/,
    );
  });

  it("refuses heads that do not divide the width", () => {
    assert.throws(() => vit({ numClasses: 2, width: 10 }), /heads = 3: does not divide width = 10/);
  });
});

describe("models/vgg", () => {
  tidyTests();
  const imageNet = { numClasses: 1000, inputShape: [224, 224, 3], hidden: [4096, 4096] } as const;

  for (const [
    depth,
    plain,
    withNorm,
  ] of [[11, 132_863_336, 132_868_840], [13, 133_047_848, 133_053_736], [16, 138_357_544, 138_365_992], [19, 143_667_240, 143_678_248]] as const) // prettier-ignore
    it(`VGG-${depth} on ImageNet has ${plain} parameters, and ${withNorm} with batch norm`, () => {
      assert.equal(countParameters(vgg({ depth, ...imageNet, batchNorm: false })), plain);
      assert.equal(countParameters(vgg({ depth, ...imageNet })), withNorm);
    });

  it("refuses other depths, and images of another size than its dense layers have", () => {
    const model = vgg({ depth: 11, width: 1, numClasses: 2, inputShape: [32, 32, 1], batchNorm: false });
    const { weights } = model.init(new Rng(0));

    assert.throws(() => vgg({ depth: 12 as never, numClasses: 2 }), /depth = 12: expected one of 11, 13, 16, 19/);
    assert.throws(() => model.apply(weights, tf.zeros([1, 64, 64, 1])), /VGG: 32 features, expected 8/);
  });
});

describe("models/vgg with fewer stages", () => {
  it("has the first stages' convolutions, and dense layers that fit what their poolings leave", () => {
    const model = vgg({
      depth: 11,
      width: 4,
      stages: 3,
      hidden: [16],
      numClasses: 10,
      inputShape: [28, 28, 1],
      batchNorm: false,
    });

    // 28 → 14 → 7 → 4; 9·inputs·outputs + outputs of 1 → 4 → 8 → 16 → 16, then 4·4·16 → 16 → 10
    const convolutions = 9 * (1 * 4 + 4 * 8 + 8 * 16 + 16 * 16) + 4 + 8 + 16 + 16;
    assert.equal(countParameters(model), convolutions + 256 * 16 + 16 + 16 * 10 + 10);
    assert.equal(model.name, "VGG-11, 3 stages, width 4 without batch norm");
    for (const stages of [0, 6, 2.5])
      assert.throws(() => vgg({ depth: 11, stages, numClasses: 10 }), /stages = \S+: expected a whole number from 1 to 5/);
  });
});

describe("models/networkInNetwork", () => {
  it("has three convolutions a block, the head among them", () => {
    const convolutions = (blocks: number) =>
      networkInNetwork({ blocks, numClasses: 10 }).parameters.filter(({ name }) => /kernel|weight/.test(name)).length;

    assert.deepEqual([2, 3, 4].map(convolutions), [6, 9, 12]);
    assert.throws(() => networkInNetwork({ blocks: 1, numClasses: 10 }), /blocks = 1: expected a whole number of at least 2/);
  });

  // Kernel² · inputs · outputs + outputs, layer by layer of the original network for CIFAR-10.
  it("has as many parameters as counted by hand", () => {
    const layers = [[25, 3, 192], [1, 192, 160], [1, 160, 96], [25, 96, 192], [1, 192, 192], [1, 192, 192], [9, 192, 192], [1, 192, 192], [1, 192, 10]]; // prettier-ignore
    const count = layers.reduce((sum, [taps, inputs, outputs]) => sum + taps! * inputs! * outputs! + outputs!, 0);

    assert.equal(count, 966_986);
    assert.equal(countParameters(networkInNetwork({ numClasses: 10, batchNorm: false })), count);
  });
});
