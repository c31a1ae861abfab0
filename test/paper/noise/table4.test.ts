import assert from "node:assert/strict";
import { runConfig, runKey } from "../../../src/experiments/config";
import type { PlannedRun } from "../../../src/experiments/plan";
import { isComplete } from "../../../src/paper/item";
import { describeChoice, noiseMethod, noiseMethods } from "../../../src/paper/noise/methods";
import { gainsOver, SGD_BASELINE } from "../../../src/paper/noise/accuracies";
import { table4 } from "../../../src/paper/noise/table4";
import { labRecords } from "../../support/noiseRecords";
import { conclude, recordOf, recordsOf } from "../../support/records";

const isTuning = ({ labels }: PlannedRun) => labels.stage === "tuning";
const tuning = () => table4.plan("lab", []).filter(isTuning);
const runsOf = (method: string, records: Parameters<typeof table4.plan>[1]) =>
  table4.plan("lab", records).filter((run) => !isTuning(run) && run.labels.method === method);

describe("paper/noise/table4", () => {
  describe("plan", () => {
    it("reports from the start what has nothing to tune, SGD and co-teaching; the others wait", () => {
      const reported = table4.plan("lab", []).filter((run) => !isTuning(run));

      assert.deepEqual(
        [...new Set(reported.map(({ labels }) => labels.method))],
        ["SGD", "SGD, twice the epochs", "Co-teaching (two networks)"],
      );
      assert.equal(reported.length, 3 * 4 * 5); // four noise rates, five seeds
    });

    it("tunes on clean images that no run is trained on, with labels flipped and weights drawn from seeds that are not reported", () => {
      for (const { config } of tuning()) {
        const { dataset, noise, training } = runConfig(config);
        assert.deepEqual([dataset.heldOutSize, dataset.heldOutSeed, noise!.noiseSeed], [2000, training.seed, training.seed]);
      }
      assert.deepEqual([...new Set(tuning().map(({ config }) => config.training.seed))], [1000, 1001, 1002]);
      for (const { config } of table4.plan("lab", []).filter((run) => !isTuning(run)))
        assert.equal(config.dataset.heldOutSize ?? 0, 0);
    });

    it("takes for each noise rate the hyper-parameters that were best on the held-out images, the first of equals", () => {
      // SAM's ρ are 0.05, 0.1, 0.2, 0.5, in this order: index 2 at 20 %, 1 at 40 %; a tie at 60 %
      const best: Record<number, number> = { 0.2: 2, 0.4: 1 };
      const records = recordsOf(tuning(), ({ labels }) => (best[Number(labels.noiseRate)] === labels.index ? 0.1 : 0.2));

      const chosen = runsOf("SAM", records).map(({ config, labels }) => [labels.noiseRate, config.training.rho]);

      assert.deepEqual([chosen[0], chosen[5], chosen[10]], [[0.2, 0.2], [0.4, 0.1], [0.6, 0.05]]); // prettier-ignore
      assert.equal(chosen.length, 20);
    });

    it("waits for the whole search of a method at a noise rate, and never takes what diverged", () => {
      const sam = tuning().filter(({ labels }) => labels.method === "SAM" && labels.noiseRate === 0.2);
      const diverged = recordOf(sam[0]!.config, { testErrorRate: 0.01, divergedInEpoch: 3 });
      const rest = recordsOf(sam.slice(1), ({ labels }) => 0.3 - Number(labels.index) / 100);

      assert.deepEqual(runsOf("SAM", [diverged, ...rest.slice(1)]), []);
      assert.equal(runsOf("SAM", [diverged, ...rest])[0]!.config.training.rho, 0.5);
    });

    it("is complete when every method's runs at its choice are recorded", () => {
      assert.ok(
        !isComplete(
          table4,
          "lab",
          recordsOf(table4.plan("lab", []), () => 0.2),
        ),
      );
      assert.ok(
        isComplete(
          table4,
          "lab",
          labRecords(() => 0.8),
        ),
      );
    });

    it("gives a method with one gradient a step at most twice SAM's epochs: the same number of gradients", () => {
      const reported = table4.plan("lab", labRecords(() => 0.8)).filter((run) => !isTuning(run)); // prettier-ignore

      for (const { config } of reported) {
        const { epochs, rho, method } = runConfig(config).training;
        const oneGradient = rho === 0 && method.name !== "coTeaching";
        assert.ok(epochs === 40 || (epochs === 80 && oneGradient), `${epochs} epochs, ρ = ${rho}, ${method.name}`);
      }
    });

    it("shows all methods of a seed the same images and the same flipped labels, and tests each as often", () => {
      const seed1 = table4.plan("lab", labRecords(() => 0.8)).filter((run) => run.config.training.seed === 1); // prettier-ignore
      const at40 = seed1.filter(({ labels }) => labels.noiseRate === 0.4).map(({ config }) => runConfig(config));

      assert.equal(at40.length, noiseMethods.length);
      for (const { dataset, noise, model, training } of at40) {
        assert.deepEqual([dataset, noise, model], [at40[0]!.dataset, at40[0]!.noise, at40[0]!.model]);
        assert.equal(training.epochs / training.evaluateEvery, 20);
      }
    });

    it("tells methods that need it the noise rate: forward correction its matrix, co-teaching the share to forget", () => {
      const at60 = table4.plan("lab", labRecords(() => 0.8)).filter((run) => run.labels.noiseRate === 0.6); // prettier-ignore
      const trainingOf = (method: string) =>
        runConfig(at60.find((run) => !isTuning(run) && run.labels.method === method)!.config).training;
      const { loss } = trainingOf("Forward correction (known matrix)");
      const { method } = trainingOf("Co-teaching (two networks)");

      // 60 % of the labels go to nine other classes: 0.6 / 9
      const [row] = (loss as { transitionMatrix: number[][] }).transitionMatrix;
      assert.deepEqual([row![0]!.toFixed(6), row![1]!.toFixed(6), row!.length], ["0.400000", "0.066667", 10]);
      assert.deepEqual(method, { name: "coTeaching", forgetRate: 0.6, rampEpochs: 2 });
    });

    it("at paper has the paper's settings: ResNet-32, all of CIFAR-10, 200 epochs, ρ = 0.1, and 0.05 at 80 % noise", () => {
      const runs = table4.plan("paper", []).filter((run) => run.labels.method === "SAM" && run.config.training.seed === 0);
      const configs = runs.map(({ config }) => runConfig(config));

      // paper.md section 3.4
      assert.deepEqual(configs.map(({ noise, training }) => [noise!.noiseRate, training.rho]), [[0.2, 0.1], [0.4, 0.1], [0.6, 0.1], [0.8, 0.05]]); // prettier-ignore
      const { dataset, model, training } = configs[0]!;
      assert.deepEqual([dataset.name, dataset.trainSize, training.epochs], ["cifar-10", 0, 200]);
      assert.deepEqual([model.name, (model as { depth: number }).depth], ["resNetCifar", 32]);
    });

    it("has keys that tell its budgets apart", () => {
      const keys = (["smoke", "demo", "lab", "paper"] as const).flatMap((budget) =>
        table4.plan(budget, []).map(({ config }) => runKey(config)),
      );

      assert.equal(new Set(keys).size, keys.length);
    });
  });

  it("has a row for each reported run with what was chosen for it, and none for tuning", () => {
    const rows = table4.rows("lab", labRecords(() => 0.8)); // prettier-ignore

    assert.equal(rows.length, noiseMethods.length * 4 * 5);
    assert.equal(rows.find(({ method }) => method === "SAM")!.choice, "ρ 0.05");
    assert.equal(rows.find(({ method }) => method === "Mixup")!.choice, "α 1, 40 epochs");
    assert.equal(rows.find(({ method }) => method === "SGD")!.choice, "");
  });

  it("compares SAM with SGD at twice the epochs, even if SGD at the same epochs is better", () => {
    const rows = table4.rows(
      "lab",
      labRecords((method) => ({ SAM: 0.7, SGD: 0.65 })[method] ?? 0.6),
    );
    const gains = gainsOver(rows, { method: "SAM", baseline: SGD_BASELINE });

    assert.deepEqual(gains.map(({ noiseRate, gain }) => [noiseRate, gain.mean.toFixed(6)]), [0.2, 0.4, 0.6, 0.8].map((rate) => [rate, "0.100000"])); // prettier-ignore
    assert.deepEqual(gainsOver([], { method: "SAM", baseline: SGD_BASELINE }), []);
  });

  it("names what a search chose, and nothing where there was nothing to choose", () => {
    const search = [
      { epochs: 40, mixupAlpha: 1 },
      { epochs: 40, mixupAlpha: 8 },
    ];

    assert.equal(describeChoice(search, search[1]!), "α 8");
    assert.equal(describeChoice([search[0]!], search[0]!), "");
  });

  it("an unknown method is an error that names those there are", () => {
    assert.throws(() => noiseMethod("Sam"), /no method "Sam"; there are .*SGD, .*SAM/);
  });

  describe("conclusions", () => {
    // Differences of SAM seed by seed are −4, −2, 0, 2, 4 points from their mean: s = √10, t(0.975; 4)·√10/√5 = 2.776·√2 = 3.9
    const say = (accuracyOf: (method: string, noiseRate: number) => number) => conclude(table4, "lab", labRecords(accuracyOf));

    it("say at which noise rates SAM beats SGD at twice the epochs, at which it does not, and where the seeds do not decide", () => {
      const gain: Record<number, number> = { 0.2: 0.05, 0.4: 0.01, 0.6: -0.1, 0.8: 0.2 };
      const [sgd, , , , , best] = say((method, noiseRate) => (method === "SAM" ? 0.5 + gain[noiseRate]! : 0.5));

      assert.match(
        sgd!,
        /\+5\.0±3\.9 points at 20 %, \+1\.0±3\.9 points at 40 %, −10\.0±3\.9 points at 60 %, \+20\.0±3\.9 points at 80 %/,
      );
      assert.match(
        sgd!,
        /The claim that SAM beats SGD holds at 20 %, 80 %\. It does not hold at 60 %\. These seeds do not decide it at 40 %\.$/,
      );
      assert.match(best!, /^At each run's best epoch.* \+5\.0±3\.9 points at 20 %/);
    });

    it("name what is above SAM, apart for the paper's rows and for the extra ones", () => {
      const winners: Record<string, number> = { "GCE (truncated)": 0.7, SCE: 0.65 };
      const [, listed, , , , , extra] = say((method, noiseRate) => (noiseRate === 0.4 ? (winners[method] ?? 0.5) : method === "SAM" ? 0.9 : 0.5)); // prettier-ignore

      assert.match(
        listed!,
        /^Above SAM in the mean are, at 40 %: GCE \(truncated\) \(\+20\.0±3\.9\)\. .* It does not hold at 40 %\.$/,
      );
      assert.match(extra!, /above SAM in the mean are, at 40 %: SCE \(\+15\.0±3\.9\)\.$/);
    });

    it("say so where nothing is above SAM", () => {
      const [, listed, , , , , extra] = say((method) => (method === "SAM" ? 0.9 : 0.5));

      assert.match(
        listed!,
        /^No other method .* MentorMix aside\. The claim that plain SAM beats the other methods holds at 20 %, 40 %, 60 %, 80 %\.$/,
      );
      assert.equal(extra, "None of the extra rows is above SAM.");
    });

    it("are none without records", () => {
      assert.deepEqual(conclude(table4, "lab", []), []);
    });
  });
});
