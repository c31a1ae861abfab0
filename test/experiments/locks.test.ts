import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { describeHolder, isLock, tryLock, waitForLock, type Lock } from "../../src/experiments/locks";

describe("experiments/locks", () => {
  let folder: string;
  let place: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "locks-"));
    place = path.join(folder, "thing");
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  const take = (): Lock => {
    const lock = tryLock(place);
    return isLock(lock) ? lock : assert.fail(`held by ${describeHolder(lock)}`);
  };
  /** The file of another claimant: the name of our own with one part changed. */
  const leave = (change: (parts: string[]) => void): string => {
    const lock = take();
    const [name] = fs.readdirSync(folder).filter((each) => each.startsWith("thing.lock~"));
    lock.release();
    const parts = name!.slice("thing.lock~".length).split("~");
    change(parts);
    const file = path.join(folder, `thing.lock~${parts.join("~")}`);
    fs.writeFileSync(file, "");
    return file;
  };

  it("has one holder at a time, also within one process, and is free after its release", () => {
    const lock = take();

    assert.deepEqual(tryLock(place), { ...tryLock(place), pid: process.pid });
    assert.equal(isLock(tryLock(place)), false);
    lock.release();

    take().release();
    assert.deepEqual(fs.readdirSync(folder), []);
  });

  it("differs from that of a place whose name begins the same", () => {
    const other = tryLock(`${place}.more`);
    take().release();

    assert.ok(isLock(other));
    other.release();
  });

  it("is waited for no longer than the given time", () => {
    const lock = take();

    assert.equal(waitForLock(place, { timeoutMs: 50 }), undefined);
    lock.release();
    waitForLock(place, { timeoutMs: 50 })!.release();
  });

  it("is free once its process is gone, and the file goes", () => {
    const gone = spawnSync(process.execPath, ["-e", ""]).pid;
    const file = leave((parts) => (parts[2] = String(gone)));

    take().release();

    assert.equal(fs.existsSync(file), false);
  });

  it("is free if its process's id belongs to another process now", function () {
    if (!fs.existsSync("/proc/self/stat")) this.skip();
    // This process did not start at the first tick after the boot.
    leave((parts) => (parts[3] = "1"));

    take().release();
  });

  it("is held by another machine until its file has not been renewed for ten minutes", () => {
    const file = leave((parts) => parts.splice(0, 2, "elsewhere", "0123456789ab"));

    const holder = tryLock(place);
    assert.equal(isLock(holder), false);
    assert.match(describeHolder(holder as { host: string; pid: number }), /^process \d+ on elsewhere$/);

    const past = Date.now() / 1000 - 11 * 60;
    fs.utimesSync(file, past, past);
    take().release();
    assert.equal(fs.existsSync(file), false);
  });

  it("names the place if it cannot be taken", () => {
    fs.writeFileSync(place, "");

    assert.throws(() => tryLock(path.join(place, "below")), /EEXIST|ENOTDIR/);
  });
});
