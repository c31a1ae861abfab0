import assert from "node:assert/strict";
import { Rng } from "../../src/engine";

const N = 100_000;
const draw = (rng: Rng, fn: (rng: Rng) => number, n = N) => Float64Array.from({ length: n }, () => fn(rng));
const mean = (values: ArrayLike<number>, fn = (x: number) => x) =>
  Array.from(values).reduce((sum, x) => sum + fn(x), 0) / values.length;

/** Mean and variance within 5σ of their own spread: mean has σ²/n, variance (μ₄ − σ⁴)/n. */
function expectMoments(values: Float64Array, expected: { mean: number; variance: number; fourth: number }): void {
  const within = (actual: number, center: number, variance: number, what: string) =>
    assert.ok(Math.abs(actual - center) < 5 * Math.sqrt(variance / values.length), `${what} is ${actual}, expected ${center}`); // prettier-ignore
  within(mean(values), expected.mean, expected.variance, "the mean");
  const spread = mean(values, (x) => (x - expected.mean) ** 2);
  within(spread, expected.variance, expected.fourth - expected.variance ** 2, "the variance");
}

describe("engine/rng", () => {
  it("is sfc32 (Doty-Humphrey, PractRand) after twelve rounds", () => {
    const rng = new Rng("reference");
    let [a, b, c, counter] = (rng as unknown as { key: number[] }).key.map((word) => BigInt(word >>> 0)) as [
      bigint,
      bigint,
      bigint,
      bigint,
    ];
    const u32 = (x: bigint) => x & 0xffffffffn;
    const reference = () => {
      const result = u32(a + b + counter);
      counter = u32(counter + 1n);
      a = b ^ (b >> 9n);
      b = u32(c + (c << 3n));
      c = u32((u32(c << 21n) | (c >> 11n)) + result);
      return Number(result);
    };
    for (let i = 0; i < 12; i++) reference();

    for (let i = 0; i < 1000; i++) assert.equal(rng.next(), reference());
  });

  it("gives the same numbers in every release, as committed results depend on them", () => {
    // Recorded from the first release: no outside truth, but a change would make every stored record unrepeatable.
    const rng = new Rng(0).split("init").split("stem/kernel");

    assert.deepEqual([rng.next(), rng.next(), rng.next()], [1016625087, 753883602, 2458531914]);
  });

  describe("has the moments of", () => {
    it("the uniform distribution: ½ and 1/12, in [0, 1)", () => {
      const values = draw(new Rng(1), (rng) => rng.uniform());

      expectMoments(values, { mean: 1 / 2, variance: 1 / 12, fourth: 1 / 80 });
      assert.ok(values.every((u) => u >= 0 && u < 1));
    });

    it("the standard normal one: 0 and 1, kurtosis 3, 4.55 % beyond 2σ", () => {
      const values = draw(new Rng(2), (rng) => rng.normal());

      expectMoments(values, { mean: 0, variance: 1, fourth: 3 });
      // E z⁸ = 105, so z⁴ has variance 96.
      assert.ok(Math.abs(mean(values, (z) => z ** 4) - 3) < 5 * Math.sqrt(96 / N));
      const beyond = 0.0455003;
      assert.ok(Math.abs(mean(values, (z) => Number(Math.abs(z) > 2)) - beyond) < 5 * Math.sqrt((beyond * (1 - beyond)) / N));
    });

    it("the Rademacher one: ±1 alike", () => {
      const values = draw(new Rng(3), (rng) => rng.rademacher());

      assert.deepEqual([...new Set(values)].sort(), [-1, 1]);
      assert.ok(Math.abs(mean(values)) < 5 / Math.sqrt(N));
    });

    for (const shape of [0.3, 1, 4.5]) {
      it(`Gamma(${shape}, 1): mean and variance ${shape}`, () => {
        const values = draw(new Rng(`gamma ${shape}`), (rng) => rng.gamma(shape));

        expectMoments(values, { mean: shape, variance: shape, fourth: 3 * shape ** 2 + 6 * shape });
        assert.ok(values.every((x) => x >= 0));
      });
    }

    for (const [a, b] of [[1, 1], [0.2, 0.2], [2, 5]] as const) {
      it(`Beta(${a}, ${b}): mean ${a}/${a + b}`, () => {
        const values = draw(new Rng(`beta ${a} ${b}`), (rng) => rng.beta(a, b));
        const s = a + b;
        const variance = (a * b) / (s ** 2 * (s + 1));
        const excess = (6 * ((a - b) ** 2 * (s + 1) - a * b * (s + 2))) / (a * b * (s + 2) * (s + 3));

        expectMoments(values, { mean: a / s, variance, fourth: (3 + excess) * variance ** 2 });
        assert.ok(values.every((x) => x >= 0 && x <= 1));
      });
    } // prettier-ignore
  });

  it("Integers below the bound come alike: χ² with 9 degrees of freedom", () => {
    const rng = new Rng(4);
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < N; i++) counts[rng.int(10)]!++;

    const chiSquare = counts.reduce((sum, count) => sum + (count - N / 10) ** 2 / (N / 10), 0);

    assert.ok(chiSquare < 33.7, `χ² = ${chiSquare}`); // exceeded with probability 1e-4
  });

  it("A permutation has every number once, each place alike", () => {
    const rng = new Rng(5);
    const firsts = new Array<number>(5).fill(0);
    for (let i = 0; i < 10_000; i++) {
      const order = rng.permutation(5);
      assert.deepEqual([...order].sort(), [0, 1, 2, 3, 4]);
      firsts[order[0]!]!++;
    }

    for (const count of firsts) assert.ok(Math.abs(count - 2000) < 5 * Math.sqrt(10_000 * 0.2 * 0.8));
    assert.deepEqual([...rng.permutation(0)], []);
    assert.deepEqual([...rng.permutation(1)], [0]);
  });

  it("All 24 orders of four come alike: χ² with 23 degrees of freedom", () => {
    const rng = new Rng(6);
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const order = rng.permutation(4).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }

    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);

    assert.equal(counts.size, 24);
    assert.ok(chiSquare < 58.6, `χ² = ${chiSquare}`); // exceeded with probability 6e-5
  });

  it("Arrays hold what single draws give, rounded to float32", () => {
    for (const kind of ["normal", "uniform", "rademacher"] as const) {
      const [one, other] = [new Rng(7), new Rng(7)];
      assert.deepEqual(
        [...one.array(50, kind)],
        Array.from({ length: 50 }, () => Math.fround(other[kind]())),
      );
    }
    assert.deepEqual(new Rng(7).array(5), new Rng(7).array(5, "normal"));
  });

  describe("streams", () => {
    const first = (rng: Rng) => [rng.next(), rng.next(), rng.next()];

    it("are the same for the same seed and names", () => {
      assert.deepEqual(first(new Rng(3).split("order").split(7)), first(new Rng(3).split("order").split(7)));
    });

    it("do not depend on what was drawn or split before", () => {
      const [fresh, used] = [new Rng(3), new Rng(3)];
      used.array(1001);
      used.split("another").permutation(10);

      assert.deepEqual(first(used.split("order")), first(fresh.split("order")));
    });

    it("do not change the stream that they come from", () => {
      const [plain, split] = [new Rng(3), new Rng(3)];
      split.split("order").next();

      assert.deepEqual(first(split), first(plain));
    });

    it("differ for seeds and names that look alike", () => {
      const streams = [
        ...[0, "0", -0.5, 1, "1", "", "a", "ab", "ba", 1e10, 2 ** 53].map((seed) => new Rng(seed)),
        ...["", "a", "b", 0, "0", 1].map((name) => new Rng(0).split(name)),
        new Rng(0).split("a").split("b"),
        new Rng(0).split("b").split("a"),
        new Rng(0).split("ab"),
        new Rng(1).split("a"),
      ];

      assert.equal(new Set(streams.map((rng) => first(rng).join())).size, streams.length);
    });

    it("differ for ten thousand seeds, names and epochs", () => {
      const starts = new Set<number>();
      for (let i = 0; i < 5000; i++) starts.add(new Rng(i).next() * 2 ** 20 + new Rng(i).split(i).next() / 2 ** 12);

      assert.equal(starts.size, 5000);
    });

    it("of neighboring names are not correlated", () => {
      // The correlation of n independent pairs has σ = 1/√n.
      const n = 20_000;
      const rng = new Rng(8);
      const [a, b] = [0, 1].map((name) => draw(rng.split(name), (r) => r.normal(), n));
      const parent = draw(rng, (r) => r.normal(), n);
      const correlation = (x: Float64Array, y: Float64Array) => x.reduce((sum, v, i) => sum + v * y[i]!, 0) / n;

      assert.ok(Math.abs(correlation(a!, b!)) < 5 / Math.sqrt(n));
      assert.ok(Math.abs(correlation(a!, parent)) < 5 / Math.sqrt(n));
    });

    it("start alike over names: the first draws of 20 000 streams are uniform", () => {
      const rng = new Rng(9);
      const firsts = Float64Array.from({ length: 20_000 }, (_, i) => rng.split(i).uniform());

      expectMoments(firsts, { mean: 1 / 2, variance: 1 / 12, fourth: 1 / 80 });
      const serial = firsts.slice(1).reduce((sum, u, i) => sum + (u - 0.5) * (firsts[i]! - 0.5), 0) / (firsts.length - 1);
      assert.ok(Math.abs(serial) < 5 / 12 / Math.sqrt(firsts.length));
    });
  });

  it("A seed that is no finite number is refused", () => {
    for (const seed of [NaN, Infinity, undefined, null]) {
      assert.throws(() => new Rng(seed as never), /seed = .*: expected a finite number or a string/);
    }
  });
});
