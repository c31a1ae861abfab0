import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { findTorchPython } from "../../src/cli/bench/torch";
import { ready } from "../../src/engine";
import { SummaryWriter } from "../../src/training";
import { crc32c } from "../../src/training/summaryWriter";
import { readEvents } from "../support/eventFiles";

const bytes = (length: number, value: (i: number) => number) => Uint8Array.from({ length }, (_, i) => value(i));

describe("training/summaryWriter", () => {
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "events-"))));
  afterEach(() => fs.rmSync(folder, { recursive: true }));
  const files = () => fs.readdirSync(folder).sort();
  const contents = () => files().map((name) => fs.readFileSync(path.join(folder, name)));

  it("has the checksums of RFC 3720, and of the nine digits that every list of CRCs has", () => {
    assert.equal(crc32c(Buffer.from("123456789")), 0xe3069283);
    assert.equal(crc32c(bytes(32, () => 0)), 0x8a9136aa);
    assert.equal(crc32c(bytes(32, () => 255)), 0x62a8ab43);
    assert.equal(crc32c(bytes(32, (i) => i)), 0x46dd794e);
    assert.equal(crc32c(bytes(0, () => 0)), 0);
  });

  it("writes the bytes that TensorFlow's own writer writes, but for the time", async function (this: Mocha.Context) {
    if ((await ready()).backend !== "native") this.skip();
    const scalars = [[3, "loss/train", 0.25], [300, "λ", -1e-3], [2 ** 31 - 2, "x".repeat(200), Infinity], [0, "zero", 0]] as const; // prettier-ignore
    const theirs = tensorFlowWriter(folder);
    scalars.forEach(([step, tag, value]) => theirs.scalar(tag, value, step));
    theirs.flush();
    const [expected] = contents().map(withoutTimes);
    fs.rmSync(path.join(folder, files()[0]!));

    const writer = new SummaryWriter(folder, { now: () => 1.5e12 });
    scalars.forEach(([step, tag, value]) => writer.scalars(step, { [tag]: value }));
    writer.close();

    // Their first record names the writer as well.
    assert.deepEqual(withoutTimes(contents()[0]!).slice(1), expected!.slice(1));
    assert.equal(expected!.length, 5);
  });

  it("writes what a reader of the format reads: time, step, tags and values, each record checked", () => {
    let time = 1_700_000_000_250;
    const writer = new SummaryWriter(folder, { now: () => (time += 500) });

    writer.start(1);
    writer.scalars(10, { "loss/train": 0.5, "loss/test": 0.75 });
    writer.scalars(5_000_000_000, { error: NaN });
    writer.close();

    assert.deepEqual(readEvents(folder), [
      { wallTime: 1_700_000_001.25, version: "brain.Event:2" }, // the first time went into the file's name
      { wallTime: 1_700_000_001.75, step: 1, session: "START" },
      { wallTime: 1_700_000_002.25, step: 10, values: { "loss/train": 0.5, "loss/test": 0.75 } },
      { wallTime: 1_700_000_002.75, step: 5_000_000_000, values: { error: NaN } },
    ]);
  });

  it("makes no file before there is something to write", () => {
    const writer = new SummaryWriter(path.join(folder, "deep/run"));
    writer.scalars(1, {});
    writer.close();

    assert.deepEqual(files(), []);
    writer.scalars(1, { x: 1 });
    writer.close();
    assert.deepEqual(fs.readdirSync(path.join(folder, "deep/run")).length, 1);
  });

  it("goes on in a file whose name follows, within one second too, and leaves what an earlier start wrote, torn or not", () => {
    const now = () => 1_700_000_000_000;
    for (let start = 0; start < 12; start++) {
      const writer = new SummaryWriter(folder, { now });
      writer.scalars(start, { x: start });
      writer.close();
    }
    const torn = contents()[0]!.subarray(0, -3);
    fs.writeFileSync(path.join(folder, files()[0]!), torn);

    const values = readEvents(folder).flatMap((event) => event.values?.x ?? []);

    assert.deepEqual(values, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    assert.deepEqual(contents()[0], torn);
  });

  it("says which folder cannot be written to", () => {
    fs.writeFileSync(path.join(folder, "a file"), "");

    const writer = new SummaryWriter(path.join(folder, "a file"));

    assert.throws(() => writer.scalars(1, { x: 1 }), /a file: TensorBoard's events could not be written \(E/);
  });

  it("is read by TensorBoard, which forgets the steps that a resumed run makes again", function (this: Mocha.Context) {
    this.timeout(600_000);
    const python = findPythonWith("tensorboard");
    if (!python) this.skip();
    const first = new SummaryWriter(folder, { now: () => 1_700_000_000_000 });
    first.start(1);
    [1, 2, 3, 4].forEach((step) => first.scalars(step, { "loss/train": 1 / step }));
    first.close();
    const second = new SummaryWriter(folder, { now: () => 1_700_000_100_000 });
    second.start(3);
    [3, 4, 5].forEach((step) => second.scalars(step, { "loss/train": -step }));
    second.close();

    const { stdout, stderr } = spawnSync(python, ["-c", READ_BY_TENSORBOARD, folder], { encoding: "utf8" });

    assert.ok(stdout, stderr);
    assert.deepEqual(JSON.parse(stdout), [[1, 1], [2, 0.5], [3, -3], [4, -4], [5, -5]]); // prettier-ignore
  });
});

const READ_BY_TENSORBOARD = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1]).Reload()
print(json.dumps([[point.step, point.value] for point in events.Scalars("loss/train")]))
`;

function findPythonWith(module: string): string | undefined {
  const python = process.env.SHARPNESS_PYTHON ?? findTorchPython() ?? "python3";
  return spawnSync(python, ["-c", `import ${module}`]).status === 0 ? python : undefined;
}

interface TensorFlowWriter {
  scalar(tag: string, value: number, step: number): void;
  flush(): void;
}

function tensorFlowWriter(folder: string): TensorFlowWriter {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- not there where the native engine is not
  const native = require("@tensorflow/tfjs-node-gpu") as { node: { summaryFileWriter(folder: string): TensorFlowWriter } };
  return native.node.summaryFileWriter(folder);
}

/** The records' bytes, each without its 9 bytes of time and the checksum that covers them. */
function withoutTimes(file: Buffer): string[] {
  const records: string[] = [];
  for (let at = 0; at < file.length; ) {
    const length = file.readUInt32LE(at);
    const record = file.subarray(at, at + 12 + length);
    assert.equal(record[12], 9); // the key of field 1, a double
    records.push(Buffer.concat([record.subarray(0, 12), record.subarray(21)]).toString("hex"));
    at += 16 + length;
  }
  return records;
}
