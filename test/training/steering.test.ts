/** Steps that the caller steers: a gradient rule of their own, and a ρ that changes while the network trains. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { addWeights, mapWeights, scaleWeights, tf, globalNorm } from "../../src/engine";
import { runRecord, type RunCallbacks } from "../../src/experiments/run";
import { convNet } from "../../src/models";
import { samGradient } from "../../src/optim";
import { train, type GradientRule, type TrainCallbacks, type TrainOptions } from "../../src/training";
import { expectNoLeakAsync } from "../support/noLeak";
import { abortAfter, found, noisyImages, tinyMlp } from "../support/trainings";

const tinyConvNet = () => convNet({ inputShape: [8, 8, 1], numClasses: 3, widths: [2, 4] });

const options: TrainOptions = { epochs: 2, batchSize: 8, rho: 0.05 };

async function trained(config: TrainOptions, callbacks: TrainCallbacks = {}, network = tinyMlp()) {
  return found(await train(network, noisyImages({ size: 24 }), config, callbacks));
}

const sam: GradientRule = ({ lossGradient, weights, rho }) => samGradient(lossGradient, weights, { rho });

describe("training: a gradient rule", () => {
  it("that is the library's SAM gives the built-in one bit for bit, with batch norm and in blocks of m", async () => {
    for (const m of [0, 4]) {
      const config = { ...options, m };

      assert.deepEqual(await trained(config, { gradientRule: sam }, tinyConvNet()), await trained(config, {}, tinyConvNet()));
    }
  });

  it("without weight decay in its ascent gives the built-in one too", async () => {
    const config = { ...options, weightDecay: 0.1, decayInAscent: false };

    assert.deepEqual(await trained(config, { gradientRule: sam }), await trained(config));
  });

  it("of five lines is ASAM: ε = ρT²g/‖Tg‖ with T = |w|", async () => {
    const byHand: GradientRule = ({ lossGradient, weights, rho }) => {
      const scale = mapWeights(weights, (w) => tf.abs(w));
      const scaled = mapWeights(lossGradient(weights), (g, name) => tf.mul(g, scale[name]!));
      const epsilon = mapWeights(scaled, (g, name) => tf.mul(g, scale[name]!));
      return lossGradient(addWeights(weights, scaleWeights(epsilon, rho / globalNorm(scaled))));
    };

    const [mine, builtIn] = [await trained(options, { gradientRule: byHand }), await trained({ ...options, adaptive: "all" })];

    mine.history.forEach(({ perturbedLoss }, i) => {
      const expected = builtIn.history[i]!.perturbedLoss;
      assert.ok(Math.abs(perturbedLoss - expected) < 1e-4 * expected, `${perturbedLoss}, built in ${expected}`);
    });
  });

  it("resumes bit for bit, draws the same random numbers for a step, and leaks nothing", async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "rule-"));
    const checkpoint = path.join(folder, "run.checkpoint");
    const steps: number[] = [];
    const gradientRule: GradientRule = ({ lossGradient, weights, rng, step }) => {
      steps.push(step);
      return lossGradient(mapWeights(weights, (w) => tf.add(w, 0.01 * rng.normal())));
    };
    try {
      await expectNoLeakAsync(async () => {
        await trained(options, { gradientRule, checkpoint, ...abortAfter(3) });
        const resumed = await trained(options, { gradientRule, checkpoint });

        assert.deepEqual(steps, [0, 1, 2, 3, 4, 5]);
        assert.deepEqual(resumed, await trained(options, { gradientRule }));
      });
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  it("is refused where it takes no gradient, forgets a tensor, or would contradict a record", async () => {
    const withRule = (gradientRule: GradientRule) => trained(options, { gradientRule });
    const dataset = { name: "generated", trainSize: 20, testSize: 20 } as const;
    const run = { dataset, model: { name: "mlp" }, training: { epochs: 1, batchSize: 8 } } as const;

    await assert.rejects(
      withRule(({ weights }) => weights),
      /expected at least one call of lossGradient/,
    );
    await assert.rejects(
      withRule(({ lossGradient, weights }) => ({ x: lossGradient(weights)["dense0/bias"]! })),
      /gradient of "dense0\/kernel"/,
    );
    await assert.rejects(runRecord(run, { gradientRule: sam } as RunCallbacks), /gradientRule: only train takes it/);
  });
});

describe("training: a ρ that changes", () => {
  it("is the config's where it gives the same number, eager and replayed", async () => {
    for (const graph of [false, true])
      assert.deepEqual(await trained({ ...options, rho: 0 }, { rho: () => 0.05, graph }), await trained(options, { graph }));
  });

  it("takes effect at the next step, eager and replayed", async () => {
    for (const graph of [false, true]) {
      const control = { rho: 0 };
      const [steered, plain]: number[][] = [[], []];
      const turn = ({ step, loss }: { step: number; loss: number }) => {
        steered!.push(loss);
        if (step === 4) control.rho = 0.5;
      };

      await trained({ ...options, rho: 0 }, { rho: () => control.rho, onStep: turn, graph });
      await trained({ ...options, rho: 0 }, { onStep: ({ loss }) => void plain!.push(loss), graph });

      // A step's loss is taken before its update: the fifth update is the first with the new ρ, and the sixth loss the first that differs.
      const differing = steered!.findIndex((loss, i) => loss !== plain![i]);
      assert.equal(differing, 5);
    }
  });

  it("below 0 stops the training with an error", async () => {
    await assert.rejects(trained(options, { rho: () => -1 }), /rho = -1: expected a finite number ≥ 0/);
  });
});
