import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { runKey } from "../../src/experiments/config";
import type { RunRecord } from "../../src/experiments/records";
import { RunAborted, runRecord } from "../../src/experiments/run";
import { runScript } from "../support/children";
import { expectNoLeakAsync } from "../support/noLeak";
import { tinyRun } from "../support/records";
import { abortAfter } from "../support/trainings";

const noise = { noiseRate: 0.25 } as const;
const bootstrapped = tinyRun({ rho: 0.1 }, { noise, bootstrap: {} }); // twice 8 steps

describe("experiments/run, bootstrap", () => {
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "run-"))));
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  it("The record is that of the second training, with the first's error and the share of wrong predictions", async () => {
    const plain = await runRecord(tinyRun({ rho: 0.1 }, { noise }));

    const { metrics, history, key } = await runRecord(bootstrapped);

    assert.notEqual(key, plain.key);
    assert.equal(history.length, 2);
    assert.equal(metrics.firstTestErrorRate, plain.metrics.testErrorRate);
    assert.equal(metrics.actualNoiseRate, 0.25);
    assert.ok(Number.isInteger(metrics.relabeledNoiseRate! * 64));
  });

  it("A run stopped in either training has no record, but checkpoints from which it reaches the same one", async () => {
    const checkpoint = path.join(folder, "run.checkpoint");

    for (const step of [3, 11])
      await expectNoLeakAsync(() => assert.rejects(runRecord(bootstrapped, { checkpoint, ...abortAfter(step) }), RunAborted));

    assert.deepEqual(await runRecord(bootstrapped, { checkpoint }), await runRecord(bootstrapped));
  });

  it("A run killed in the first training, at its end and in the second reaches the record of the uninterrupted run", async function () {
    this.timeout(600_000);
    const script = path.join(__dirname, "../support/killableRun.ts");
    const run = (checkpoint: string, when: string) =>
      runScript(script, [JSON.stringify(bootstrapped), folder, path.join(folder, checkpoint), when]);

    for (const step of ["3", "8", "13"]) assert.equal((await run("killed", step)).signal, "SIGKILL");
    const [resumed, whole] = [await run("killed", "never"), await run("whole", "never")];

    assert.equal((JSON.parse(whole.lines[0]!) as RunRecord).key, runKey(bootstrapped));
    assert.deepEqual(resumed.lines, whole.lines);
  });
});
