/** SAM's variants in a training: counted, resumed, replayed, combined with everything else or refused. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { tf } from "../../src/engine";
import { convNet } from "../../src/models";
import { variantNames, type VariantOptions } from "../../src/optim/family";
import { train, trainConfig, type TrainCallbacks, type TrainOptions } from "../../src/training";
import { closeTo } from "../support/closeTo";
import { expectNoLeakAsync } from "../support/noLeak";
import { abortAfter, found, noisyImages } from "../support/trainings";

const data = noisyImages();
const model = convNet({ inputShape: [8, 8, 1], numClasses: 3, widths: [3, 4] });
const base: TrainOptions = { epochs: 3, batchSize: 10, learningRate: 0.05, rho: 0.1 };
const run = async (options: Partial<TrainOptions>, callbacks: TrainCallbacks = {}) =>
  found(await train(model, data, { ...base, ...options }, callbacks));

/** Each variant with the gradients that its 12 steps take. */
const VARIANTS: readonly {
  readonly variant: VariantOptions;
  readonly gradients: number | "counted";
  readonly replays?: false;
}[] = [
  { variant: { name: "sam" }, gradients: 24 },
  { variant: { name: "gsam", alpha: 0.3 }, gradients: 24 },
  { variant: { name: "lookSam", k: 5 }, gradients: 12 + 3 }, // steps 0, 5 and 10
  { variant: { name: "esam" }, gradients: 12 * (1 + 1 / 3 + 1 / 2) },
  { variant: { name: "aeSam" }, gradients: "counted", replays: false },
  { variant: { name: "msam" }, gradients: 12 },
  { variant: { name: "friendlySam" }, gradients: 24 },
  { variant: { name: "samOn" }, gradients: 24 },
  { variant: { name: "fisherSam" }, gradients: 24 },
  { variant: { name: "sparseSam", every: 5 }, gradients: 24 },
  { variant: { name: "eigenSam", every: 10 }, gradients: 24 + 2 * 5 * 2 }, // steps 0 and 10, five products of two gradients
  { variant: { name: "random" }, gradients: 12 },
];

describe("training with a variant of SAM", function () {
  it("is tested for each one", () => {
    assert.deepEqual(VARIANTS.map(({ variant }) => variant.name), [...variantNames]); // prettier-ignore
  });

  for (const { variant, gradients, replays = true } of VARIANTS)
    describe(variant.name, () => {
      const { name } = variant;
      const options = { variant } as Partial<TrainOptions>;
      // These have one choice, mask or eigenvector for the whole batch.
      const blocks = ["aeSam", "sparseSam", "eigenSam"].includes(name) ? 0 : 4;

      it(
        gradients === "counted"
          ? "takes one gradient in some steps and two in others"
          : `takes ${gradients.toFixed(0)} gradients in 12 steps`,
        async () => {
          const { metrics } = await run(options);

          if (variant.name === "sam")
            assert.equal(metrics.gradientsPerStep, undefined, "as in records before there were variants");
          else if (gradients === "counted") assert.ok(metrics.gradientsPerStep! > 1 && metrics.gradientsPerStep! < 2);
          else closeTo([metrics.gradientsPerStep! * 12], [gradients], 1e-3);
        },
      );

      it("gives other weights than SAM, if it is another method", async () => {
        const [own, plain] = [await run(options), await run({})];

        if (variant.name === "sam") assert.deepEqual(own.values, plain.values);
        else assert.notDeepEqual(own.values, plain.values);
      });

      it("stopped and resumed gives what it would have given, bit for bit", async () => {
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), "variant-"));
        const whole = await run(options);

        for (const stops of [[1], [4], [6, 11]]) {
          const checkpoint = path.join(folder, `run-${stops.join("-")}`);
          for (const step of stops) await run(options, { checkpoint, ...abortAfter(step) });
          assert.deepEqual(await run(options, { checkpoint }), whole);
        }
        fs.rmSync(folder, { recursive: true });
      });

      it(`has the same weights ${replays ? "replayed" : "where a graph is asked for"} as eager, within rounding`, async function () {
        if (tf.getBackend() !== "tensorflow") this.skip();
        const [replayed, eager] = [await run(options, { graph: true }), await run(options, { graph: false })];

        closeTo(Object.values(replayed.values).flat(), Object.values(eager.values).flat(), 1e-3);
        assert.equal(replayed.metrics.gradientsPerStep, eager.metrics.gradientsPerStep);
        if (replays) assert.notDeepEqual(replayed.values, eager.values, "otherwise nothing was replayed");
      });

      it("combines with decay at w only, clipping, an average of the weights and AdamW", async () => {
        const { metrics } = await run({ ...options, decayInAscent: false, clipNorm: 0.5, emaDecay: 0.9, optimizer: "adamW", learningRate: 0.01 }); // prettier-ignore

        assert.ok(metrics.testErrorRate! < 1);
      });

      it("combines with co-teaching, whose networks each have a memory, and resumes with it", async () => {
        const method = { name: "coTeaching", forgetRate: 0.3 } as const;
        const own = { variant: name === "esam" ? { ...variant, gamma: 1 } : variant, method } as Partial<TrainOptions>;
        const checkpoint = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "variant-")), "run");
        const whole = await run(own);

        await run(own, { checkpoint, ...abortAfter(7) });

        assert.deepEqual(await run(own, { checkpoint }), whole);
      });

      it("leaves no tensor behind", async () => {
        await expectNoLeakAsync(async () => void (await run({ ...options, epochs: 1, m: blocks })));
      });
    });

  const refused = (options: Partial<TrainOptions>) => () => trainConfig({ ...base, ...options } as TrainOptions);

  it("is refused without a radius, and suggests a misspelled name", () => {
    assert.throws(refused({ rho: 0, variant: { name: "gsam" } }), /variant: rho = 0: gsam perturbs by ρ, so give rho above 0/);
    assert.throws(refused({ variant: { name: "gsan" } as never }), /did you mean "gsam"\?/);
    assert.throws(
      refused({ variant: { name: "gsam", alfa: 1 } as never }),
      /unknown field "variant\.alfa", did you mean "alpha"\?/,
    );
  });

  it("is refused where another field would be ignored", () => {
    assert.throws(refused({ ascentSteps: 2, variant: { name: "gsam" } }), /ascentSteps = 2: gsam makes one ascent step/);
    assert.throws(
      refused({ samInterval: 2, variant: { name: "lookSam" } }),
      /samInterval = 2: lookSam remembers the step before/,
    );
    assert.throws(refused({ normP: "infinity", variant: { name: "msam" } }), /msam makes a perturbation of its own/);
    assert.throws(refused({ m: 4, variant: { name: "aeSam" } }), /m = 4: aeSam decides once for the whole batch/);
    assert.throws(refused({ m: 4, variant: { name: "sparseSam" } }), /m = 4: sparseSam has one mask/);
    assert.throws(refused({ m: 4, variant: { name: "eigenSam" } }), /m = 4: eigenSam has one eigenvector/);
    assert.throws(refused({ secondOrder: true, variant: { name: "gsam" } }), /gsam has no second-order term here/);
    assert.throws(
      refused({ method: { name: "elr" }, variant: { name: "esam" } }),
      /esam selects examples for its second pass, which elr does as well/,
    );
    assert.throws(refused({ momentum: 0, variant: { name: "msam" } }), /momentum = 0: msam perturbs along the momentum buffer/);
  });
});
