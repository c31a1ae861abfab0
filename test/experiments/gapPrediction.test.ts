import assert from "node:assert/strict";
import {
  bootstrapPValue,
  bootstrapWeights,
  informationScore,
  kendallTau,
  percentileInterval,
  type MeasuredModel,
} from "../../src/experiments/gapPrediction";
import { Rng } from "../../src/engine";
import { closeTo } from "../support/closeTo";

/** A full grid of hyper-parameters with this many values each; gap and measure by the model's place in it. */
function grid(sizes: readonly number[], gapOf: (i: number) => number, measureOf: (i: number) => number): MeasuredModel[] {
  const count = sizes.reduce((a, b) => a * b, 1);
  return Array.from({ length: count }, (_, i) => {
    let rest = i;
    const values = sizes.map((size, k) => {
      const value = rest % size;
      rest = Math.floor(rest / size);
      return [`h${k}`, value];
    });
    return { hyperParameters: Object.fromEntries(values) as Record<string, number>, gap: gapOf(i), measure: measureOf(i) };
  });
}

const shuffled = (n: number, seed: number) => Array.from(new Rng(seed).permutation(n));

describe("experiments/gapPrediction", () => {
  describe("informationScore", () => {
    it("is 1 for a measure that is the gap, or any decreasing function of it", () => {
      const gaps = shuffled(24, 0);

      closeTo(informationScore(grid([2, 3, 4], (i) => gaps[i]!, (i) => gaps[i]!))(), 1, 1e-12); // prettier-ignore
      closeTo(informationScore(grid([2, 3, 4], (i) => gaps[i]!, (i) => -(gaps[i]! ** 3)))(), 1, 1e-12); // prettier-ignore
    });

    it("is about 0 for a random measure", () => {
      const n = 64;
      const scores = Array.from({ length: 20 }, (_, seed) => {
        const [gaps, measures] = [shuffled(n, 2 * seed), shuffled(n, 2 * seed + 1)];
        return informationScore(grid([2, 2, 2, 2, 2, 2], (i) => gaps[i]!, (i) => measures[i]!))(); // prettier-ignore
      });

      // 4 models a cell: the 12 pairs within it and the 16 between two make up for some chance information; the minimum takes the least.
      assert.ok(scores.every((score) => score >= 0 && score < 0.1), scores.join()); // prettier-ignore
    });

    // S leaves one hyper-parameter free, so a cell is two models. Two cells of the same models have 2 pairs, others 4.
    it("is the information in bits over the entropy in bits, as worked out by hand", () => {
      // h0, h1, h2 in {0, 1}; the gap is their binary number i = h0 + 2·h1 + 4·h2; the measure swaps models 0 and 1.
      const models = grid([2, 2, 2], (i) => i, (i) => [1, 0, 2, 3, 4, 5, 6, 7][i]!); // prettier-ignore

      // S = {h1, h2}: cells {0,1}, {2,3}, {4,5}, {6,7}. Only pairs within a cell have an entropy: between two cells the gap's order is
      // fixed. Within a cell (0,1) and (1,0) have V_gap = 0 and 1: 1 bit each for 4 cells, and V_μ tells all of it, swapped or not.
      // So I/H = 4/4 = 1.
      // S = {h0, h2}: cells {0,2}, {1,3}, {4,6}, {5,7}. Pairs within: 4 bits of H in all.
      //   Between {0,2} and {1,3}, in this order: gaps 0>1 no, 0>3 no, 2>1 yes, 2>3 no: H(1/4). Measures 1, 2 and 0, 3: 1>0 yes,
      //   1>3 no, 2>0 yes, 2>3 no: V_μ is 1 for (0,1), (2,1). Joint counts (V_gap, V_μ): (0,0): 2, (0,1): 1, (1,1): 1.
      //   I = H(1/4) + H(1/2) − H(2/4, 1/4, 1/4) = 0.8112781 + 1 − 1.5 = 0.3112781. The other order has the same by symmetry.
      //   Between {4,6} and {5,7}, both orders: H = I = 0.8112781. Others: no entropy.
      //   I/H = (4 + 2·0.3112781 + 2·0.8112781) / (4 + 4·0.8112781) = 6.2451125/7.2451125
      // S = {h0, h1}: cells {0,4}, {1,5}, {2,6}, {3,7}. Within: 4 bits.
      //   Between two cells {a, a+4} and {b, b+4} with a < b: gaps a>b no, a>b+4 no, a+4>b yes, a+4>b+4 no: H(1/4), 12 ordered pairs.
      //   Measures agree but between {0,4} and {1,5}: 1>0 yes, 1>5 no, 4>0 yes, 4>5 no: as above, I = 0.3112781 in both orders.
      //   I/H = (4 + 10·0.8112781 + 2·0.3112781) / (4 + 12·0.8112781) = 12.7353373/13.7353373
      closeTo(informationScore(models)(), 6.2451125 / 7.2451125, 1e-6);
    });

    it("leaves out models of weight 0, and equal weights change nothing", () => {
      const gaps = shuffled(12, 5);
      const models = grid([2, 2, 3], (i) => gaps[i]!, (i) => (i * 7) % 12); // prettier-ignore
      const without = models.filter((_, i) => i !== 4);

      const weights = models.map((_, i) => (i === 4 ? 0 : 3));

      closeTo(informationScore(models)(weights), informationScore(without)(), 1e-12);
      closeTo(kendallTau(models)(weights), kendallTau(without)(), 1e-12);
    });

    it("refuses fewer than three hyper-parameters", () => {
      assert.throws(() => informationScore(grid([2, 2], Number, Number)), /2 hyper-parameters: expected at least three/);
    });
  });

  describe("kendallTau", () => {
    const tau = (gaps: number[], measures: number[]) =>
      kendallTau(gaps.map((gap, i) => ({ hyperParameters: {}, gap, measure: measures[i]! })))();

    it("is concordant minus discordant pairs over all", () => {
      // The measures 1 3 2 4 have one inversion among 6 pairs: (5 − 1)/6
      closeTo(tau([1, 2, 3, 4], [1, 3, 2, 4]), 4 / 6, 1e-12);
      assert.equal(tau([1, 2, 3], [3, 2, 1]), -1);
    });

    it("corrects for ties, as SciPy's kendalltau does", () => {
      // scipy.stats.kendalltau([12, 2, 1, 12, 2], [1, 4, 7, 1, 0]), from its documentation
      closeTo(tau([12, 2, 1, 12, 2], [1, 4, 7, 1, 0]), -0.47140452079103173, 1e-12);
      assert.equal(tau([1, 2, 3], [5, 5, 5]), 0);
    });
  });

  describe("the bootstrap", () => {
    it("draws n models with replacement: weights add up to n, and 1 − 1/e of the models are in a resample", () => {
      const resamples = bootstrapWeights(100, { resamples: 200, seed: 1 });

      for (const weights of resamples) assert.equal(weights.reduce((a, b) => a + b), 100); // prettier-ignore
      const present = resamples.reduce((sum, weights) => sum + weights.filter((w) => w > 0).length, 0) / 200 / 100;
      closeTo(present, 1 - 0.99 ** 100, 0.01); // its standard error is 0.0022
    });

    it("has the quantiles of its values as interval, and twice the smaller tail as p", () => {
      const values = Array.from({ length: 201 }, (_, i) => i - 20); // −20 … 180

      // Place 0.025·200 = 5 and 0.975·200 = 195
      assert.deepEqual(percentileInterval(values), { low: -15, high: 175 });
      closeTo(bootstrapPValue(values), (2 * 21) / 201, 1e-12);
      assert.equal(bootstrapPValue([1, 2, 3]), 0);
      assert.throws(() => percentileInterval([]), /an interval of no value/);
    });
  });
});
