import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { Rng, tf } from "../../src/engine";
import { evaluateAny, train, trainBootstrapped } from "../../src/training";
import { withInterrupt } from "../../src/training/interrupt";
import { runScript } from "../support/children";
import { expectNoLeakAsync } from "../support/noLeak";
import { abortAfter, found, noisyImages, tinyMlp } from "../support/trainings";

const root = path.join(__dirname, "../..");
const python = path.join(root, ".venv/bin/python");
const kernel = path.join(root, ".venv/share/jupyter/kernels/tslab");

async function interruptedCell(start: "train" | "run"): Promise<string[]> {
  let struck = false;
  const { lines, signal, stderr } = await runScript(path.join(root, "test/support/cellLikeTraining.ts"), [start], {
    onLine: (line, child) => {
      if (!line.startsWith("step") || struck) return;
      struck = true;
      child.kill("SIGINT");
    },
  });
  assert.equal(signal, null, stderr);
  return lines.filter((line) => !line.startsWith("step")).sort();
}

describe("training/interrupt: an interrupt", () => {
  it("stops a training that a cell starts before its first pause, and leaves the process alive", async () => {
    assert.deepEqual(await interruptedCell("train"), ["1 handler left", "aborted", "interrupt seen"]);
  });

  it("stops a run that a cell starts in the same way", async () => {
    assert.deepEqual(await interruptedCell("run"), ["1 handler left", "RunAborted", "interrupt seen"]);
  });

  it("leaves a tslab kernel alive, with the history so far", async function () {
    this.timeout(300_000);
    if (!fs.existsSync(python) || !fs.existsSync(kernel)) this.skip();
    const cells = [
      `const lab = require(${JSON.stringify(require.resolve("tsx/cjs"))}) && require(${JSON.stringify(path.join(root, "src"))});
       const kept: Record<string, any> = {};`,
      `kept.result = await lab.train(
         lab.mlp({ inputShape: [28, 28, 1], numClasses: 10 }),
         { train: lab.syntheticImages({ size: 80 }), test: lab.syntheticImages({ size: 20, seed: 1 }) },
         { epochs: 1_000_000, batchSize: 40 },
         { onEpoch: ({ epoch }) => { if (epoch === 1) console.log("step"); } },
       );`,
      "console.log(kept.result.outcome, kept.result.history.length > 0);",
    ];

    const script = path.join(root, "test/support/interruptedKernel.py");
    const { stdout } = await promisify(execFile)(python, [script, path.join(root, "test"), "0.2", ...cells], { cwd: root });

    const { alive, outputs } = JSON.parse(stdout) as { alive: boolean; outputs: string[] };
    assert.deepEqual([alive, outputs[2]], [true, "aborted true\n"], stdout);
  });

  it("between the two trainings of a bootstrap stops the second before its first step", async () => {
    const before = process.listenerCount("SIGINT");
    let steps = 0;
    const callbacks = {
      onStep: () => void steps++,
      onEpoch: () => void process.emit("SIGINT"),
    };

    const { outcome } = found(await trainBootstrapped(tinyMlp(), noisyImages(), { epochs: 1, batchSize: 8 }, callbacks));

    assert.deepEqual([outcome, steps, process.listenerCount("SIGINT")], ["aborted", 5, before]);
  });

  it("is left to the caller where stopOnInterrupt is false", async () => {
    const before = process.listenerCount("SIGINT");

    const seen = await withInterrupt({ stopOnInterrupt: false }, async () => process.listenerCount("SIGINT"));

    assert.equal(seen, before);
  });

  it("signal aborted before the start leaves a training without a step", async () => {
    const { outcome, history } = found(
      await train(tinyMlp(), noisyImages(), { epochs: 1, batchSize: 8 }, { signal: AbortSignal.abort() }),
    );

    assert.deepEqual([outcome, history], ["aborted", []]);
  });

  it("ends an evaluation between two batches", async () => {
    const { test } = noisyImages();
    const model = tinyMlp();
    await expectNoLeakAsync(async () => {
      const variables = model.init(new Rng(0));
      const controller = new AbortController();
      setImmediate(() => controller.abort(new Error("enough")));

      await assert.rejects(evaluateAny(model, variables, test, { batchSize: 1, signal: controller.signal }), /^Error: enough$/);

      tf.dispose([variables.weights, variables.stats]);
    });
  });

  it("during an epoch's last step leaves its evaluation to the resumed training", async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "interrupt-"));
    const checkpoint = path.join(folder, "run.checkpoint");
    try {
      const options = { epochs: 2, batchSize: 8 };
      const stopped = found(await train(tinyMlp(), noisyImages(), options, { checkpoint, ...abortAfter(5) }));
      const resumed = found(await train(tinyMlp(), noisyImages(), options, { checkpoint }));
      const whole = found(await train(tinyMlp(), noisyImages(), options));

      assert.deepEqual([stopped.outcome, stopped.history], ["aborted", []]);
      assert.deepEqual(resumed, whole);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});
