import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { ChildProcess } from "node:child_process";
import { configKey, pretrainingOf, runConfig, runKey, type RunOptions } from "../../src/experiments/config";
import { weightsFolder } from "../../src/experiments/finetune";
import { partialName } from "../../src/engine/atomicFile";
import { isRunning } from "../../src/experiments/locks";
import { projectRoot } from "../../src/data/files";
import { appendRecord, readRecords, type RunRecord } from "../../src/experiments/records";
import { runCost } from "../../src/experiments/runCost";
import { runMissing, type RunMissingOptions, type RunProgress } from "../../src/experiments/runMissing";
import { runScript } from "../support/children";
import { recordOf, tinyRun } from "../support/records";

// A name of its own for each process, so that no other run of the tests shares its checkpoints.
const item = `test-${process.pid}`;
const checkpoints = path.join(projectRoot(), "data/cache/checkpoints");
const checkpointOf = (config: RunOptions) => path.join(checkpoints, `${item}-${runKey(config)}.checkpoint`);

/** Ids of this process's children. */
function children(): number[] {
  const file = `/proc/${process.pid}/task/${process.pid}/children`;
  return fs.existsSync(file) ? fs.readFileSync(file, "utf8").split(" ").filter(Boolean).map(Number) : [];
}

// Two epochs of 16 steps.
const long = tinyRun({ batchSize: 4, rho: 0.1 });

