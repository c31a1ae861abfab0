/** The paper's numbers: spot values against the printed text, and relations that the paper's own tables and figures obey. */
import assert from "node:assert/strict";
import { paperItems, paperNumber, paperNumbers, parsePaperNumbers, selectNumbers } from "../../src/paper/numbers";

type Where = Record<string, string | number>;
const value = (item: string, where: Where) => paperNumber(paperNumbers(item), where).value;
const reduction = (base: number, sam: number) => (100 * (base - sam)) / base;

/** Relative error reductions, one for each pair of rows that differ in method only, ascending. */
function reductions(item: string, where: Where): number[] {
  const numbers = paperNumbers(item);
  const pairs = selectNumbers(numbers, { ...where, method: "sam" }).map((sam) => {
    const { value, interval: _, bound: __, method: ___, ...keys } = sam;
    return reduction(paperNumber(numbers, { ...(keys as Where), method: "sgd" }).value, value);
  });
  return pairs.sort((a, b) => a - b);
}

/** The dots of one row of figure 1 left, ascending. */
function dots(family: string): number[] {
  return selectNumbers(paperNumbers("figure-1"), { family }).map((row) => row.value);
}

/** How far a reduction can move when both errors are rounded to a step of `unit`. */
const rounding = (base: number, unit: number) => (100 * unit) / base + 0.06;

