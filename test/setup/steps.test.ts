/** The runner of set-up's steps, on steps of our own in a temporary folder. */
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess, type ChildProcessByStdio } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Readable } from "node:stream";
import { moduleUrl, steps, type Step } from "./modules";

describe("set-up's runner", () => {
  let root: string;
  let printed: string;
  const print = (text: string): void => void (printed += text);

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), "steps-"));
    printed = "";
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  /** A step that is there once its file is. */
  const fileStep = (name: string, make: () => void = () => undefined): Step => ({
    name,
    doing: `making ${name}`,
    there: () => (existsSync(path.join(root, name)) ? name : undefined),
    make: async () => {
      make();
      writeFileSync(path.join(root, name), "");
      return name;
    },
  });

  /** A set-up in a process of its own, whose one step `body` makes. */
  function startElsewhere(body: string): ChildProcessByStdio<null, Readable, null> {
    const script = `
      import { runSteps } from ${JSON.stringify(moduleUrl("steps"))};
      import { runLong } from ${JSON.stringify(moduleUrl("shell"))};
      import fs from "node:fs";
      const make = async () => { console.log("begun"); ${body}; fs.writeFileSync("a", ""); return "a"; };
      const there = () => fs.existsSync("a") ? "a" : undefined;
      await runSteps([{ name: "a", doing: "making a", there, make }], { root: ".", print: () => {} });`;
    const stdio: ["ignore", "pipe", "inherit"] = ["ignore", "pipe", "inherit"];
    return spawn(process.execPath, ["--input-type=module", "-e", script], { cwd: root, stdio });
  }

  /** As `startElsewhere`, once the step has begun. */
  async function setUpElsewhere(body: string): Promise<ChildProcess> {
    const other = startElsewhere(body);
    await new Promise((resolve) => other.stdout.once("data", resolve));
    return other;
  }

  const untilGo = `const wait = async () => { while (!fs.existsSync("go")) await new Promise((done) => setTimeout(done, 20)); }`;

  it("makes what is missing, prints a line for each with its time, and finds all there the second time, in silence", async () => {
    const { runSteps } = await steps();
    const list = [fileStep("a"), fileStep("b")];

    const first = await runSteps(list, { root, print });
    const lines = printed;
    printed = "";
    const second = await runSteps(list, { root, print });

    assert.deepEqual(
      first.map(({ status }) => status),
      ["done", "done"],
    );
    assert.match(lines, /^ {2}a +making a … a \(\d+\.\d s\)\n {2}b +making b … b \(\d+\.\d s\)\n$/);
    assert.deepEqual(
      second.map(({ status }) => status),
      ["there", "there"],
    );
    assert.equal(printed, "");
  });

  it("goes on where a step cannot work, and says why in its line", async () => {
    const { runSteps, StepFailure } = await steps();
    const failing = fileStep("a", () => {
      throw new StepFailure("no compiler found");
    });

    const results = await runSteps([failing, fileStep("b")], { root, print });

    assert.deepEqual(
      results.map(({ status }) => status),
      ["failed", "done"],
    );
    assert.match(printed, /not possible here \(\d+\.\d s\): no compiler found\n/);
  });

  it("stops at a fatal failure, and leaves no lock behind", async () => {
    const { runSteps, StepFailure } = await steps();
    const failing = fileStep("a", () => {
      throw new StepFailure("npm ci: no network", { fatal: true });
    });

    await assert.rejects(runSteps([failing, fileStep("b")], { root, print }), /npm ci: no network/);

    assert.equal(existsSync(path.join(root, "b")), false);
    await runSteps([fileStep("b")], { root, print });
    assert.doesNotMatch(printed, /another set-up/);
  });

  it("does not try a failed download again within the hour unless asked to", async () => {
    const { runSteps, StepFailure } = await steps();
    let tries = 0;
    const failing = fileStep("a", () => {
      tries++;
      throw new StepFailure("no index answers", { network: true });
    });

    for (const retry of [false, false, true]) await runSteps([failing], { root, print, retry });

    assert.equal(tries, 2);
    assert.match(printed, /no index answers \(npm run setup tries again\)/);
  });

  it("takes the lock of a process that was killed", async () => {
    const { runSteps } = await steps();
    const other = await setUpElsewhere("await new Promise(() => setInterval(() => {}, 1000))");
    const ended = new Promise((resolve) => other.once("close", resolve));
    other.kill("SIGKILL");
    await ended;

    const [result] = await runSteps([fileStep("a")], { root, print });

    assert.equal(result?.status, "done");
    assert.doesNotMatch(printed, /another set-up/);
  });

  it("leaves to another set-up what that one made while this one waited, however long ago that one began", async () => {
    const { runSteps } = await steps();
    const other = await setUpElsewhere(`${untilGo}; await wait()`);
    utimesSync(path.join(root, ".setup/lock"), 0, 0);
    const letGo = (text: string): void => {
      print(text);
      if (text.includes(`process ${other.pid}`)) writeFileSync(path.join(root, "go"), "");
    };

    const [result] = await runSteps([fileStep("a", () => assert.fail("made twice"))], { root, print: letGo });

    assert.equal(result?.status, "there");
    assert.match(printed, /another set-up \(process \d+\) is at work here/);
  });

  it("waits for the program that a killed set-up has left at work", async () => {
    const { runSteps } = await steps();
    const program = `fs = require("node:fs"); setInterval(() => { if (fs.existsSync("go")) process.exit(); }, 20)`;
    const other = await setUpElsewhere(`await runLong(process.execPath, ["-e", ${JSON.stringify(program)}])`);
    // The program starts a moment after the step's line.
    await new Promise((resolve) => setTimeout(resolve, 300));
    other.kill("SIGKILL");
    let waited = false;
    const letGo = (text: string): void => {
      waited ||= /another set-up/.test(text);
      writeFileSync(path.join(root, "go"), "");
    };

    const [result] = await runSteps([fileStep("a")], { root, print: letGo });

    assert.deepEqual([result?.status, waited], ["done", true]);
  });

  it("lets one of many in at a time, where a killed process has left its lock", async () => {
    const dead = spawnSync(process.execPath, ["-e", ""]).pid;
    mkdirSync(path.join(root, ".setup"));
    writeFileSync(path.join(root, ".setup/lock"), String(dead));
    const body = `fs.appendFileSync("made", "x"); await new Promise((done) => setTimeout(done, 200))`;

    const others = Array.from({ length: 6 }, () => startElsewhere(body));
    await Promise.all(others.map((other) => new Promise((resolve) => other.once("close", resolve))));

    assert.equal(readFileSync(path.join(root, "made"), "utf8"), "x");
  });

  it("stopped by a signal ends the programs that it started, and theirs", async () => {
    const grandchild = `require("node:fs").writeFileSync("pid", String(process.pid)); setInterval(() => {}, 1000)`;
    const child = `require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(grandchild)}]); setInterval(() => {}, 1000)`;
    const other = await setUpElsewhere(
      `await runLong(process.execPath, ["-e", ${JSON.stringify(child)}]).catch(({ exitCode }) => process.exit(exitCode))`,
    );
    const pid = await numberIn(path.join(root, "pid"));

    const code = new Promise((resolve) => other.once("close", resolve));
    other.kill("SIGTERM");

    assert.equal(await code, 128 + 15);
    assert.equal(await staysAlive(pid), false);
    assert.equal(existsSync(path.join(root, "a")), false);
  });
});

