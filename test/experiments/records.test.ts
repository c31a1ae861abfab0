import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
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

  it("are none if the file is missing or empty", () => {
    assert.deepEqual(read(), []);
    fs.writeFileSync(file, "");
    assert.deepEqual(read(), []);
  });

  it("with the same key count once, the first of the first folder", () => {
    const other = path.join(folder, "other");
    append(a);
    appendRecord("item", { ...a, metrics: { ...a.metrics, testErrorRate: 0.9 } }, { folder });
    appendRecord("item", { ...a, metrics: { ...a.metrics, testErrorRate: 0.8 } }, { folder: other });
    appendRecord("item", b, { folder: other });

    assert.deepEqual(readRecords("item", { folders: [folder, other] }), [a, b]);
  });

  it("make their folder if it is missing", () => {
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
      assert.match(warnings[0]!, /item\.jsonl:2: this line is torn .* and was left out/);
    });

    it("do not change by being read", () => {
      const before = fs.readFileSync(file);

      read();

      assert.deepEqual(fs.readFileSync(file), before);
    });

    it("keep it at the next append as a line of its own, which readers skip", () => {
      append(c);

      assert.equal(fs.readFileSync(file, "utf8"), `${JSON.stringify(a)}\n${torn}\n${JSON.stringify(c)}\n`);
      assert.deepEqual(read(), [a, c]);
    });

    it("keep it also if it is the only line", () => {
      fs.writeFileSync(file, torn);

      append(c);

      assert.deepEqual(read(), [c]);
    });

    it("keep the part of a record whose writer has not finished", () => {
      const rest = `${JSON.stringify(b).slice(torn.length)}\n`;

      append(c);
      fs.appendFileSync(file, rest);

      assert.ok(fs.readFileSync(file, "utf8").includes(torn), "its first part is still there");
    });
  });

  it("with an empty line, as two processes that write at once may leave, are read without a warning", () => {
    fs.writeFileSync(file, `${JSON.stringify(a)}\n\n${JSON.stringify(b)}\n`);

    assert.deepEqual(read((message) => assert.fail(message)), [a, b]); // prettier-ignore
  });

  it("with a torn line in the middle are read without it, with a warning that names the line", () => {
    const warnings: string[] = [];
    fs.writeFileSync(file, [JSON.stringify(a), JSON.stringify(c).slice(0, 40), JSON.stringify(b), ""].join("\n"));

    assert.deepEqual(read((message) => warnings.push(message)), [a, b]); // prettier-ignore
    assert.match(warnings.join(), /item\.jsonl:2: this line is torn/);
  });

  describe("refuse", () => {
    const lines = (...middle: string[]) =>
      fs.writeFileSync(file, [JSON.stringify(a), ...middle, JSON.stringify(b), ""].join("\n"));

    for (const [name, line] of [
      ["without a config", '{"key":"0123456789abcdef"}'],
      ["that is no object", "null"],
      ["with an error rate that is no number", JSON.stringify({ ...c, metrics: { ...c.metrics, testErrorRate: null } })],
      ["with an error rate in per cent", JSON.stringify({ ...c, metrics: { ...c.metrics, bestTestErrorRate: 25 } })],
      ["without metrics", JSON.stringify({ ...c, metrics: undefined })],
      ["with a loss that is no number", JSON.stringify({ ...c, history: [{ epoch: 1, trainLoss: "1", perturbedLoss: 1 }] })],
      ["with a config of another version", JSON.stringify({ ...c, config: { ...c.config, dataset: { name: "cifar-7" } } })],
    ])
      it(`a line in the middle ${name}, naming file and line`, () => {
        lines(line!);

        assert.throws(
          () => read(),
          /item\.jsonl:2: not a record \(.*\); restore the file, or delete this line to repeat its run/,
        );
      });

    it("an item that would lie in another folder", () => {
      for (const item of ["../../x", "a/b", "..", ".hidden", "", "a".repeat(101)])
        for (const attempt of [
          () => readRecords(item, { folders: [folder] }),
          () => appendRecord(item, a, { folder: path.join(folder, "deep", "down") }),
        ])
          assert.throws(attempt, (error: Error) =>
            error.message.startsWith(`item = ${JSON.stringify(item)}: expected a name such as`),
          );
      assert.deepEqual(fs.readdirSync(folder), []);
    });

    it("a key that does not belong to its config, naming file, line and both", () => {
      lines(JSON.stringify({ ...c, config: a.config }));

      assert.throws(
        () => read(),
        new RegExp(`item\\.jsonl:2: key ${c.key} does not belong to its config \\(${a.key}\\); was it edited\\?`),
      );
    });
  });

  it("are appended without reading those before them, also to a file of 8 GB", () => {
    fs.writeFileSync(file, "");
    fs.truncateSync(file, 2 ** 33); // a hole, which takes no disk either

    append(a);

    // The file did not end in a newline.
    assert.equal(fs.statSync(file).size, 2 ** 33 + 1 + Buffer.byteLength(`${JSON.stringify(a)}\n`));
  });

  describe("that cannot be written", () => {
    const refused = new RegExp(`the record of run ${b.key} could not be written \\(.*\\); earlier records are whole`);

    it("give one error that names file and run", () => {
      fs.writeFileSync(path.join(folder, "a file"), "");
      const blocked = path.join(folder, "a file");

      assert.throws(() => appendRecord("item", b, { folder: blocked }), refused);
      assert.throws(() => appendRecord("item", b, { folder: path.join(blocked, "below") }), /below\/item\.jsonl: /);
    });

    it("leave the file as it was, byte for byte, if the disk is full", function () {
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

  describe("that several processes append at once", function () {
    // Processes start slowly on a busy machine.
    this.timeout(600_000);
    const loader = ["--require", require.resolve("tsx/cjs")];
    const script = (body: string) => {
      const file = path.join(folder, "append.cjs");
      const [records, support] = ["../../src/experiments/records", "../support/records"].map((name) =>
        JSON.stringify(require.resolve(name)),
      );
      const setup = `const { appendRecord } = require(${records}); const { recordOf, tinyRun } = require(${support}); const first = Number(process.argv[2]);`;
      const append = `const append = (i) => { const record = recordOf(tinyRun({ seed: first + i })); appendRecord("item", record, { folder: ${JSON.stringify(folder)} }); return record.key; };`;
      fs.writeFileSync(file, `${setup} ${append} process.once("message", () => { ${body} }); process.send("ready");`);
      return file;
    };
    const start = async (file: string, seeds: readonly number[]) => {
      const children = seeds.map((first) => fork(file, [String(first)], { execArgv: loader }));
      await Promise.all(children.map((child) => once(child, "message")));
      for (const child of children) child.send("go");
      return children;
    };

    it("are all there", async () => {
      const file = script("for (let i = 0; i < 60; i++) append(i); process.exit(0);");

      const children = await start(file, [1000, 2000, 3000]);
      await Promise.all(children.map((child) => once(child, "exit")));

      assert.equal(read().length, 180);
      assert.deepEqual(locks(), []);
    });

    it("stay once they are written, though other processes are killed while they write", async () => {
      const forever = script("const next = (i) => process.send(append(i), () => next(i + 1)); next(0);");
      const children = await start(forever, [10_000, 20_000, 30_000]);
      const written: string[] = [];
      for (const child of children) child.on("message", (key) => void written.push(String(key)));

      for (const child of children) {
        await once(child, "message");
        child.kill("SIGKILL");
        await once(child, "exit");
      }
      for (const record of [a, b, c]) append(record);

      const kept = new Set(read().map(({ key }) => key));
      assert.ok(written.length >= children.length);
      assert.deepEqual(written.filter((key) => !kept.has(key)), []); // prettier-ignore
      assert.ok([a, b, c].every(({ key }) => kept.has(key)));
      assert.deepEqual(locks(), []);
    });
  });

  const locks = () => fs.readdirSync(folder).filter((name) => name.includes(".lock"));
});
