import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { obstacleToNamespaces, openSandbox } from "../../src/classroom/sandbox";
import { projectRoot } from "../../src/data/files";

const sandboxFile = JSON.stringify(path.join(projectRoot(), "dist/classroom/sandbox.js"));

describe("the sandbox", () => {
  before(function () {
    if (obstacleToNamespaces() !== undefined) this.skip();
  });

  it("is open to an unprivileged user where root has it and user namespaces are allowed", function () {
    const namespaces = spawnSync("setpriv", ["--reuid=65533", "--clear-groups", "unshare", "--user", "--map-root-user", "true"]);
    if (process.getuid?.() !== 0 || namespaces.status !== 0) this.skip();
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "unprivileged-"));
    fs.chmodSync(folder, 0o777);
    const code = `console.log(require(${sandboxFile}).obstacleToNamespaces())`;

    const args = ["--reuid=65533", "--clear-groups", process.execPath, "-e", code];
    const { stdout } = spawnSync("setpriv", args, { encoding: "utf8", env: { ...process.env, TMPDIR: folder } });

    fs.rmSync(folder, { recursive: true });
    assert.equal(stdout.trim(), "undefined");
  });

  it("leaves no process behind when the grader is interrupted", () => {
    const options = '{ limits: { memory: 500, processes: 64 }, stdio: ["pipe", "pipe", "pipe"] }';
    const code = `const { child } = require(${sandboxFile}).openSandbox().start("compiler.js", ${options});
      setTimeout(() => { console.log(child.pid); process.kill(process.pid, "SIGINT"); }, 500);`;

    const { stdout, signal } = spawnSync(process.execPath, ["-e", code], { encoding: "utf8" });

    assert.equal(signal, "SIGINT");
    assert.match(stateOf(Number(stdout)), /^[ZX]?$/);
  });
  it("listens for the grader's end only while a student's process runs", async () => {
    const listeners = () => ["SIGINT", "SIGTERM", "SIGHUP", "exit"].map((name) => process.listenerCount(name));
    const before = listeners();
    const sandbox = openSandbox();

    const { child, ended } = sandbox.start("compiler.js", {
      limits: { memory: 500, processes: 64 },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const during = listeners();
    child.kill("SIGKILL");
    await ended;

    assert.deepEqual(during, before.map((count) => count + 1)); // prettier-ignore
    assert.deepEqual(listeners(), before);
  });
});

/** Z for a process that has ended and is not collected yet; empty for one that is gone. */
function stateOf(pid: number): string {
  assert.ok(pid > 0);
  try {
    return /\) (\w)/.exec(fs.readFileSync(`/proc/${pid}/stat`, "utf8"))![1]!;
  } catch {
    return "";
  }
}
