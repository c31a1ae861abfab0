import assert from "node:assert/strict";
import { runConfig, runKey } from "../../../src/experiments/config";
import type { PlannedRun } from "../../../src/experiments/plan";
import { isComplete } from "../../../src/paper/item";
import type { RunRecord } from "../../../src/experiments/records";
import { comparisonMethods, comparisonRows } from "../../../src/paper/comparison/comparison";
import { table5 } from "../../../src/paper/comparison/table5";
import { conclude, recordOf, recordsOf } from "../../support/records";

const isTuning = ({ labels }: PlannedRun) => labels.stage === "tuning";
const tuning = () => table5.plan("lab", []).filter(isTuning);
const samRuns = (records: readonly RunRecord[]) => table5.plan("lab", records).filter(({ labels }) => labels.method === "SAM");

/** Tuning records with the given held-out error for each augmentation and ρ. */
const tuned = (errors: Record<string, Record<number, number>>) =>
  recordsOf(
    tuning().filter(({ labels }) => errors[labels.augment!]),
    ({ labels }) => errors[labels.augment!]![labels.rho as number]!,
  );

/** Complete demo records: errors of three seeds for SGD, SGD at twice the epochs and SAM. */
function demo(errors: readonly (readonly [number, number, number])[]): RunRecord[] {
  return recordsOf(table5.plan("demo", []), ({ labels, config }) => {
    const method = comparisonMethods.indexOf(labels.method as (typeof comparisonMethods)[number]);
    return errors[method]![config.training.seed!]!;
  });
}

