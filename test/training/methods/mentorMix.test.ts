import assert from "node:assert/strict";
import { Rng } from "../../../src/engine";
import { train, trainConfig, type TrainOptions } from "../../../src/training";
import { mentoredPairs, thresholdWeights } from "../../../src/training/methods/mentorMix";
import { closeTo } from "../../support/closeTo";
import { found, noisyImages, tinyMlp } from "../../support/trainings";

const mentorMix = (rest: object = {}) => ({ name: "mentorMix", ...rest }) as const;

describe("training/methods/mentorMix", () => {
  it("weighs by a moving average of the losses' percentile, which the first batch sets", () => {
    const average = Float32Array.of(NaN);
    const options = { percentile: 0.5, decay: 0.75 };

    // median 2.5
    assert.deepEqual([...thresholdWeights(Float32Array.of(4, 1, 3, 2), average, options)], [0, 1, 0, 1]);
    // 0.75·2.5 + 0.25·0.5 = 2
    assert.deepEqual([...thresholdWeights(Float32Array.of(0.5, 2, 0, 0.5), average, options)], [1, 1, 1, 1]);
    closeTo(average, [2], 1e-6);
  });

  it("draws partners of weight 1 e times as often as those of weight 0", () => {
    const weights = Float32Array.from({ length: 4000 }, (_, i) => i % 2);

    const { partners } = mentoredPairs(weights, { alpha: 1, rng: new Rng(0) });

    // e/(e + 1) = 0.731; the standard error of 4000 draws is 0.007
    closeTo(partners.filter((partner) => weights[partner] === 1).length / 4000, Math.E / (Math.E + 1), 0.025);
    assert.ok(new Set(partners).size > 1000);
  });

  it("lets an example of weight 1 prevail in its mixture, and its partner where the weight is 0", () => {
    const { lambdas } = mentoredPairs(Float32Array.from({ length: 100 }, (_, i) => i % 2), { alpha: 2, rng: new Rng(0) }); // prettier-ignore

    lambdas.forEach((lambda, i) => assert.ok(i % 2 === 1 ? lambda >= 0.5 : lambda <= 0.5));
    assert.ok(new Set(lambdas).size === 100);
  });

  it("weighs every example alike while it burns in, whatever the percentile", async () => {
    const historyOf = async (percentile: number) => {
      const method = mentorMix({ percentile, burnIn: 0.5 });
      const { history } = found(await train(tinyMlp(), noisyImages(), { epochs: 4, batchSize: 8, method }));
      return history.map(({ trainLoss }) => trainLoss);
    };

    const [few, many] = [await historyOf(0.2), await historyOf(0.9)];

    assert.deepEqual(few.slice(0, 2), many.slice(0, 2));
    assert.ok(few[2]! < many[2]!);
  });

  it("selects examples of a lower noise rate than the data's, and fits fewer wrong labels, with SAM and without", async () => {
    const data = noisyImages({ size: 300 });
    const options: TrainOptions = { epochs: 14, batchSize: 30, trackTraining: true, evaluateEvery: 14, learningRate: 0.05 };

    for (const rho of [0, 0.1]) {
      const plain = found(await train(tinyMlp([32]), data, { ...options, rho }));
      const mentored = found(await train(tinyMlp([32]), data, { ...options, rho, method: mentorMix({ percentile: 0.6 }) }));
      const { method, memorization } = mentored.history.at(-1)!;

      assert.ok(method!.selectedNoiseRate! < 0.15, `ρ = ${rho}: ${method!.selectedNoiseRate} of the selected labels are wrong`);
      assert.ok(memorization!.flippedFitted! < 0.5 * plain.history.at(-1)!.memorization!.flippedFitted!);
    }
  });

  it("has the defaults of the authors' code", () => {
    assert.deepEqual(trainConfig({ epochs: 1, method: mentorMix() }).method, {
      ...{ name: "mentorMix", alpha: 8, percentile: 0.7, decay: 0.5, burnIn: 0.1, secondReweight: true },
    });
  });

  it("refuses a second mixup, and values out of range", () => {
    const refused = (method: object, message: RegExp, rest: object = {}) =>
      assert.throws(() => trainConfig({ epochs: 1, method, ...rest } as TrainOptions), message);

    refused(mentorMix(), /mixupAlpha = 1: mentorMix mixes up by its own alpha/, { mixupAlpha: 1 });
    refused(mentorMix({ alpha: 0 }), /method\.alpha = 0: expected number to be >0/);
    refused(mentorMix({ percentile: 70 }), /method\.percentile = 70: expected number to be <=1/);
    refused(mentorMix({ burnIn: 1 }), /method\.burnIn = 1: expected number to be <1/);
  });
});
