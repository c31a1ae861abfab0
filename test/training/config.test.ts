import assert from "node:assert/strict";
import { trainConfig, type TrainOptions } from "../../src/training";

/** The message that options of any shape are refused with. */
function refusal(options: unknown): string {
  try {
    trainConfig(options as TrainOptions);
  } catch (error) {
    return (error as Error).message;
  }
  return assert.fail("was accepted");
}

const withOne = (field: object) => ({ epochs: 1, ...field });

describe("training/config", () => {
  it("has the official code's defaults, and the paper's weight decay", () => {
    const { momentum, nesterov, learningRate, schedule, clipNorm, weightDecay, decayInAscent, freshMasks, rho, m } = trainConfig({
      epochs: 3,
    });

    // paper.md 7.2 and 7.3; Tables 6 and 7 for the weight decay
    assert.deepEqual(
      { momentum, nesterov, learningRate, schedule, clipNorm, weightDecay, decayInAscent, freshMasks, rho, m },
      {
        ...{ momentum: 0.9, nesterov: true, learningRate: 0.1, schedule: "cosine", clipNorm: 5, weightDecay: 0.0005 },
        ...{ decayInAscent: true, freshMasks: false, rho: 0, m: 0 },
      },
    );
  });

  it("keeps what is given", () => {
    const given = { epochs: 7, rho: 0.2, m: 16, normP: "infinity", adaptive: false, augment: "cutout" } as const;
    const config = trainConfig(given);

    for (const [field, value] of Object.entries(given)) assert.equal(config[field as keyof typeof given], value);
  });

  for (const [misspelled, meant] of [
    ["learningrate", "learningRate"],
    ["LEARNINGRATE", "learningRate"],
    ["learning_rate", "learningRate"],
    ["weightdecay", "weightDecay"],
    ["epoch", "epochs"],
    ["roh", "rho"],
    ["nestrov", "nesterov"],
    ["batchsize", "batchSize"],
    ["rhoSchedul", "rhoSchedule"],
  ]) {
    it(`asks whether "${misspelled}" was meant to be "${meant}"`, () => {
      assert.ok(refusal(withOne({ [misspelled!]: 1 })).includes(`unknown field "${misspelled}", did you mean "${meant}"?`));
    });
  }

  it("lists the known fields where none is near", () => {
    assert.match(refusal(withOne({ zzzzzzz: 1 })), /unknown field "zzzzzzz"; known are epochs, batchSize, .*trackTraining$/);
  });

  for (const [options, message] of [
    [{}, "epochs is missing: expected number"],
    [{ epochs: "3" }, 'epochs = "3": expected number'],
    [{ epochs: 0 }, "epochs = 0: expected number to be >=1"],
    [{ epochs: 1.5 }, "epochs = 1.5: expected int"],
    [withOne({ rho: -0.1 }), "rho = -0.1: expected number to be >=0"],
    [withOne({ rho: NaN }), "rho = NaN: expected number"],
    [withOne({ rho: Infinity }), "rho = Infinity: expected a finite number"],
    [withOne({ momentum: 1 }), "momentum = 1: expected number to be <1"],
    [withOne({ labelSmoothing: 1 }), "labelSmoothing = 1: expected number to be <1"],
    [withOne({ nesterov: "false" }), 'nesterov = "false": expected boolean'],
    [withOne({ m: 2.5 }), "m = 2.5: expected int"],
    [withOne({ seed: -1 }), "seed = -1: expected number to be >=0"],
    [withOne({ normP: 0.5 }), "normP = 0.5: expected number to be >=1"],
    [withOne({ normP: "inf" }), 'normP = "inf": expected number or expected "infinity"'],
    [withOne({ optimizer: "adam" }), 'optimizer = "adam": expected one of "sgd", "adamW"; did you mean "adamW"?'],
    [withOne({ schedule: "linear" }), 'schedule = "linear": expected one of "cosine", "constant", "step"'],
    [withOne({ adaptive: true }), 'adaptive = true: expected false or expected one of "weights"|"all"'],
    [undefined, "value is missing: expected object"],
    [null, "value = null: expected object"],
  ] as const) {
    it(`refuses ${JSON.stringify(options)}: ${message}`, () => {
      assert.equal(refusal(options), `training config: ${message}`);
    });
  }

  it("names every problem at once", () => {
    const message = refusal({ epochs: "3", rho: -1, batchsize: 2 });

    assert.equal(message.split("; ").length, 3);
    for (const part of ["epochs =", "rho =", '"batchsize"']) assert.ok(message.includes(part), message);
  });

  it("refuses before anything starts what does not go together", () => {
    assert.equal(refusal(withOne({ m: 300 })), "training config: m = 300 exceeds batchSize = 128");
    assert.match(refusal(withOne({ rho: 0.1, adaptive: "all", normP: 3 })), /normP = 3: adaptive and unnormalized SAM/);
    assert.match(
      refusal(withOne({ rho: 0.1, ascentSteps: 2, normP: 3 })),
      /ascentSteps = 2: several ascent steps need normP = 2/,
    );
  });

  it("refuses the second-order term where it is not defined", () => {
    const second = (options: object) => refusal(withOne({ rho: 0.1, secondOrder: true, ...options }));
    const defined = "is defined for normP = 2, ascentSteps = 1, normalize = true and adaptive = false";

    for (const [options, came] of [
      [{ normP: "infinity" }, "normP = Infinity, ascentSteps = 1, normalize = true, adaptive = false"],
      [{ ascentSteps: 3 }, "normP = 2, ascentSteps = 3, normalize = true, adaptive = false"],
      [{ normalize: false }, "normP = 2, ascentSteps = 1, normalize = false, adaptive = false"],
      [{ adaptive: "all" }, 'normP = 2, ascentSteps = 1, normalize = true, adaptive = "all"'],
    ] as const)
      assert.equal(second(options), `training config: secondOrder = true: the second-order term ${defined}, not ${came}`);
    assert.match(second({ rho: 0 }), /secondOrder = true: rho = 0 has no perturbation/);
    assert.match(second({ decayInAscent: false }), /secondOrder = true: the exact gradient needs .* decayInAscent = true/);
    assert.equal(trainConfig({ epochs: 1, rho: 0.1, decayInAscent: false, weightDecay: 0, secondOrder: true }).secondOrder, true);
  });
});