describe("the paper's numbers", () => {
  it("has a valid file for every table and figure", () => {
    for (const item of paperItems) assert.equal(paperNumbers(item).item, item);
  });

  it("holds as many numbers as the tables print", () => {
    // 15 rows × 4, 9 × 4, 9 × 6, 13 methods × 4 noise rates less 4 dashes, 4 × 4, 7 × 4, 15 × 4, 8 × 3, 4 × 4
    const sizes = { "table-1": 60, "table-2": 36, "table-3": 54, "table-4": 48, "table-5": 16, "table-8": 28, "table-9": 60 };
    for (const [item, size] of Object.entries({ ...sizes, "table-10": 24, "table-11": 16 }))
      assert.equal(paperNumbers(item).rows.length, size, item);
  });

  it("has the values printed in the text", () => {
    const numbers = paperNumbers("table-5");
    const basic = { dataset: "fashion-mnist", model: "WRN-28-10", augmentation: "basic" };

    const sam = paperNumber(numbers, { ...basic, method: "sam" });

    assert.deepEqual(sam, { ...basic, method: "sam", measure: "testErrorRate", value: 3.98, interval: 0.05 });
    assert.equal(value("table-5", { ...basic, method: "sgd" }), 4.57);
    assert.equal(value("table-4", { method: "bootstrap + sam", noiseRate: 0.8 }), 79.9);
    assert.equal(value("table-8", { rho: 0.05, noiseRate: 0.8 }), 21.0);
    assert.equal(value("table-2", { model: "ResNet-152", epochs: 400, method: "sam", measure: "top1ErrorRate" }), 18.4);
    assert.equal(value("figure-3", { panel: "middle", m: 4, rho: 0.04 }), 4.26);
    assert.equal(value("figure-6", { norm: "inf", rho: 5e-5 }), 4.21);
  });

  it("keeps the paper's ±<0.1 as a bound", () => {
    const number = paperNumber(paperNumbers("table-1"), {
      dataset: "cifar-10",
      model: "PyramidNet+ShakeDrop",
      augmentation: "autoaugment",
      method: "sam",
    });

    assert.deepEqual([number.value, number.interval, number.bound], [1.4, 0.1, "<"]);
  });

  it("has the sharpness of table 11 equal to 100 times the last points of figure 7, within rounding", () => {
    for (const dataset of ["cifar-10", "cifar-100"])
      for (const ascentSteps of [1, 2, 3, 5]) {
        const table = value("table-11", { dataset, ascentSteps, measure: "sharpness" });
        const figure = value("figure-7", { dataset, ascentSteps, step: 39001 });
        assert.ok(Math.abs(table - 100 * figure) < 0.0101, `${dataset}, ${ascentSteps} steps: ${table} and ${figure}`);
      }
  });

  it("has λmax/λ5 in figure 3 equal to the ratio of its first and fifth Ritz value, where five are visible", () => {
    const numbers = paperNumbers("figure-3");
    for (const ratio of selectNumbers(numbers, { measure: "lambdaMaxOverLambda5" })) {
      const { method, epoch } = ratio as { method: string; epoch: number } & typeof ratio;
      const ritz = selectNumbers(numbers, { measure: "ritzValue", method, epoch }).map((row) => row.value);
      if (ritz.length >= 5) assert.ok(Math.abs(ritz[0]! / ritz[4]! - ratio.value) < 0.06, `${method}, epoch ${epoch}`);
    }
  });

  it("has the SVHN and Fashion-MNIST dots of figure 1 equal to the reductions in table 5", () => {
    const expected = reductions("table-5", {});

    dots("SVHN / F-MNIST").forEach((dot, i) =>
      assert.ok(Math.abs(dot - expected[i]!) < rounding(1, 0.01), `${dot}, ${expected[i]}`),
    );
    assert.equal(expected.length, 8);
    assert.equal(expected[0]!.toFixed(1), "-3.9"); // SVHN, Shake-Shake, autoaugment: the one cell where SAM is worse
  });

  it("has the finetuning dots of figure 1 equal to the reductions of EfficientNet-b7 in table 3, without ImageNet", () => {
    const table = paperNumbers("table-3");
    const sets = [...new Set(table.rows.map((row) => row.dataset as string))].filter((dataset) => dataset !== "imagenet");
    const expected = sets
      .map((dataset) => reductions("table-3", { dataset, model: "EfficientNet-b7" })[0]!)
      .sort((a, b) => a - b);

    dots("Finetuning").forEach((dot, i) => assert.ok(Math.abs(dot - expected[i]!) < rounding(1, 0.01), `${dot}, ${expected[i]}`));
  });

  it("has the ImageNet dots of figure 1 equal to the top-1 reductions of table 2, without ResNet-101 at 400 epochs", () => {
    const all = reductions("table-2", { measure: "top1ErrorRate" });
    const expected = all.slice(0, -1);

    assert.equal(all.at(-1)!.toFixed(1), "14.8");
    dots("Imagenet").forEach((dot, i) => assert.ok(Math.abs(dot - expected[i]!) < rounding(20, 0.1), `${dot}, ${expected[i]}`));
  });

  it("has the label noise dots of figure 1 equal to the reductions against mixup in table 4", () => {
    const error = (method: string, noiseRate: number) => 100 - value("table-4", { method, noiseRate, run: "paper" });
    const expected = [0.2, 0.4, 0.6, 0.8]
      .map((rate) => reduction(error("mixup", rate), error("sam", rate)))
      .sort((a, b) => a - b);

    dots("Noisy Cifar").forEach((dot, i) => assert.ok(Math.abs(dot - expected[i]!) < 0.06, `${dot}, ${expected[i]}`));
  });

  it("has the CIFAR-100 dots of figure 1 equal to the reductions in table 1, within rounding", () => {
    const expected = reductions("table-1", { dataset: "cifar-100" });

    dots("Cifar100").forEach((dot, i) => assert.ok(Math.abs(dot - expected[i]!) < rounding(10, 0.1), `${dot}, ${expected[i]}`));
  });

  it("has two CIFAR-10 dots in figure 1 that no cell of table 1 reaches, even within rounding", () => {
    // The largest cell is PyramidNet, basic: 4.0 → 2.7 is 32.5; 4.05 → 2.65 would be 34.6.
    const largest = reduction(4.05, 2.65);

    assert.ok(reductions("table-1", { dataset: "cifar-10" }).every((each) => each <= 32.5));
    const beyond = dots("Cifar10").filter((dot) => dot > largest);

    assert.deepEqual(beyond, [35.1, 37.2]);
  });

  it("says so where a number is unknown or named twice", () => {
    assert.throws(() => paperNumbers("table-12"), /The paper has no "table-12"; its tables and figures are table-1, /);
    assert.throws(
      () => paperNumber(paperNumbers("table-5"), { method: "sam" }),
      /table-5 has 8 numbers for \{"method":"sam"\}, expected 1/,
    );
  });

  it("refuses a file that breaks the schema, and names the field", () => {
    const good = paperNumbers("table-10");

    assert.throws(
      () => parsePaperNumbers("table-10", { ...good, rows: [{ measure: "testErrorRate", value: "6.8" }] }),
      /rows\[0\]\.value/,
    );
    assert.throws(() => parsePaperNumbers("table-10", { ...good, measures: {} }), /the measure "testErrorRate" has no unit/);
    assert.throws(() => parsePaperNumbers("table-9", good), /says that it is "table-10"/);
  });
});
