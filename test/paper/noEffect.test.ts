/** With no effect at all, each verdict comes out at its nominal rate: 2.5 % "yes" and 2.5 % "no" for one, at most 5 % for a table. */
import assert from "node:assert/strict";
import { Rng } from "../../src/engine";
import { pairedDifference, type SeedMean } from "../../src/experiments/statistics";
import { verdictsOn, type Claim, type Verdict } from "../../src/paper/claims";
import { comparisonClaims } from "../../src/paper/comparison/comparisonItem";
import type { ConditionResult } from "../../src/paper/comparison/comparison";
import { table4Claims } from "../../src/paper/noise/table4Claims";
import { noiseMethods } from "../../src/paper/noise/methods";
import type { NoiseRow } from "../../src/paper/noise/runs";

/**
 * Whether `count` of `draws` is what the binomial law gives for the rate `p`: within 4 standard deviations √(draws·p·(1 − p))
 * of draws·p, which a correct program leaves in 1 of 16 000 seeds.
 */
function assertRate(count: number, draws: number, p: number): void {
  const [expected, deviation] = [draws * p, Math.sqrt(draws * p * (1 - p))];
  assert.ok(Math.abs(count - expected) < 4 * deviation, `${count} of ${draws}, expected ${expected} ± ${4 * deviation}`);
}

const decided = (verdicts: readonly Verdict[]) => verdicts.some((verdict) => verdict === "yes" || verdict === "no");

/** Errors of two methods for five seeds: what the seed does to both, and noise of each one's own. */
function noEffect(rng: Rng, seeds = 5): SeedMean {
  const draw = () => Array.from({ length: seeds }, (_, seed) => ({ seed, value: rng.normal() }));
  const shared = draw();
  const method = () => draw().map(({ seed, value }) => ({ seed, value: value + 3 * shared[seed]!.value }));
  return pairedDifference(method(), method());
}

describe("with no effect at all", () => {
  it("one comparison is called better in 2.5 % of draws, worse in 2.5 %", () => {
    const [rng, draws] = [new Rng("no effect"), 4000];
    const verdicts = Array.from({ length: draws }, () => verdictsOn([noEffect(rng)])[0]);

    assertRate(verdicts.filter((verdict) => verdict === "yes").length, draws, 0.025);
    assertRate(verdicts.filter((verdict) => verdict === "no").length, draws, 0.025);
  });

  it("a table of six independent conditions decides any of them in 4.9 % of draws, not in 26 %", () => {
    const [rng, draws] = [new Rng("table"), 3000];
    const tables = Array.from({ length: draws }, () =>
      comparisonClaims(Array.from({ length: 6 }, () => resultOf(noEffect(rng)))),
    );

    // Holm rejects something if the smallest of six p values is below 0.05/6: 1 − (1 − 0.05/6)⁶. Uncorrected: 1 − 0.95⁶ = 0.26.
    const count = tables.filter((claims) => decided(claims.map(({ verdict }) => verdict))).length;
    assertRate(count, draws, 1 - (1 - 0.05 / 6) ** 6);
  });

  it("Table 4 decides each of its statements at some noise rate in at most 5 % of draws", () => {
    const [rng, draws] = [new Rng("Table 4"), 1500];
    const tables = Array.from({ length: draws }, () => table4Claims(noiseRowsOf(rng)));

    for (const statement of ["SAM beats SGD", "bootstrapping helps SAM", "bootstrapped SAM beats MentorMix"]) {
      const count = tables.filter((claims) => decided(verdictsOf(claims, statement))).length;
      // Four noise rates, independent here
      assertRate(count, draws, 1 - (1 - 0.05 / 4) ** 4);
    }
    // SAM is in all of its 16 comparisons, which depend on each other: Holm's bound is from above alone.
    const wrong = tables.filter((claims) => decided(verdictsOf(claims, "plain SAM beats the other methods"))).length;
    assert.ok(wrong < 1500 * 0.05 + 4 * Math.sqrt(1500 * 0.05 * 0.95), String(wrong));
  });
});

function resultOf(gain: SeedMean): ConditionResult {
  const errors = { SGD: [0.1], "SGD, twice the epochs": [0.1], SAM: [0.1] };
  const condition = { labels: { model: "A" }, config: { dataset: { name: "generated" }, model: { name: "mlp" }, training: { epochs: 1 } }, rhos: [0.1] }; // prettier-ignore
  return { condition, rho: 0.1, seeds: [0], errors, bestErrors: errors, baseline: "SGD", gain } as ConditionResult;
}

function noiseRowsOf(rng: Rng): NoiseRow[] {
  return [0.2, 0.4, 0.6, 0.8].flatMap((noiseRate) =>
    noiseMethods.flatMap(({ name }) =>
      [0, 1, 2, 3, 4].map((seed) => {
        const testErrorRate = 0.3 + 0.01 * rng.normal();
        return { method: name, noiseRate, choice: "", seed, testErrorRate, bestTestErrorRate: testErrorRate };
      }),
    ),
  );
}

function verdictsOf(claims: readonly Claim[], statement: string): Verdict[] {
  return claims.filter((claim) => claim.statement === statement).map(({ verdict }) => verdict);
}
