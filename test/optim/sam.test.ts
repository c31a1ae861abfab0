import assert from "node:assert/strict";
import { Rng, tf, type Weights } from "../../src/engine";
import {
  adaptiveScale,
  epsilonHat,
  meanWeights,
  mSamGradient,
  projectToBall,
  samGradient,
  type SamOptions,
} from "../../src/optim";
import { findEpsilon } from "../../src/optim/sam";
import { closeTo, relativelyCloseTo } from "../support/closeTo";
import { expectNoLeak, tidyTests } from "../support/noLeak";
import { A, dot, lossGradientOf, norm, plus, polynomial, scaled, times, toVector, toWeights } from "../support/tinyProblems";

const W = [0.7, -1.3, 2.1];
const quadratic = polynomial(A);
const cubic = polynomial(A, [0.9, -0.6, 1.5]);

describe("optim/sam", () => {
  tidyTests();

  describe("ε̂", () => {
    const g = [0.3, -1.2, 0.05];

    it("rescales the gradient to norm ρ where p = 2", () => {
      const epsilon = epsilonHat({ w: tf.tensor1d([3, 4]) }, { rho: 0.1 });

      closeTo(epsilon.w!.dataSync(), [0.06, 0.08], 1e-8); // ‖g‖ = 5
    });

    it("has ρ = 0.05 and p = 2 unless told otherwise", () => {
      closeTo(toVector(epsilonHat({ w: tf.tensor1d([3, -4]) })), [0.03, -0.04], 1e-8);
    });

    it("takes one norm over all tensors, not one per tensor", () => {
      const epsilon = epsilonHat({ a: tf.tensor1d([3]), b: tf.tensor2d([[0, 4]]) }, { rho: 0.1 });

      closeTo(epsilon.a!.dataSync(), [0.06], 1e-8);
      closeTo(epsilon.b!.dataSync(), [0, 0.08], 1e-8);
      assert.deepEqual(epsilon.b!.shape, [1, 2]);
    });

    it("is ρ·sign(g) where p = ∞", () => {
      const epsilon = epsilonHat({ w: tf.tensor1d([3, -0.001, 0]) }, { rho: 0.1, normP: Infinity });

      closeTo(epsilon.w!.dataSync(), [0.1, -0.1, 0], 1e-8);
    });

    it("moves only the weight of largest |g| where p = 1", () => {
      const epsilon = epsilonHat(toWeights([0.3, -1.2, 0.05]), { rho: 0.1, normP: 1 });

      closeTo(toVector(epsilon), [0, -0.1, 0], 1e-8);
    });

    it("moves one weight of several equals where p = 1, so that its norm stays ρ", () => {
      closeTo(toVector(epsilonHat(toWeights([2, -2, 2]), { rho: 0.1, normP: 1 })), [0.1, 0, 0], 1e-8);
    });

    it("follows eq. (2) by hand where p = 3", () => {
      // q = 3/2: ε̂ = ρ·sign(g)·|g|^(1/2) / (Σ|g|^(3/2))^(1/3); g = (1, −4, 9): √|g| = (1, 2, 3), Σ|g|^1.5 = 1 + 8 + 27 = 36.
      const expected = scaled([1, -2, 3], 0.1 / Math.cbrt(36));

      closeTo(toVector(epsilonHat(toWeights([1, -4, 9]), { rho: 0.1, normP: 3 })), expected, 1e-7);
    });

    it("follows eq. (2) by hand where p = 3/2", () => {
      // q = 3: ε̂ = ρ·sign(g)·g² / (Σ|g|³)^(2/3); g = (1, −2, 3): Σ|g|³ = 36.
      const expected = scaled([1, -4, 9], 0.1 / 36 ** (2 / 3));

      closeTo(toVector(epsilonHat(toWeights([1, -2, 3]), { rho: 0.1, normP: 1.5 })), expected, 1e-7);
    });

    for (const p of [1, 1.5, 2, 3, Infinity]) {
      const q = p === 1 ? Infinity : p === Infinity ? 1 : p / (p - 1);

      it(`has ‖ε̂‖_p = ρ and gᵀε̂ = ρ‖g‖_q where p = ${p}`, () => {
        const epsilon = toVector(epsilonHat(toWeights(g), { rho: 0.1, normP: p }));

        relativelyCloseTo(norm(epsilon, p), 0.1, 1e-6);
        relativelyCloseTo(dot(g, epsilon), 0.1 * norm(g, q), 1e-6);
      });

      it(`gains more than 1000 random vectors of the same norm where p = ${p}`, () => {
        const gain = dot(g, toVector(epsilonHat(toWeights(g), { rho: 0.1, normP: p })));
        const rng = new Rng(`vectors ${p}`);

        for (let i = 0; i < 1000; i++) {
          const random = [...rng.array(3)];
          const onSphere = scaled(random, 0.1 / norm(random, p));
          assert.ok(dot(g, onSphere) <= gain + 1e-8);
        }
      });

      it(`is the same for gradients of size 1e-25 and 1e25 as for 1 where p = ${p}`, () => {
        const expected = toVector(epsilonHat(toWeights(g), { rho: 0.1, normP: p }));

        for (const size of [1e-25, 1e25]) {
          closeTo(toVector(epsilonHat(toWeights(scaled(g, size)), { rho: 0.1, normP: p })), expected, 1e-6);
        }
      });

      it(`is zero, not NaN, for a zero gradient where p = ${p}`, () => {
        closeTo(toVector(epsilonHat(toWeights([0, 0, 0]), { rho: 0.1, normP: p })), [0, 0, 0], 0);
      });

      it(`leaves nothing but itself behind where p = ${p}`, () => {
        const gradient = toWeights(g);

        expectNoLeak(() => epsilonHat(gradient, { normP: p }), 2);
      });
    }

    it("has norm ρ to float32's precision on a million weights", () => {
      const gradient = { w: tf.tensor(new Rng(1).array(1_000_000)) };

      relativelyCloseTo(norm([...epsilonHat(gradient, { rho: 0.05 }).w!.dataSync()]), 0.05, 1e-5);
    });

    it("does not change where the loss is scaled", () => {
      for (const c of [0.001, 7, 1e6]) {
        closeTo(toVector(epsilonHat(toWeights(scaled(g, c)))), toVector(epsilonHat(toWeights(g))), 1e-7);
      }
    });

    it("is finite for gradients so small that 1/|g| overflows float32", () => {
      for (const normP of [1, 1.5, 2, 3, Infinity]) {
        const epsilon = toVector(epsilonHat(toWeights([1e-40, -1e-39, 0]), { rho: 0.1, normP }));
        assert.ok(norm(epsilon, normP) <= 0.1 * (1 + 1e-6), `${epsilon}`); // zero where the engine flushes such numbers to zero
      }
    });

    it("leaves the gradient as it was", () => {
      const gradient = toWeights(g);

      for (const normP of [1, 2, 3, Infinity]) epsilonHat(gradient, { normP });

      closeTo(toVector(gradient), g, 1e-7);
    });

    it("is ρ·g without normalization", () => {
      closeTo(toVector(epsilonHat(toWeights(g), { rho: 0.1, normalize: false })), scaled(g, 0.1), 1e-7);
    });

    it("refuses a ρ that is negative, infinite or no number, and says which", () => {
      for (const rho of [-0.1, Infinity, NaN]) {
        assert.throws(() => epsilonHat(toWeights(g), { rho }), { message: `rho = ${rho}: expected a finite number ≥ 0` });
      }
    });

    it("refuses a p below 1", () => {
      for (const normP of [0.5, -2, NaN])
        assert.throws(() => epsilonHat(toWeights(g), { normP }), /normP = .*from 1 to Infinity/);
    });
  });

  describe("ε̂ of ASAM", () => {
    // g = 1, 2, 2 on weights 3, −1, 0.5.
    const gradient = () => ({ "conv/kernel": tf.tensor1d([1, 2]), "conv/bias": tf.tensor1d([2]) });
    const weights = () => ({ "conv/kernel": tf.tensor1d([3, -1]), "conv/bias": tf.tensor1d([0.5]) });

    it('scales kernels by |w| + η and leaves biases unscaled with "weights"', () => {
      // T = (3.01, 1.01, 1): Tg = (3.01, 2.02, 2), ε = ρT²g/‖Tg‖.
      const length = Math.hypot(3.01, 2.02, 2);
      const expected = scaled([3.01 ** 2, 1.01 ** 2 * 2, 2], 0.5 / length);

      const epsilon = epsilonHat(gradient(), { rho: 0.5, adaptive: "weights", weights: weights() });

      closeTo(toVector(epsilon), expected, 1e-6);
    });

    it('scales every tensor by |w| with "all"', () => {
      // T = (3, 1, 0.5): Tg = (3, 2, 1), ‖Tg‖ = √14.
      const expected = scaled([9, 2, 0.5], 2 / Math.sqrt(14));

      const epsilon = epsilonHat(gradient(), { rho: 2, adaptive: "all", weights: weights() });

      closeTo(toVector(epsilon), expected, 1e-6);
    });

    for (const adaptive of ["weights", "all"] as const) {
      it(`has ‖T⁻¹ε‖ = ρ with "${adaptive}", and for tiny and huge gradients too`, () => {
        const T = adaptive === "all" ? [3, 1, 0.5] : [3.01, 1.01, 1];

        for (const size of [1e-25, 1, 1e25]) {
          const g = Object.fromEntries(Object.entries(gradient()).map(([name, t]) => [name, tf.mul(t, size)]));
          const epsilon = toVector(epsilonHat(g, { rho: 0.5, adaptive, weights: weights() }));
          relativelyCloseTo(norm(epsilon.map((e, i) => e / T[i]!)), 0.5, 1e-6);
        }
      });
    }

    it("takes η from the options", () => {
      const length = Math.hypot(4, 4, 2); // T = (4, 2, 1)

      const epsilon = epsilonHat(gradient(), { rho: 1, adaptive: "weights", eta: 1, weights: weights() });

      closeTo(toVector(epsilon), scaled([16, 8, 2], 1 / length), 1e-6);
    });

    it('refuses an η that would be ignored: only "weights" has one', () => {
      const message = /eta = 0.1: only adaptive = "weights" has an η, and adaptive is /;

      assert.throws(() => epsilonHat(gradient(), { adaptive: "all", eta: 0.1, weights: weights() }), message);
      assert.throws(() => epsilonHat(gradient(), { eta: 0.1 }), message);
      assert.throws(() => adaptiveScale(weights(), { adaptive: "all", eta: 0.1 }), message);
    });

    it("refuses normalize: false, which it would ignore", () => {
      const options = { adaptive: "all", normalize: false, weights: weights() } as const;

      assert.throws(() => epsilonHat(gradient(), options), /normalize = false: adaptive SAM/);
    });

    it('never moves a zero weight with "all", but does with "weights"', () => {
      const [g, w] = [{ kernel: tf.tensor1d([1, 1]) }, { kernel: tf.tensor1d([0, 2]) }];

      assert.equal(epsilonHat(g, { adaptive: "all", weights: w }).kernel!.dataSync()[0], 0);
      assert.ok(epsilonHat(g, { adaptive: "weights", weights: w }).kernel!.dataSync()[0]! > 0);
    });

    it("knows the biases of TensorFlow.js by their names, with and without a number behind", () => {
      for (const name of ["bias", "dense_Dense1/bias", "dense_Dense1/bias_1", "bn/beta_12", "norm/offset"]) {
        const epsilon = epsilonHat(
          { [name]: tf.tensor1d([1]) },
          { rho: 0.5, adaptive: "weights", weights: { [name]: tf.tensor1d([9]) } },
        );
        closeTo(toVector(epsilon), [0.5], 1e-6); // T = 1
      }
    });

    it("is zero for a zero gradient", () => {
      const zero = { kernel: tf.zeros([2]) };

      closeTo(toVector(epsilonHat(zero, { adaptive: "all", weights: { kernel: tf.tensor1d([1, 2]) } })), [0, 0], 0);
    });

    it("needs the weights, a known kind, and p = 2", () => {
      assert.throws(() => epsilonHat(gradient(), { adaptive: "all" }), /adaptive = "all": epsilonHat needs the weights too/);
      assert.throws(
        () => epsilonHat(gradient(), { adaptive: true as never, weights: weights() }),
        /adaptive = true: expected false, "weights" or "all"/,
      );
      assert.throws(
        () => epsilonHat(gradient(), { adaptive: "all", normP: 1, weights: weights() }),
        /normP = 1: .*defined for normP = 2/,
      );
    });
  });

  describe("the SAM gradient", () => {
    const sam = (options: SamOptions = {}, problem = quadratic, w = W) =>
      toVector(samGradient(lossGradientOf(problem), toWeights(w), options));

    it("is Aw + ρA²w/‖Aw‖ on the quadratic ½wᵀAw", () => {
      const g = times(A, W);
      const expected = plus(g, scaled(times(A, g), 0.3 / norm(g)));

      closeTo(sam({ rho: 0.3 }), expected, 1e-6);
    });

    it("is Aw + ρA·sign(Aw) on the quadratic where p = ∞", () => {
      const g = times(A, W);
      const expected = plus(g, scaled(times(A, g.map(Math.sign)), 0.3));

      closeTo(sam({ rho: 0.3, normP: Infinity }), expected, 1e-6);
    });

    it("is the very gradient at w, from one evaluation, where ρ = 0", () => {
      const atW = toWeights(quadratic.gradient(W));
      let calls = 0;

      const gradient = samGradient(() => (calls++, atW), toWeights(W), { rho: 0 });

      assert.equal(calls, 1);
      assert.equal(gradient.first, atW.first);
    });

    it("goes to the plain gradient linearly as ρ goes to 0", () => {
      const plain = quadratic.gradient(W);
      const distance = (rho: number) => norm(plus(sam({ rho }), scaled(plain, -1)));

      relativelyCloseTo(distance(0.01) / distance(0.1), 0.1, 1e-3);
    });

    it("is scaled by c where the loss is scaled by c", () => {
      const scaledLoss = polynomial(A.map((row) => scaled(row, 5)));

      closeTo(sam({ rho: 0.3 }, scaledLoss), scaled(sam({ rho: 0.3 }), 5), 1e-6);
    });

    it("is the plain gradient where that is zero", () => {
      closeTo(sam({ rho: 0.3 }, quadratic, [0, 0, 0]), [0, 0, 0], 0);
    });

    it("tells the loss which pass it is", () => {
      const passes: number[] = [];
      const lossGradient = (w: Weights, pass: number) => (passes.push(pass), lossGradientOf(quadratic)(w));

      samGradient(lossGradient, toWeights(W), { ascentSteps: 3 });

      assert.deepEqual(passes, [1, 2, 3, 4]);
    });

    it("leaves the weights and no other tensor", () => {
      const weights = toWeights(W);

      expectNoLeak(() => samGradient(lossGradientOf(quadratic), weights, { rho: 0.3 }), 2);
      assert.deepEqual(toVector(weights), toVector(toWeights(W)));
    });

    it("leaves the weights and no other tensor when the loss throws in the second pass", () => {
      const weights = toWeights(W);
      const failing = (w: Weights, pass: number) => {
        if (pass === 2) throw new Error("out of memory");
        return lossGradientOf(quadratic)(w);
      };

      expectNoLeak(() => assert.throws(() => samGradient(failing, weights, {}), /out of memory/));
      assert.deepEqual(toVector(weights), toVector(toWeights(W)));
    });

    it("asks for the gradient at w, then at w + ε̂, where the loss is higher", () => {
      const losses: number[] = [];
      const lossGradient = (w: Weights) => (losses.push(quadratic.loss(toVector(w))), lossGradientOf(quadratic)(w));
      const epsilon = toVector(epsilonHat(lossGradientOf(quadratic)(toWeights(W)), { rho: 0.3 }));

      samGradient(lossGradient, toWeights(W), { rho: 0.3 });

      closeTo(losses, [quadratic.loss(W), quadratic.loss(plus(W, epsilon))], 1e-6);
      assert.ok(losses[1]! > losses[0]!);
    });

    it("is refused with unknown options and wrong types, by the name of the function that was called", () => {
      const call = (options: object) => () => samGradient(lossGradientOf(quadratic), toWeights(W), options);

      assert.throws(call({ roh: 0.1 }), { message: 'samGradient: unknown option "roh", did you mean "rho"?' });
      assert.throws(call({ weights: toWeights(W) }), /unknown option "weights"/);
      assert.throws(call({ rho: "0.1" }), { message: 'samGradient: rho = "0.1": expected a number' });
      assert.throws(() => epsilonHat(toWeights(W), { ascentSteps: 2 } as never), /epsilonHat: unknown option "ascentSteps"/);
      assert.throws(() => epsilonHat(toWeights(W), 0.1 as never), /epsilonHat: the options are 0.1, expected an object/);
      assert.throws(() => projectToBall(toWeights(W), { rho: 1, normP: 3 }), /projectToBall: normP = 3: expected 2 or Infinity/);
    });
  });

  describe("m-SAM", () => {
    const problems = [polynomial(A), polynomial([[1, 0, 0], [0, 5, 1], [0, 1, 2]], [0.3, 0.1, -0.4]), cubic]; // prettier-ignore
    const sizes = [4, 4, 2];
    const block = (i: number, size = sizes[i]!) => ({ lossGradient: lossGradientOf(problems[i]!), size });
    const closedForm = (i: number, rho: number) => {
      const g = problems[i]!.gradient(W);
      return problems[i]!.gradient(plus(W, scaled(g, rho / norm(g))));
    };

    it("with one block is SAM, bit for bit", () => {
      const weights = toWeights(W);

      assert.deepEqual(
        toVector(mSamGradient([block(2)], weights, { rho: 0.3 })),
        toVector(samGradient(lossGradientOf(cubic), weights, { rho: 0.3 })),
      );
    });

    it("with blocks of equal data is SAM", () => {
      const weights = toWeights(W);

      closeTo(
        toVector(mSamGradient([block(2), block(2), block(2)], weights, { rho: 0.3 })),
        toVector(samGradient(lossGradientOf(cubic), weights, { rho: 0.3 })),
        1e-6,
      );
    });

    it("with m = 1 is the mean of the examples' SAM gradients", () => {
      const mean = scaled([0, 1, 2].map((i) => closedForm(i, 0.3)).reduce(plus), 1 / 3);

      closeTo(toVector(mSamGradient([0, 1, 2].map((i) => block(i, 1)), toWeights(W), { rho: 0.3 })), mean, 1e-6); // prettier-ignore
    });

    it("with a smaller last block weights each by its size: (4g₀ + 4g₁ + 2g₂)/10", () => {
      const mean = plus(plus(scaled(closedForm(0, 0.3), 0.4), scaled(closedForm(1, 0.3), 0.4)), scaled(closedForm(2, 0.3), 0.2));

      closeTo(toVector(mSamGradient([0, 1, 2].map((i) => block(i)), toWeights(W), { rho: 0.3 })), mean, 1e-6); // prettier-ignore
    });

    it("is a mean, not a sum: cutting the batch does not change the step's size", () => {
      const [one, four] = [1, 4].map((n) => norm(toVector(mSamGradient(Array(n).fill(block(0)), toWeights(W), { rho: 0.3 }))));

      relativelyCloseTo(four!, one!, 1e-6);
    });

    it("differs from SAM on the whole batch", () => {
      const whole = (w: Weights) => meanWeights(problems.map((p, i) => ({ weights: lossGradientOf(p)(w), size: sizes[i]! })));
      const difference = plus(
        toVector(mSamGradient([0, 1, 2].map((i) => block(i)), toWeights(W), { rho: 0.3 })),
        scaled(toVector(samGradient(whole, toWeights(W), { rho: 0.3 })), -1),
      ); // prettier-ignore

      assert.ok(norm(difference) > 0.01);
    });

    it("with ρ = 0 is the gradient of the whole batch", () => {
      const mean = plus(plus(scaled(closedForm(0, 0), 0.4), scaled(closedForm(1, 0), 0.4)), scaled(closedForm(2, 0), 0.2));

      closeTo(toVector(mSamGradient([0, 1, 2].map((i) => block(i)), toWeights(W), { rho: 0 })), mean, 1e-6); // prettier-ignore
    });

    it("leaves its result and no other tensor", () => {
      const weights = toWeights(W);

      expectNoLeak(() => mSamGradient([block(0), block(1)], weights, { rho: 0.3 }), 2);
    });

    it("refuses no blocks", () => {
      assert.throws(() => mSamGradient([], toWeights(W)), /mean of no parts/);
    });
  });

  describe("several ascent steps", () => {
    const rho = 0.8;
    const epsilonAfter = (options: SamOptions, problem = quadratic) => {
      const lossGradient = lossGradientOf(problem);
      const w = toWeights(W);
      return toVector(findEpsilon(lossGradient, lossGradient(w), w, { rho, ...options }));
    };

    it("are projected gradient ascent: two steps by hand", () => {
      // ε₁ = sĝ(w) with s = 0.5 < ρ; ε₂ = ε₁ + sĝ(w + ε₁), then back to the ball.
      const unit = (w: number[]) => scaled(quadratic.gradient(w), 1 / norm(quadratic.gradient(w)));
      const one = scaled(unit(W), 0.5);
      const two = plus(one, scaled(unit(plus(W, one)), 0.5));
      const expected = scaled(two, Math.min(1, rho / norm(two)));

      closeTo(epsilonAfter({ ascentSteps: 2, ascentStepSize: 0.5 }), expected, 1e-6);
    });

    it("in the ∞-norm clip each weight to [−ρ, ρ]", () => {
      const one = scaled(quadratic.gradient(W).map(Math.sign), 0.5);
      const two = plus(one, scaled(quadratic.gradient(plus(W, one)).map(Math.sign), 0.5)).map((e) =>
        Math.max(-rho, Math.min(rho, e)),
      );

      closeTo(epsilonAfter({ ascentSteps: 2, ascentStepSize: 0.5, normP: Infinity }), two, 1e-6);
    });

    for (const normP of [2, Infinity]) {
      it(`never leave the ball where p = ${normP}, whatever their length`, () => {
        for (const ascentStepSize of [0.1, 0.8, 5]) {
          for (let ascentSteps = 1; ascentSteps <= 6; ascentSteps++) {
            const length = norm(epsilonAfter({ ascentSteps, ascentStepSize, normP }, cubic), normP);
            assert.ok(length <= rho * (1 + 1e-6), `${ascentSteps} steps of ${ascentStepSize} give ${length}`);
          }
        }
      });
    }

    it("reach a loss whose best so far does not fall, and beat one step", () => {
      const losses = [1, 2, 4, 8, 16].map((ascentSteps) => quadratic.loss(plus(W, epsilonAfter({ ascentSteps }))));

      for (let i = 1; i < losses.length; i++) assert.ok(losses[i]! >= losses[i - 1]! - 1e-5, losses.join());
      assert.ok(losses.at(-1)! > losses[0]!);
    });

    it("end at the maximum on the sphere: the gradient there points along ε", () => {
      const epsilon = epsilonAfter({ ascentSteps: 60 });
      const gradient = quadratic.gradient(plus(W, epsilon));

      closeTo(dot(epsilon, gradient) / (norm(epsilon) * norm(gradient)), 1, 1e-6);
    });

    it("stay inside where the maximum of the ascent is inside", () => {
      closeTo(epsilonAfter({ ascentSteps: 2, ascentStepSize: 0.1 }).length, 3);
      assert.ok(norm(epsilonAfter({ ascentSteps: 2, ascentStepSize: 0.1 })) < 0.2 + 1e-6);
    });

    it("refuse what they are not defined for", () => {
      for (const ascentSteps of [0, -1, 1.5, NaN])
        assert.throws(
          () => samGradient(lossGradientOf(quadratic), toWeights(W), { ascentSteps }),
          /ascentSteps = .*whole number of at least 1/,
        );
      const refused = (options: SamOptions) => () => samGradient(lossGradientOf(quadratic), toWeights(W), options);
      assert.throws(refused({ ascentSteps: 2, normP: 3 }), /need normP = 2 or Infinity/);
      assert.throws(refused({ ascentSteps: 2, adaptive: "all" }), /without adaptive/);
    });
  });

  it("Projection keeps a point of the ball and takes any other to the nearest one", () => {
    const at = (vector: number[], normP: number) => toVector(projectToBall(toWeights(vector), { rho: 1, normP }));

    closeTo(at([0.1, -0.2, 0.3], 2), [0.1, -0.2, 0.3], 1e-7);
    closeTo(at([2, -3, 6], 2), [2 / 7, -3 / 7, 6 / 7], 1e-7); // ‖(2, −3, 6)‖ = 7
    closeTo(at([2, -3, 0.5], Infinity), [1, -1, 0.5], 1e-7);
    closeTo(at([0, 0, 0], 2), [0, 0, 0], 0);
  });

  describe("the second-order term", () => {
    const hvpOf = (problem: typeof cubic) => (w: Weights, v: Weights) =>
      toWeights(times(problem.hessian(toVector(w)), toVector(v)));
    const full = (problem: typeof cubic, w = W, rho = 0.3) =>
      toVector(samGradient(lossGradientOf(problem), toWeights(w), { rho, hessianVectorProduct: hvpOf(problem) }));

    // d/dw L(w + ρ∇L/‖∇L‖) by central differences in float64; h² errors are below 1e-9.
    function numericalGradient(problem: typeof cubic, w: number[], rho = 0.3, h = 1e-5): number[] {
      const value = (at: number[]) => {
        const g = problem.gradient(at);
        return problem.loss(plus(at, scaled(g, rho / norm(g))));
      };
      return w.map((_, i) => {
        const step = w.map((_, j) => (i === j ? h : 0));
        return (value(plus(w, step)) - value(plus(w, scaled(step, -1)))) / (2 * h);
      });
    }

    it("makes it the derivative of w ↦ L(w + ε̂(w)) on a quadratic", () => {
      closeTo(full(quadratic), numericalGradient(quadratic, W), 3e-6);
    });

    it("makes it the derivative of w ↦ L(w + ε̂(w)) on a cubic", () => {
      for (const w of [W, [0.1, 0.2, -0.3], [-2, 1, 0.5]]) closeTo(full(cubic, w), numericalGradient(cubic, w), 3e-6);
    });

    it("matters: without it the derivative is another one", () => {
      const dropped = toVector(samGradient(lossGradientOf(cubic), toWeights(W), { rho: 0.3 }));

      assert.ok(norm(plus(dropped, scaled(numericalGradient(cubic, W), -1))) > 0.01);
    });

    it("is zero where both gradients are parallel", () => {
      // ∇L = 2w on ‖w‖², so the gradient at w + ε̂ is parallel to the one at w.
      const isotropic = polynomial([[2, 0, 0], [0, 2, 0], [0, 0, 2]]); // prettier-ignore

      closeTo(full(isotropic), toVector(samGradient(lossGradientOf(isotropic), toWeights(W), { rho: 0.3 })), 1e-6);
    });

    it("is left out at a zero gradient", () => {
      closeTo(full(quadratic, [0, 0, 0]), [0, 0, 0], 0);
    });

    it("is refused with options that it is not derived for", () => {
      const hessianVectorProduct = hvpOf(cubic);
      for (const options of [{ normP: Infinity }, { ascentSteps: 2 }, { normalize: false }]) {
        assert.throws(
          () => samGradient(lossGradientOf(cubic), toWeights(W), { ...options, hessianVectorProduct }),
          /second-order term is defined for/,
        );
      }
    });
  });
});
