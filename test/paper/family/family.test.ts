import assert from "node:assert/strict";
import { runConfig } from "../../../src/experiments/config";
import type { PlannedRun } from "../../../src/experiments/plan";
import type { RunRecord } from "../../../src/experiments/records";
import { answer, family } from "../../../src/paper/family/family";
import { familyMethods } from "../../../src/paper/family/methods";
import { conclusionsOf } from "../../../src/paper/item";
import { recordOf, recordsOf } from "../../support/records";

const tuning = family.plan("lab", []);
const seedOf = ({ config }: PlannedRun) => runConfig(config).training.seed;

/** Records of the whole lab: tuning errors fall with the setting's place in its grid; reported errors as given, ±0.1 points by seed. */
function labRecords(errorOf: (method: string, noiseRate: number) => number, gradients: Record<string, number> = {}): RunRecord[] {
  const tuned = recordsOf(tuning, ({ labels }) => 0.5 - 0.1 * Number(labels.index));
  const reported = family.plan("lab", tuned).slice(tuning.length).map((run) => {
    const { method, noiseRate } = run.labels as { method: string; noiseRate: number };
    const testErrorRate = errorOf(method, noiseRate) + 0.001 * (seedOf(run) % 2) * (method.length % 2);
    return recordOf(run.config, { testErrorRate, gradientsPerStep: gradients[method] });
  }); // prettier-ignore
  return [...tuned, ...reported];
}

const rowsOf = (...args: Parameters<typeof labRecords>) => family.rows("lab", labRecords(...args));
const isSgd = (method: string) => method.startsWith("SGD");

describe("paper/family", () => {
  it("tries four settings for each method and condition, over the same three seeds, on images that no run is trained or tested on", () => {
    const counts = new Map<string, number>();
    for (const { labels } of tuning) {
      const cell = `${labels.method} ${labels.noiseRate}`;
      counts.set(cell, (counts.get(cell) ?? 0) + 1);
    }

    assert.deepEqual([...new Set(counts.values())], [12]);
    assert.equal(counts.size, 2 * 18);
    assert.deepEqual([...new Set(tuning.map(seedOf))], [1000, 1001, 1002]);
    for (const { config } of tuning) assert.equal(runConfig(config).dataset.heldOutSize, 2000);
  });

  it("reports five seeds of each method at the setting with the lowest error on held-out images", () => {
    const rows = rowsOf(() => 0.2);

    assert.equal(rows.length, 2 * 18 * 5);
    for (const { method, choice } of rows)
      assert.equal(choice, familyMethods.find(({ name }) => name === method)!.trials[3]!.text, method);
    assert.deepEqual([...new Set(rows.map(({ seed }) => seed))], [0, 1, 2, 3, 4]);
  });

  it("counts compute in trainings of SGD: steps as counted times the epochs", () => {
    const rows = rowsOf(() => 0.2, { LookSAM: 1.2 });
    const computeOf = (method: string) => rows.find((row) => row.method === method)!.compute;

    assert.deepEqual(["SGD", "SGD, twice the epochs", "SAM", "SAM every 2nd step", "LookSAM"].map(computeOf), [1, 2, 2, 1.5, 1.2]); // prettier-ignore
  });

  it("perturbs normalization layers only where the network has some", () => {
    const methods = (budget: "lab" | "paper") => new Set(family.plan(budget, []).map(({ labels }) => labels.method));

    assert.ok(!methods("lab").has("SAM-ON"));
    assert.ok(methods("paper").has("SAM-ON"));
  });

  describe("answers which one to use", () => {
    it("with plain SAM where no variant beats it, and names the cheapest that is not told apart from it", () => {
      const said = answer(rowsOf((method) => (isSgd(method) ? 0.4 : 0.3), { MSAM: 1, LookSAM: 1.2 }));

      assert.match(
        said,
        /Plain SAM, since no variant beats it beyond the noise of the seeds; MSAM takes 1\.00 gradients a step instead of 2 and is not found worse than SAM: its error is \d\.\d\d±\S+ points/,
      );
    });

    it("with a variant that beats SAM, and where", () => {
      const said = answer(rowsOf((method, noiseRate) => (isSgd(method) ? 0.4 : method === "GSAM" && noiseRate > 0 ? 0.25 : 0.3)));

      assert.match(said, /here\? GSAM, which beats SAM at 40 % noise;/);
    });

    it("with no cheaper variant where all of them lose to SAM", () => {
      const said = answer(rowsOf((method) => (method === "SAM" ? 0.2 : isSgd(method) ? 0.4 : 0.3)));

      assert.match(said, /Plain SAM.*; no cheaper variant is found below SGD and not above SAM/);
    });

    it("with plain SAM only where it beats SGD with as many gradients, and with SGD where it does nowhere", () => {
      const noisyOnly = answer(rowsOf((method, noiseRate) => (isSgd(method) && noiseRate > 0 ? 0.4 : 0.3)));

      assert.match(noisyOnly, /here\? Plain SAM at 40 % noise, since/);
      assert.match(answer(rowsOf(() => 0.3)), /here\? SGD, since these seeds find neither SAM nor a variant below/);
    });
  });

  it("counts every comparison with SAM in one family of tests, and lists them by verdict", () => {
    const rows = rowsOf((method) => (isSgd(method) ? 0.4 : method === "ASAM" ? 0.25 : 0.3));
    const claims = family.claims(rows, "lab");

    assert.equal(claims.length, 2 + 2 * 15);
    const sentences = conclusionsOf(family as never, rows, "lab").join("\n");
    assert.match(sentences, /The claim that SAM has a lower test error than SGD with as many gradients holds/);
    assert.match(
      sentences,
      /The claim that the variant has a lower test error than SAM holds for ASAM\. These seeds do not decide it for SAM every 2nd step, ASAM \(as ported\)/,
    );
  });
});
