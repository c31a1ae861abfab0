import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { writeFileAtomic } from "../../src/data/files";
import { writeFileWhole } from "../../src/engine";
import { tinyDisk } from "../support/tinyDisk";

describe("engine/atomicFile", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "atomic-file-"));
  after(() => fs.rmSync(folder, { recursive: true }));

  it("writes text, bytes and parts, and makes the folder", () => {
    for (const content of ["abc", Buffer.from("abc"), [Buffer.from("a"), Buffer.from("bc")]]) {
      const file = path.join(folder, "new", "file");
      writeFileWhole(file, content);
      assert.equal(fs.readFileSync(file, "utf8"), "abc");
      assert.deepEqual(fs.readdirSync(path.dirname(file)), ["file"]);
    }
  });

  it("where a part throws, the earlier file stays and no other is left", () => {
    const file = path.join(folder, "kept", "file");
    const parts = function* () {
      yield Buffer.from("half");
      throw new Error("no more");
    };
    writeFileWhole(file, "old");

    assert.throws(() => writeFileWhole(file, parts()), /no more/);

    assert.equal(fs.readFileSync(file, "utf8"), "old");
    assert.deepEqual(fs.readdirSync(path.dirname(file)), ["file"]);
  });

  it("on a full disk, the earlier file stays as it was and no temporary file is left, whoever writes", async function () {
    const disk = tinyDisk() ?? this.skip();
    const file = path.join(disk.folder, "file");
    try {
      writeFileWhole(file, "old");
      // 100 kB on 64 kB: the kernel takes a part of the first write without an error.
      const large = Buffer.alloc(100_000, 1);

      assert.throws(() => writeFileWhole(file, large), /ENOSPC/);
      await assert.rejects(writeFileAtomic(file, large), /Cannot write .*file: ENOSPC/);
      await assert.rejects(writeFileAtomic(file, large.toString("latin1")), /ENOSPC/);

      assert.equal(fs.readFileSync(file, "utf8"), "old");
      assert.deepEqual(fs.readdirSync(disk.folder), ["file"]);
    } finally {
      disk.unmount();
    }
  });

  it("removes what a killed process has left of the same file, and nothing of a living one or of another file", () => {
    const home = path.join(folder, "abandoned");
    const dead = spawnSync(process.execPath, ["-e", ""]).pid;
    const named = (base: string, pid: number) => `.${base}-${os.hostname()}-${pid}-0123abcd.part`;
    const names = [named("run", dead), named("run", process.pid), named("run2", dead), "run.part"];
    fs.mkdirSync(home);
    for (const name of names) fs.writeFileSync(path.join(home, name), "half");

    writeFileWhole(path.join(home, "run"), "whole");

    assert.deepEqual(fs.readdirSync(home).sort(), [...names.slice(1), "run"].sort());
  });
});