describe("npm, told to end", () => {
  it("takes the command along that it started, and that command's own", async function () {
    const root = mkdtempSync(path.join(tmpdir(), "npm-"));
    try {
      const command = `require("node:fs").writeFileSync("pid", String(process.pid)); setInterval(() => {}, 1000)`;
      const script = `import { runInteractive } from ${JSON.stringify(moduleUrl("shell"))};
        process.exitCode = await runInteractive(process.execPath, ["-e", ${JSON.stringify(command)}]);`;
      writeFileSync(path.join(root, "start.mjs"), script);
      writeFileSync(path.join(root, "package.json"), JSON.stringify({ scripts: { start: "node start.mjs" } }));
      const npm = spawn("npm", ["start", "--silent"], { cwd: root, stdio: "ignore" });
      const pid = await numberIn(path.join(root, "pid"));

      npm.kill("SIGTERM");

      assert.equal(await staysAlive(pid), false);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});

async function numberIn(file: string): Promise<number> {
  while (!existsSync(file) || readFileSync(file, "utf8") === "") await new Promise((resolve) => setTimeout(resolve, 20));
  return Number(readFileSync(file, "utf8"));
}

/** True where a process is still there after ten seconds. */
async function staysAlive(pid: number): Promise<boolean> {
  for (let i = 0; i < 100; i++) {
    try {
      process.kill(pid, 0);
    } catch {
      return false;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return true;
}
