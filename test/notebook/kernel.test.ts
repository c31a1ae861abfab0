/** Interrupted cells of a tslab kernel: what they keep and what they say. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { cellDisplay, interruptible } from "../../src/notebook/kernel";

const root = path.join(__dirname, "../..");
const python = path.join(root, ".venv/bin/python");
const kernel = path.join(root, ".venv/share/jupyter/kernels/tslab");

/** What each cell printed: the last but one is interrupted once it has printed "step". */
async function interrupted(...cells: string[]): Promise<string[]> {
  const script = path.join(root, "test/support/interruptedKernel.py");
  const lab = `const lab = require(${JSON.stringify(require.resolve("tsx/cjs"))}) && require(${JSON.stringify(path.join(root, "src"))});`;
  const { stdout } = await promisify(execFile)(python, [script, path.join(root, "test"), "0.2", lab, ...cells], { cwd: root });
  const { alive, outputs } = JSON.parse(stdout) as { alive: boolean; outputs: string[] };
  assert.ok(alive, stdout);
  return outputs.slice(1);
}

const config = `{ dataset: { name: "generated", trainSize: 80, testSize: 20 }, model: { name: "mlp" }, training: { epochs: 1_000_000, batchSize: 40 } }`;
const callbacks = `{ onEpoch: ({ epoch }) => { if (epoch === 2) console.log("step"); } }`;

describe("notebook/kernel: an interrupted cell", function () {
  this.timeout(300_000);
  before(function () {
    if (!fs.existsSync(python) || !fs.existsSync(kernel)) this.skip();
  });

  it("goes on with the run's history so far, and says in one line after how many epochs it was stopped", async () => {
    const [said, kept] = await interrupted(
      `const run = await lab.runOne(${config}, ${callbacks});`,
      "console.log(run.record.metrics.outcome, run.record.history.length > 1);",
    );

    assert.equal(kept, "aborted true\n");
    assert.match(said!, /step/);
    assert.doesNotMatch(said!, /\bat .*:\d+:\d+/, "a stack");
  });

  it("that trains in a loop makes no further run, and keeps the first", async () => {
    const [said, kept] = await interrupted(
      `globalThis.runs = [];
       for (const seed of [0, 1]) globalThis.runs.push(await lab.runOne(${config}, ${callbacks.replace("{", "{ live: false,")}));`,
      "console.log(globalThis.runs.length);",
    );

    assert.equal(kept, "1\n");
    assert.match(
      said!,
      /step\n\[Stopped after \d+ epochs?: test error [\d.]+ %\]RunAborted: run [0-9a-f]{16} was stopped before its end\n$/,
    );
  });
});

describe("notebook/kernel: outside of notebooks", () => {
  it("there is no display, and work gets its options as they are", async () => {
    const options = { stopOnInterrupt: true };

    assert.equal(cellDisplay(), undefined);
    assert.equal(await interruptible(options, async (own) => own), options);
  });
});
