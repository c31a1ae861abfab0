import assert from "node:assert/strict";
import { fork } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { appendRecord, readRecords, recordsFile } from "../../src/experiments/records";
import { recordOf, tinyRun } from "../support/records";
import { tinyDisk } from "../support/tinyDisk";

const [a, b, c] = [0, 1, 2].map((seed) => recordOf(tinyRun({ seed }))) as [
  ReturnType<typeof recordOf>,
  ReturnType<typeof recordOf>,
  ReturnType<typeof recordOf>,
];

describe("experiments/records", () => {
  let folder: string;
  let file: string;
  const read = (onWarning?: (message: string) => void) => readRecords("item", { folders: [folder], onWarning });
  const append = (record: typeof a) => appendRecord("item", record, { folder });

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "records-"));
    file = recordsFile("item", folder);
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  it("come back as they were written, one line each, in their order", () => {
    for (const record of [a, b, c]) append(record);

    assert.deepEqual(read(), [a, b, c]);
    assert.deepEqual(fs.readFileSync(file, "utf8"), [a, b, c].map((record) => `${JSON.stringify(record)}\n`).join(""));
    assert.deepEqual(fs.readdirSync(folder), ["item.jsonl"]);
  });

  it("are none where there is no file, or an empty one", () => {
    assert.deepEqual(read(), []);
    fs.writeFileSync(file, "");
    assert.deepEqual(read(), []);
  });

  it("of two with one key, the first counts, folder by folder", () => {
    const other = path.join(folder, "other");
    append(a);
    appendRecord("item", { ...a, metrics: { ...a.metrics, testErrorRate: 0.9 } }, { folder });
    appendRecord("item", { ...a, metrics: { ...a.metrics, testErrorRate: 0.8 } }, { folder: other });
    appendRecord("item", b, { folder: other });

    assert.deepEqual(readRecords("item", { folders: [folder, other] }), [a, b]);
  });

  it("make their folder where it is missing", () => {
    const deep = path.join(folder, "not", "yet");

    appendRecord("item", a, { folder: deep });

    assert.deepEqual(readRecords("item", { folders: [deep] }), [a]);
  });

  describe("with a torn last line", () => {
    const torn = JSON.stringify(b).slice(0, 40);
    beforeEach(() => {
      append(a);
      fs.appendFileSync(file, torn);
    });

    it("are read without it, with one warning that names the file", () => {
      const warnings: string[] = [];

      assert.deepEqual(read((message) => warnings.push(message)), [a]); // prettier-ignore
      assert.equal(warnings.length, 1);
      assert.match(warnings[0]!, /item\.jsonl: the last line is torn .* and was left out/);
    });

    it("do not change by being read", () => {
      const before = fs.readFileSync(file);

      read();

      assert.deepEqual(fs.readFileSync(file), before);
    });

    it("lose it at the next append", () => {
      append(c);

      assert.equal(fs.readFileSync(file, "utf8"), `${JSON.stringify(a)}\n${JSON.stringify(c)}\n`);
    });

    it("lose it also where it is the only line", () => {
      fs.writeFileSync(file, torn);

      append(c);

      assert.equal(fs.readFileSync(file, "utf8"), `${JSON.stringify(c)}\n`);
    });
  });

  describe("refuse", () => {
    const lines = (...middle: string[]) =>
      fs.writeFileSync(file, [JSON.stringify(a), ...middle, JSON.stringify(b), ""].join("\n"));

    for (const [name, line] of [
      ["that is cut", JSON.stringify(c).slice(0, 40)],
      ["that is empty", ""],
      ["without a config", '{"key":"0123456789abcdef"}'],
      ["that is no object", "null"],
      ["with a config of another version", JSON.stringify({ ...c, config: { ...c.config, dataset: { name: "cifar-7" } } })],
    ])
      it(`a line in the middle ${name}, naming file and line`, () => {
        lines(line!);

        assert.throws(
          () => read(),
          /item\.jsonl:2: not a record \(.*\); restore the file, or delete this line to repeat its run/,
        );
      });

    it("a key that does not belong to its config, naming file, line and both", () => {
      lines(JSON.stringify({ ...c, config: a.config }));

      assert.throws(
        () => read(),
        new RegExp(`item\\.jsonl:2: key ${c.key} does not belong to its config \\(${a.key}\\); was it edited\\?`),
      );
    });
  });

  describe("that cannot be written", () => {
    const refused = new RegExp(`the record of run ${b.key} could not be written \\(.*\\); earlier records are whole`);

    it("give one error that names file and run", () => {
      fs.writeFileSync(path.join(folder, "a file"), "");
      const blocked = path.join(folder, "a file");

      assert.throws(() => appendRecord("item", b, { folder: blocked }), refused);
      assert.throws(() => appendRecord("item", b, { folder: path.join(blocked, "below") }), /below\/item\.jsonl: /);
    });

    it("for a full disk leave the file as it was, byte for byte", function () {
      const disk = tinyDisk();
      if (!disk) this.skip();
      try {
        const history = Array.from({ length: 300 }, (_, i) => ({ epoch: i + 1, trainLoss: 1 / 3, perturbedLoss: 1 / 3 }));
        appendRecord("item", { ...a, history }, { folder: disk.folder }); // about 25 kB
        appendRecord("item", { ...c, history }, { folder: disk.folder });
        const before = fs.readFileSync(recordsFile("item", disk.folder));

        assert.throws(() => appendRecord("item", { ...b, history }, { folder: disk.folder }), refused);

        assert.deepEqual(fs.readFileSync(recordsFile("item", disk.folder)), before);
        assert.equal(readRecords("item", { folders: [disk.folder] }).length, 2);
      } finally {
        disk.unmount();
      }
    });
  });

  it("of several processes that append at once are all there", async function () {
    // Processes start slowly on a busy machine.
    this.timeout(600_000);
    const script = path.join(folder, "append.cjs");
    const source = JSON.stringify(require.resolve("../../src/experiments/records"));
    const helper = JSON.stringify(require.resolve("../support/records"));
    fs.writeFileSync(
      script,
      `const { appendRecord } = require(${source}); const { recordOf, tinyRun } = require(${helper});
       process.once("message", () => {
         for (let i = 0; i < 25; i++) appendRecord("item", recordOf(tinyRun({ seed: Number(process.argv[2]) + i })), { folder: ${JSON.stringify(folder)} });
         process.exit(0);
       });
       process.send("ready");`,
    );
    const children = [1000, 2000].map((first) =>
      fork(script, [String(first)], { execArgv: ["--require", require.resolve("tsx/cjs")] }),
    );
    await Promise.all(children.map((child) => new Promise((resolve) => child.once("message", resolve))));

    for (const child of children) child.send("go");
    await Promise.all(children.map((child) => new Promise((resolve) => child.once("exit", resolve))));

    assert.equal(read().length, 50);
  });
});
