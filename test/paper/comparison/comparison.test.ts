import assert from "node:assert/strict";
import {
  comparisonMethods,
  comparisonPlan,
  comparisonResults,
  tunedRho,
  type Comparison,
  type Condition,
} from "../../../src/paper/comparison/comparison";
import { comparisonClaims, comparisonItem } from "../../../src/paper/comparison/comparisonItem";
import { countClaims } from "../../../src/paper/claims";
import { runConfig, runKey } from "../../../src/experiments/config";
import { missingRuns } from "../../../src/experiments/plan";
import { conclude, recordsOf, tinyRun } from "../../support/records";

const condition = (name: string, training: Parameters<typeof tinyRun>[0], parts: Partial<Condition> = {}): Condition => ({
  labels: { model: name },
  config: tinyRun(training),
  rhos: [0.1],
  ...parts,
});

const table = (conditions: Condition[], parts: Partial<Comparison> = {}): Comparison => ({
  ...{ conditions, methods: comparisonMethods, seeds: 3 },
  ...parts,
});

const itemOf = (comparison: Comparison) =>
  comparisonItem({ id: "table-1", title: "Table", claim: "None.", comparison: () => comparison });

/** Records in which every method has one error for all conditions, or one of each condition's own. */
function recorded(comparison: Comparison, errorOf: (method: string, model: string, seed: number) => number) {
  return recordsOf(comparisonPlan(comparison, []), ({ labels, config }) =>
    errorOf(String(labels.method), String(labels.model), config.training.seed!),
  );
}

