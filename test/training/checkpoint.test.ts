import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Rng, tf } from "../../src/engine";
import { convNet } from "../../src/models";
import { initialState, type TrainState } from "../../src/training";
import { loadCheckpoint, readCheckpoint, saveCheckpoint } from "../../src/training/checkpoint";
import { expectNoLeak, tidyTests } from "../support/noLeak";
import { tinyDisk } from "../support/tinyDisk";
import { bareConfig, stateOf, valuesOf } from "../support/training";

const progress = { key: "run 1", epoch: 3, batch: 5, record: { history: [{ epoch: 1, trainLoss: 0.1 + 0.2 }] } };

/** Awkward numbers, momentum, batch norm and an average. */
function richState(): TrainState {
  const model = convNet({ inputShape: [6, 6, 1], numClasses: 3, widths: [2] });
  const state = initialState(model, bareConfig({ momentum: 0.9, emaDecay: 0.99 }), new Rng(0));
  const odd = tf.tensor1d([-0, 1e-45, 3.4e38, 1 / 3, NaN, -Infinity]);
  return { ...state, weights: { ...state.weights, odd, scalar: tf.scalar(7) }, step: 12 };
}

const partsOf = ({ weights, stats, slots, ema = {} }: TrainState) => [weights, stats, slots, ema].map(valuesOf);
const oneWeight = (value: number) => stateOf({ w: tf.tensor1d([value]) });

function sealed(body: string): Buffer {
  return Buffer.concat([Buffer.from(body), createHash("sha256").update(body).digest()]);
}

