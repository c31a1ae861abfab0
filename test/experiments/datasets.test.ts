import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { augmentNames, takeClasses, type Dataset } from "../../src/data";
import { tf, Rng } from "../../src/engine";
import { mlp, withResizedInput } from "../../src/models";
import { datasetConfig, runConfig, runKey, type RunOptions } from "../../src/experiments/config";
import { datasetNames, factsOf, loadSplit } from "../../src/experiments/datasets";
import { folderOfSplit } from "../../src/experiments/folderSets";
import { describeDataset, labeledRows } from "../../src/experiments/plan";
import { runData, runModel, runRecord } from "../../src/experiments/run";
import { runCost } from "../../src/experiments/runCost";
import { numberedDataset, temporaryFolder } from "../data/support";
import { expectNoLeak } from "../support/noLeak";
import { recordOf, tinyRun } from "../support/records";

const absent = datasetNames.filter((name) => !["fashion-mnist", "generated"].includes(name));
const halved = (classes: "first-half" | "second-half", sizes: object = {}): RunOptions =>
  tinyRun({}, { dataset: { name: "generated", trainSize: 64, testSize: 40, classes, ...sizes } });

describe("experiments/datasets", () => {
  describe("if a set's files are missing, the error names an address and the folder where they belong:", () => {
    for (const name of absent)
      it(name, async () => {
        const config = datasetConfig({ name });

        await assert.rejects(loadSplit(config, "train", 0), (error: Error) => {
          assert.match(error.message, /https?:\/\/\S+\.(tar\.gz|tgz|tar|mat|gz)/);
          assert.match(error.message, new RegExp(`data/cache/${name}`));
          return true;
        });
      });
  });

  describe("a folder set", () => {
    const folder = temporaryFolder();

    it("has its splits as lists of files beside its class folders", async () => {
      await mkdir(folder.path("pets"));
      await writeFile(folder.path("pets/train.txt"), "");

      const { folder: root, splitFile } = folderOfSplit("oxford_iiit_pets", "train", folder.path("pets"));

      assert.equal(root, folder.path("pets"));
      assert.equal(splitFile, folder.path("pets/train.txt"));
      assert.throws(() => folderOfSplit("oxford_iiit_pets", "test", folder.path("pets")), /pets\/test\.txt/);
    });

    it("has its splits as folders if it is ImageNet", async () => {
      await mkdir(folder.path("imagenet/val"), { recursive: true });

      assert.deepEqual(folderOfSplit("imagenet", "test", folder.path("imagenet")), { folder: folder.path("imagenet/val") });
      assert.throws(() => folderOfSplit("imagenet", "train", folder.path("imagenet")), /an account at https:\/\/image-net\.org/);
    });
  });

  it("Examples of chosen classes keep their order, and a class is renumbered by its place in the list", () => {
    const numbered: Dataset = { ...numberedDataset(6), classNames: ["a", "b", "c"] };

    const { labels, images, numClasses, classNames, size } = takeClasses(numbered, [2, 0]);

    // Labels 0 1 2 0 1 2: images 0, 2, 3 and 5 stay.
    assert.deepEqual([...labels], [1, 0, 1, 0]);
    assert.deepEqual([size, numClasses, images[0], images[4], images[8], images[12]], [4, 2, 0, 2, 3, 5]);
    assert.deepEqual(classNames, ["c", "a"]);
    assert.throws(() => takeClasses(numbered, [3]), /classes: label 0 is 3, expected an integer from 0 to 2/);
  });

  it("The halves of the classes have different images, and labels from 0", async () => {
    const [first, second] = [await runData(runConfig(halved("first-half"))), await runData(runConfig(halved("second-half")))];

    for (const { train, test } of [first, second]) {
      assert.deepEqual([train.size, test.size, train.numClasses], [64, 40, 5]);
      assert.deepEqual([...new Set(train.labels)].sort(), [0, 1, 2, 3, 4]);
    }
    assert.notDeepEqual(first.train.images, second.train.images);
  });

  it("Half of the classes may be tuned on held-out images of the same half", async () => {
    const { train, test } = await runData(runConfig(halved("second-half", { validationSize: 10 })));

    assert.deepEqual([train.size, test.size, test.numClasses], [64, 10, 5]);
  });

  it("Asking for more images than the chosen classes have is an error that says how many there are", async () => {
    await assert.rejects(
      runData(runConfig(halved("first-half", { trainSize: 501 }))),
      /limit = 501: expected an integer from 1 to 500/,
    );
  });

  it("Facts fill in the sizes that a config leaves open", () => {
    const facts = (options: RunOptions["dataset"]) => factsOf(datasetConfig(options));

    assert.equal(facts({ name: "svhn" }).trainSize, 73_257 + 531_131); // paper.md 3.3
    assert.equal(facts({ name: "cifar-100", validationSize: 5000 }).trainSize, 45_000);
    assert.equal(facts({ name: "cifar-100", validationSize: 5000 }).testSize, 5000);
    assert.deepEqual(facts({ name: "flowers", imageSize: 600 }).shape, [600, 600, 3]);
    assert.deepEqual(facts({ name: "cifar-10", imageSize: 600 }).shape, [32, 32, 3]);
    assert.equal(facts({ name: "fashion-mnist", classes: "second-half" }).trainSize, 30_000);
  });

  it("A run's cost counts its training images: 200 epochs of SAM on CIFAR-10 are 20 million gradients", () => {
    const config: RunOptions = { dataset: { name: "cifar-10" }, model: { name: "mlp" }, training: { epochs: 200, rho: 0.05 } };

    assert.equal(runCost(config), 200 * 50_000 * 2);
  });

  it("Sentences name the set, its sizes and its classes", () => {
    assert.equal(
      describeDataset({ name: "fashion-mnist", trainSize: 1000 }),
      "1000 training and 10000 test images of Fashion-MNIST",
    );
    assert.equal(describeDataset({ name: "cifar-10" }), "50000 training and 10000 test images of CIFAR-10");
    assert.equal(
      describeDataset({ name: "fashion-mnist", trainSize: 300, testSize: 0, classes: "second-half" }),
      "300 training and 5000 test images of the other half of the classes of Fashion-MNIST",
    );
  });

  it("A run that diverged counts as chance level: 80 % of five classes", () => {
    const config = halved("first-half");
    const record = recordOf(config, { divergedInEpoch: 1 });

    assert.equal(labeledRows([{ config, labels: {} }], [record])[0]!.testErrorRate, 0.8);
  });

  it("Asymmetric noise needs a map of all classes, and says which sets have one", async () => {
    const noise = { noiseRate: 0.2, noiseType: "asymmetric" } as const;

    await assert.rejects(runData(runConfig({ ...halved("first-half"), noise })), /classes = "first-half", expected "all"/);
  });

  describe("a network", () => {
    it("sees images at the size that is asked for", async () => {
      const config = tinyRun({}, { dataset: { name: "generated", trainSize: 64, testSize: 40, imageSize: 14 } });

      // 14·14·4 + 4 + 4·10 + 10
      assert.equal((await runRecord(config)).metrics.parameters, 838);
      assert.deepEqual(runModel(runConfig(config), { shape: [28, 28, 1], numClasses: 10 }).inputShape, [28, 28, 1]);
    });

    it("with resized input gives the same logits for constant images of either size", () => {
      expectNoLeak(() => {
        const own = mlp({ inputShape: [4, 4, 1], numClasses: 3, hidden: [5] });
        const { weights } = own.init(new Rng(0));
        const logits = (model: typeof own, side: number) =>
          tf.tidy(() => [...model.apply(weights, tf.fill([1, side, side, 1], 0.7)).logits.dataSync()]);

        assert.deepEqual(logits(withResizedInput(own, [9, 9, 1]), 9), logits(own, 4));
        assert.throws(() => withResizedInput(own, [9, 9, 3]), /expects 1 channels/);
        tf.dispose(Object.values(weights));
      });
    });
  });

  it("Every augmentation can be named in a config, and has a key of its own", () => {
    const keys = augmentNames.map((augment) => runKey(tinyRun({ augment })));

    assert.equal(new Set(keys).size, augmentNames.length);
    assert.ok(
      ["autoaugment", "autoaugment-svhn", "random-resized-crop", "randaugment"].every((name) =>
        augmentNames.includes(name as "none"),
      ),
    );
    assert.throws(() => runConfig(tinyRun({ augment: "autoagument" as "none" })), /did you mean "autoaugment"\?/);
  });

  it("Augmentations of photographs draw from the run's stream only, so the same run has the same loss", async () => {
    const errors = async (augment: "random-resized-crop" | "randaugment") =>
      (await runRecord(tinyRun({ augment, epochs: 1 }))).history[0]!.trainLoss;

    for (const augment of ["random-resized-crop", "randaugment"] as const) {
      assert.equal(await errors(augment), await errors(augment));
    }
  });
});
