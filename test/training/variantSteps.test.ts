/** One update with a variant of SAM, by hand: weight decay, blocks of m, and the base optimizer's momentum. */
import { Rng, tf } from "../../src/engine";
import { trainStep, type TrainOptions, type TrainState } from "../../src/training";
import { closeTo } from "../support/closeTo";
import { tidyTests } from "../support/noLeak";
import { dot, norm, plus, scaled, type Vector } from "../support/tinyProblems";
import {
  ascent,
  bareConfig,
  batchOfRows,
  gradientOfRows,
  linearModel,
  squaredError,
  stateOf,
  valuesOf,
  W,
} from "../support/training";

const kernel = (values: Vector) => tf.tensor2d([...values], [2, 1]);

/** The step from W, and how far the weights moved: by the gradient, as the learning rate is 1 and there is no momentum. */
function step(options: Partial<TrainOptions>, parts: Partial<TrainState> = {}) {
  const state = stateOf({ kernel: kernel(W) }, parts);
  const context = {
    model: linearModel(2),
    config: bareConfig(options),
    loss: squaredError,
    totalSteps: 10,
    rng: new Rng("step"),
  };
  const result = trainStep(state, batchOfRows(), context);
  return { ...result, moved: valuesOf(result.state.weights).kernel!.map((w, i) => W[i]! - w) };
}

const orthogonalTo = (b: Vector, a: Vector) => plus(a, scaled(b, -dot(a, b) / dot(b, b)));

describe("an update with a variant of SAM", () => {
  tidyTests();

  it("has weight decay in both of GSAM's gradients", () => {
    const lambda = 0.4;
    const decayed = (w: Vector) => plus(gradientOfRows(w), scaled(w, lambda));
    const g = decayed(W);
    const gSam = decayed(plus(W, ascent(g, 0.3)));

    const { moved, gradients } = step({ rho: 0.3, weightDecay: lambda, variant: { name: "gsam", alpha: 0.5 } });

    closeTo(moved, plus(gSam, scaled(orthogonalTo(gSam, g), -0.5)), 1e-5);
    closeTo([gradients], [2], 1e-6);
  });

  it("has weight decay at w alone, added to the direction, with decayInAscent: false", () => {
    const gSam = gradientOfRows(plus(W, ascent(gradientOfRows(W), 0.3)));
    const direction = plus(gSam, scaled(orthogonalTo(gSam, gradientOfRows(W)), -0.5));

    const { moved } = step({ rho: 0.3, weightDecay: 0.4, decayInAscent: false, variant: { name: "gsam", alpha: 0.5 } });

    closeTo(moved, plus(direction, scaled(W, 0.4)), 1e-5);
  });

  it("averages the directions and the memories of blocks by their sizes", () => {
    // Five examples in blocks of two: 2, 2 and 1.
    const blocks = [[0, 1], [2, 3], [4]].map((rows) => {
      const g = gradientOfRows(W, rows);
      const gSam = gradientOfRows(plus(W, ascent(g, 0.3)), rows);
      return { gSam: scaled(gSam, rows.length / 5), kept: scaled(orthogonalTo(g, gSam), rows.length / 5) };
    });

    const { moved, state, gradients } = step(
      { rho: 0.3, m: 2, variant: { name: "lookSam" } },
      { variantMemory: { "direction/kernel": kernel([0, 0]) } },
    );

    closeTo(moved, blocks.map(({ gSam }) => gSam).reduce(plus), 1e-5);
    closeTo(valuesOf(state.variantMemory!)["direction/kernel"]!, blocks.map(({ kept }) => kept).reduce(plus), 1e-5);
    closeTo([gradients], [2], 1e-6);
  });

  for (const [optimizer, slot] of [
    ["sgd", "velocity"],
    ["adamW", "mean"],
  ] as const)
    it(`takes Momentum-SAM's gradient along ${optimizer}'s ${slot} from before the step`, () => {
      const v = [3, -4];
      const slots = { [`${slot}/kernel`]: kernel(v), ...(optimizer === "adamW" ? { "square/kernel": kernel([1, 1]) } : {}) };
      const { state, gradients } = step({ rho: 0.5, optimizer, momentum: 0.9, variant: { name: "msam" } }, { slots });

      // The new buffer is 0.9v + g for SGD and 0.9v + 0.1g for Adam.
      const g = gradientOfRows(plus(W, scaled(v, -0.5 / norm(v))));
      const after = plus(scaled(v, 0.9), scaled(g, optimizer === "sgd" ? 1 : 0.1));
      closeTo(valuesOf(state.slots)[`${slot}/kernel`]!, after, 1e-5);
      closeTo([gradients], [1], 1e-6);
    });

  it("clips the direction, not the gradients that it is made of", () => {
    const { moved } = step(
      { rho: 0.3, variant: { name: "friendlySam" } },
      { variantMemory: { "average/kernel": kernel([0, 0]) } },
    );
    const c = norm(moved) / 2;

    const clipped = step(
      { rho: 0.3, clipNorm: c, variant: { name: "friendlySam" } },
      { variantMemory: { "average/kernel": kernel([0, 0]) } },
    );

    closeTo(clipped.moved, scaled(moved, 0.5), 1e-5);
    closeTo(valuesOf(clipped.state.variantMemory!)["average/kernel"]!, scaled(gradientOfRows(W), 0.4), 1e-5);
  });
});
