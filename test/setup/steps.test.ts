/** The runner of set-up's steps, on steps of our own in a temporary folder. */
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { steps, type Step } from "./modules";

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

  /** A process with the lock that makes "a" and lets go when the file "go" is there. */
  async function holdLock(): Promise<ChildProcess> {
    mkdirSync(path.join(root, ".setup"));
    const release = `fs.writeFileSync("a", ""); fs.rmSync(".setup/lock"); clearInterval(timer);`;
    const script = `fs.writeFileSync(".setup/lock", String(process.pid)); console.log();
      const timer = setInterval(() => { if (fs.existsSync("go")) { ${release} } }, 20);`;
    const other = spawn(process.execPath, ["-e", script], { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((resolve) => other.stdout.once("data", resolve));
    return other;
  }

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
    assert.equal(existsSync(path.join(root, ".setup/lock")), false);
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

  it("takes over the lock of a process that was killed", async () => {
    const { runSteps } = await steps();
    const dead = spawnSync(process.execPath, ["-e", ""]).pid;
    mkdirSync(path.join(root, ".setup"));
    writeFileSync(path.join(root, ".setup/lock"), String(dead));

    const [result] = await runSteps([fileStep("a")], { root, print });

    assert.equal(result?.status, "done");
    assert.doesNotMatch(printed, /another set-up/);
  });

  it("leaves to another set-up what that one made while this one waited", async () => {
    const { runSteps } = await steps();
    const other = await holdLock();
    const letGo = (text: string): void => {
      print(text);
      if (text.includes(`process ${other.pid}`)) writeFileSync(path.join(root, "go"), "");
    };

    const [result] = await runSteps([fileStep("a", () => assert.fail("made twice"))], { root, print: letGo });

    assert.equal(result?.status, "there");
    assert.match(printed, /another set-up \(process \d+\) is at work here/);
  });
});