describe("paper/comparison/comparison", () => {
  it("plans every condition with every method and seed, and nothing else where ρ is given", () => {
    const plan = comparisonPlan(table([condition("A", {}), condition("B", { epochs: 3 })]), []);

    assert.equal(plan.length, 2 * 3 * 3);
    assert.deepEqual(
      plan.slice(0, 3).map(({ labels, config }) => [labels.method, config.training.epochs, config.training.rho]),
      [
        ["SGD", 2, 0],
        ["SGD, twice the epochs", 4, 0],
        ["SAM", 2, 0.1],
      ],
    );
  });

  it("names a run once where two conditions share it: SGD at twice the epochs is another's SGD", () => {
    const plan = comparisonPlan(table([condition("A", { epochs: 2 }), condition("B", { epochs: 4 })], { seeds: 1 }), []);

    const keys = plan.map(({ config }) => runKey(config));
    assert.equal(new Set(keys).size, keys.length);
    assert.equal(plan.length, 2 * 3 - 1);
  });

  it("gives a shared run to both conditions all the same", () => {
    const comparison = table([condition("A", { epochs: 2 }), condition("B", { epochs: 4 })], { seeds: 1 });
    const records = recordsOf(comparisonPlan(comparison, []), ({ config }) => config.training.epochs / 100);

    const [a, b] = comparisonResults(comparison, records);

    assert.deepEqual(a!.errors["SGD, twice the epochs"], [0.04]);
    assert.deepEqual(b!.errors.SGD, [0.04]);
  });

  it("tunes once for conditions that are tuned on the same run, and each goes on with that ρ", () => {
    const tunedOn = tinyRun({ epochs: 2 });
    const [short, long] = [2, 8].map((epochs) => condition(`${epochs}`, { epochs }, { rhos: [0.1, 0.2], tunedOn }));
    const comparison = table([short!, long!], { seeds: 1 });

    const tuning = comparisonPlan(comparison, []).filter(({ labels }) => labels.stage === "tuning");
    const records = recordsOf(tuning, ({ labels }) => (labels.rho === 0.2 ? 0.1 : 0.3));

    assert.equal(tuning.length, 2 * 3);
    for (const { config } of tuning) {
      const { dataset, training } = runConfig(config);
      assert.deepEqual([dataset.heldOutSize, training.epochs, dataset.heldOutSeed], [64, 2, training.seed]);
    }
    assert.deepEqual([...new Set(tuning.map(({ config }) => config.training.seed))], [1000, 1001, 1002]);
    assert.equal(tunedRho(short!, comparison, records), 0.2);
    assert.equal(tunedRho(long!, comparison, records), 0.2);
    assert.equal(tunedRho(long!, comparison, records.slice(1)), undefined);
    const sams = comparisonPlan(comparison, records).filter(({ labels }) => labels.method === "SAM");
    assert.deepEqual(sams.map(({ config }) => [config.training.epochs, config.training.rho]), [[2, 0.2], [8, 0.2]]); // prettier-ignore
  });

  it("holds out at least one image to tune on, and no more than are trained on", () => {
    const comparison = (heldOutSize: number) => table([condition("A", {}, { rhos: [0.1, 0.2], heldOutSize })]);

    assert.throws(
      () => comparisonPlan(comparison(0), []),
      /heldOutSize = 0: expected 1 to 64, the number of images that are trained on/,
    );
    assert.throws(() => comparisonPlan(comparison(65), []), /heldOutSize = 65: expected 1 to 64/);
    assert.equal(comparisonPlan(comparison(64), []).filter(({ labels }) => labels.stage === "tuning").length, 6);
  });

  it("takes the ρ with the lowest mean over the tuning seeds, not that of the luckiest seed", () => {
    const tuned = condition("A", {}, { rhos: [0.1, 0.2] });
    const comparison = table([tuned]);
    const tuning = comparisonPlan(comparison, []).filter(({ labels }) => labels.stage === "tuning");
    // ρ = 0.1: 30, 30, 0 %, on average 20 %; ρ = 0.2: 19 % each
    const records = recordsOf(tuning, ({ labels, config }) =>
      labels.rho === 0.2 ? 0.19 : config.training.seed === 1002 ? 0 : 0.3,
    );

    assert.equal(tunedRho(tuned, comparison, records), 0.2);
  });

  it("compares with SGD at twice the epochs, even if SGD at the same epochs is better: the baseline is not chosen by its error", () => {
    const comparison = table([condition("A", {}), condition("B", { epochs: 3 })]);
    const records = recorded(comparison, (method, model) =>
      method === "SAM" ? 0.1 : (method === "SGD") === (model === "A") ? 0.2 : 0.3,
    );

    const results = comparisonResults(comparison, records);

    assert.deepEqual(results.map(({ baseline, gain }) => [baseline, Number(gain.mean.toFixed(6))]), [["SGD, twice the epochs", 0.2], ["SGD, twice the epochs", 0.1]]); // prettier-ignore
  });

  it("compares with SGD at the same epochs where a table has no other", () => {
    const comparison = table([condition("A", {})], { methods: ["SGD", "SAM"] });

    const [result] = comparisonResults(
      comparison,
      recorded(comparison, (method) => (method === "SAM" ? 0.1 : 0.2)),
    );

    assert.equal(result!.baseline, "SGD");
    assert.deepEqual(result!.errors["SGD, twice the epochs"], []);
  });

  it("counts where SAM is lower, better and worse beyond the noise", () => {
    // Differences seed by seed have s = 0.004: t(0.975; 2)·0.004/√3 = 0.0099, and by Holm of three t(1 − 0.05/6; 2) = 7.65 in place
    // of 4.30: 0.0177. Gains: 0.05 and 0.005 and −0.05
    const sam: Record<string, number> = { A: 0.15, B: 0.195, C: 0.25 };
    const comparison = table(["A", "B", "C"].map((name, i) => condition(name, { epochs: 2 + i, learningRate: 0.1 / (i + 1) })));
    const records = recorded(comparison, (method, model, seed) =>
      method === "SAM" ? sam[model]! - 0.002 * (seed - 1) : 0.2 + 0.002 * (seed - 1),
    );

    const results = comparisonResults(comparison, records);

    const claims = comparisonClaims(results);
    assert.deepEqual(claims.map(({ verdict }) => verdict), ["yes", "undecided", "no"]); // prettier-ignore
    assert.deepEqual(countClaims(claims), { yes: 1, no: 1, undecided: 1, "one seed": 0 });
    assert.equal(
      conclude(itemOf(comparison), "lab", records).at(-1),
      "SAM's mean error is lower in 2 of 3 conditions: beyond the seeds' noise in 1, and higher beyond it in 1.",
    );
  });

  it("says of one seed that nothing is decided", () => {
    const comparison = table([condition("A", {})], { seeds: 1 });
    const records = recorded(comparison, (method) => (method === "SAM" ? 0.1 : 0.2));

    assert.equal(comparisonClaims(comparisonResults(comparison, records))[0]!.verdict, "one seed");
    assert.match(
      conclude(itemOf(comparison), "lab", records)[0]!,
      /^A: .*10\.00 points \(50\.0 %\) below that of SGD at twice the epochs, .* One seed cannot decide whether SAM lowers the test error\.$/,
    );
  });

  it("pairs the methods by seed, whatever order their records come in, and drops a seed that one of them lacks", () => {
    const comparison = table([condition("A", {})]);
    // SGD 10, 20, 30 %, twice 11, 21, 31 %, SAM 8, 18, 28 %: 3 points at each seed
    const all = recorded(comparison, (method, _, seed) => (({ SGD: 0.1, SAM: 0.08 })[method] ?? 0.11) + seed / 10);
    const without = all.filter(({ config }) => config.training.seed !== 1 || config.training.rho === 0);

    const [paired] = comparisonResults(comparison, [...all].reverse());
    const [two] = comparisonResults(comparison, without);

    assert.deepEqual(
      [paired!.gain.mean.toFixed(6), paired!.gain.interval!.toFixed(6), paired!.gain.n],
      ["0.030000", "0.000000", 3],
    );
    assert.deepEqual([two!.seeds, two!.errors.SGD.length, two!.gain.n], [[0, 2], 2, 2]);
  });

  it("warns of a tuned ρ at the edge of its grid, and of no other", () => {
    const edgeOf = (best: number) => {
      const tuned = condition("A", {}, { rhos: [0.05, 0.1, 0.2] });
      const comparison = table([tuned], { validationSize: 16 });
      const first = recordsOf(comparisonPlan(comparison, []), ({ labels }) => (labels.rho === best ? 0.1 : 0.2));
      const all = [...first, ...recordsOf(missingRuns(comparisonPlan(comparison, first), first), () => 0.1)];
      const item = itemOf(comparison);
      return item.table(item.rows("lab", all), "lab").footnotes!.filter((note) => note.includes("edge"));
    };

    assert.deepEqual(edgeOf(0.2), ["The tuned ρ is at the edge of its grid for A (0.2)."]);
    assert.deepEqual(edgeOf(0.1), []);
  });

  it("leaves out a condition whose records are not there yet", () => {
    const comparison = table([condition("A", {}), condition("B", { epochs: 3 })]);
    const all = recorded(comparison, () => 0.2);

    const some = comparisonResults(comparison, all.filter(({ config }) => config.training.epochs !== 3)); // prettier-ignore

    assert.deepEqual(some.map(({ condition }) => condition.labels.model), ["A"]); // prettier-ignore
  });

  it("describes each network, data set and number of epochs once", () => {
    const comparison = table([condition("A", { epochs: 2 }), condition("B", { epochs: 4 }), condition("C", { epochs: 4 })]);

    assert.equal(
      itemOf(comparison).describe("lab"),
      "MLP 4, 64 training and 40 test images that were generated, not real, 2 and 4 epochs, 3 seeds",
    );
  });
});