describe("training/checkpoint", () => {
  tidyTests();
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "checkpoint-"));
    file = path.join(folder, "run.checkpoint");
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  it("gives back every bit of the state, its shapes, and the progress", () => {
    const state = richState();

    saveCheckpoint(file, state, progress);
    const found = loadCheckpoint(file, { key: "run 1" })!;

    assert.deepEqual(partsOf(found.state), partsOf(state)); // deepEqual of assert/strict tells −0 from 0, and knows NaN
    assert.deepEqual(
      Object.values(found.state.weights).map((w) => w.shape),
      Object.values(state.weights).map((w) => w.shape),
    );
    assert.equal(found.state.step, 12);
    const { key, epoch, batch, record } = found.progress;
    assert.deepEqual({ key, epoch, batch, record }, progress);
  });

  it("gives the network alone, averaged where the run averages, to whoever knows no run", () => {
    const state = richState();
    saveCheckpoint(file, state, progress);
    saveCheckpoint(path.join(folder, "plain"), oneWeight(2), progress);

    const averaged = readCheckpoint(file);
    const plain = readCheckpoint(path.join(folder, "plain"));

    const { odd, scalar } = state.weights; // made after the average began, so they have none
    assert.deepEqual(
      valuesOf({ ...averaged.weights, ...averaged.stats }),
      valuesOf({ ...state.ema, odd: odd!, scalar: scalar! }),
    );
    assert.deepEqual(valuesOf(plain.weights), { w: [2] });
    assert.throws(() => readCheckpoint(path.join(folder, "none")), /none: no such file/);
  });

  it("keeps a state without momentum or average as such", () => {
    saveCheckpoint(file, oneWeight(1), progress);

    const { state } = loadCheckpoint(file, { key: "run 1" })!;

    assert.deepEqual([state.slots, state.stats, state.ema], [{}, {}, undefined]);
  });

  it("gives back further networks, and what a method remembers, apart from the first network", () => {
    const [first, second] = [richState(), richState()];
    const memory = { targets: Float32Array.of(0.1, NaN, -0), counts: new Float32Array(0) };

    saveCheckpoint(file, first, progress, { peers: [{ ...second, ema: undefined }], memory });
    const found = loadCheckpoint(file, { key: "run 1" })!;

    assert.deepEqual(partsOf(found.state), partsOf(first));
    assert.deepEqual(found.peers.map(partsOf), [partsOf({ ...second, ema: undefined })]); // prettier-ignore
    assert.deepEqual(found.memory, memory);
    assert.equal(found.peers[0]!.step, 12);
  });

  it("is undefined where there is no file", () => {
    assert.equal(loadCheckpoint(file, { key: "run 1" }), undefined);
  });

  it("replaces an earlier one and leaves nothing else in the folder, which it makes if need be", () => {
    const deep = path.join(folder, "new", "folder", "run.checkpoint");

    saveCheckpoint(deep, oneWeight(1), progress);
    saveCheckpoint(deep, oneWeight(2), progress);

    assert.deepEqual(fs.readdirSync(path.dirname(deep)), ["run.checkpoint"]);
    assert.deepEqual([...loadCheckpoint(deep, { key: "run 1" })!.state.weights.w!.dataSync()], [2]);
  });

  it("leaks no tensors, and creates those of the state", () => {
    const state = richState();
    const count = partsOf(state).flatMap((part) => Object.keys(part)).length;

    expectNoLeak(() => saveCheckpoint(file, state, progress));
    expectNoLeak(() => loadCheckpoint(file, { key: "run 1" }), count);
  });

  describe("that is not whole", () => {
    it("gives one error that says what to do, wherever it was cut or changed", () => {
      saveCheckpoint(file, oneWeight(1), progress);
      const whole = fs.readFileSync(file);
      const flipped = (at: number) => {
        const bytes = Buffer.from(whole);
        bytes[at]! ^= 1;
        return bytes;
      };
      const damaged = [0, 1, 31, 32, 33, whole.length >> 1, whole.length - 1].map((length) => whole.subarray(0, length));
      damaged.push(...[0, 10, whole.length - 40, whole.length - 1].map(flipped), Buffer.concat([whole, Buffer.from("\n")]));

      for (const bytes of damaged) {
        fs.writeFileSync(file, bytes);
        assert.throws(() => loadCheckpoint(file, { key: "run 1" }), /run\.checkpoint: not a whole checkpoint .*; delete it to/);
      }
    });

    it("because its process was killed while writing is never picked up: it has another name until it is complete", () => {
      saveCheckpoint(file, oneWeight(1), progress);
      fs.writeFileSync(`${file}.4711.part`, fs.readFileSync(file).subarray(0, 50));

      assert.deepEqual([...loadCheckpoint(file, { key: "run 1" })!.state.weights.w!.dataSync()], [1]);
      fs.rmSync(file);
      assert.equal(loadCheckpoint(file, { key: "run 1" }), undefined);
    });
  });

  it("that is a folder is refused with a cure", () => {
    fs.mkdirSync(file);

    assert.throws(
      () => loadCheckpoint(file, { key: "run 1" }),
      /run\.checkpoint: the checkpoint cannot be read .*; give the name/,
    );
    assert.throws(() => readCheckpoint(file), /run\.checkpoint: the checkpoint cannot be read .*; give the name of a file/);
  });

  it("with a header of many tensors is read as it was written", () => {
    const long = "x".repeat(2 ** 14);
    const weights = Object.fromEntries(Array.from({ length: 1100 }, (_, i) => [`${long}${i}`, tf.scalar(i)])); // 18 MB of names
    saveCheckpoint(file, stateOf(weights), progress);

    const { state } = loadCheckpoint(file, { key: "run 1" })!;

    assert.deepEqual(Object.values(state.weights).map((t) => t.dataSync()[0]), Array.from({ length: 1100 }, (_, i) => i)); // prettier-ignore
  });

  it("of another run is refused, naming both", () => {
    saveCheckpoint(file, oneWeight(1), progress);

    assert.throws(
      () => loadCheckpoint(file, { key: "run 2" }),
      /run\.checkpoint: belongs to run run 1, expected run 2; delete it/,
    );
  });

  it("of another format, or no checkpoint at all, is refused", () => {
    fs.writeFileSync(file, sealed('{"format":"sharpness-lab checkpoint 99"}\n'));
    assert.throws(
      () => loadCheckpoint(file, { key: "run 1" }),
      /format "sharpness-lab checkpoint 99", expected "sharpness-lab checkpoint 1"; delete it to start the run anew/,
    );

    fs.writeFileSync(file, "PK\x03\x04 something else entirely, and long enough to have a checksum");
    assert.throws(() => loadCheckpoint(file, { key: "run 1" }), /not a whole checkpoint/);
  });

  describe("that cannot be written", () => {
    const refused = /the checkpoint could not be written \(.*\); the earlier one, if any, is whole: free space .* start again/;

    it("gives one error that names the file", () => {
      const blocked = path.join(folder, "a file", "run.checkpoint");
      fs.writeFileSync(path.join(folder, "a file"), "");

      assert.throws(() => saveCheckpoint(blocked, oneWeight(1), progress), refused);
      assert.throws(() => saveCheckpoint(blocked, oneWeight(1), progress), /a file\/run\.checkpoint: /);
    });

    it("for a full disk leaves the earlier one whole, and nothing half-written", function () {
      const disk = tinyDisk();
      if (!disk) this.skip();
      try {
        const onDisk = path.join(disk.folder, "run.checkpoint");
        const large = (value: number) => stateOf({ w: tf.fill([10_000], value) }); // 40 kB: one fits, two do not
        saveCheckpoint(onDisk, large(1), progress);

        assert.throws(() => saveCheckpoint(onDisk, large(2), progress), refused);

        assert.deepEqual(fs.readdirSync(disk.folder), ["run.checkpoint"]);
        assert.equal(loadCheckpoint(onDisk, { key: "run 1" })!.state.weights.w!.dataSync()[0], 1);
      } finally {
        disk.unmount();
      }
    });
  });
});
