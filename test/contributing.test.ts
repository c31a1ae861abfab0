/** The diffs of CONTRIBUTING.md, applied to a copy of the project. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { runScript } from "./support/children";
import { projectCopy } from "./support/projectCopy";

const text = fs.readFileSync(path.join(__dirname, "../CONTRIBUTING.md"), "utf8");
const diffs = new Map([...text.matchAll(/<!-- diff:(\w+) -->\s+```diff\n([^]*?)```/g)].map((match) => [match[1]!, match[2]!]));

interface FileDiff {
  readonly file: string;
  readonly isNew: boolean;
  readonly hunks: readonly string[];
}

function parseDiff(diff: string): FileDiff[] {
  return diff
    .split(/^(?=--- )/m)
    .filter(Boolean)
    .map((part) => {
      const [from, to, ...lines] = part.split("\n");
      const hunks = lines.join("\n").split(/^@@.*\n/m).filter(Boolean); // prettier-ignore
      return { file: to!.replace("+++ b/", ""), isNew: from === "--- /dev/null", hunks };
    });
}

/** Each hunk's old lines, found by their text, give way to its new ones. @throws if they do not stand in the file exactly once */
function applyDiff(folder: string, { file, isNew, hunks }: FileDiff): void {
  const target = path.join(folder, file);
  const before = isNew ? "" : fs.readFileSync(target, "utf8");
  const after = hunks.reduce((content, hunk) => {
    const lines = hunk.split("\n").slice(0, -1);
    const side = (mark: string) => lines.filter((line) => line[0] !== mark).map((line) => `${line.slice(1)}\n`).join(""); // prettier-ignore
    if (isNew) return content + side("-");
    assert.equal(content.split(side("+")).length, 2, `${file} has these lines not exactly once:\n${side("+")}`);
    return content.replace(side("+"), () => side("-"));
  }, before);
  fs.writeFileSync(target, after);
}

const smokeRuns = `
  import { runOne, type RunOptions } from ".";
  const data = { name: "generated", trainSize: 64, testSize: 20 } as const;
  const mlp: RunOptions["model"] = { name: "mlp", hidden: [8] };
  const training = { epochs: 1, batchSize: 20 };
  const runs: RunOptions[] = [
    { dataset: data, model: mlp, training: { ...training, rho: 0.5, variant: { name: "stableSam" } } },
    { dataset: data, model: mlp, noise: { noiseRate: 0.4 }, training: { ...training, method: { name: "trimmedLoss", trimmedShare: 0.4 } } },
    { dataset: { name: "stripes", trainSize: 200, testSize: 100 }, model: mlp, training: { ...training, epochs: 20 } },
    { dataset: data, model: { name: "leNet" }, training },
  ];
  void (async () => {
    for (const run of runs) console.log((await runOne(run)).record.metrics.testErrorRate);
  })();`;

describe("CONTRIBUTING.md", function () {
  // Compiling a copy takes a minute on a busy machine.
  this.timeout(600_000);
  let project: string;

  before(() => {
    project = projectCopy();
    for (const diff of diffs.values()) for (const each of parseDiff(diff)) applyDiff(project, each);
    fs.writeFileSync(path.join(project, "src/smoke.ts"), smokeRuns);
  });
  after(() => fs.rmSync(project, { recursive: true }));

  it("shows each of the five additions as a diff of at most three files", () => {
    assert.deepEqual([...diffs.keys()], ["variant", "method", "dataset", "network", "item"]);
    for (const [name, diff] of diffs) assert.ok(parseDiff(diff).length <= 3, name);
  });

  it("shows diffs that compile, all together", () => {
    const tsc = require.resolve("typescript/bin/tsc");
    const { stdout } = spawnSync(process.execPath, [tsc, "-p", ".", "--noEmit", "--incremental", "false"], {
      ...{ cwd: project, encoding: "utf8" },
    });

    assert.equal(stdout, "");
  });

  it("shows a variant, a method, a data set and a network that train", async () => {
    const { code, lines, stderr } = await runScript(path.join(project, "src/smoke.ts"), [], { cwd: project });

    assert.equal(code, 0, stderr);
    const errorRates = lines.map(Number);
    assert.equal(errorRates.filter((rate) => rate >= 0 && rate <= 1).length, 4);
    // Stripes of two directions can be told apart by a plane; guessing has an error of one half.
    assert.ok(errorRates[2]! < 0.25, lines.join());
  });

  it("shows a figure that reproduce knows", async () => {
    const { code, lines, stderr } = await runScript(
      path.join(project, "src/cli/reproduce.ts"),
      ["figure-weight-decay", "--budget", "smoke"],
      { cwd: project },
    );

    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(lines.join("\n"), /weight decay +ρ +error\n/);
    assert.match(lines.join("\n"), /One seed cannot decide whether SAM lowers the error without weight decay\./);
  });
});
