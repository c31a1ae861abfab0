import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Rng } from "../../src/engine";
import { countParameters, mlp, readSafetensorsMetadata, saveVariables } from "../../src/models";
import { pretrainingOf, runConfig, runKey, type RunOptions } from "../../src/experiments/config";
import { disposeVariables, RunAborted, runOne, runRecord, type RunCallbacks } from "../../src/experiments/run";
import { expectNoLeakAsync } from "../support/noLeak";
import { tinyRun } from "../support/records";
import { runScript } from "../support/children";
import { valuesOf } from "../support/training";

const half = (classes: "first-half" | "second-half") => ({ name: "generated", trainSize: 64, testSize: 40, classes }) as const;
const from = { dataset: half("first-half"), training: { epochs: 2, batchSize: 16, seed: 7 } } as const;

/** An MLP of four units, trained on the first five classes, then on the others. */
function finetuning(training: Partial<RunOptions["training"]> = {}, parts: Partial<RunOptions> = {}): RunOptions {
  return tinyRun(training, { dataset: half("second-half"), finetune: { from }, ...parts });
}

describe("experiments/finetune", () => {
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "finetune-"))));
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));
  const here = (): RunCallbacks => ({ weightsFolder: folder });
  const weightsOf = (options: RunOptions) => path.join(folder, `${runKey(pretrainingOf(runConfig(options))!)}.safetensors`);

  it("A run starts from its pretrained network, which equals the one that the pretraining gives as a run of its own", async () => {
    await expectNoLeakAsync(async () => {
      // Learning rate 0: the variables stay where they started.
      const { variables, record } = await runOne(finetuning({ learningRate: 0 }), here());
      const alone = await runOne(pretrainingOf(runConfig(finetuning()))!);

      assert.deepEqual(valuesOf(variables.weights)["dense0/kernel"], valuesOf(alone.variables.weights)["dense0/kernel"]);
      assert.equal(record.metrics.pretrainedErrorRate, alone.record.metrics.testErrorRate);
      assert.deepEqual(variables.weights["head/bias"]!.shape, [5]);
      [variables, alone.variables].forEach(disposeVariables);
    });
  });

  it("The pretrained network is kept under the key of its run, and runs that share it read it from there", async () => {
    const first = await runRecord(finetuning(), here());
    const file = weightsOf(finetuning());
    const written = fs.statSync(file).mtimeMs;

    const second = await runRecord(finetuning({ seed: 1, rho: 0.1 }), here());
    const again = await runRecord(finetuning(), here());

    assert.deepEqual(fs.readdirSync(folder), [path.basename(file)]);
    assert.equal(fs.statSync(file).mtimeMs, written);
    assert.equal(readSafetensorsMetadata(file).run, runKey({ ...from, model: finetuning().model }));
    assert.equal(second.metrics.pretrainedErrorRate, first.metrics.pretrainedErrorRate);
    assert.deepEqual(again, first);
    assert.deepEqual(JSON.parse(JSON.stringify(first)), first);
  });

  it("Seeds of one pretrained network differ in the new last layer and in the order of the images", async () => {
    const start = async (seed: number) => {
      const { variables } = await runOne(finetuning({ seed, learningRate: 0, epochs: 1 }), here());
      const values = valuesOf(variables.weights);
      disposeVariables(variables);
      return values;
    };
    const [a, b] = [await start(0), await start(1)];

    assert.deepEqual(a["dense0/kernel"], b["dense0/kernel"]);
    assert.notDeepEqual(a["head/kernel"], b["head/kernel"]);
  });

  it("A run may start from a file that came from elsewhere, its head included", async () => {
    const model = mlp({ inputShape: [28, 28, 1], numClasses: 5, hidden: [4] });
    const given = model.init(new Rng("elsewhere"));
    saveVariables(path.join(folder, "elsewhere.safetensors"), given);
    const finetune = { from: { file: "elsewhere.safetensors" }, newHead: false };

    const { variables, record } = await runOne(finetuning({ learningRate: 0 }, { finetune }), here());

    assert.deepEqual(valuesOf(variables.weights), valuesOf(given.weights));
    assert.equal("pretrainedErrorRate" in record.metrics, false);
    assert.equal(record.metrics.parameters, countParameters(model));
    [variables, given].forEach(disposeVariables);
  });

  it("A missing file is an error that names its place and where to read on", async () => {
    const options = finetuning({}, { finetune: { from: { file: "efficientnet-b7.safetensors" } } });

    await assert.rejects(
      runRecord(options, here()),
      /finetune-.*efficientnet-b7\.safetensors: no such file; src\/models\/WEIGHTS\.md/,
    );
  });

  it("A pretraining that diverges is an error, and leaves no file", async () => {
    const options = finetuning({}, { finetune: { from: { ...from, training: { ...from.training, learningRate: 1e30 } } } });

    await assert.rejects(runRecord(options, here()), /the network to be finetuned \(run [0-9a-f]{16}\) diverged in epoch 1/);
    assert.deepEqual(fs.readdirSync(folder), []);
  });

  it("A run stopped in its pretraining goes on from there, and gives the same record", async () => {
    const checkpoint = path.join(folder, "run.checkpoint");
    const stop = AbortSignal.abort();

    await expectNoLeakAsync(() => assert.rejects(runRecord(finetuning(), { ...here(), checkpoint, signal: stop }), RunAborted));
    assert.deepEqual(fs.readdirSync(folder), ["run.checkpoint.pretraining"]);
    const resumed = await runRecord(finetuning(), { ...here(), checkpoint });

    assert.ok(!fs.existsSync(`${checkpoint}.pretraining`));
    fs.rmSync(weightsOf(finetuning()));
    assert.deepEqual(resumed, await runRecord(finetuning(), here()));
  });

  it("A run that was killed, in its pretraining and after it, gives the record that it would have given", async () => {
    const checkpoint = path.join(folder, "run.checkpoint");
    const long = finetuning(
      {},
      { finetune: { from: { ...from, training: { ...from.training, epochs: 60, evaluateEvery: 60 } } } },
    );
    const script = path.join(__dirname, "../support/killableRun.ts");
    const run = (when: string, weights = folder) => runScript(script, [JSON.stringify(long), weights, checkpoint, when]);

    assert.equal((await run("pretraining")).signal, "SIGKILL");
    const files = fs.readdirSync(folder).filter((name) => !name.includes(".lock~"));
    assert.deepEqual(files, ["run.checkpoint.pretraining"]);
    assert.equal((await run("5")).signal, "SIGKILL");
    assert.deepEqual(fs.readdirSync(folder).sort(), [path.basename(weightsOf(long)), "run.checkpoint"].sort());
    const resumed = await run("never");

    fs.rmSync(checkpoint);
    const uninterrupted = await run("never", path.join(folder, "other"));
    assert.equal(JSON.parse(resumed.lines[0]!).key, runKey(long));
    assert.deepEqual(resumed.lines, uninterrupted.lines);
  });

  describe("a config", () => {
    const refusal = (finetune: unknown) => () => runConfig(finetuning({}, { finetune } as Partial<RunOptions>));

    it("names either a training or a file", () => {
      assert.throws(refusal({ from: {} }), /finetune\.from: expected either dataset and training, or file/);
      assert.throws(refusal({ from: { ...from, file: "a.safetensors" } }), /expected either dataset and training, or file/);
      assert.throws(refusal({ from: { dataset: from.dataset } }), /expected either dataset and training, or file/);
    });

    it("names files by their name alone, and misspelled fields are found", () => {
      assert.throws(
        refusal({ from: { file: "../a.safetensors" } }),
        /from\.file = "\.\.\/a\.safetensors": expected the name of a/,
      );
      assert.throws(
        refusal({ from: { ...from, training: { epoch: 1 } } }),
        /unknown field "finetune\.from\.training\.epoch", did you mean "epochs"\?/,
      );
      assert.throws(refusal({ from, newhead: false }), /unknown field "finetune\.newhead", did you mean "newHead"\?/);
    });

    it("has a key that depends on where it starts, and not on whether defaults are written out", () => {
      const of = (finetune: RunOptions["finetune"]) => runKey(finetuning({}, { finetune: finetune! }));
      const keys = [
        runKey(tinyRun({}, { dataset: half("second-half") })),
        of({ from }),
        of({ from, newHead: false }),
        of({ from: { ...from, training: { ...from.training, seed: 8 } } }),
        of({ from: { ...from, dataset: { ...from.dataset, trainSize: 32 } } }),
        of({ from: { file: "a.safetensors" } }),
      ];

      assert.equal(new Set(keys).size, keys.length);
      assert.equal(
        of({
          from: { dataset: { ...from.dataset, imageSize: 0 }, training: { ...from.training, momentum: 0.9 } },
          newHead: true,
        }),
        keys[1],
      );
      assert.equal(runKey(runConfig(finetuning())), keys[1]);
    });
  });
});
