/** Each network against the same one in PyTorch: torchNetworks.py has them from their papers; what they compute is in torchNetworks.json. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { tf, valueAndGradient, type Weights } from "../../src/engine";
import * as models from "../../src/models";
import { networkNames, type NetworkConfig } from "../../src/experiments/networks";
import { wave, waveImages, waveVariables } from "../support/networks";
import { tidyTests } from "../support/noLeak";

/** Of a tensor: its norm, and its product with a wave. */
type Summary = readonly [norm: number, product: number];

interface Result {
  readonly logits: readonly number[];
  readonly gradients: Readonly<Record<string, Summary>>;
  readonly stats: Readonly<Record<string, Summary>>;
}

interface Case {
  readonly name: NetworkConfig["name"];
  readonly options: object;
  readonly inference: Result;
  readonly batch: Result;
}

const CASES = JSON.parse(fs.readFileSync(path.join(__dirname, "torchNetworks.json"), "utf8")) as Case[];

/** Of float32 against float64. Batch norm of 50 layers and more multiplies rounding, and turns a ReLU here and there. */
const toleranceOf = (name: string, mode: string) =>
  mode === "batch" && name === "resNetImageNet" ? { logits: 1e-3, tensors: 2e-2 } : { logits: 1e-5, tensors: 2e-5 };
/** Of the largest gradient: what is left of one that vanishes, such as a bias's before batch norm. */
const VANISHED = { inference: 0, batch: 1e-6 };

function assertSummaries(actual: Weights, expected: Result["stats"], { relative, share }: { relative: number; share: number }) {
  assert.deepEqual(Object.keys(actual).sort(), Object.keys(expected).sort());
  const probe = wave(Math.max(0, ...Object.values(actual).map(({ size }) => size)), 1);
  const largest = Math.max(0, ...Object.values(expected).map(([norm]) => norm));
  for (const [name, [norm, product]] of Object.entries(expected)) {
    const values = actual[name]!.dataSync<"float32">();
    const times = (other: ArrayLike<number>) => values.reduce((sum, value, i) => sum + value * other[i]!, 0);
    const found: Summary = [Math.sqrt(times(values)), times(probe)];
    const error = Math.max(Math.abs(found[0] - norm), Math.abs(found[1] - product));
    assert.ok(error <= relative * norm + share * largest, `${name}: norm and product ${found}, expected ${[norm, product]}`);
  }
}

describe("models: PyTorch's", () => {
  tidyTests();

  it("includes every network of a run's config", () => {
    assert.deepEqual([...new Set(CASES.map(({ name }) => name))].sort(), [...networkNames].sort());
  });

  for (const { name, options, ...results } of CASES)
    for (const mode of ["inference", "batch"] as const)
      it(`${name} ${JSON.stringify(options)} has the same logits and gradients, by ${mode} statistics`, () => {
        const model = (models[name] as (options: object) => models.Model)(options);
        const { weights, stats } = waveVariables(model);
        const x = waveImages(model, 4);
        const labels = tf.oneHot(tf.tensor1d([0, 1, 2, 0], "int32"), 3);
        const expected = results[mode];
        const tolerance = toleranceOf(name, mode);

        const { gradient, aux } = valueAndGradient((w) => {
          const { logits, stats: averages } = model.apply(w, x, { stats, batchStatistics: mode === "batch" });
          return { loss: tf.losses.softmaxCrossEntropy(labels, logits) as tf.Scalar, aux: { ...averages, logits } };
        }, weights);

        const { logits, ...averages } = aux;
        const size = Math.max(...expected.logits.map(Math.abs));
        logits!.dataSync().forEach((value, i) => {
          const error = Math.abs(value - expected.logits[i]!);
          assert.ok(error <= tolerance.logits * size, `logit ${i}: ${value}, expected ${expected.logits[i]}`);
        });
        assertSummaries(gradient, expected.gradients, { relative: tolerance.tensors, share: VANISHED[mode] });
        if (mode === "batch") assertSummaries(averages, expected.stats, { relative: tolerance.tensors, share: 0 });
      });
});