describe("experiments/runMissing", function () {
  // Processes start slowly on a busy machine.
  this.timeout(600_000);
  let folder: string;
  /** The record of `long`, made in one process of one thread. */
  let whole: RunRecord;
  before(async () => {
    const { lines, stderr } = await runScript(path.join(__dirname, "../support/referenceRecord.ts"), [JSON.stringify(long)]);
    assert.equal(lines.length, 1, stderr);
    whole = JSON.parse(lines[0]!) as RunRecord;
  });
  const run = (configs: readonly RunOptions[], options: Partial<RunMissingOptions> = {}) =>
    runMissing(configs, { item, folder, ...options });
  const recorded = () => readRecords(item, { folders: [folder] });

  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "run-missing-"))));
  afterEach(() => {
    fs.rmSync(folder, { recursive: true });
    if (!fs.existsSync(checkpoints)) return;
    for (const name of fs.readdirSync(checkpoints).filter((each) => each.includes(item))) fs.rmSync(path.join(checkpoints, name));
  });

  describe("starts no process", () => {
    const processes = () => children().length;

    it("if every run has its record", async () => {
      const configs = [tinyRun({ seed: 1 }), tinyRun({ seed: 0 }), tinyRun({ seed: 1 })];
      for (const config of configs.slice(0, 2)) appendRecord(item, recordOf(config), { folder });
      const before = processes();

      const promise = run(configs);

      assert.equal(processes(), before);
      assert.deepEqual((await promise).map(({ key }) => key), configs.map(runKey)); // prettier-ignore
    });

    it("if a config does not fit, or jobs is no reasonable count", async () => {
      const misspelled = { ...tinyRun(), training: { epochs: 1, learningrate: 1 } } as RunOptions;

      await assert.rejects(run([tinyRun(), misspelled]), /unknown field "training\.learningrate", did you mean "learningRate"\?/);
      for (const jobs of [0, -1, 1.5, NaN, 1e6])
        await assert.rejects(run([tinyRun()], { jobs }), new RegExp(`jobs = ${jobs}: expected a whole number from 1 to `));
      assert.deepEqual(recorded(), []);
    });

    it("if an option is misspelled or of the wrong type", async () => {
      const message = async (options: object) =>
        run([tinyRun()], options).then(
          () => assert.fail("was accepted"),
          (error: Error) => error.message,
        );

      assert.equal(await message({ job: 2 }), 'runMissing: unknown option "job", did you mean "jobs"?');
      assert.match(await message({ jobs: "2" }), /runMissing: jobs = "2": expected a number/);
      assert.match(await message({ item: 3 }), /runMissing: item = 3: expected a string/);
      await assert.rejects(runMissing(tinyRun() as never, { item, folder }), /configs = \{.*: expected an array of run configs/);
    });

    it("if the signal was aborted before", async () => {
      appendRecord(item, recordOf(tinyRun()), { folder });

      const records = await run([tinyRun({ seed: 5 }), tinyRun()], { signal: AbortSignal.abort() });

      assert.deepEqual(records, [recordOf(tinyRun())]);
    });

    it("and warns of a torn line once", async () => {
      appendRecord(item, recordOf(tinyRun()), { folder });
      fs.appendFileSync(path.join(folder, `${item}.jsonl`), '{"key":');
      const warnings: string[] = [];

      await run([tinyRun()], { onWarning: (message) => warnings.push(message) });

      assert.equal(warnings.length, 1);
    });
  });

  it("makes the missing runs in worker processes of one thread, and gives all records in order", async () => {
    const [known, other] = [tinyRun({ seed: 7 }), tinyRun({ seed: 1 })];
    appendRecord(item, recordOf(known), { folder });
    const progress: RunProgress[] = [];

    const records = await run([long, known, other, long], { jobs: 2, onProgress: (each) => void progress.push(each) });

    assert.deepEqual(records.map(({ key }) => key), [long, known, other, long].map(runKey)); // prettier-ignore
    assert.deepEqual(records[1], recordOf(known));
    assert.deepEqual(records[0], whole);
    assert.equal(records[0]!.versions.threads, 1);
    assert.equal(recorded().length, 3);
    assert.deepEqual(progress.at(-1), { total: 2, done: 2, fraction: 1 });
    for (const [i, { fraction }] of progress.entries()) assert.ok(fraction >= (progress[i - 1]?.fraction ?? 0) && fraction <= 1);
    assert.ok(!fs.existsSync(checkpointOf(long)), "a finished run needs no checkpoint");
  });

  it("stopped by its signal keeps a checkpoint, begins nothing new, and goes on next time to the same record", async () => {
    const stop = new AbortController();
    const fractions: number[] = [];

    const stopped = await run([long, tinyRun({ seed: 9 })], { signal: stop.signal, onProgress: () => stop.abort() });
    const kept = fs.existsSync(checkpointOf(long));
    const [resumed] = await run([long], { onProgress: ({ fraction }) => void fractions.push(fraction) });

    assert.deepEqual(stopped, []);
    assert.ok(kept);
    assert.deepEqual(resumed, whole);
    assert.ok(fractions[0]! > 5 / 32, "it went on from its checkpoint");
  });

  it("rejects with the error and key of a run that fails, and keeps the records of those that finished", async () => {
    const broken = tinyRun({}, { model: { name: "wideResNet", depth: 11, widen: 1 } });

    await assert.rejects(run([tinyRun(), broken, tinyRun({ seed: 3 })]), (error: Error) => {
      assert.match(error.message, new RegExp(`^run ${runKey(broken)}: depth = 11: a WideResNet has depth`));
      return true;
    });

    assert.deepEqual(recorded().map(({ key }) => key), [runKey(tinyRun())]); // prettier-ignore
  });

  it("rejects with one error if a worker is killed, and goes on from its checkpoint next time", async function () {
    if (!fs.existsSync(`/proc/${process.pid}/task/${process.pid}/children`)) this.skip();
    const config = tinyRun({ batchSize: 2, epochs: 6 });
    const others = new Set(children());
    const killAtHalf = ({ fraction }: RunProgress) => {
      if (fraction < 0.5) return;
      for (const pid of children().filter((each) => !others.has(each))) process.kill(pid, "SIGKILL");
    };

    await assert.rejects(
      run([config], { onProgress: killAtHalf }),
      new RegExp(`the worker of run ${runKey(config)} ended early \\(SIGKILL\\)`),
    );
    assert.ok(fs.existsSync(checkpointOf(config)));
    const fractions: number[] = [];
    await run([config], { onProgress: ({ fraction }) => void fractions.push(fraction) });

    assert.ok(fractions[0]! > 1 / 6);
    assert.equal(recorded().length, 1);
  });

  it("rejects with one error if records cannot be written, and does not lose the finished run", async () => {
    fs.writeFileSync(path.join(folder, "a file"), "");

    await assert.rejects(
      run([tinyRun()], { folder: path.join(folder, "a file") }),
      /a file.*: .*could not be (written|read)|ENOTDIR/,
    );
    const steps: RunProgress[] = [];
    await run([tinyRun()], { onProgress: (each) => void steps.push(each) });

    assert.deepEqual(steps, [{ total: 1, done: 1, fraction: 1 }], "no step had to be made again");
  });

  it("starts a run anew, with a notice, if its checkpoint is of another version", async () => {
    fs.mkdirSync(checkpoints, { recursive: true });
    const header = Buffer.from(`${JSON.stringify({ format: "sharpness-lab checkpoint 0", tensors: [] })}\n`);
    fs.writeFileSync(checkpointOf(long), Buffer.concat([header, createHash("sha256").update(header).digest()]));
    const notices: string[] = [];

    const [record] = await run([long], { onWarning: (message) => void notices.push(message) });

    assert.equal(notices.length, 1);
    assert.match(notices[0]!, /\.checkpoint: format "sharpness-lab checkpoint 0", expected .*; the run starts anew$/);
    assert.deepEqual(record, whole);
  });

  it("makes a bootstrapped run in a worker too, and leaves no checkpoint of either training behind", async () => {
    const config = tinyRun({}, { noise: { noiseRate: 0.25 }, bootstrap: {} });

    const [record] = await run([config]);

    assert.equal(typeof record!.metrics.firstTestErrorRate, "number");
    assert.deepEqual(fs.readdirSync(checkpoints).filter((name) => name.startsWith(item)), []); // prettier-ignore
  });

  describe("asked for the same runs twice at once", () => {
    const configs = [0, 1, 2, 3, 4].map((seed) => tinyRun({ seed }));
    const linesIn = () =>
      fs
        .readFileSync(path.join(folder, `${item}.jsonl`), "utf8")
        .trim()
        .split("\n").length;

    it("makes each once, gives all of them to both callers, and tells one of them about the other", async () => {
      const warnings: string[][] = [[], []];

      const [first, second] = await Promise.all(
        warnings.map((own) => run(configs, { onWarning: (message) => void own.push(message) })),
      );

      assert.deepEqual(first!.map(({ key }) => key), configs.map(runKey)); // prettier-ignore
      assert.deepEqual(second, first);
      assert.equal(linesIn(), configs.length);
      assert.ok(warnings.some((own) => own.length > 0));
      for (const own of warnings) assert.ok(own.length <= 1);
      assert.match(warnings.flat()[0]!, new RegExp(`^${item}: process ${process.pid} makes some of these runs`));
    });

    it("shares them between two processes, also if one of them is killed", async () => {
      const script = path.join(__dirname, "../support/sharedRuns.ts");
      const kill = (line: string, child: ChildProcess) => void (line === "1 done" && child.kill("SIGKILL"));
      const args = [item, folder, ...configs.map((config) => JSON.stringify(config))];

      const [killed, other] = await Promise.all([runScript(script, args, { onLine: kill }), runScript(script, args)]);

      assert.equal(killed.signal, "SIGKILL");
      assert.equal(other.lines.at(-1), `${configs.length} records`, other.stderr);
      assert.equal(linesIn(), configs.length);
    });

    it("trains a network that two runs need once", async () => {
      const training = { epochs: 3, batchSize: 16, seed: process.pid };
      const finetune = { from: { dataset: { name: "generated", trainSize: 64, testSize: 40 } as const, training } };
      const both = [0, 1].map((seed) => tinyRun({ seed }, { finetune }));
      const board = path.join(folder, "board");

      const records = await run(both, { jobs: 2, tensorBoard: board });
      fs.rmSync(path.join(weightsFolder, `${configKey(pretrainingOf(runConfig(both[0]!))!)}.safetensors`));

      assert.equal(records[0]!.metrics.pretrainedErrorRate, records[1]!.metrics.pretrainedErrorRate);
      const trained = both.filter((config) => fs.existsSync(path.join(board, runKey(config), "pretraining")));
      assert.equal(trained.length, 1, "one of them has the curves of the pretraining");
    });
  });

  describe("leaves nothing behind:", () => {
    const endsWithin = async (pid: number, seconds: number) => {
      for (const end = Date.now() + 1000 * seconds; Date.now() < end; ) {
        if (!isRunning(pid)) return true;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      return false;
    };
    // The spectrum after the first epoch blocks the worker for longer than any of these tests waits.
    const blocking = tinyRun({ epochs: 1 }, { curvature: { spectrumEpochs: [1], numProbes: 500, lanczosSteps: 1000 } });
    const script = path.join(__dirname, "../support/sharedRuns.ts");
    /** Sends the signal to a process that makes runs, once its worker is in the spectrum; gives the worker's id. */
    const strike = async (signal: NodeJS.Signals) => {
      let worker = 0;
      const onLine = (line: string, child: ChildProcess) => {
        if (line.startsWith("worker ")) worker = Number(line.slice("worker ".length));
        if (line === "all steps made") setTimeout(() => child.kill(signal), 500);
      };
      const ended = await runScript(script, [item, folder, JSON.stringify(blocking)], { onLine });
      return { worker, ended };
    };

    before(function () {
      if (!fs.existsSync(`/proc/${process.pid}/task/${process.pid}/children`)) this.skip();
    });

    it("a worker whose parent is killed ends, also in a stretch that blocks it", async () => {
      const { worker, ended } = await strike("SIGKILL");

      assert.equal(ended.signal, "SIGKILL");
      assert.ok(worker > 0);
      assert.ok(await endsWithin(worker, 10));
    });

    for (const signal of ["SIGINT", "SIGTERM"] as const)
      it(`${signal} stops the workers, also in a stretch that blocks them, and then the call`, async () => {
        const { worker, ended } = await strike(signal);

        if (signal === "SIGTERM") assert.equal(ended.signal, signal);
        else assert.match(ended.lines.at(-1)!, /^interrupted; finished runs are kept, and the same call goes on from here/);
        assert.ok(worker > 0);
        assert.ok(await endsWithin(worker, 10));
      });

    it("a checkpoint of a run whose process was killed after its record was written goes at the next call", async () => {
      const config = tinyRun({ seed: 77 });
      const [open, finished] = [checkpointOf(tinyRun({ seed: 78 })), checkpointOf(config)];
      fs.mkdirSync(checkpoints, { recursive: true });
      const halfWritten = partialName(finished);
      for (const name of [open, finished, `${finished}.first`, halfWritten]) fs.writeFileSync(name, "");
      appendRecord(item, recordOf(config), { folder });

      await run([config]);

      assert.deepEqual(fs.readdirSync(checkpoints).filter((name) => name.includes(item)), [path.basename(open)]); // prettier-ignore
    });
  });

  it("refuses an item that would lie in another folder", async () => {
    await assert.rejects(run([tinyRun()], { item: "../../x" }), /item = "\.\.\/\.\.\/x": expected a name such as "table-5"/);
  });

  it("weights a run by its gradients: epochs, examples, and passes", () => {
    const cost = (training: Partial<RunOptions["training"]>) => runCost(tinyRun({ epochs: 1, ...training }));

    assert.equal(cost({}), 64);
    assert.equal(cost({ epochs: 3 }), 3 * 64);
    assert.equal(cost({ rho: 0.1 }), 2 * 64);
    assert.equal(cost({ rho: 0.1, ascentSteps: 3 }), 4 * 64);
    assert.equal(cost({ rho: 0.1, samInterval: 2 }), 1.5 * 64);
    assert.equal(cost({ rho: 0.1, secondOrder: true }), 4 * 64, "a Hessian-vector product counts two gradients");
    assert.equal(cost({ method: { name: "elr" } }), 64);
    assert.equal(
      cost({ method: { name: "coTeaching", forgetRate: 0.2 } }),
      2 * 64 * (1 + 1 / 3),
      "two networks, each with a pass to select",
    );
    assert.equal(runCost(tinyRun({ epochs: 1, rho: 0.1 }, { bootstrap: {} })), 4 * 64, "two trainings");
    assert.equal(cost({ loss: { name: "forwardCorrection", transitionMatrix: "estimated" } }), 2 * 64, "one to estimate");
  });
});