describe("paper/comparison/table5", () => {
  describe("plan", () => {
    it("names the tuning runs and those of SGD first; SAM's await the tuned ρ", () => {
      const plan = table5.plan("lab", []);

      assert.equal(tuning().length, 6); // two augmentations, three ρ
      assert.equal(plan.length - 6, 20); // two augmentations, five seeds, SGD at once and twice the epochs
      assert.deepEqual(samRuns([]), []);
    });

    it("tunes on training images that no run is trained on, with a seed that is not reported", () => {
      for (const { config } of tuning()) {
        assert.ok(config.dataset.validationSize! > 0);
        assert.equal(config.training.seed, 1000);
      }
      for (const { config } of table5.plan("lab", []).filter((run) => !isTuning(run))) {
        assert.equal(config.dataset.validationSize ?? 0, 0);
        assert.ok(config.training.seed! < 10);
      }
    });

    it("goes on with SAM at the ρ that was best on the held-out images, for each augmentation its own", () => {
      const records = tuned({ basic: { 0.05: 0.2, 0.1: 0.19, 0.2: 0.17 }, cutout: { 0.05: 0.15, 0.1: 0.16, 0.2: 0.3 } });

      const found = samRuns(records).map(({ config, labels }) => {
        assert.equal(config.training.rho, labels.rho);
        return `${labels.augment} ${labels.rho} ${config.training.seed}`;
      });

      const seeds = [0, 1, 2, 3, 4];
      assert.deepEqual(found, [...seeds.map((seed) => `basic 0.2 ${seed}`), ...seeds.map((seed) => `cutout 0.05 ${seed}`)]);
      assert.ok(!isComplete(table5, "lab", records));
    });

    it("waits for the whole grid of an augmentation, and for that alone", () => {
      const records = tuned({ basic: { 0.05: 0.2, 0.1: 0.19, 0.2: 0.17 }, cutout: { 0.05: 0.1, 0.1: 0.2, 0.2: 0.3 } });

      assert.deepEqual(samRuns(records.slice(0, 2)), []);
      assert.deepEqual([...new Set(samRuns(records.slice(0, 5)).map(({ labels }) => labels.augment))], ["basic"]);
    });

    it("takes the smaller ρ of equals, and none that diverged", () => {
      const equal = tuned({ basic: { 0.05: 0.2, 0.1: 0.2, 0.2: 0.2 } });
      const diverging = tuning()
        .slice(0, 3)
        .map(({ config }, i) =>
          recordOf(config, i === 0 ? { testErrorRate: 0.01, divergedInEpoch: 3 } : { testErrorRate: 0.5 - i / 10 }),
        );

      assert.equal(samRuns(equal)[0]!.labels.rho, 0.05);
      assert.equal(samRuns(diverging)[0]!.labels.rho, 0.2);
    });

    it("is complete when the runs at the tuned ρ are recorded too", () => {
      const first = recordsOf(table5.plan("lab", []), () => 0.2);
      const all = [...first, ...recordsOf(samRuns(first), () => 0.1)];

      assert.ok(!isComplete(table5, "lab", first));
      assert.ok(isComplete(table5, "lab", all));
    });

    it("differs within a method and seed in nothing but the method: same data, network, batch and start", () => {
      const runs = table5
        .plan("demo", [])
        .filter(({ labels, config }) => labels.augment === "basic" && config.training.seed === 1);
      const [sgd, twice, sam] = runs.map(({ config }) => runConfig(config));

      assert.deepEqual(sam, { ...sgd!, training: { ...sgd!.training, rho: sam!.training.rho } });
      assert.deepEqual(twice, { ...sgd!, training: { ...sgd!.training, epochs: 2 * sgd!.training.epochs } });
      assert.equal(sgd!.training.rho, 0);
    });

    describe("at paper", () => {
      const paperRuns = (where: Record<string, string>) =>
        table5
          .plan("paper", [])
          .filter(({ labels }) => Object.entries(where).every(([label, value]) => labels[label] === value))
          .map(({ config }) => runConfig(config));

      it("has two networks, two data sets, two augmentations, three methods and five seeds", () => {
        assert.equal(table5.plan("paper", []).length, 2 * 2 * 2 * 3 * 5);
      });

      it("trains WRN-28-10 on all of Fashion-MNIST with Table 7's settings, 256 images over 8 devices", () => {
        const { dataset, model, training } = paperRuns({ data: "Fashion-MNIST", model: "WRN-28-10", method: "SAM" })[0]!;

        assert.deepEqual([dataset.name, dataset.trainSize, dataset.testSize, dataset.validationSize], ["fashion-mnist", 0, 0, 0]);
        assert.deepEqual(model, { name: "wideResNet", depth: 28, widenFactor: 10, batchNorm: true, dropout: 0 });
        // paper.md: Table 7 for Fashion-MNIST, Sec. 3.1 for batch 256; m = 256 / 8
        const { batchSize, m, rho, learningRate, weightDecay, schedule } = training;
        assert.deepEqual({ batchSize, m, rho, learningRate, weightDecay, schedule }, {
          ...{ batchSize: 256, m: 32, rho: 0.05, learningRate: 0.1, weightDecay: 0.0005, schedule: "cosine" },
        }); // prettier-ignore
      });

      for (const [data, model, rho, learningRate] of [
        ["SVHN", "WRN-28-10", 0.01, 0.01],
        ["SVHN", "Shake-Shake (26 2x96d)", 0.01, 0.01],
        ["Fashion-MNIST", "WRN-28-10", 0.05, 0.1],
        ["Fashion-MNIST", "Shake-Shake (26 2x96d)", 0.02, 0.1],
      ] as const)
        it(`takes the ρ and learning rate of Table 7 for ${model} on ${data}`, () => {
          const sam = paperRuns({ data, model, method: "SAM" });

          assert.equal(sam.length, 2 * 5);
          for (const { training } of sam) assert.deepEqual([training.rho, training.learningRate], [rho, learningRate]);
        });

      it("means by auto augment SVHN's policy with cutout on SVHN, and cutout alone on Fashion-MNIST", () => {
        const augments = (data: string) => [...new Set(paperRuns({ data }).map(({ training }) => training.augment))];

        assert.deepEqual(augments("SVHN"), ["basic", "autoaugment-svhn"]);
        assert.deepEqual(augments("Fashion-MNIST"), ["basic", "cutout"]);
      });
    });
  });

  it("has a row for each reported run, and none for tuning", () => {
    const records = recordsOf(table5.plan("lab", []), () => 0.2);

    const rows = comparisonRows(table5.comparison("lab"), records);

    assert.equal(rows.length, 20);
    assert.deepEqual([...new Set(rows.map(({ method }) => method))], ["SGD", "SGD, twice the epochs"]);
  });

  describe("conclusions", () => {
    const basic = (records: RunRecord[]) => conclude(table5, "demo", records)[0]!;

    it("say that the claim holds where SAM wins beyond the seeds' noise, against SGD at twice the epochs", () => {
      const text = basic(
        demo([
          [0.2, 0.201, 0.199],
          [0.15, 0.151, 0.149],
          [0.1, 0.099, 0.101],
        ]),
      );

      // 5 points below 15: a third. Differences 5.0, 5.2, 4.8 points: t(0.975; 2)·0.2/√3 = 4.303·0.1155 = 0.497
      assert.equal(text, "ConvNet 16-32-64, basic: SAM's error (ρ = 0.1) is 5.00±0.50 points (33.3 %) below that of SGD at twice the epochs, 10.00±0.50 points (50.0 %) below that of SGD at the same epochs. The claim that SAM lowers the test error holds."); // prettier-ignore
    });

    it("say that it does not where SAM is worse", () => {
      const text = basic(
        demo([
          [0.1, 0.101, 0.099],
          [0.12, 0.121, 0.119],
          [0.15, 0.149, 0.151],
        ]),
      );

      assert.equal(text, "ConvNet 16-32-64, basic: SAM's error (ρ = 0.1) is 3.00±0.50 points (25.0 %) above that of SGD at twice the epochs, 5.00±0.50 points (50.0 %) above that of SGD at the same epochs. The claim that SAM lowers the test error does not hold."); // prettier-ignore
    });

    it("say that these seeds do not decide where the interval holds 0", () => {
      const text = basic(
        demo([
          [0.1, 0.2, 0.3],
          [0.3, 0.3, 0.3],
          [0.1, 0.19, 0.28],
        ]),
      );

      // 20, 11 and 2 points: t(0.975; 2)·9/√3 = 22.36
      assert.match(
        text,
        /11\.00±22\.36 points .* below that of SGD at twice the epochs, .* These seeds do not decide whether SAM lowers the test error\.$/,
      );
    });

    it("hold where nobody errs", () => {
      const text = basic(
        demo([
          [0, 0, 0],
          [0, 0, 0],
          [0, 0, 0],
        ]),
      );

      assert.ok(!text.includes("NaN"), text);
      assert.match(text, /These seeds do not decide/);
    });

    it("are one sentence for each augmentation and one for both, and none without records", () => {
      const records = demo([
        [0.2, 0.2, 0.2],
        [0.2, 0.2, 0.2],
        [0.1, 0.1, 0.1],
      ]);

      const starts = conclude(table5, "demo", records).map((text) => text.split(":")[0]);

      assert.deepEqual(starts.slice(0, 2), ["ConvNet 16-32-64, basic", "ConvNet 16-32-64, cutout"]);
      assert.equal(starts[2], "SAM's mean error is lower in 2 of 2 conditions");
      assert.deepEqual(conclude(table5, "demo", []), []);
    });
  });

  it("has keys that tell its budgets apart", () => {
    const keys = (["smoke", "demo", "lab", "paper"] as const).flatMap((budget) =>
      table5.plan(budget, []).map(({ config }) => runKey(config)),
    );

    assert.equal(new Set(keys).size, keys.length);
  });
});
