/** One wording for all verdicts, and the rule that makes a verdict of a difference over seeds. */
import assert from "node:assert/strict";
import {
  claimSentence,
  claimSentences,
  countClaims,
  describeVerdicts,
  countOnce,
  jointVerdict,
  verdictsOn,
  verdictOn,
  type Claim,
  type Verdict,
} from "../../src/paper/claims";

const claim = (verdict: Verdict, where?: string): Claim => ({
  statement: "SAM beats SGD",
  where,
  verdict,
  evidence: "SAM is 1.0±0.5 points above.",
});

describe("paper/claims", () => {
  it("claims no more than the seeds support: the interval leaves out no effect, and one seed has none", () => {
    assert.equal(verdictOn({ mean: 1, interval: 0.5, n: 3 }), "yes");
    assert.equal(verdictOn({ mean: -1, interval: 0.5, n: 3 }), "no");
    assert.equal(verdictOn({ mean: 0.4, interval: 0.5, n: 3 }), "undecided");
    assert.equal(verdictOn({ mean: -0.4, interval: 0.5, n: 3 }), "undecided");
    assert.equal(verdictOn({ mean: 0, interval: 0, n: 3 }), "undecided");
    assert.equal(verdictOn({ mean: 1, n: 1 }), "one seed");
  });

  it("need more support the more conditions a table has: Holm's correction", () => {
    // t = 5 with 4 degrees of freedom: p = 0.0075, below 0.05 / 6 and above 0.05 / 7
    const effect = { mean: 5, interval: 2.776, n: 5 };
    const nothing = { mean: 0, interval: 1, n: 5 };
    const first = (others: number) => verdictsOn([effect, ...Array.from({ length: others }, () => nothing)])[0];

    assert.equal(first(5), "yes");
    assert.equal(first(6), "undecided");
    assert.deepEqual(
      verdictsOn([
        { ...effect, mean: -5 },
        { mean: 1, n: 1 },
      ]),
      ["no", "one seed"],
    );
  });

  it("count once what two items show, with a note on where the others count", () => {
    const shared = [
      { claim: claim("yes") },
      { claim: claim("no"), countedIn: "Table 1" },
      { claim: claim("no"), countedIn: "Table 5" },
    ];

    assert.deepEqual(countOnce(shared), { claims: [claim("yes")], elsewhere: "counted elsewhere: 1 in Table 1, 1 in Table 5" });
    assert.deepEqual(countOnce(shared.slice(0, 1)), { claims: [claim("yes")] });
  });

  it("hold jointly if all hold, and fail if one fails", () => {
    assert.equal(jointVerdict(["yes", "yes"]), "yes");
    assert.equal(jointVerdict(["yes", "undecided"]), "undecided");
    assert.equal(jointVerdict(["yes", "undecided", "no"]), "no");
    assert.equal(jointVerdict(["yes", "one seed"]), "one seed");
  });

  it("are worded the same for every item", () => {
    const wording = (verdict: Verdict) => claimSentence(claim(verdict)).replace("SAM is 1.0±0.5 points above. ", "");

    assert.equal(wording("yes"), "The claim that SAM beats SGD holds.");
    assert.equal(wording("no"), "The claim that SAM beats SGD does not hold.");
    assert.equal(wording("undecided"), "These seeds do not decide whether SAM beats SGD.");
    assert.equal(wording("one seed"), "One seed cannot decide whether SAM beats SGD.");
  });

  it("that share their evidence are one paragraph, with the conditions by verdict", () => {
    const claims = [claim("undecided", "at 20 %"), claim("yes", "at 40 %"), claim("yes", "at 60 %")];
    const other = { ...claim("yes"), evidence: "GCE is below." };

    assert.deepEqual(claimSentences([...claims, other]), [
      "SAM is 1.0±0.5 points above. The claim that SAM beats SGD holds at 40 %, 60 %. These seeds do not decide it at 20 %.",
      "GCE is below. The claim that SAM beats SGD holds.",
    ]);
    assert.deepEqual(claimSentences([claim("yes"), claim("no"), claim("no")]), [
      "SAM is 1.0±0.5 points above. The claim that SAM beats SGD holds in 1 of 3 comparisons. It does not hold in 2 of 3 comparisons.",
    ]);
  });

  it("are counted by verdict, in the README by statement if there are several", () => {
    const mixed = [claim("yes"), claim("yes"), claim("undecided")];

    assert.deepEqual(countClaims(mixed), { yes: 2, no: 0, undecided: 1, "one seed": 0 });
    assert.equal(describeVerdicts(mixed), "yes in 2, undecided in 1");
    assert.equal(describeVerdicts(mixed.slice(0, 2)), "yes");
    assert.equal(
      describeVerdicts([claim("yes"), { ...claim("no"), statement: "it beats GCE" }]),
      "SAM beats SGD: yes; it beats GCE: no",
    );
    assert.equal(describeVerdicts([claim("yes"), { ...claim("yes"), statement: "it beats GCE" }]), "yes");
    assert.equal(describeVerdicts([]), "no claim");
  });
});
