import assert from "node:assert/strict";
import { Rng } from "../../src/engine";
import { betaMixture, gaussianMixture, noisyPosterior, normalizeLosses, percentileOf } from "../../src/losses";
import { closeTo } from "../support/closeTo";

const N = 20_000;
const rng = () => new Rng("mixture");
const draws = (share: number, low: (r: Rng) => number, high: (r: Rng) => number) => {
  const r = rng();
  return Array.from({ length: N }, (_, i) => (i < share * N ? high(r) : low(r)));
};
const betaDensity = (x: number, a: number, b: number, factorials: number) => factorials * x ** (a - 1) * (1 - x) ** (b - 1);
const normal = (x: number, mean: number, variance: number) =>
  Math.exp(-((x - mean) ** 2) / (2 * variance)) / Math.sqrt(2 * Math.PI * variance);

describe("losses/lossMixture", () => {
  describe("betaMixture", () => {
    for (const share of [0.2, 0.5, 0.8])
      it(`recovers Beta(2, 8) and Beta(7, 3), ${100 * share} % of them noisy`, () => {
        const values = draws(
          share,
          (r) => r.beta(2, 8),
          (r) => r.beta(7, 3),
        );

        const { components, converged } = betaMixture(values);

        // 20 000 draws: the shares to about 0.01, the parameters to a tenth
        assert.ok(converged);
        closeTo([components[0].weight, components[1].weight], [1 - share, share], 0.015);
        closeTo([components[0].alpha, components[0].beta], [2, 8], 0.15);
        closeTo([components[1].alpha, components[1].beta], [7, 3], 0.15);
      });

    it("does not move from the values' exact mixture: quantiles of 2(1 − x) and 2x", () => {
      // Half with distribution function 1 − (1 − x)², half with x²: together uniform, so that both posteriors are known
      const u = Array.from({ length: 1000 }, (_, i) => (i + 0.5) / 1000);
      const start = [{ weight: 0.5, alpha: 1, beta: 2 }, { weight: 0.5, alpha: 2, beta: 1 }] as const; // prettier-ignore
      const { components } = betaMixture(u, { start, maxIterations: 1 });

      // posterior of 2x is x: moments ∫x²/½ = ⅔, ∫x³/½ − 4/9 = 1/18 are those of Beta(2, 1)
      closeTo([components[0].alpha, components[0].beta, components[0].weight], [1, 2, 0.5], 1e-4);
      closeTo([components[1].alpha, components[1].beta, components[1].weight], [2, 1, 0.5], 1e-4);
    });

    it("takes the steps of Arazo et al.'s code from the start of that code", () => {
      const start = [{ weight: 0.5, alpha: 1, beta: 2 }, { weight: 0.5, alpha: 2, beta: 1 }] as const; // prettier-ignore
      const values = [0.05, 0.1, 0.12, 0.2, 0.3, 0.55, 0.7, 0.8, 0.85, 0.95];

      const { components, iterations } = betaMixture(values, { start, maxIterations: 10, tolerance: 0 });

      // Their BetaMixture1D, written in numpy: ten steps on these values
      assert.equal(iterations, 10);
      closeTo([components[0].alpha, components[0].beta, components[0].weight], [0.5974704884, 1.7005207777, 0.5444723], 1e-6);
      closeTo([components[1].alpha, components[1].beta, components[1].weight], [1.7309057844, 0.7297052214, 0.4555277], 1e-6);
    });

    it("has Bayes' rule as its posterior", () => {
      const mixture = {
        ...{ kind: "beta", logLikelihood: 0, iterations: 1, converged: true } as const, // prettier-ignore
        components: [{ weight: 0.7, alpha: 2, beta: 4 }, { weight: 0.3, alpha: 3, beta: 2 }], // prettier-ignore
      } as const;
      const x = [0.1, 0.4, 0.9];

      // 1/B(2, 4) = 5!/(1!·3!) = 20, 1/B(3, 2) = 4!/(2!·1!) = 12
      const expected = x.map((v) => {
        const [low, high] = [0.7 * betaDensity(v, 2, 4, 20), 0.3 * betaDensity(v, 3, 2, 12)];
        return high / (low + high);
      });
      closeTo(noisyPosterior(mixture, x), expected, 1e-12);
    });

    it("puts the lower mean first, stays finite on two points, and refuses what is not in (0, 1)", () => {
      const { components } = betaMixture([0.1, 0.1, 0.1, 0.9]);

      assert.ok(components.every(({ alpha, beta, weight }) => [alpha, beta, weight].every(Number.isFinite)));
      assert.ok(components[0].alpha < components[0].beta && components[1].alpha > components[1].beta);
      closeTo([...noisyPosterior(betaMixture([0.1, 0.1, 0.1, 0.9]), [0.1, 0.9])], [0, 1], 1e-6);
      assert.throws(() => betaMixture([0.2, 1]), /value 1 is 1: expected a number in \(0, 1\)/);
      assert.throws(() => betaMixture([0.2, NaN]), /value 1 is NaN/);
      assert.throws(() => betaMixture([0.2]), /1 values, expected at least 2/);
      assert.throws(() => betaMixture([0.2, 0.3], { maxIterations: 0 }), /maxIterations = 0: expected a whole number/);
    });
  });

  describe("gaussianMixture", () => {
    for (const share of [0.2, 0.5, 0.8])
      it(`recovers N(0.2, 0.01) and N(0.8, 0.0225), ${100 * share} % of them noisy`, () => {
        const values = draws(
          share,
          (r) => 0.2 + 0.1 * r.normal(),
          (r) => 0.8 + 0.15 * r.normal(),
        );

        const { components, converged } = gaussianMixture(values, { addedVariance: 1e-9 });

        assert.ok(converged);
        closeTo([components[0].weight, components[1].weight], [1 - share, share], 0.01);
        closeTo([components[0].mean, components[1].mean], [0.2, 0.8], 0.01);
        closeTo([components[0].variance, components[1].variance], [0.01, 0.0225], 0.001);
      });

    it("has variances above DivideMix' 5e-4, so that a component on one value is no spike", () => {
      const { components } = gaussianMixture([0, 0, 0, 1, 1]);

      closeTo([components[0].variance, components[1].variance], [5e-4, 5e-4], 1e-9);
      closeTo([components[0].weight, components[1].weight], [0.6, 0.4], 1e-9);
    });

    it("has Bayes' rule as its posterior, also far out", () => {
      const mixture = gaussianMixture([0, 0.1, 0.2, 0.8, 1]);
      const [low, high] = mixture.components;
      const x = [0.3, 0.45, 0.5];

      const expected = x.map((v) => {
        const [a, b] = [low.weight * normal(v, low.mean, low.variance), high.weight * normal(v, high.mean, high.variance)];
        return b / (a + b);
      });
      closeTo(noisyPosterior(mixture, x), expected, 1e-9);
      assert.ok([...noisyPosterior(mixture, [-1e6, 1e6])].every(Number.isFinite));
    });

    it("never lowers the likelihood: it is EM", () => {
      const values = draws(
        0.3,
        (r) => r.beta(2, 5),
        (r) => r.beta(5, 2),
      );
      const after = (maxIterations: number) => gaussianMixture(values, { maxIterations, tolerance: 0, addedVariance: 1e-12 });

      const likelihoods = [1, 2, 4, 8, 16].map((n) => after(n).logLikelihood);

      likelihoods.slice(1).forEach((value, i) => assert.ok(value >= likelihoods[i]! - 1e-12, likelihoods.join()));
    });

    it("refuses what cannot be told apart", () => {
      assert.throws(() => gaussianMixture([3, 3, 3]), /all values are 3: nothing to tell apart/);
      assert.throws(() => gaussianMixture([3, Infinity]), /value 1 is Infinity: expected a finite number/);
    });
  });

  describe("normalizeLosses", () => {
    it("takes percentiles between order statistics as numpy does", () => {
      // numpy.percentile([4, 1, 3, 2], [0, 50, 70, 100])
      closeTo([0, 50, 70, 100].map((percent) => percentileOf([4, 1, 3, 2], percent)), [1, 2.5, 3.1, 4], 1e-12); // prettier-ignore
    });

    it("maps the percentiles to 0 and 1, short of them by the margin, and clips what is beyond", () => {
      const losses = Array.from({ length: 101 }, (_, i) => i * 0.1);

      const { scaled, inner } = normalizeLosses(losses);

      // 5th and 95th percentile: 0.5 and 9.5
      closeTo([scaled[0]!, scaled[5]!, scaled[50]!, scaled[95]!, scaled[100]!], [1e-3, 1e-3, 0.5, 0.999, 0.999], 1e-12);
      assert.deepEqual([...inner], [...scaled.slice(5, 96)]);
      closeTo(scaled[14]!, 0.1, 1e-12);
    });

    it("scales from least to largest for 0 and 100", () => {
      closeTo(normalizeLosses([4, 1, 2], { lowest: 0, highest: 100, margin: 0 }).scaled, [1, 0, 1 / 3], 1e-12);
    });

    it("separates losses of clean and wrong labels", () => {
      const losses = draws(
        0.4,
        (r) => 0.1 * r.gamma(1),
        (r) => 3 + r.normal() ** 2,
      );
      for (const fit of [betaMixture, gaussianMixture]) {
        const { scaled, inner } = normalizeLosses(losses);
        const right = [...noisyPosterior(fit(inner), scaled)].filter((p, i) => p > 0.5 === i < 0.4 * N).length;
        assert.ok(right > 0.99 * N, `${right}`);
      }
    });

    it("refuses what cannot be scaled", () => {
      assert.throws(() => normalizeLosses([1, 1, 1]), /all losses are 1 between percentiles 5 and 95: nothing to tell apart/);
      assert.throws(() => normalizeLosses([1, NaN]), /loss 1 is NaN: expected a finite number/);
      assert.throws(() => normalizeLosses([1, 2], { lowest: 60, highest: 50 }), /expected percentiles with/);
      assert.throws(() => normalizeLosses([1, 2], { margin: 0.5 }), /margin = 0\.5: expected/);
    });
  });
});
