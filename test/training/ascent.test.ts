import assert from "node:assert/strict";
import { Rng, tf } from "../../src/engine";
import { ascentErrors, secondOrderCosine } from "../../src/training/ascent";
import type { BatchLoss, StepBatch, TrainConfig } from "../../src/training";
import { ModelBuilder } from "../../src/models";
import { closeTo } from "../support/closeTo";
import { expectNoLeak, tidyTests } from "../support/noLeak";
import { norm, plus, scaled, dot, type Vector } from "../support/tinyProblems";
import { ascent, bareConfig, batchOfRows, gradientOfRows, linearModel, squaredError } from "../support/training";

/** Two logits, 0 and w: class 1 is predicted where w > 0. */
const threshold = (() => {
  const builder = new ModelBuilder();
  const name = builder.parameter("w", [1], () => new Float32Array(1));
  return builder.build("threshold", { inputShape: [1, 1, 1], numClasses: 2 }, (x, { weights }) => {
    const w = tf.mul(tf.ones([x.shape[0], 1]), weights[name]!) as tf.Tensor2D;
    return tf.concat([tf.zerosLike(w), w], 1);
  });
})();

/** ½(w − 1)² whatever the example: −∇L points to class 1, so ascent moves w down. */
const pull: BatchLoss = (logits) => tf.mul(tf.square(tf.sub(tf.slice(logits, [0, 1], [-1, 1]), 1)), 0.5).flatten() as tf.Tensor1D;

/** Three examples of class 1, one of class 0. */
const batch = (): StepBatch => ({
  images: tf.zeros([4, 1, 1, 1]),
  targets: tf.tensor2d([[0, 1], [0, 1], [0, 1], [1, 0]]), // prettier-ignore
});

function errorsAt(w: number, config: Partial<TrainConfig>, ascentSteps: readonly number[]) {
  const context = { model: threshold, config: bareConfig(config), loss: pull, totalSteps: 10, rng: new Rng(0) };
  return ascentErrors({ weights: { w: tf.tensor1d([w]) }, stats: {} }, batch(), context, { step: 5, ascentSteps });
}

describe("training/ascent", () => {
  tidyTests();

  it("gives the error at w and at w + ε, which one step moves by ρ", () => {
    // At w = 0.5 class 1 is predicted: 1 of 4 is wrong. 0.5 − 0.4 > 0 changes nothing; 0.5 − 0.6 < 0 predicts class 0: 3 of 4.
    assert.deepEqual(errorsAt(0.5, { rho: 0.4 }, [1]), { errorRate: 0.25, perturbedErrorRates: [0.25] });
    closeTo(errorsAt(0.5, { rho: 0.6 }, [1]).perturbedErrorRates, [0.75]);
  });

  it("takes each number of steps with the step length of the config, inside the ball", () => {
    // Steps of 0.2 inside a ball of 0.7, from 0.5: 0.3, 0.1, −0.1
    closeTo(errorsAt(0.5, { rho: 0.7, ascentStepSize: 0.2 }, [2, 3, 9]).perturbedErrorRates, [0.25, 0.75, 0.75]);
    closeTo(errorsAt(0.5, { rho: 0.45, ascentStepSize: 0.2 }, [9]).perturbedErrorRates, [0.25]);
  });

  it("weighs blocks of m by their sizes, each with its own ε, and follows ρ's schedule", () => {
    closeTo(errorsAt(0.5, { rho: 0.6, m: 3 }, [1]).perturbedErrorRates, [0.75]);
    closeTo(errorsAt(0.5, { rho: 0.6, rhoSchedule: "step" }, [1]).perturbedErrorRates, [0.25]); // a tenth from half of the run on
  });

  it("has the cosine of Algorithm 1's gradient and of the exact one, by hand on a quadratic", () => {
    // L = mean ½(xᵀw − t)²: H = mean xxᵀ, and the exact gradient is g_adv + (ρ/‖g‖)·H·(I − ĝĝᵀ)g_adv.
    const [w, rho] = [[0.2, 0.5], 1];
    const g = gradientOfRows(w);
    const adv = gradientOfRows(plus(w, ascent(g, rho)));
    const unit = scaled(g, 1 / norm(g));
    const orthogonal = plus(adv, scaled(unit, -dot(unit, adv)));
    const H = (v: Vector) => plus(gradientOfRows(plus(w, v)), scaled(g, -1));
    const exact = plus(adv, scaled(H(orthogonal), rho / norm(g)));
    const expected = dot(adv, exact) / (norm(adv) * norm(exact));

    const context = { model: linearModel(2), config: bareConfig({ rho }), loss: squaredError, totalSteps: 10, rng: new Rng(0) };
    const state = { weights: { kernel: tf.tensor2d(w, [2, 1]) }, stats: {} };

    closeTo(secondOrderCosine(state, batchOfRows(), context, { step: 0 }), expected, 1e-5);
    assert.ok(expected < 0.995, String(expected));
  });

  it("leaves no tensor behind", () => {
    const [parts, images] = [{ weights: { w: tf.tensor1d([0.5]) }, stats: {} }, batch()];
    const context = { model: threshold, config: bareConfig({ rho: 0.1 }), loss: pull, totalSteps: 10, rng: new Rng(0) };

    expectNoLeak(() => {
      ascentErrors(parts, images, context, { step: 0, ascentSteps: [1, 2] });
      secondOrderCosine(parts, images, context, { step: 0 });
    });
  });
});
