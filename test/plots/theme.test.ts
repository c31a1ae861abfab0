import assert from "node:assert/strict";
import { colorsFor, palette, rampColors, wrapText } from "../../src/plots/theme";

describe("plots/theme", () => {
  it("gives SAM and SGD the same colors whatever else is drawn, and nobody else theirs", () => {
    const others = colorsFor(["mixup", "GCE", "ELR", "last epoch", "best epoch", "mine", "CIFAR-10", "CIFAR-100"]);

    assert.deepEqual(colorsFor(["mixup", "SGD", "SAM"]).slice(1), [palette.vermilion, palette.blue]);
    assert.deepEqual(colorsFor(["sam"]), [palette.blue]);
    assert.ok(!others.includes(palette.blue) && !others.includes(palette.vermilion));
  });

  it("gives the training loss, the perturbed loss and SGD at twice the epochs colors of their own", () => {
    const own = colorsFor(["trainLoss", "perturbedLoss", "SGD, twice the epochs", "SAM", "SGD"]);

    assert.equal(new Set(own).size, 5);
    assert.deepEqual(colorsFor(["perturbedLoss", "trainLoss"]), [own[1], own[0]]);
  });

  it("has a ramp of distinct colors for any number of series", () => {
    for (const count of [1, 2, 5, 9]) assert.equal(new Set(rampColors(count)).size, count);
  });

  it("breaks titles at spaces, never inside a word", () => {
    assert.deepEqual(wrapText("a bb ccc dddd", 6), ["a bb", "ccc", "dddd"]);
    assert.deepEqual(wrapText("overlongword x", 4), ["overlongword", "x"]);
  });
});
